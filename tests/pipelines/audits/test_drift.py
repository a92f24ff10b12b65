"""Drift limits against the parent build."""

from pathlib import Path

import pytest

from pipelines.audits import drift
from pipelines.duck import attached


def _build(
    path: Path, *, orders: int = 100, revenue: tuple[str, ...] = ("100.00", "50.00"), source: str = "shop"
) -> Path:
    with attached(path) as connection:
        connection.execute("CREATE SCHEMA raw_ops")
        connection.execute("CREATE SCHEMA marts")
        connection.execute(f"CREATE TABLE raw_ops.extraction_cursor AS SELECT '{source}' AS source_id")
        for mart in drift.WATCHED:
            connection.execute(f"CREATE TABLE marts.{mart} AS SELECT range AS id FROM range({orders})")
        connection.execute(
            "CREATE TABLE marts.sales_by_period"
            " (period_grain VARCHAR, period_start DATE, net_merchandise DECIMAL(18,2))"
        )
        for month, amount in enumerate(revenue, start=1):
            connection.execute(
                f"INSERT INTO marts.sales_by_period VALUES ('month', DATE '2026-{month:02}-01', {amount})"
            )
    return path


def _refused(build: Path, parent: Path | None) -> set[str]:
    return {f"{found.check_name} {found.mart}" for found in drift.compare(build, parent) if not found.passed}


def test_the_first_build_has_nothing_to_lose(tmp_path: Path) -> None:
    build = _build(tmp_path / "a.duckdb", orders=0)
    assert _refused(build, None) == set()
    assert _refused(build, tmp_path / "gone.duckdb") == set()


@pytest.mark.parametrize(("orders", "passes"), [(85, True), (84, False), (100, True), (1_000, True)])
def test_rows_may_fall_by_fifteen_percent(tmp_path: Path, orders: int, passes: bool) -> None:
    parent = _build(tmp_path / "parent.duckdb")
    build = _build(tmp_path / "build.duckdb", orders=orders)
    assert (_refused(build, parent) == set()) is passes


@pytest.mark.parametrize(
    ("revenue", "passes"),
    [
        (("85.00", "0.00"), True),  # the open month may be anything
        (("84.99", "50.00"), False),
        (("115.01", "50.00"), False),
        (("100.00", "50.00", "70.00"), True),
        ((), False),
    ],
)
def test_closed_months_keep_their_revenue(tmp_path: Path, revenue: tuple[str, ...], passes: bool) -> None:
    parent = _build(tmp_path / "parent.duckdb")
    build = _build(tmp_path / "build.duckdb", revenue=revenue)
    assert _refused(build, parent) == (set() if passes else {"revenue_drift sales_by_period"})


def test_another_shop_is_another_story(tmp_path: Path) -> None:
    parent = _build(tmp_path / "parent.duckdb")
    assert _refused(_build(tmp_path / "build.duckdb", orders=1, revenue=(), source="other"), parent) == set()


def test_a_parent_without_a_watched_mart_counts_as_empty(tmp_path: Path) -> None:
    parent, build = _build(tmp_path / "parent.duckdb"), _build(tmp_path / "build.duckdb")
    with attached(parent) as connection:
        connection.execute("DROP TABLE marts.dim_products")
    assert _refused(build, parent) == set()
