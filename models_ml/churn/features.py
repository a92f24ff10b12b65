"""What is known of a customer at an origin, from orders strictly before it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from models_ml.arrays import BoolArray
from models_ml.lifetime.summary import checked_purchases

HORIZON_DAYS = 90
ACTIVE_DAYS = 365
"""Churn is a question about customers with an order in so many days before the origin."""

_USUAL_GAP = 90.0  # a guess at the days between two orders, worth one observation
_YEAR = 365

BEHAVIOUR = (
    "recency", "overdue", "frequency", "age", "orders_30d", "orders_90d", "orders_180d", "orders_365d",
    "spend_90d", "spend_365d", "order_value", "same_season_last_year", "year_of_history",
)  # fmt: skip
"""The features' names, each on the scale that a logistic regression takes (logarithms of what is skewed)."""


def churn_features(purchases: pl.DataFrame, origin: datetime, active_days: float | None = ACTIVE_DAYS) -> pl.DataFrame:
    """One row a customer with an order in the `active_days` before `origin` (None: with any), sorted by id.

    Columns: customer_id, `BEHAVIOUR`, and the plain figures that reasons are worded with: recency_days,
    gap_days (usual days between orders; null with one order day), order_days.
    """
    known = checked_purchases(purchases, origin)
    if active_days is not None:
        active = known.filter(pl.col("placed_at") >= origin - timedelta(days=active_days))["customer_id"].unique()
        known = known.filter(pl.col("customer_id").is_in(active.implode()))
    # Whether "no order in this season last year" is a fact or only the beginning of the data.
    first = checked_purchases(purchases, origin)["placed_at"].min()
    has_year = isinstance(first, datetime) and first <= origin - timedelta(days=_YEAR)
    start = pl.lit(origin)
    days_ago = (start - pl.col("placed_at")).dt.total_seconds() / 86_400
    value = (pl.col("net_merchandise") * 100).round().cast(pl.Int64)  # whole pence: sums in any order agree
    figures = (
        known.with_columns(days_ago.alias("ago"), value.alias("value"))
        .group_by("customer_id")
        .agg(
            pl.col("ago").min().alias("recency_days"),
            pl.col("ago").max().alias("age_days"),
            pl.col("placed_at").dt.date().n_unique().cast(pl.Int64).alias("order_days"),
            *[_orders_within(days).alias(f"orders_{days}d") for days in (30, 90, 180, 365)],
            *[_spend_within(days).alias(f"spend_{days}d") for days in (90, 365)],
            (pl.col("value").sum() / 100 / pl.len()).clip(0).log1p().alias("order_value"),
            pl.col("ago").is_between(_YEAR - HORIZON_DAYS, _YEAR).any().cast(pl.Float64).alias(
                "same_season_last_year"
            ),
        )
        .sort("customer_id")
    )  # fmt: skip
    known_year = pl.lit(float(has_year)).alias("year_of_history")
    return figures.with_columns(*_derived(), known_year).select(
        "customer_id", *BEHAVIOUR, "recency_days", "gap_days", "order_days"
    )


def churn_labels(
    purchases: pl.DataFrame, features: pl.DataFrame, origin: datetime, horizon_days: float = HORIZON_DAYS
) -> BoolArray:
    """True for each customer of `features` without an order in the `horizon_days` from `origin`."""
    end = origin + timedelta(days=horizon_days)
    window = checked_purchases(purchases, end).filter(pl.col("placed_at") >= origin)
    ordered = features["customer_id"].is_in(window["customer_id"].unique().implode())
    return np.asarray(~ordered.to_numpy(), dtype=np.bool_)


def _orders_within(days: int) -> pl.Expr:
    return (pl.col("ago") <= days).sum().cast(pl.Float64).log1p()


def _spend_within(days: int) -> pl.Expr:
    return (pl.col("value").filter(pl.col("ago") <= days).sum() / 100).clip(0).log1p()


def _derived() -> list[pl.Expr]:
    repeats = pl.col("order_days") - 1
    span = pl.col("age_days") - pl.col("recency_days")
    expected_gap = (span + _USUAL_GAP) / pl.col("order_days")
    return [
        pl.col("recency_days").log1p().alias("recency"),
        pl.col("age_days").log1p().alias("age"),
        pl.col("order_days").cast(pl.Float64).log().alias("frequency"),
        ((pl.col("recency_days") + 1).log() - expected_gap.log()).alias("overdue"),
        pl.when(repeats > 0).then(span / repeats).alias("gap_days"),
    ]
