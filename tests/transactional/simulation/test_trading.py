"""A small simulated shop: its ledgers close, its history is possible, and the same seed gives the same one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from transactional.accounts import service as accounts
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.payments import ledger
from transactional.promotions import service as promotions
from transactional.schema import migrate
from transactional.settings import Settings
from transactional.simulation.trading import Plan, ShopNotEmpty, simulate
from transactional.simulation.world import ADMIN_EMAIL, ANALYST_EMAIL
from transactional.staff import service as staff

pytestmark = pytest.mark.slow

PASSWORD = "a long walk by the sea"
PLAN = Plan(customers=24, days=240, seed=11, end=datetime(2025, 12, 31, 18, 30, tzinfo=UTC))
SETTINGS = Settings(DATABASE_URL="sqlite://")

CONTENT = (
    """SELECT order_number, customer_id, status, gross_minor, discount_minor, points_redeemed, total_minor, occasion,
    gift_message, placed_at, delivered_at FROM orders ORDER BY id""",
    "SELECT order_id, sku, quantity, net_minor, returned_quantity FROM order_lines ORDER BY id",
    "SELECT email, city, birthday, created_at FROM customers ORDER BY id",
    "SELECT event_id, customer_id, type, product_id, server_time FROM behaviour_events ORDER BY id",
    "SELECT customer_id, kind, points, occurred_at FROM point_entries ORDER BY id",
    "SELECT product_id, score, title, body, status FROM reviews ORDER BY id",
    "SELECT kind, variant_id, quantity, occurred_at FROM stock_movements ORDER BY id",
    "SELECT gateway_payment_id, status, amount_minor, captured_at FROM payments ORDER BY id",
)


def play(path: Path, plan: Plan = PLAN) -> tuple[Database, dict[str, int], dict[str, Any]]:
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    database = Database(engine, ManualClock(plan.end))
    counts, truth = simulate(database, plan, settings=SETTINGS, password=PASSWORD)
    return database, counts, truth


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, dict[str, int], dict[str, Any]]]:
    outcome = play(tmp_path_factory.mktemp("simulated") / "shop.db")
    yield outcome
    outcome[0].engine.dispose()


@pytest.fixture(scope="module")
def shop(played: tuple[Database, dict[str, int], dict[str, Any]]) -> Database:
    return played[0]


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(text(sql))]


def test_much_happens(played: tuple[Database, dict[str, int], dict[str, Any]]) -> None:
    database, counts, _ = played
    assert counts["orders"] > 25
    assert counts["abandoned carts"] > 3
    assert {"events", "registrations", "deliveries", "reviews", "coupons applied"} <= set(counts)
    assert rows(database, "SELECT count(*) FROM orders") == [(counts["orders"],)]
    assert rows(database, "SELECT base_currency, time_zone FROM shop_profile") == [("INR", "Asia/Kolkata")]


def test_every_ledger_proves_its_balances(shop: Database) -> None:
    with shop.read() as session:
        assert inventory.discrepancies(session) == []
        assert loyalty.discrepancies(session) == []
        assert promotions.counter_discrepancies(session) == []
        assert ledger.unbalanced_transactions(session) == []


def test_nothing_waits_for_money_or_fails_at_the_end(shop: Database) -> None:
    assert rows(shop, "SELECT id FROM orders WHERE status = 'awaiting_payment' AND payment_mode = 'online'") == []
    assert rows(shop, "SELECT topic, last_error FROM outbox WHERE state = 'failed' OR last_error IS NOT NULL") == []


def test_time_never_runs_backwards(shop: Database) -> None:
    # Rows of the migration itself carry the machine's time.
    backwards = """
        SELECT a.seq FROM journal a JOIN journal b ON b.seq = a.seq + 1
        WHERE b.occurred_at < a.occurred_at AND a.actor <> 'migration'
    """
    too_late = """
        SELECT seq FROM journal WHERE actor <> 'migration' AND occurred_at > '2025-12-31 18:30:00.000000'
    """
    impossible = """
        SELECT id FROM orders WHERE paid_at < placed_at OR (delivered_at < paid_at AND payment_mode = 'online')
    """
    premature = """
        SELECT r.id FROM reviews r JOIN order_lines l ON l.id = r.order_line_id JOIN orders o ON o.id = l.order_id
        WHERE r.created_at < o.delivered_at
    """
    for sql in (backwards, too_late, impossible, premature):
        assert rows(shop, sql) == []


def test_staff_can_log_in_with_their_rights(shop: Database) -> None:
    with shop.read() as session:
        for email, role in ((ADMIN_EMAIL, "super_admin"), (ANALYST_EMAIL, "staff")):
            user = accounts.user_by_email(session, email)
            assert user is not None
            assert PasswordHasher().verify(user.password_hash, PASSWORD)
            assert not PasswordHasher().needs_upgrade(user.password_hash)
            roles, permissions = staff.rights_of(session, user_id=user.id, is_customer=False, now=PLAN.end)
            assert roles == {role}
            assert "read_analytics" in permissions


def test_the_truth_names_what_each_shopper_likes(played: tuple[Database, dict[str, int], dict[str, Any]]) -> None:
    database, _, truth = played
    known = {row[0] for row in rows(database, "SELECT id FROM customers")}
    named = {shopper["customer_id"] for shopper in truth["shoppers"]} - {None}
    assert named == known
    products = {row[0] for row in rows(database, "SELECT id FROM products")}
    assert all({p["product_id"] for p in shopper["preferences"]} == products for shopper in truth["shoppers"])
    assert json.loads(json.dumps(truth)) == truth


def test_a_shop_that_has_traded_is_refused(shop: Database) -> None:
    with pytest.raises(ShopNotEmpty):
        simulate(shop, PLAN, settings=SETTINGS, password=PASSWORD)


def test_the_same_seed_gives_the_same_history(shop: Database, tmp_path: Path) -> None:
    again, _, _ = play(tmp_path / "again.db")
    for sql in CONTENT:
        assert rows(again, sql) == rows(shop, sql)
    again.engine.dispose()
