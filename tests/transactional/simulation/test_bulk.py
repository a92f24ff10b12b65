"""A history in bulk: sums agree, ledgers close, the journal saw every row, the seed decides, the shop goes on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.payments import ledger
from transactional.schema import migrate
from transactional.settings import Settings
from transactional.simulation import bulk
from transactional.simulation.bulk import BulkPlan, write_history
from transactional.simulation.trading import ShopNotEmpty

PLAN = BulkPlan(orders=700, customers=150, days=500, seed=3, end=datetime(2025, 12, 31, 18, 30, tzinfo=UTC))
SETTINGS = Settings(DATABASE_URL="sqlite://")


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(sql))]


@pytest.mark.slow
def test_a_history_that_adds_up(any_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_ORDERS_A_TRANSACTION", 300)
    ((last,),) = rows(any_database, "SELECT coalesce(max(seq), 0) FROM journal")
    written = write_history(any_database, PLAN, settings=SETTINGS)
    assert (written["orders"], written["customers"]) == (700, 150)
    journaled = dict(
        rows(
            any_database, f"SELECT table_name, count(*) FROM journal WHERE seq > {last} AND operation = 'I' GROUP BY 1"
        )
    )
    assert {name: journaled[name] for name in written} == written
    unequal = """
        SELECT o.id FROM orders o JOIN order_lines l ON l.order_id = o.id
        GROUP BY o.id, o.gross_minor HAVING sum(l.gross_minor) <> o.gross_minor
    """
    assert rows(any_database, unequal) == []
    assert rows(any_database, "SELECT id FROM order_lines WHERE refunded_minor > net_minor") == []
    ((refunded,),) = rows(any_database, "SELECT sum(refunded_minor) FROM payments")
    ((returned,),) = rows(any_database, "SELECT sum(refund_minor) FROM return_lines")
    assert refunded == returned > 0
    with any_database.read() as session:
        assert inventory.discrepancies(session) == []
        assert ledger.unbalanced_transactions(session) == []
    assert (
        rows(
            any_database,
            "SELECT o.id FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.placed_at < c.created_at",
        )
        == []
    )


def test_ids_follow_time(database: Database) -> None:
    write_history(database, PLAN, settings=SETTINGS)
    placed = [row[0] for row in rows(database, "SELECT placed_at FROM orders ORDER BY id")]
    assert placed == sorted(placed)
    assert placed[0] >= (PLAN.end - timedelta(days=PLAN.days)).strftime("%Y-%m-%d")
    assert placed[-1] < PLAN.end.strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_history(database: Database, tmp_path: Path) -> None:
    write_history(database, PLAN, settings=SETTINGS)
    engine = make_engine(f"sqlite:///{tmp_path / 'again.db'}")
    migrate(engine)
    again = Database(engine, ManualClock(PLAN.end))
    write_history(again, PLAN, settings=SETTINGS)
    for table in ("customers", "orders", "order_lines", "payments", "returns", "stock_movements", "ledger_postings"):
        sql = f"SELECT * FROM {table} ORDER BY id"
        assert rows(again, sql) == rows(database, sql)
    engine.dispose()


@pytest.mark.slow
def test_the_shop_goes_on_trading(any_database: Database) -> None:
    write_history(any_database, PLAN, settings=SETTINGS)
    kit = TradeKit(any_database)
    ((variant_id,),) = rows(any_database, "SELECT min(id) FROM product_variants")
    order = kit.order(kit.buy({variant_id: 1}, customer_id=kit.customer()))
    ((number,),) = rows(
        any_database, "SELECT count(*) FROM orders WHERE order_number = (SELECT max(order_number) FROM orders)"
    )
    assert number == 1
    assert order.id == PLAN.orders + 1


def test_a_shop_that_has_traded_is_refused(database: Database) -> None:
    write_history(database, PLAN, settings=SETTINGS)
    with pytest.raises(ShopNotEmpty):
        write_history(database, PLAN, settings=SETTINGS)
