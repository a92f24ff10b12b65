"""Drift limits: a build may not lose what the published one had.

Row counts may fall by 15 %, net merchandise of months that were closed by 15 % in either direction. The comparison is
with the build that this one was seeded from, and only where both were read from the same shop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.duck import attached, identifier, literal

MAX_LOSS = Decimal("0.15")
MAX_REVENUE_CHANGE = Decimal("0.15")
WATCHED = ("fct_orders", "fct_order_lines", "dim_customers", "dim_products", "fct_payments")


@dataclass(frozen=True, slots=True)
class Drift:
    """One comparison with the parent build."""

    check_name: str
    mart: str
    passed: bool
    observed: str


def names() -> Iterator[tuple[str, str]]:
    """(check name, mart) of every drift check."""
    for mart in WATCHED:
        yield "row_count_drift", mart
    yield "revenue_drift", "sales_by_period"


def compare(build: Path, parent: Path | None) -> list[Drift]:
    """Every drift check of a build against its parent; all pass where there is nothing to compare with."""
    if parent is None or not parent.exists():
        return [Drift(name, mart, passed=True, observed="the first build") for name, mart in names()]
    with attached(build, read_only=True) as warehouse:
        warehouse.execute(f"ATTACH {literal(str(parent))} AS parent (READ_ONLY)")
        if _source(warehouse, "warehouse") != _source(warehouse, "parent"):
            return [Drift(name, mart, passed=True, observed="another shop than before") for name, mart in names()]
        counts = [_row_count(warehouse, mart) for mart in WATCHED]
        return [*counts, _revenue(warehouse)]


def _source(warehouse: duckdb.DuckDBPyConnection, place: str) -> str | None:
    row = warehouse.execute(f"SELECT any_value(source_id) FROM {place}.raw_ops.extraction_cursor").fetchone()  # noqa: S608
    return row[0] if row else None


def _row_count(warehouse: duckdb.DuckDBPyConnection, mart: str) -> Drift:
    was, now = (_count(warehouse, place, mart) for place in ("parent", "warehouse"))
    passed = now >= was * (1 - MAX_LOSS)
    return Drift("row_count_drift", mart, passed, f"{now} rows after {was}")


def _count(warehouse: duckdb.DuckDBPyConnection, place: str, mart: str) -> int:
    known = warehouse.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'marts' AND table_name = ?",
        [place, mart],
    ).fetchone()
    if known is None:
        return 0
    row = warehouse.execute(f"SELECT count(*) FROM {place}.marts.{identifier(mart)}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _revenue(warehouse: duckdb.DuckDBPyConnection) -> Drift:
    """Months that the parent had closed: all but its latest."""
    row = warehouse.execute(
        """
        WITH closed AS (
            SELECT period_start, net_merchandise FROM parent.marts.sales_by_period WHERE period_grain = 'month'
            QUALIFY period_start < max(period_start) OVER ()
        )
        SELECT coalesce(sum(closed.net_merchandise), 0), coalesce(sum(present.net_merchandise), 0)
        FROM closed LEFT JOIN warehouse.marts.sales_by_period AS present
        ON present.period_grain = 'month' AND present.period_start = closed.period_start
        """
    ).fetchone()
    was, now = row if row is not None else (0, 0)
    passed = abs(now - was) <= abs(was) * MAX_REVENUE_CHANGE if was else True
    return Drift("revenue_drift", "sales_by_period", passed, f"closed months: {now} after {was}")
