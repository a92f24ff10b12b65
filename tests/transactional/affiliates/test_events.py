"""News of orders: twice, late, in the wrong order, or never; the ledger is the same."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.transactional.affiliates.desk import Desk
from transactional.affiliates import events
from transactional.affiliates.models import CommissionEntry
from transactional.affiliates.service import CommissionState
from transactional.core import outbox
from transactional.core.models import OutboxMessage
from transactional.core.uow import Database
from transactional.wiring import wire


@pytest.fixture(autouse=True)
def _wired() -> None:
    wire()


@pytest.fixture
def mug(desk: Desk) -> int:
    return desk.kit.variant("MUG", stock=99)


def entries(desk: Desk) -> list[tuple[str, int, int, int]]:
    with desk.kit.database.read() as session:
        rows = session.scalars(select(CommissionEntry).order_by(CommissionEntry.id))
        return [(row.kind, row.pending_minor, row.payable_minor, row.owed_minor) for row in rows]


def news(database: Database, *topics: str) -> list[OutboxMessage]:
    with database.read() as session:
        statement = select(OutboxMessage).order_by(OutboxMessage.id)
        return list(session.scalars(statement.where(OutboxMessage.topic.in_(topics))))


def test_the_worker_takes_an_order_from_payment_to_approval(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate), settle=False)
    outbox.drain(desk.kit.database)
    assert desk.lots(order)[0].state is CommissionState.PENDING
    desk.kit.deliver(order)
    outbox.drain(desk.kit.database)
    assert events.settle_due(desk.kit.database) == 0
    desk.later(days=15)
    assert events.settle_due(desk.kit.database) == 1
    assert desk.lots(order)[0].state is CommissionState.APPROVED
    assert events.settle_due(desk.kit.database) == 0
    desk.assert_sound()


def test_orders_that_nobody_sent_leave_no_message(desk: Desk, mug: int) -> None:
    desk.buy({mug: 1}, settle=False)
    outbox.drain(desk.kit.database)
    assert news(desk.kit.database, events.SETTLE) == []


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
@hypothesis_settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_news_in_any_order_and_twice_give_the_same_ledger(desk: Desk, order_of: list[int], twice: list[int]) -> None:
    serial = desk.kit.count(CommissionEntry)
    mug = desk.kit.variant(f"MUG-{serial}", stock=9)
    if serial == 0:
        desk.affiliate(desk.programme())
    order = desk.buy({mug: 3}, visitor_id=desk.click(1), email=f"{serial}@example.com", settle=False)
    (line,) = desk.kit.lines(order)
    desk.kit.deliver(order)
    desk.kit.return_units(line.id, 1)
    told = [
        {"order_id": order, "to": "paid", "occurred_at": "1"},
        {"order_id": order, "to": "delivered", "occurred_at": "2"},
        {"order_id": order, "to": "cancelled", "occurred_at": "3"},
        {"order_id": order, "to": "delivered", "occurred_at": "2"},
    ]
    for i in (*order_of, *twice):
        events.after_step(desk.kit.database, told[i])
        outbox.drain(desk.kit.database, topics=[events.SETTLE])
    (lot,) = desk.lots(order)
    assert (lot.amount_minor, lot.reversed_minor, lot.state) == (30_000, 10_000, CommissionState.PENDING)
    assert entries(desk)[serial:] == [("earn", 30_000, 0, 0), ("reverse", -10_000, 0, 0)]
    desk.assert_sound()


def test_a_return_of_which_no_message_tells_is_caught_up_with(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 2}, visitor_id=desk.click(affiliate))
    desk.mature(order)
    (line,) = desk.kit.lines(order)
    desk.kit.return_units(line.id, 1)
    assert events.catch_up(desk.kit.database) == 1
    assert desk.lots(order)[0].reversed_minor == 10_000
    desk.assert_sound()


def test_a_return_before_the_window_ends_is_seen_before_anything_is_approved(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate))
    desk.deliver(order)
    (line,) = desk.kit.lines(order)
    desk.kit.return_units(line.id, 1)  # and nobody says so
    desk.later(days=30)
    events.settle_due(desk.kit.database)
    assert desk.lots(order)[0].state is CommissionState.REVERSED
    assert desk.balance(affiliate).approved_minor == 0


def test_an_order_that_is_not_paid_is_nobodys(desk: Desk, mug: int) -> None:
    affiliate = desk.affiliate(desk.programme())
    order = desk.kit.buy({mug: 1}, visitor_id=desk.click(affiliate), pay=False)
    desk.settle(order)
    assert desk.attribution(order) is None
    assert desk.lots(order) == []


def test_one_order_that_fails_keeps_no_other_waiting(desk: Desk, mug: int, monkeypatch: pytest.MonkeyPatch) -> None:
    affiliate = desk.affiliate(desk.programme())
    orders = [desk.buy({mug: 1}, visitor_id=desk.click(affiliate), email=f"{i}@example.com") for i in range(2)]
    for order in orders:
        desk.deliver(order)
    desk.later(days=15)
    settle = events.settlement.settle

    def broken(session: Session, *, order_id: int, now: datetime) -> None:
        if order_id == orders[0]:
            raise ValueError("a row that nobody understands")
        settle(session, order_id=order_id, now=now)

    monkeypatch.setattr(events.settlement, "settle", broken)
    events.settle_due(desk.kit.database)
    monkeypatch.undo()
    assert [desk.lots(order)[0].state for order in orders] == [CommissionState.PENDING, CommissionState.APPROVED]
    events.settle_due(desk.kit.database)
    assert desk.lots(orders[0])[0].state is CommissionState.APPROVED
