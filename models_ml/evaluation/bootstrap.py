"""95 % intervals by resampling units (customers, baskets), paired differences, and Holm's correction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models_ml.arrays import FloatArray, IntArray
from models_ml.evaluation.estimate import Metric

REPEATS = 1000


@dataclass(frozen=True)
class Replicates:
    """A statistic on the whole sample and on each resample of the n units."""

    value: float
    draws: FloatArray
    n: int

    def metric(self, name: str, slice_: str = "all", model: str = "") -> Metric:
        """The figure with its percentile interval; no interval where resamples leave it undefined."""
        low, high = _bounds(self.draws)
        return Metric(name, self.value, low, high, self.n, slice_, model)


def resample(
    statistics: Mapping[str, Callable[[IntArray], float]], n: int, *, repeats: int = REPEATS, seed: int = 0
) -> dict[str, Replicates]:
    """Evaluate each statistic (a function of the indices of units) on the sample and on the same resamples.

    Using the same resamples for all makes their differences paired.
    """
    rng = np.random.default_rng(seed)
    everything = np.arange(n)
    draws = {name: np.empty(repeats) for name in statistics}
    for i in range(repeats):
        chosen = rng.integers(0, n, n)
        for name, statistic in statistics.items():
            draws[name][i] = statistic(chosen)
    return {name: Replicates(f(everything), draws[name], n) for name, f in statistics.items()}


def resample_means(values: Mapping[str, FloatArray], *, repeats: int = REPEATS, seed: int = 0) -> dict[str, Replicates]:
    """`resample` for means of per-unit values, all arrays over the same units."""
    lengths = {len(array) for array in values.values()}
    if len(lengths) != 1:
        raise ValueError(f"values are not over the same units: lengths {sorted(lengths)}")
    n = lengths.pop()
    rng = np.random.default_rng(seed)
    table = np.column_stack(list(values.values()))
    draws = np.empty((repeats, table.shape[1]))
    for i in range(repeats):
        draws[i] = np.bincount(rng.integers(0, n, n), minlength=n) @ table / n
    return {name: Replicates(float(table[:, j].mean()), draws[:, j], n) for j, name in enumerate(values)}


def gain(better: Replicates, worse: Replicates, name: str, *, higher_is_better: bool = True) -> Metric:
    """The paired difference, turned so that positive means that the first is better."""
    sign = 1.0 if higher_is_better else -1.0
    draws = sign * (better.draws - worse.draws)
    low, high = _bounds(draws)
    return Metric(name, sign * (better.value - worse.value), low, high, better.n)


def p_value(first: Replicates, second: Replicates) -> float:
    """Two-sided bootstrap p of "no difference": twice the smaller share of resamples on one side of zero."""
    difference = first.draws - second.draws
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return float("nan")
    beyond = min((difference <= 0).sum(), (difference >= 0).sum())
    return float(min(1.0, 2 * (beyond + 1) / (len(difference) + 1)))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment (1979): valid for any dependence of the tests."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[str, float] = {}
    highest = 0.0
    for i, name in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - i) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _bounds(draws: FloatArray) -> tuple[float | None, float | None]:
    finite = draws[np.isfinite(draws)]
    if len(finite) < len(draws) / 2:
        return None, None
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
