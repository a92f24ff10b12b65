"""The purchase summary that lifetime models are fitted on, and its grouped sufficient statistics.

A purchase is a day with at least one order. Times are whole days, counted from a customer's first purchase
day:

    x    repeat purchase days
    t_x  first to last purchase day
    T    first purchase day to the cut-off (the customer's age)

Customers of the first weeks of a data set were not necessarily new then: their age is only known to be at
least T.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray

DAYS_PER_WEEK = 7.0

PURCHASE_COLUMNS: dict[str, pl.DataType] = {
    "customer_id": pl.Int64(),
    "order_id": pl.Int64(),
    "placed_at": pl.Datetime("us"),
    "net_merchandise": pl.Float64(),
}


def checked_purchases(purchases: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The orders before `as_of` with a known customer, in `PURCHASE_COLUMNS` types.

    Raises ValueError naming the column that is missing or of a wrong type, or a repeated order.
    """
    missing = PURCHASE_COLUMNS.keys() - set(purchases.columns)
    if missing:
        raise ValueError(f"purchases lack the column(s) {', '.join(sorted(missing))}")
    try:
        typed = purchases.select(pl.col(name).cast(kind) for name, kind in PURCHASE_COLUMNS.items())
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"purchases have a column of a wrong type: {error}") from error
    known = typed.drop_nulls(["customer_id", "order_id", "placed_at"]).filter(pl.col("placed_at") < as_of)
    if known["order_id"].n_unique() != known.height:
        repeated = known.filter(known["order_id"].is_duplicated())["order_id"][0]
        raise ValueError(f"purchases hold order {repeated} more than once: one row an order is expected")
    return known.with_columns(pl.col("net_merchandise").fill_null(0.0))


_EXACT = 10_000


def exact_sum(column: str) -> pl.Expr:
    """The sum of an amount, in whole units of 1/10,000.

    Sums of floats depend on their order, and a parallel group-by promises none. These are exact, so that the
    same purchases always give the same model to the last bit.
    """
    return (pl.col(column) * _EXACT).round().cast(pl.Int64).sum() / _EXACT


def purchase_summary(purchases: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """One row a customer, sorted by customer_id, from orders placed before `as_of`.

    Columns: customer_id, x, t_x, T (whole days), orders, historic_value (sum of net merchandise) and
    repeat_value, the mean value of the repeat purchase days (null without one). Days whose value is not
    positive (everything returned) are purchases but no evidence of what a customer spends: they are left out
    of the mean, and `spend_days` counts those that are in it.
    """
    cutoff = pl.lit(as_of).dt.date()
    days = (
        checked_purchases(purchases, as_of)
        .group_by("customer_id", pl.col("placed_at").dt.date().alias("day"))
        .agg(
            (pl.col("net_merchandise") * _EXACT).round().cast(pl.Int64).sum().alias("value"),
            pl.len().alias("orders"),
        )
        .with_columns(pl.col("day").min().over("customer_id").alias("first_day"))
    )
    worth = pl.col("value") > 0
    repeat = worth & (pl.col("day") > pl.col("first_day"))
    return (
        days.group_by("customer_id")
        .agg(
            (pl.len() - 1).cast(pl.Int64).alias("x"),
            (pl.col("day").max() - pl.col("first_day").first()).dt.total_days().alias("t_x"),
            (cutoff - pl.col("first_day").first()).dt.total_days().alias("T"),
            pl.col("orders").sum().cast(pl.Int64),
            (pl.col("value").sum() / _EXACT).alias("historic_value"),
            (pl.col("value").filter(repeat).sum() / repeat.sum() / _EXACT).alias("repeat_value"),
            repeat.sum().cast(pl.Int64).alias("spend_days"),
            (pl.col("value").filter(worth).sum() / worth.sum() / _EXACT).alias("mean_value"),
            worth.sum().cast(pl.Int64).alias("value_days"),
        )
        .with_columns(pl.col("repeat_value", "mean_value").fill_nan(None))
        .sort("customer_id")
    )


@dataclass(frozen=True)
class PurchaseCounts:
    """Grouped sufficient statistics: one row a distinct (x, t_x, T), in weeks, with its number of customers.

    All four arrays have the same length. Grouping makes a fit's cost depend on the number of distinct
    histories and not on the number of customers.
    """

    x: FloatArray
    t_x: FloatArray
    T: FloatArray
    n: FloatArray

    def __post_init__(self) -> None:
        if not len(self.x) == len(self.t_x) == len(self.T) == len(self.n):
            raise ValueError("x, t_x, T and n differ in length")
        if not len(self.x):
            raise ValueError("no customers to fit on")
        bad = (self.x < 0) | (self.t_x < 0) | (self.t_x > self.T) | ((self.x == 0) & (self.t_x != 0))
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"impossible history: x={self.x[i]:g}, t_x={self.t_x[i]:g}, T={self.T[i]:g} "
                "(need x ≥ 0, 0 ≤ t_x ≤ T, and t_x = 0 where x = 0)"
            )

    @property
    def customers(self) -> float:
        """Number of customers behind the rows."""
        return float(self.n.sum())

    @classmethod
    def from_summary(cls, summary: pl.DataFrame) -> PurchaseCounts:
        """Group a `purchase_summary` (x, t_x, T in days) by distinct history; days become weeks."""
        grouped = summary.group_by("x", "t_x", "T").agg(pl.len().alias("n")).sort("x", "t_x", "T")
        return cls(
            x=grouped["x"].to_numpy().astype(np.float64),
            t_x=grouped["t_x"].to_numpy().astype(np.float64) / DAYS_PER_WEEK,
            T=grouped["T"].to_numpy().astype(np.float64) / DAYS_PER_WEEK,
            n=grouped["n"].to_numpy().astype(np.float64),
        )
