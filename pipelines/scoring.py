"""Asking the champions about every customer of a build, and writing down how good they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from models_ml.lifetime.summary import purchase_summary
from pipelines import predictions
from pipelines.features import Marts
from pipelines.registry import Champion, Registry


@dataclass(frozen=True, slots=True)
class Scored:
    """What one champion said: how many customers, by which version (None: there is no champion)."""

    model: str
    version: str | None
    rows: int


def _lifetime(model: Any, marts: Marts) -> pl.DataFrame:
    cut_off = marts.cut_off()
    summary = purchase_summary(marts.purchases(), cut_off)
    frame: pl.DataFrame = model.predict(summary)
    return frame


def _churn(model: Any, marts: Marts) -> pl.DataFrame:
    frame: pl.DataFrame = model.predict(marts.purchases(), marts.cut_off())
    return frame.with_columns(pl.col("main_reasons").list.join("; "))


_SCORERS: Mapping[str, tuple[str, Callable[[Any, Marts], pl.DataFrame]]] = {
    "lifetime_value": (predictions.VALUE, _lifetime),
    "churn": (predictions.CHURN, _churn),
}


def score(warehouse: duckdb.DuckDBPyConnection, registry: Registry | None, *, now: datetime) -> list[Scored]:
    """Fill `raw_ml` from the champions; without a champion its table is emptied, for a stale word is none."""
    said = [_ask(warehouse, registry, name, now) for name in _SCORERS]
    predictions.store(warehouse, predictions.METRICS, registry.figures() if registry else None)
    return said


def _ask(warehouse: duckdb.DuckDBPyConnection, registry: Registry | None, name: str, now: datetime) -> Scored:
    table, scorer = _SCORERS[name]
    champion: Champion | None = registry.champion(name) if registry else None
    if champion is None:
        predictions.store(warehouse, table, None)
        return Scored(name, None, 0)
    frame = predictions.stamped(scorer(champion.model, Marts(warehouse)), version=champion.version, now=now)
    return Scored(name, champion.version, predictions.store(warehouse, table, frame))
