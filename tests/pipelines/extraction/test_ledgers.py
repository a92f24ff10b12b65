"""The shop's ledgers are summed up in the snapshot; a fact that differs by one point or paisa is found and named."""

from pathlib import Path

import pytest

from pipelines.duck import attached
from pipelines.extraction.ledgers import COMMISSIONS, POINTS, differences
from tests.pipelines.support import NOW, add_customers, customer, extract_into, run_sql
from transactional.core.uow import Database

INSERT = (
    "INSERT INTO point_entries (id, customer_id, kind, points, qualifying, actor, reason, occurred_at)"
    " VALUES (:id, :customer, 'adjust', :points, 0, 'staff', '', :at)"
)
POINT_FACTS = (
    "CREATE OR REPLACE TABLE marts.fct_points AS"
    " SELECT customer_id, points, qualifying AS qualifying_points FROM raw.point_entries"
)
COMMISSION_FACTS = (
    "CREATE OR REPLACE TABLE marts.fct_commissions AS"
    " SELECT affiliate_id, pending_minor, payable_minor, owed_minor FROM raw.commission_entries"
)


def _add(database: Database, *entries: tuple[int, int, int]) -> None:
    at = f"{NOW:%Y-%m-%d %H:%M:%S.%f}"
    rows = [{"id": entry, "customer": owner, "points": points, "at": at} for entry, owner, points in entries]
    run_sql(database, INSERT, *rows)


def _found(build: Path, *changes: str) -> list[tuple[int, str]]:
    with attached(build) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS marts")
        for statement in (POINT_FACTS, COMMISSION_FACTS, *changes):
            connection.execute(statement)
        assert differences(connection, COMMISSIONS) == []
        return [(found.owner_id, found.measure) for found in differences(connection, POINTS)]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    return tmp_path / "build.duckdb"


@pytest.fixture
def shop(any_database: Database, build: Path) -> Database:
    add_customers(any_database, customer(1), customer(2), customer(3))
    _add(any_database, (1, 1, 40), (2, 1, -15), (3, 2, 7))
    extract_into(build, any_database)
    return any_database


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("SELECT 1", []),
        ("UPDATE marts.fct_points SET points = points + 1 WHERE points = 7", [(0, "points"), (2, "points")]),
        (
            "DELETE FROM marts.fct_points WHERE points = 7",
            [(0, "entries"), (0, "points"), (2, "entries"), (2, "points"), (2, "qualifying")],
        ),
        ("UPDATE marts.fct_points SET customer_id = 3 WHERE points = -15", [(1, "entries"), (1, "points")]),
        ("INSERT INTO marts.fct_points VALUES (3, 0, 0)", [(0, "entries")]),
    ],
    ids=["sound", "one point", "lost entry", "another customer", "an owner the shop does not know"],
)
def test_a_difference_is_found_with_its_owner(build: Path, change: str, found: list[tuple[int, str]]) -> None:
    assert _found(build, change) == found


@pytest.mark.slow
def test_a_later_run_measures_whom_it_touched_and_the_whole(shop: Database, build: Path) -> None:
    _add(shop, (4, 2, 3))
    extract_into(build, shop)
    with attached(build, read_only=True) as connection:
        owners = connection.execute(
            "SELECT DISTINCT owner_id FROM raw_ops.shop_ledgers WHERE ledger = 'point_entries' ORDER BY 1"
        ).fetchall()
    assert owners == [(0,), (2,)]
    assert _found(build) == []
    assert _found(build, "UPDATE marts.fct_points SET points = points - 1 WHERE customer_id = 1 AND points = 40") == [
        (0, "points")
    ]


@pytest.mark.slow
def test_an_empty_ledger_agrees(any_database: Database, build: Path) -> None:
    extract_into(build, any_database)
    assert _found(build) == []
    assert _found(build, "INSERT INTO marts.fct_points VALUES (1, 5, 0)") == [(0, "entries"), (0, "points")]
