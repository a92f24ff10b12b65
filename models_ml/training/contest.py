"""The contest that every recommender is trained by.

Candidates are compared on a validation window; the best one is judged once on the hold-out, beside all
others, the floor and the reigning champion's recipe; then it is fitted on everything before the cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.artifacts import Model
from models_ml.evaluation.bootstrap import Replicates, gain, resample_means
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Trial
from models_ml.evaluation.plots import interval_plot
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.recipes import Recipe
from models_ml.training.result import TrainingResult
from models_ml.training.windows import Windows

MINIMUM_UNITS = 20
"""Fewer shoppers or baskets than this in a window judge nothing."""


@dataclass(frozen=True)
class Measured:
    """One model on one split: figures an entry a unit (shopper, basket), and figures of all together."""

    units: Mapping[str, FloatArray]
    overall: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of units."""
        return len(next(iter(self.units.values())))


class Task(Protocol):
    """What the recommenders of a contest are to be good at."""

    @property
    def primary(self) -> str:
        """Name of the figure that decides, higher is better."""
        ...

    @property
    def slice(self) -> str:
        """Which cases it is measured on."""
        ...

    def split(self, lines: pl.DataFrame, cutoff: datetime, days: float) -> Any:
        """Training data (`.train`) and test cases."""
        ...

    def measure(self, model: ScoringRecommender, split: Any) -> Measured:
        """Judge a model that was fitted on `split.train`."""
        ...


@dataclass(frozen=True)
class Contest:
    """Name of the model, its task, the candidates, the floor, and the length of the two windows."""

    name: str
    task: Task
    candidates: Sequence[Recipe]
    floor: Recipe | None
    days: float = 60

    def run(self, lines: pl.DataFrame, as_of: datetime, champion: Model | None = None) -> TrainingResult:
        """Choose, judge and fit; a shop with too little history gets a result without a model that says
        so."""
        everything = Interactions.from_lines(lines, as_of)
        if everything.lines.is_empty():
            return TrainingResult(self.name, as_of, note="not enough data: no order lines")
        first = everything.lines["placed_at"].min()
        assert isinstance(first, datetime)
        windows = Windows.before(as_of, first, self.days)
        split = self.task.split(everything.lines, windows.holdout_start, windows.days)
        units = self._units(split)
        if units < MINIMUM_UNITS:
            note = f"not enough data: {units} test cases in the last {windows.days:.0f} days (needs {MINIMUM_UNITS})"
            return TrainingResult(self.name, as_of, note=note)
        chosen = self._choose(everything, windows)
        return self._judge(chosen, split, everything, windows, champion)

    def _choose(self, everything: Interactions, windows: Windows) -> Recipe:
        """The candidate that is best on the validation window; the first where that judges nothing."""
        if len(self.candidates) == 1:
            return self.candidates[0]
        split = self.task.split(everything.lines, windows.validation_start, windows.days)
        if self._units(split) < MINIMUM_UNITS:
            return self.candidates[0]
        return max(self.candidates, key=lambda recipe: float(self._mean(recipe, split)))

    def _judge(
        self,
        chosen: Recipe,
        split: Any,
        everything: Interactions,
        windows: Windows,
        champion: Model | None,
    ) -> TrainingResult:
        rivals = {recipe.name: recipe for recipe in self.candidates}
        if self.floor is not None:
            rivals[self.floor.name] = self.floor
        reigning = None if champion is None else self._recipe_of(champion)
        if reigning is not None:
            rivals[reigning.name] = reigning
        measured = {name: self._measure(recipe, split) for name, recipe in rivals.items()}
        primary = resample_means({name: m.units[self.task.primary] for name, m in measured.items()})
        model: Any = chosen.make().fit(everything)
        metrics = [m for name, one in measured.items() for m in self._metrics(name, one, chosen.name)]
        compared = [m for m in metrics if m.name == self.task.primary]
        return TrainingResult(
            name=self.name,
            data_through=windows.as_of,
            model=model,
            params={
                "recipe": chosen.name,
                "kind": chosen.kind,
                **model.settings,
                "holdout_start": windows.holdout_start.isoformat(),
                "holdout_days": windows.days,
            },
            metrics=tuple(metrics),
            plots={"candidates": interval_plot(compared, f"{self.name}: hold-out", chosen.name)},
            trial=self._trial(chosen, reigning, champion, primary, windows.as_of),
        )

    def _trial(
        self,
        chosen: Recipe,
        reigning: Recipe | None,
        champion: Model | None,
        primary: dict[str, Replicates],
        as_of: datetime,
    ) -> Trial:
        mine, name, part = primary[chosen.name], self.task.primary, self.task.slice
        floor = None if self.floor is None else primary[self.floor.name]
        old = None if reigning is None else primary[reigning.name]
        through = None if champion is None else champion.data_through
        return Trial(
            challenger=mine.metric(name, part),
            higher_is_better=True,
            floor=None if floor is None else floor.metric(name, part),
            gain_over_floor=None if floor is None else gain(mine, floor, name),
            champion=None if old is None else old.metric(name, part),
            gain_over_champion=None if old is None else gain(mine, old, name),
            same_recipe=reigning is not None and _same(reigning, chosen),
            newer_data=through is None or through < as_of,
        )

    def _metrics(self, name: str, measured: Measured, chosen: str) -> list[Metric]:
        model = "" if name == chosen else name
        units = resample_means(measured.units)
        figures = [one.metric(figure, self.task.slice, model) for figure, one in units.items()]
        return figures + [
            Metric(figure, value, n=measured.size, slice=self.task.slice, model=model)
            for figure, value in measured.overall.items()
        ]

    def _measure(self, recipe: Recipe, split: Any) -> Measured:
        return self.task.measure(recipe.make().fit(split.train), split)

    def _mean(self, recipe: Recipe, split: Any) -> float:
        return float(np.mean(self._measure(recipe, split).units[self.task.primary]))

    def _recipe_of(self, champion: Model) -> Recipe:
        """The champion's recipe, with whatever else than settings the candidates are made from."""
        return replace(self.candidates[0], name="champion", kind=champion.kind, settings=dict(champion.settings))

    def _units(self, split: Any) -> int:
        """How many cases a window holds, counted with the cheapest of the models."""
        if not len(split.train.items):
            return 0
        probe = self.floor or self.candidates[0]
        return self._measure(probe, split).size


def _same(first: Recipe, second: Recipe) -> bool:
    return first.kind == second.kind and first.make().settings == second.make().settings
