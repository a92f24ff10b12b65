"""Sales figures for a period: the sums of the mart's days, and what only the facts can say."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from dashboards.lib.filters import Grain, Period
from dashboards.lib.session import Snapshot

_TOTALS = """
SELECT coalesce(sum(orders), 0)::BIGINT AS orders,
       coalesce(sum(units), 0)::BIGINT AS units,
       coalesce(sum(new_customers), 0)::BIGINT AS new_customers,
       coalesce(sum(gross_merchandise), 0)::DECIMAL(18, 2) AS gross_merchandise,
       coalesce(sum(discounts), 0)::DECIMAL(18, 2) AS discounts,
       coalesce(sum(returned_amount), 0)::DECIMAL(18, 2) AS returned_amount,
       coalesce(sum(net_merchandise), 0)::DECIMAL(18, 2) AS net_merchandise
FROM sales_by_period
WHERE period_grain = 'day' AND CAST(period_start AS DATE) BETWEEN ? AND ?
"""

_BY_GRAIN = """
SELECT CAST(date_trunc('{grain}', CAST(period_start AS DATE)) AS DATE) AS period,
       sum(orders)::BIGINT AS orders,
       sum(units)::BIGINT AS units,
       sum(gross_merchandise)::DECIMAL(18, 2) AS gross_merchandise,
       sum(discounts)::DECIMAL(18, 2) AS discounts,
       sum(returned_amount)::DECIMAL(18, 2) AS returned_amount,
       sum(net_merchandise)::DECIMAL(18, 2) AS net_merchandise
FROM sales_by_period
WHERE period_grain = 'day' AND CAST(period_start AS DATE) BETWEEN ? AND ?
GROUP BY 1
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures of one period, in the shop's base currency where they are money."""

    orders: int
    units: int
    new_customers: int
    gross_merchandise: Decimal
    discounts: Decimal
    returned_amount: Decimal
    net_merchandise: Decimal

    @property
    def average_order_value(self) -> Decimal | None:
        """Gross merchandise less discounts per order; None without orders."""
        if not self.orders:
            return None
        return ((self.gross_merchandise - self.discounts) / self.orders).quantize(Decimal("0.01"))


def data_range(snapshot: Snapshot) -> tuple[date, date] | None:
    """The first and last day with data, in the shop's zone; None for a shop that never sold."""
    first, last = snapshot.query(
        "SELECT min(CAST(period_start AS DATE)), max(CAST(period_start AS DATE))"
        " FROM sales_by_period WHERE period_grain = 'day'"
    ).row(0)
    return None if first is None else (first, last)


def totals(snapshot: Snapshot, period: Period) -> Totals:
    """Sums over the days of a period."""
    return Totals(**snapshot.query(_TOTALS, period.start, period.end).row(0, named=True))


def over_time(snapshot: Snapshot, period: Period, grain: Grain) -> pl.DataFrame:
    """One row a period of the grain: orders, units, gross, discounts, returned, net."""
    return snapshot.query(_BY_GRAIN.format(grain=grain), period.start, period.end)


def compared(now: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    """Lay the compared period under the present one, point by point (`compared_net_merchandise`)."""
    if before is None:
        return now
    values = before.get_column("net_merchandise").head(now.height)
    padded = values.extend_constant(None, now.height - values.len())
    return now.with_columns(padded.alias("compared_net_merchandise"))
