"""Saving a trained model to a directory and loading it again, without pickle.

A saved model is a directory of two files:

* `model.json`: format version, the model's kind, its settings, the moment its data ends, its plain values,
  and the SHA-256 of the arrays;
* `arrays.npz`: its NumPy arrays (absent when it has none).

Reading such a directory executes nothing that stands in it, so an artefact store that somebody else can write
to is no way into the process that loads it.

    save(model, Path("var/tmp/discover"))
    model = load(Path("var/tmp/discover"))
"""

from __future__ import annotations

import hashlib
import importlib
import json
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from models_ml.arrays import Json

FORMAT_VERSION = 1
MODEL_FILE = "model.json"
ARRAYS_FILE = "arrays.npz"

# Where the class of each kind lives. Classes are imported when one is loaded, so that a process which serves
# recommendations does not pay for the scientific stack of the others.
_CLASSES = {
    "lifetime_value": "models_ml.lifetime.value:LifetimeModel",
    "churn": "models_ml.churn.model:ChurnModel",
    "item_item": "models_ml.recommend.item_item:ItemItemRecommender",
    "als": "models_ml.recommend.als:AlsRecommender",
    "blend": "models_ml.recommend.blend:BlendRecommender",
    "buy_again": "models_ml.recommend.buy_again:BuyAgainRecommender",
    "bought_together": "models_ml.recommend.together:TogetherRecommender",
    "popularity": "models_ml.recommend.popularity:PopularityRecommender",
    "similar": "models_ml.recommend.similar:SimilarRecommender",
}


class ArtifactError(Exception):
    """A directory does not hold a model that this version can load; the message says which file and why."""


@dataclass(frozen=True)
class State:
    """What there is to store of a model: JSON values and arrays of plain numbers or text."""

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def nested(self, name: str, part: State) -> None:
        """Put another model's state under a name, so that a model may be made of models."""
        self.values[name] = part.values
        self.arrays.update({f"{name}/{key}": array for key, array in part.arrays.items()})

    def part(self, name: str) -> State:
        """The state that `nested` put under this name."""
        prefix = f"{name}/"
        arrays = {k.removeprefix(prefix): a for k, a in self.arrays.items() if k.startswith(prefix)}
        return State(values=dict(self.values[name]), arrays=arrays)


@runtime_checkable
class Model(Protocol):
    """What every trained model offers besides its own questions."""

    kind: ClassVar[str]
    """The name under which `load` finds the class."""

    @property
    def settings(self) -> dict[str, Json]:
        """The hyper-parameters: with the data, all that is needed to fit the model again."""
        ...

    @property
    def data_through(self) -> datetime | None:
        """The end (exclusive, UTC without zone) of the data that the model was fitted on."""
        ...

    def to_state(self) -> State:
        """All that the fitted model needs to answer."""
        ...

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        ...


def save(model: Model, path: Path) -> Path:
    """Write the model into the directory `path`, which is made if need be, and return it."""
    path.mkdir(parents=True, exist_ok=True)
    state = model.to_state()
    digest = _write_arrays(state, path / ARRAYS_FILE)
    through = model.data_through
    document = {
        "format": FORMAT_VERSION,
        "kind": model.kind,
        "settings": model.settings,
        "data_through": None if through is None else through.isoformat(),
        "values": state.values,
        "arrays_sha256": digest,
    }
    text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    (path / MODEL_FILE).write_text(text + "\n", encoding="utf-8")
    return path


def load(path: Path) -> Any:
    """The model saved in the directory `path`.

    Raises ArtifactError when the directory holds no model, one of an unknown format or kind, or when the
    arrays are not those that were saved.
    """
    document = _read_document(path / MODEL_FILE)
    model_class = _class_of(document["kind"], path)
    arrays = _read_arrays(path / ARRAYS_FILE, document["arrays_sha256"])
    through = document["data_through"]
    return model_class.from_state(
        State(values=document["values"], arrays=arrays),
        document["settings"],
        None if through is None else datetime.fromisoformat(through),
    )


def state_of(model: Model) -> State:
    """A model's state together with what `revive` needs to know about it, for a model made of models."""
    through = model.data_through
    inner = model.to_state()
    values = {
        "kind": model.kind,
        "settings": model.settings,
        "data_through": None if through is None else through.isoformat(),
        "values": inner.values,
    }
    return State(values=values, arrays=inner.arrays)


def revive(state: State) -> Any:
    """The model whose `state_of` this is."""
    values = state.values
    through = values["data_through"]
    return _class_of(values["kind"], Path(".")).from_state(
        State(values=values["values"], arrays=state.arrays),
        values["settings"],
        None if through is None else datetime.fromisoformat(through),
    )


def _write_arrays(state: State, file: Path) -> str | None:
    if not state.arrays:
        file.unlink(missing_ok=True)
        return None
    for name, array in state.arrays.items():
        if array.dtype.hasobject:
            raise ArtifactError(f"array {name!r} holds Python objects, which are not stored")
    with file.open("wb") as out:
        np.savez(out, allow_pickle=False, **state.arrays)
    return _sha256(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read_document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactError(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ArtifactError(f"{file}: is not a JSON document: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT_VERSION:
        found = document.get("format") if isinstance(document, dict) else None
        raise ArtifactError(f"{file}: format {found!r} is not {FORMAT_VERSION}, the one this version reads")
    missing = {"kind", "settings", "data_through", "values", "arrays_sha256"} - document.keys()
    if missing:
        raise ArtifactError(f"{file}: lacks {', '.join(sorted(missing))}")
    return document


def _class_of(kind: str, path: Path) -> Any:
    target = _CLASSES.get(kind)
    if target is None:
        raise ArtifactError(f"{path}: unknown kind of model {kind!r}")
    module, name = target.split(":")
    return getattr(importlib.import_module(module), name)


def _read_arrays(file: Path, digest: str | None) -> dict[str, npt.NDArray[Any]]:
    if digest is None:
        return {}
    try:
        if _sha256(file) != digest:
            raise ArtifactError(f"{file}: is not the file that was saved (its SHA-256 differs)")
        with np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{file}: cannot be read: {error}") from error
