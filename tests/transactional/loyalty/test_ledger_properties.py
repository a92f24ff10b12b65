"""The ledger of points under any sequence of what a shop does, against a model that knows nothing of lots.

The model: a customer's balance is what they were given by hand, plus what each unit that they paid for and kept has
earned, less the points that pay for units which they hold, have reserved or kept. (Expiry has rules of its own in
`test_service.py`; here time stays within a year of everything, except in the last rule of a run.)
"""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.money import unit_share
from transactional.core.uow import Database
from transactional.loyalty import jobs
from transactional.loyalty.models import EntryKind, PointBalance, PointConsumption, PointEntry, PointLot
from transactional.orders import jobs as order_jobs
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus, PaidOutcome

EARN_PER_POINT = 10_000


@dataclass
class Units:
    """An order as the model sees it: one line of equal units."""

    order_id: int
    line_id: int
    quantity: int
    net_minor: int
    points: int
    paid: bool = False
    reserved: bool = True
    returned: int = 0

    def worth(self) -> int:
        """What the order adds to the balance."""
        if not self.reserved:
            return 0
        kept = range(self.returned, self.quantity)
        earned = sum(unit_share(self.net_minor, self.quantity, n, 1) // EARN_PER_POINT for n in kept)
        spent = sum(unit_share(self.points, self.quantity, n, 1) for n in kept)
        return (earned if self.paid else 0) - spent


class LedgerMachine(RuleBasedStateMachine):
    """One customer who buys, pays, cancels, returns and waits in any order."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="mlt-ledger-"))
        shutil.copy(self.template, self._folder / "shop.db")
        self.clock = ManualClock(datetime(2026, 1, 15, 10, tzinfo=UTC))
        self.engine = make_engine(f"sqlite:///{self._folder / 'shop.db'}")
        self.kit = TradeKit(Database(self.engine, self.clock))
        self.given = 0
        self.placed: list[Units] = []
        self.ended = False

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.engine.dispose()
        shutil.rmtree(self._folder, ignore_errors=True)

    @initialize()
    def open_shop(self) -> None:
        """Goods at odd prices, and one customer."""
        self.variants = [self.kit.variant(f"V{price}", price=price, stock=10_000) for price in (9_999, 33_335, 100_001)]
        self.customer = self.kit.customer()

    @rule(points=st.integers(1, 60))
    def give(self, points: int) -> None:
        """A gesture."""
        self.kit.give_points(self.customer, points)
        self.given += points

    @rule(variant=st.integers(0, 2), quantity=st.integers(1, 4), share=st.integers(0, 100))
    def place(self, variant: int, quantity: int, share: int) -> None:
        """An order, partly paid with points."""
        basket = self.kit.basket({self.variants[variant]: quantity}, customer_id=self.customer)
        gross = (9_999, 33_335, 100_001)[variant] * quantity
        points = min(self.kit.points(self.customer).redeemable, gross // 200) * share // 100
        order_id = self.kit.checkout(basket, customer_id=self.customer, redeem_points=points)
        line = self.kit.lines(order_id)[0]
        self.placed.append(Units(order_id, line.id, quantity, line.net_minor, points))

    def _one(self, index: int, *statuses: OrderStatus) -> Units | None:
        fitting = [units for units in self.placed if self.kit.order(units.order_id).status in statuses]
        return fitting[index % len(fitting)] if fitting else None

    @rule(index=st.integers(0, 50))
    def pay(self, index: int) -> None:
        """The money of an open or expired order arrives."""
        units = self._one(index, OrderStatus.AWAITING_PAYMENT, OrderStatus.EXPIRED)
        if units is not None:
            outcome = self.kit.pay(units.order_id)
            units.paid = units.reserved = outcome is not PaidOutcome.REFUND_DUE

    @rule(index=st.integers(0, 50))
    def cancel(self, index: int) -> None:
        """Called off, paid or not."""
        units = self._one(index, OrderStatus.AWAITING_PAYMENT, OrderStatus.PAID)
        if units is not None:
            self.kit.run(
                lambda s: (
                    orders.cancel(
                        s, order_id=units.order_id, actor="test", reason="changed my mind", now=self.kit.now
                    ).id
                )
            )
            units.reserved = False

    @rule(index=st.integers(0, 50))
    def deliver(self, index: int) -> None:
        """Packed, sent, handed over."""
        units = self._one(index, OrderStatus.PAID)
        if units is not None:
            self.kit.deliver(units.order_id)

    @rule(index=st.integers(0, 50), quantity=st.integers(1, 4))
    def bring_back(self, index: int, quantity: int) -> None:
        """Some units of a delivered order return."""
        units = self._one(index, OrderStatus.DELIVERED)
        if units is not None and units.returned < units.quantity:
            count = min(quantity, units.quantity - units.returned)
            self.kit.return_units(units.line_id, count)
            units.returned += count

    @precondition(lambda self: self.clock.now() < datetime(2026, 9, 1, tzinfo=UTC))
    @rule(minutes=st.sampled_from([1, 20, 60 * 24, 60 * 24 * 15]), work=st.booleans())
    def wait(self, minutes: int, work: bool) -> None:
        """Time passes; perhaps the worker looks in."""
        self.clock.advance(timedelta(minutes=minutes))
        if work:
            order_jobs.expire_unpaid_orders(self.kit.database)
            jobs.activate_due_points(self.kit.database)
            jobs.expire_due_points(self.kit.database)
        for units in self.placed:
            if not units.paid and self.kit.order(units.order_id).status is OrderStatus.EXPIRED:
                units.reserved = False

    @precondition(lambda self: not self.ended)
    @rule()
    def nothing_is_left_after_all_returns(self) -> None:
        """Invariant 4: give everything back, and the balance is that of someone who never bought."""
        self.ended = True
        for units in self.placed:
            status = self.kit.order(units.order_id).status
            if status is OrderStatus.PAID:
                self.kit.deliver(units.order_id)
            if status in {OrderStatus.PAID, OrderStatus.DELIVERED} and units.returned < units.quantity:
                self.kit.return_units(units.line_id, units.quantity - units.returned)
                units.returned = units.quantity
        for units in self.placed:
            if self.kit.order(units.order_id).status is OrderStatus.AWAITING_PAYMENT:
                self.kit.run(
                    lambda s, order_id=units.order_id: (
                        orders.cancel(s, order_id=order_id, actor="test", reason="the end", now=self.kit.now).id
                    )
                )
                units.reserved = False
        points = self.kit.points(self.customer)
        assert points.active + points.pending - points.owed == self.given
        assert points.held == 0

    @invariant()
    def the_model_agrees(self) -> None:
        """Balance = given + earned on what is kept − spent on what is kept or reserved."""
        if hasattr(self, "customer"):
            points = self.kit.points(self.customer)
            assert points.active + points.pending - points.owed == self.given + sum(u.worth() for u in self.placed)

    @invariant()
    def the_ledger_proves_itself(self) -> None:
        """Invariants 1, 2, 3 and 9 of the ledger."""
        self.kit.assert_sound()
        with self.kit.database.read() as session:
            assert_consumptions_cover_debits(session)
            assert_issued_is_accounted_for(session)


def assert_consumptions_cover_debits(session: Session) -> None:
    """Each lot's amount = remaining + what was taken; each debit is covered, but for what is owed."""
    taken = select(func.coalesce(func.sum(PointConsumption.amount), 0)).where(PointConsumption.lot_id == PointLot.id)
    for amount, remaining, consumed in session.execute(
        select(PointLot.amount, PointLot.remaining, taken.scalar_subquery())
    ):
        assert amount == remaining + consumed
    covered = select(func.coalesce(func.sum(PointConsumption.amount), 0)).where(
        PointConsumption.entry_id == PointEntry.id
    )
    owed = 0
    for kind, points, by_lots in session.execute(
        select(PointEntry.kind, PointEntry.points, covered.scalar_subquery()).where(PointEntry.points < 0)
    ):
        assert 0 <= by_lots <= -points
        if kind is EntryKind.REVERSE:
            owed += -points - by_lots
        else:
            assert by_lots == -points
    assert owed == (session.scalar(select(func.sum(PointBalance.owed))) or 0)


def assert_issued_is_accounted_for(session: Session) -> None:
    """Issued = active + pending + held + spent + expired + reversed, over all customers."""

    def entries(*kinds: EntryKind) -> int:
        total = session.scalar(select(func.sum(PointEntry.points)).where(PointEntry.kind.in_(kinds)))
        return int(total or 0)

    row = session.execute(
        select(
            func.sum(PointBalance.active),
            func.sum(PointBalance.pending),
            func.sum(PointBalance.owed),
        )
    ).one()
    active, pending, owed = (int(value or 0) for value in row)
    issued = entries(EntryKind.EARN, EntryKind.ADJUST)
    spent_or_held = -entries(EntryKind.HOLD, EntryKind.RELEASE, EntryKind.RESTORE)
    expired, reversed_ = -entries(EntryKind.EXPIRE), -entries(EntryKind.REVERSE)
    assert issued == active + pending - owed + spent_or_held + expired + reversed_
    lots = session.scalar(select(func.sum(PointLot.amount)).where(PointLot.source != "restore"))
    assert int(lots or 0) == issued


@pytest.fixture
def template(_sqlite_template: Path) -> Path:
    """An empty, migrated shop to copy for each sequence."""
    return _sqlite_template


def test_any_sequence_of_trade_keeps_the_ledger(template: Path) -> None:
    machine = type("Machine", (LedgerMachine,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


@pytest.mark.slow
def test_many_more_sequences_keep_the_ledger(template: Path) -> None:
    machine = type("Machine", (LedgerMachine,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=45,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
            database=None,
        ),
    )
