"""Reconciliation finds what differs between the shop and `raw`, and names table, day and figure."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.duck import attached
from pipelines.extraction.reconcile import Difference, differences
from tests.pipelines.support import NOW, add_customers, customer, extract_into, run_sql
from transactional.core.uow import Database


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return tmp_path / "build.duckdb"


def _after(build: Path, change: str) -> list[Difference]:
    with attached(build) as connection:
        connection.execute(change)
        return differences(connection)


@pytest.fixture
def shop(any_database: Database, build: Path) -> Database:
    add_customers(
        any_database,
        customer(1, name="Asha"),
        customer(2, name="Ravi", at=NOW + timedelta(days=1)),
        customer(3, at=NOW + timedelta(days=1)),
    )
    run_sql(any_database, "INSERT INTO locations (id, code, name) VALUES (1, 'A', 'a'), (2, 'B', 'b')")
    extract_into(build, any_database)
    return any_database


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("change", "table", "day"),
    [
        ("DELETE FROM raw.customers WHERE id = 1", "customers", "2026-01-15"),
        ("UPDATE raw.customers SET full_name = 'Rani' WHERE id = 2", "customers", "2026-01-16"),
        ("UPDATE raw.customers SET full_name = '' WHERE id = 3", "customers", "2026-01-16"),
        ("UPDATE raw.customers SET is_guest = true WHERE id = 3", "customers", "2026-01-16"),
        (
            "UPDATE raw.customers SET created_at = created_at + INTERVAL 1 SECOND WHERE id = 1",
            "customers",
            "2026-01-15",
        ),
        ("UPDATE raw.locations SET code = CASE id WHEN 1 THEN 'B' ELSE 'A' END", "locations", ""),
        ("INSERT INTO raw.locations SELECT * FROM raw.locations WHERE id = 1", "locations", ""),
    ],
)
def test_a_difference_is_found_with_its_table_and_day(build: Path, change: str, table: str, day: str) -> None:
    found = _after(build, change)
    assert {(difference.table, difference.day) for difference in found} == {(table, day)}
    assert found


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_a_moved_day_differs_on_both_days(build: Path) -> None:
    found = _after(build, "UPDATE raw.customers SET created_at = TIMESTAMP '2026-01-20 00:00:00' WHERE id = 1")
    assert {difference.day for difference in found} == {"2026-01-15", "2026-01-20"}
    assert "is 1 in the shop and None in raw" in "\n".join(map(str, found))


@pytest.mark.slow
def test_a_later_run_measures_the_rows_it_touched(shop: Database, build: Path) -> None:
    run_sql(shop, "UPDATE customers SET full_name = 'Asha K.' WHERE id = 1")
    run_sql(shop, "DELETE FROM customers WHERE id = 3")
    extract_into(build, shop)
    assert _after(build, "SELECT 1") == []
    assert _after(build, "INSERT INTO raw.customers (id, created_at) VALUES (3, now()::TIMESTAMP)")


@pytest.mark.slow
def test_a_full_reconciliation_finds_what_no_journal_told(shop: Database, build: Path) -> None:
    """Somebody wrote into raw: a run that measures only its own rows cannot see it, a full reconciliation does."""
    with attached(build) as connection:
        connection.execute("DELETE FROM raw.customers WHERE id = 2")
    add_customers(shop, customer(9))
    extract_into(build, shop)
    assert _after(build, "SELECT 1") == []
    extract_into(build, shop, reconcile_all=True)
    assert {difference.day for difference in _after(build, "SELECT 1")} == {"2026-01-16"}


@pytest.mark.slow
def test_money_sums_are_compared_by_themselves(any_database: Database, build: Path) -> None:
    run_sql(
        any_database,
        "INSERT INTO loyalty_programmes (id, version, earn_per_unit_minor, value_per_point_minor, min_redeem_points,"
        " max_share_bp, activation_days, expiry_days, restore_grace_days, valid_from)"
        " VALUES (1, 1, 10000, 100, 1, 10000, 14, 365, 30, '2026-01-01 00:00:00')",
    )
    extract_into(build, any_database)
    found = _after(build, "UPDATE raw.loyalty_programmes SET value_per_point_minor = 101")
    assert Difference("loyalty_programmes", "2026-01-01", "sum:value_per_point_minor", 100, 101) in found
