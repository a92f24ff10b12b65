"""Protocol `or-trend`: which items rise next week, asked each Sunday."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.evaluation.bootstrap import resample_means
from models_ml.evaluation.protocols import online_retail
from models_ml.evaluation.protocols.report import Report, described_files
from models_ml.recommend.items import ItemIndex

_LIST = 20
_SHRINK = 5.0


@dataclass(frozen=True)
class Week:
    """Invoices an item: `x` in the last seven days, `b` the weekly mean of the 28 days before, `following`
    next."""

    x: FloatArray
    b: FloatArray
    following: FloatArray


SCORES: dict[str, Callable[[Week], FloatArray]] = {
    "best sellers": lambda week: week.x,
    "raw ratio": lambda week: np.where(week.x > 0, week.x / np.maximum(week.b, 0.25), 0.0),
    "Poisson z": lambda week: (week.x - week.b) / np.sqrt(np.maximum(week.b, 1.0)),
    "(x + 5) / (b + 5)": lambda week: (week.x + _SHRINK) / (week.b + _SHRINK),
}


def evaluate(paths: list[Path], cutoff: datetime, seed: int = 0) -> Report:
    """Judge each score on every Sunday from `cutoff` on that the data surround; the unit is the Sunday."""
    data = online_retail.load(paths)
    weeks = list(_weeks(data.lines, cutoff))
    if not weeks:
        raise online_retail.InputError(f"no Sunday from {cutoff:%Y-%m-%d} has 35 days before and 7 after it")
    report = Report("or-trend", cutoff.isoformat(), seed, described_files(paths), dict(data.counts))
    report.counts["sundays"] = len(weeks)
    report.settings = {"list": _LIST, "shrink": _SHRINK}
    judged = {name: np.array([_judge(score(week), week) for week in weeks]) for name, score in SCORES.items()}
    precision = resample_means({name: table[:, 0] for name, table in judged.items()}, seed=seed)
    demand = resample_means({name: table[:, 1] for name, table in judged.items()}, seed=seed)
    for name in SCORES:
        report.add("rising", "all", name, {"precision": precision[name], "demand_share": demand[name]})
    report.compare("rising", "all", "precision", precision, against="best sellers")
    return report


def _weeks(lines: pl.DataFrame, cutoff: datetime) -> list[Week]:
    items = ItemIndex(lines["product_id"].unique())
    pairs = lines.group_by("order_id", "product_id").agg(pl.col("placed_at").min()).sort("placed_at")
    first, last = lines["placed_at"].min(), lines["placed_at"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)

    def count(start: datetime, end: datetime) -> FloatArray:
        sold = pairs.filter(pl.col("placed_at") >= start, pl.col("placed_at") < end)["product_id"]
        return np.bincount(items.positions_of(sold.to_numpy()), minlength=len(items)).astype(np.float64)

    day = timedelta(days=1)
    # Asked when the Sunday is over: it belongs to the week that is known.
    now = cutoff + day * ((6 - cutoff.weekday()) % 7 + 1)
    weeks = []
    while now + 6 * day <= last:
        if now - 35 * day >= first - day:
            x, b = count(now - 7 * day, now), count(now - 35 * day, now - 7 * day) / 4
            weeks.append(Week(x, b, count(now, now + 7 * day)))
        now += 7 * day
    return weeks


def _judge(scores: FloatArray, week: Week) -> tuple[float, float]:
    """Precision of the list, and its share of the demand that the best possible list would have met."""
    shown = np.argsort(-scores, kind="stable")[:_LIST]
    hits = week.following[shown] >= np.maximum(1.5 * week.b[shown], 5)
    best = np.sort(week.following)[-_LIST:].sum()
    return float(hits.mean()), float(week.following[shown].sum() / best) if best else 0.0
