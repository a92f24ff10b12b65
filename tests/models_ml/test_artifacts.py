"""Saved models load as they were, and anything else is refused with a clear word."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from models_ml import artifacts
from models_ml.artifacts import ArtifactError, State
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.popularity import PopularityRecommender


@pytest.fixture
def saved(lines: pl.DataFrame, as_of: datetime, tmp_path: Path) -> Path:
    model = PopularityRecommender().fit(Interactions.from_lines(lines, as_of))
    return artifacts.save(model, tmp_path / "model")


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"model\.json: cannot be read"):
        artifacts.load(tmp_path / "nothing")


def test_a_document_that_is_no_json(saved: Path) -> None:
    (saved / artifacts.MODEL_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match="not a JSON document"):
        artifacts.load(saved)


@pytest.mark.parametrize(("key", "value", "says"), [("format", 99, "format 99"), ("kind", "nonsense", "unknown kind")])
def test_unknown_format_and_kind(saved: Path, key: str, value: object, says: str) -> None:
    file = saved / artifacts.MODEL_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with pytest.raises(ArtifactError, match=says):
        artifacts.load(saved)


def test_a_document_that_lacks_a_part(saved: Path) -> None:
    file = saved / artifacts.MODEL_FILE
    document = json.loads(file.read_text())
    del document["settings"]
    file.write_text(json.dumps(document))
    with pytest.raises(ArtifactError, match="lacks settings"):
        artifacts.load(saved)


def test_changed_or_truncated_arrays(saved: Path) -> None:
    file = saved / artifacts.ARRAYS_FILE
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(ArtifactError, match="not the file that was saved"):
        artifacts.load(saved)
    file.unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        artifacts.load(saved)


def test_arrays_of_objects_are_neither_written_nor_read(saved: Path) -> None:
    class Boom:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("something was executed",))

    evil = pickle.dumps({"window": Boom()})
    file = saved / artifacts.ARRAYS_FILE
    file.write_bytes(evil)
    document = saved / artifacts.MODEL_FILE
    digest = artifacts._sha256(file)
    document.write_text(json.dumps({**json.loads(document.read_text()), "arrays_sha256": digest}))
    with pytest.raises(ArtifactError, match="cannot be read"):
        artifacts.load(saved)

    @dataclass
    class Odd:
        kind: ClassVar[str] = "odd"
        settings: dict[str, Any] = field(default_factory=dict)
        data_through: None = None

        def to_state(self) -> State:
            return State(arrays={"x": np.array([object()])})

        @classmethod
        def from_state(cls, *_: object) -> Odd:
            return cls()

    with pytest.raises(ArtifactError, match="holds Python objects"):
        artifacts.save(Odd(), saved)


def test_saving_over_another_model_leaves_nothing_of_it(saved: Path, lines: pl.DataFrame, as_of: datetime) -> None:
    other = PopularityRecommender({"from_days": 60}).fit(Interactions.from_lines(lines, as_of))
    loaded = artifacts.load(artifacts.save(other, saved))
    assert loaded.settings["from_days"] == 60
    assert sorted(p.name for p in saved.iterdir()) == [artifacts.ARRAYS_FILE, artifacts.MODEL_FILE]
