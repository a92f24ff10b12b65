"""A small simulated shop full of trouble: its ledgers close, its history is possible, the same seed gives the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.simulated import PASSWORD, SETTINGS, Played, livelier, play, rows
from transactional.accounts import service as accounts
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.orders.service import PaymentMode
from transactional.orders.verification import verify_orders
from transactional.payments import ledger
from transactional.promotions import service as promotions
from transactional.shipping.timeline import Scan, fold
from transactional.shipping.tracking import events_of
from transactional.simulation import (
    approving,
    carriage,
    changing,
    gifts,
    nights,
    opinions,
    paying,
    sending,
    travelling,
    world,
)
from transactional.simulation.trading import Plan, ShopNotEmpty, simulate
from transactional.simulation.world import ADMIN_EMAIL, ANALYST_EMAIL
from transactional.staff import service as staff

pytestmark = pytest.mark.slow

PLAN = Plan(customers=30, days=240, seed=11, end=datetime(2025, 12, 31, 18, 30, tzinfo=UTC))

TROUBLE: tuple[tuple[Any, str, Any], ...] = (
    (paying, "_FAILS", 0.35),
    (paying, "_PAYS_TWICE", 0.2),
    (paying, "_CLOSES_WINDOW", 0.3),
    (paying, "_ANSWERED_LATE", 0.8),
    (approving, "_NEVER_ANSWERS", 0.0),
    (approving, "_WANTS_ANOTHER_DESIGN", 0.3),
    (changing, "_CALLS_A_PART_OFF", 0.15),
    (changing, "_EDITS", 0.3),
    (changing, "_MOVES", 0.15),
    (changing, "_FORGETS_TO_PAY", 0.3),
    (sending, "_IN_TWO_BOXES", 0.6),
    (travelling, "_NOBODY_HOME", 0.15),
    (travelling, "_LOST", 0.04),
    (travelling, "_BROKEN", 0.04),
    (travelling, "_COMES_BACK", dict.fromkeys(PaymentMode, 0.1)),
    (opinions, "_RETURNS", 0.25),
    (nights, "_BANK_TAKES_LONG", 0.7),
    (gifts, "_WORTH_A_DESIGN", 250),
    (world, "_SHELF", 3),
    (carriage, "ACCOUNT_OPENED_BEFORE_THE_END", timedelta(days=120)),
)
"""What befalls one shop in a hundred years befalls this one in eight months."""

CONTENT = (
    """SELECT order_number, customer_id, status, gross_minor, discount_minor, points_redeemed, total_minor, occasion,
    gift_message, placed_at, delivered_at FROM orders ORDER BY id""",
    "SELECT order_id, sku, quantity, net_minor, shipped_quantity, returned_quantity FROM order_lines ORDER BY id",
    "SELECT order_id, kind, quantity, refund_minor, occurred_at FROM order_unit_moves ORDER BY id",
    "SELECT email, city, birthday, created_at FROM customers ORDER BY id",
    "SELECT event_id, customer_id, type, product_id, server_time FROM behaviour_events ORDER BY id",
    "SELECT customer_id, kind, points, occurred_at FROM point_entries ORDER BY id",
    "SELECT product_id, score, title, body, status FROM reviews ORDER BY id",
    "SELECT kind, variant_id, quantity, occurred_at FROM stock_movements ORDER BY id",
    "SELECT gateway_payment_id, status, amount_minor, captured_at FROM payments ORDER BY id",
    "SELECT payment_id, status, amount_minor, processed_at FROM refunds ORDER BY id",
    "SELECT order_id, carrier, tracking_number, status, courier_name, quoted_minor FROM shipments ORDER BY id",
    "SELECT purchase_number, status, placed_at, received_at FROM purchase_orders ORDER BY id",
    "SELECT number, order_id, total_minor, igst_minor, issued_at FROM tax_documents ORDER BY id",
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with livelier(TROUBLE):  # also for those who play it once more
        outcome = play(tmp_path_factory.mktemp("simulated") / "shop.db", PLAN)
        yield outcome
    outcome[0].engine.dispose()


@pytest.fixture(scope="module")
def shop(played: Played) -> Database:
    return played[0]


def test_much_happens(played: Played) -> None:
    database, counts, _ = played
    assert counts["orders"] > 25
    assert counts["abandoned carts"] > 3
    assert {"events", "registrations", "deliveries", "reviews", "coupons applied", "returns"} <= set(counts)
    assert {"failed payments", "late authorisations", "double payments", "payments found by polling"} <= set(counts)
    assert {"order edits", "address changes", "partial cancellations", "designs approved"} <= set(counts)
    assert {"parcels: normal", "parcels: ndr", "parcels: rto"} <= set(counts)
    assert {"purchase orders", "supplier deliveries"} <= set(counts)
    assert counts["refunds that failed"] > 0
    assert rows(database, "SELECT count(*) FROM orders") == [(counts["orders"],)]
    assert rows(database, "SELECT base_currency, time_zone FROM shop_profile") == [("INR", "Asia/Kolkata")]
    assert {row[0] for row in rows(database, "SELECT DISTINCT carrier FROM shipments")} == {"own", "simulated"}
    assert len(rows(database, "SELECT DISTINCT shipping_minor FROM orders")) > 3


def test_every_ledger_proves_its_balances(shop: Database) -> None:
    with shop.read() as session:
        assert inventory.discrepancies(session) == []
        assert loyalty.discrepancies(session) == []
        assert promotions.counter_discrepancies(session) == []
        assert ledger.unbalanced_transactions(session) == []


def test_every_order_is_what_its_history_says(shop: Database) -> None:
    found = verify_orders(shop)
    assert (found.taken_in, found.differing) == (0, [])
    assert [(found.checked,)] == rows(shop, "SELECT count(*) FROM orders")


def test_the_gateway_has_the_same_books(played: Played) -> None:
    database, counts, _ = played
    assert counts["gateway differences"] == 0
    assert rows(database, "SELECT id FROM gateway_differences WHERE resolved_at IS NULL") == []


def test_papers_say_what_was_paid(shop: Database) -> None:
    """Of every order of which something left: invoices − credit notes = captured − refunded."""
    unequal = """
        WITH money AS (SELECT order_id, sum(captured_minor - refunded_minor) AS kept FROM payments GROUP BY order_id),
        paper AS (
            SELECT order_id, sum(CASE kind WHEN 'invoice' THEN total_minor ELSE -total_minor END) AS said
            FROM tax_documents GROUP BY order_id
        )
        SELECT o.order_number, o.status, kept, said FROM orders o
        JOIN paper ON paper.order_id = o.id LEFT JOIN money ON money.order_id = o.id
        WHERE said <> coalesce(kept, 0)
    """
    assert rows(shop, unequal) == []
    assert len(rows(shop, "SELECT id FROM tax_documents WHERE kind = 'credit_note'")) > 0
    unpapered = """
        SELECT id FROM orders o WHERE EXISTS (
            SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.shipped_quantity > 0
        ) AND NOT EXISTS (SELECT 1 FROM tax_documents d WHERE d.order_id = o.id AND d.kind = 'invoice')
    """
    assert rows(shop, unpapered) == []


def test_parcels_hold_what_has_left(shop: Database) -> None:
    unequal = """
        SELECT l.id, l.shipped_quantity FROM order_lines l WHERE l.shipped_quantity <> (
            SELECT coalesce(sum(i.quantity), 0) FROM shipment_items i JOIN shipments s ON s.id = i.shipment_id
            WHERE i.order_line_id = l.id AND s.shipped_at IS NOT NULL
        )
    """
    assert rows(shop, unequal) == []
    for shipment_id, status in rows(shop, "SELECT id, status FROM shipments"):
        with shop.read() as session:
            events = events_of(session, shipment_id)
        scans = (Scan(event.status, event.occurred_at, event.problem, event.confirmed) for event in events)
        assert fold(scans).status == status
    chosen = "SELECT shipment_id FROM courier_choices WHERE chosen GROUP BY shipment_id HAVING count(*) <> 1"
    assert rows(shop, chosen) == []


def test_suppliers_bring_what_was_ordered(shop: Database) -> None:
    unequal = """
        SELECT l.id FROM purchase_order_lines l WHERE l.received_quantity <> (
            SELECT coalesce(sum(r.quantity), 0) FROM purchase_receipt_lines r WHERE r.purchase_order_line_id = l.id
        ) OR l.received_quantity + l.damaged_quantity > l.quantity + l.tolerance
    """
    assert rows(shop, unequal) == []
    unposted = """
        SELECT r.id FROM purchase_receipt_lines r WHERE r.quantity <> (
            SELECT coalesce(sum(m.quantity), 0) FROM stock_movements m WHERE m.purchase_receipt_line_id = r.id
        )
    """
    assert rows(shop, unposted) == []
    oversold = """
        SELECT variant_id FROM stock_levels WHERE on_hand - reserved < -coalesce(backorder_limit, 0) OR on_hand < 0
    """
    assert rows(shop, oversold) == []


def test_nothing_waits_longer_than_it_may_or_fails(shop: Database) -> None:
    overdue = """
        SELECT id FROM orders WHERE status IN ('awaiting_payment', 'awaiting_approval')
        AND expires_at <= '2025-12-31 18:30:00.000000'
    """
    assert rows(shop, overdue) == []
    assert rows(shop, "SELECT topic FROM outbox WHERE state = 'failed' OR last_error IS NOT NULL") == []
    due = "SELECT topic FROM outbox WHERE state = 'pending' AND due_at <= '2025-12-31 18:30:00.000000'"
    assert rows(shop, due) == []
    assert rows(shop, "SELECT id FROM refunds WHERE status = 'pending'") == []
    assert rows(shop, "SELECT halted_reason FROM shipments WHERE halted_reason IS NOT NULL") == []


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
        SELECT r.id FROM reviews r WHERE r.created_at < (
            SELECT min(m.occurred_at) FROM order_unit_moves m
            WHERE m.order_line_id = r.order_line_id AND m.kind = 'delivered'
        )
    """
    out_of_turn = """
        SELECT id FROM shipments WHERE shipped_at < created_at OR delivered_at < shipped_at
        OR rto_delivered_at < shipped_at
    """
    for sql in (backwards, too_late, impossible, premature, out_of_turn):
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


def test_the_truth_names_what_each_shopper_likes(played: Played) -> None:
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
    again, _, _ = play(tmp_path / "again.db", PLAN)
    for sql in CONTENT:
        assert rows(again, sql) == rows(shop, sql)
    again.engine.dispose()
