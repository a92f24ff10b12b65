"""What an evaluation hands back: counts, settings, figures with intervals, paired comparisons; as table and
JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models_ml.arrays import Json
from models_ml.evaluation.bootstrap import Replicates, gain, holm, p_value


@dataclass(frozen=True)
class Result:
    """One figure. `value` is None where the data cannot give it, and `reason` then says why."""

    task: str
    slice: str
    model: str
    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """A paired difference `model` − `against`, with its interval and Holm-adjusted p over the task's
    comparisons."""

    task: str
    slice: str
    metric: str
    model: str
    against: str
    difference: float
    low: float | None
    high: float | None
    p: float


@dataclass
class Report:
    """The outcome of one protocol; `seconds` is all that may differ between two runs on the same input."""

    protocol: str
    cutoff: str | None
    seed: int
    files: list[dict[str, str]] = field(default_factory=list)
    counts: dict[str, int | float] = field(default_factory=dict)
    settings: dict[str, Json] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, task: str, slice_: str, model: str, found: Mapping[str, Replicates]) -> None:
        """Add figures with their bootstrap intervals."""
        for metric, one in found.items():
            m = one.metric(metric)
            self.results.append(Result(task, slice_, model, metric, _finite(m.value), m.low, m.high, m.n))

    def add_value(self, task: str, slice_: str, model: str, metric: str, value: float) -> None:
        """Add a figure that has no interval."""
        self.results.append(Result(task, slice_, model, metric, _finite(value)))

    def add_missing(self, task: str, slice_: str, model: str, metric: str, reason: str) -> None:
        """State that the data cannot give a figure, and why."""
        self.results.append(Result(task, slice_, model, metric, None, reason=reason))

    def compare(
        self,
        task: str,
        slice_: str,
        metric: str,
        found: Mapping[str, Replicates],
        *,
        against: str,
        higher_is_better: bool = True,
    ) -> None:
        """Pair every model with `against`; differences are turned so that positive favours the model."""
        others = [name for name in found if name != against]
        adjusted = holm({name: p_value(found[name], found[against]) for name in others})
        for name in others:
            d = gain(found[name], found[against], metric, higher_is_better=higher_is_better)
            row = Comparison(task, slice_, metric, name, against, d.value, d.low, d.high, adjusted[name])
            self.comparisons.append(row)

    def write(self, out: Path) -> None:
        """Write the JSON document, making its folder if need be."""
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(self.document(), indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def document(self) -> dict[str, Any]:
        """The report as JSON values; floats rounded to what their digits mean."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded

    def table(self) -> str:
        """The results as aligned text: one block a task, one line a slice and model."""
        tasks = list(dict.fromkeys(r.task for r in self.results))
        return "\n\n".join(_block(task, [r for r in self.results if r.task == task]) for task in tasks)


def described_files(paths: Sequence[Path]) -> list[dict[str, str]]:
    """Name and SHA-256 of each input file."""
    described = []
    for path in paths:
        with path.open("rb") as opened:
            described.append({"name": path.name, "sha256": hashlib.file_digest(opened, "sha256").hexdigest()})
    return described


def _block(task: str, results: Sequence[Result]) -> str:
    metrics = list(dict.fromkeys(r.metric for r in results))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for r in results:
        rows.setdefault((r.slice, r.model), {})[r.metric] = _cell(r)
    shown = [[task, "model", *metrics]]
    shown += [[*key, *(cells.get(metric, "") for metric in metrics)] for key, cells in rows.items()]
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in shown)


def _cell(result: Result) -> str:
    if result.value is None:
        return f"– ({result.reason})" if result.reason else "–"
    if result.value == int(result.value) and result.low is None:
        return f"{int(result.value)}"
    digits = 0 if abs(result.value) >= 1000 else 1 if abs(result.value) >= 100 else 4
    if result.low is None or result.high is None:
        return f"{result.value:.{digits}f}"
    return f"{result.value:.{digits}f} [{result.low:.{digits}f}, {result.high:.{digits}f}]"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
