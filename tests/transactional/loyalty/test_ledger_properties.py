"""The ledger of points under any sequence of what a shop does, against a model that has neither jobs nor a database."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from tests.transactional.loyalty.model import LIFE, Line, Model
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.loyalty import jobs, service
from transactional.loyalty.models import EntryKind, PointBalance, PointConsumption, PointEntry, PointLot, Wallet
from transactional.orders import jobs as order_jobs
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus, PaidOutcome

PRICES = (9_999, 33_335, 100_001)


@dataclass
class Placed:
    """An order, and what the model knows of it."""

    order_id: int
    line_id: int
    line: Line


class LedgerMachine(RuleBasedStateMachine):
    """One customer who buys, pays, cancels, returns, is given points and loses them, and waits, in any order."""

    template: Path
    floors = {Wallet.EARNED: 10_000, Wallet.PROMOTIONAL: 0}

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="mlt-ledger-"))
        shutil.copy(self.template, self._folder / "shop.db")
        self.clock = ManualClock(datetime(2026, 1, 15, 10, tzinfo=UTC))
        self.engine = make_engine(f"sqlite:///{self._folder / 'shop.db'}")
        self.kit = TradeKit(Database(self.engine, self.clock))
        self.model = Model(self.floors)
        self.given = 0
        self.placed: list[Placed] = []
        self.gifts: dict[str, tuple[int, int]] = {}
        self.moments = {self.clock.now()}
        self.ended = False

    def teardown(self) -> None:
        """The balance of every past moment is the same from lots as from entries; leave nothing behind."""
        try:
            if hasattr(self, "customer"):
                self._compare_the_past()
        finally:
            self.engine.dispose()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _compare_the_past(self) -> None:
        """Invariant 3."""
        with self.kit.database.read() as session:
            for at in sorted(self.moments | {moment - timedelta(seconds=1) for moment in self.moments}):
                from_entries = service.balance_at(session, self.customer, at=at)
                assert service.balance_from_lots(session, self.customer, at=at) == from_entries, at

    @initialize()
    def open_shop(self) -> None:
        """Goods at odd prices, one customer, and a programme with the machine's floors."""
        self.variants = [self.kit.variant(f"V{price}", price=price, stock=10_000) for price in PRICES]

        def work(session: Session) -> None:
            programme = service.ensure_programme(session, now=self.kit.now)
            programme.negative_floor = self.floors[Wallet.EARNED]
            programme.promotional_negative_floor = self.floors[Wallet.PROMOTIONAL]

        self.kit.run(work)
        self.customer = self.kit.customer()

    def _now(self) -> datetime:
        self.model.refresh(self.kit.now)
        self.moments.add(self.kit.now)
        return self.kit.now

    @rule(points=st.integers(1, 60))
    def give_by_hand(self, points: int) -> None:
        """A gesture."""
        now = self._now()
        self.kit.give_points(self.customer, points)
        self.model.add(points, Wallet.EARNED, now, now, now + LIFE)
        self.given += points

    @rule(points=st.integers(1, 40))
    def take_by_hand(self, points: int) -> None:
        """A correction; refused exactly where the model has too few."""
        now = self._now()
        work = partial(
            service.adjust, customer_id=self.customer, points=-points, actor="user:1", reason="wrong", now=now
        )
        if self.model.take(points, Wallet.EARNED):
            self.kit.run(work)
            self.given -= points
        else:
            with pytest.raises(service.PointsRefused):
                self.kit.run(work)

    @rule(points=st.integers(1, 50), days=st.sampled_from([0, 0, 20]), wallet=st.sampled_from(Wallet))
    def give(self, points: int, days: int, wallet: Wallet) -> None:
        """Points for a referral, at once or later, asked for twice."""
        now = self._now()
        reference = f"referral:{len(self.gifts)}"
        available = now + timedelta(days=days)
        for _ in range(2):
            self.kit.run(
                partial(
                    service.give,
                    customer_id=self.customer,
                    points=points,
                    source="referral",
                    reference=reference,
                    now=now,
                    available_at=available,
                    wallet=wallet,
                )
            )
        lot = self.model.add(points, wallet, now, available, available + LIFE)
        self.gifts[reference] = (lot.number, points)
        self.given += points

    @precondition(lambda self: self.gifts)
    @rule(index=st.integers(0, 50), share=st.sampled_from([0, 2_500, 5_000, 10_000]))
    def take_back(self, index: int, share: int) -> None:
        """Some of a gift is taken back, asked for twice."""
        now = self._now()
        reference = sorted(self.gifts)[index % len(self.gifts)]
        lot, amount = self.gifts[reference]
        before = self.model.reversed + self.model.shortfall
        for _ in range(2):
            self.kit.run(partial(service.take_back, reference=reference, share_bp=share, now=now))
        self.model.take_back(lot, amount, share)
        self.given -= self.model.reversed + self.model.shortfall - before

    @rule(variant=st.integers(0, 2), quantity=st.integers(1, 4), share=st.sampled_from([0, 50, 100]))
    def place(self, variant: int, quantity: int, share: int) -> None:
        """An order, partly paid with points."""
        self._place(variant, quantity, share)

    @rule(quantity=st.integers(1, 4), share=st.sampled_from([0, 100]), days=st.sampled_from([0, 16, 180]))
    def buy(self, quantity: int, share: int, days: int) -> None:
        """An order that is paid and arrives at once; afterwards nothing happens for a while."""
        self._buy(quantity, share, days)

    @rule(quantity=st.integers(2, 4), count=st.integers(1, 4))
    def spend_what_was_earned_and_return_it(self, quantity: int, count: int) -> None:
        """The way into debt."""
        first = self._buy(quantity, 0, 16)
        self._buy(quantity, 100, 0)
        self._return(first, min(quantity, count))

    def _buy(self, quantity: int, share: int, days: int) -> Placed:
        placed = self._place(2, quantity, share)
        self._pay(placed)
        self._deliver(placed)
        self._wait(timedelta(days=days), work=False)
        return placed

    def _place(self, variant: int, quantity: int, share: int) -> Placed:
        self._now()
        basket = self.kit.basket({self.variants[variant]: quantity}, customer_id=self.customer)
        gross = PRICES[variant] * quantity
        points = min(self.kit.points(self.customer).redeemable, gross // 200) * share // 100
        order_id = self.kit.checkout(basket, customer_id=self.customer, redeem_points=points)
        frozen = self.kit.lines(order_id)[0]
        line = Line(quantity, frozen.net_minor, points)
        assert self.model.hold(line)
        self.placed.append(Placed(order_id, frozen.id, line))
        return self.placed[-1]

    def _one(self, index: int, *statuses: OrderStatus) -> Placed | None:
        fitting = [placed for placed in self.placed if self.kit.order(placed.order_id).status in statuses]
        return fitting[index % len(fitting)] if fitting else None

    @rule(index=st.integers(0, 50))
    def pay(self, index: int) -> None:
        """The money of an open or expired order arrives; an expired one needs its points anew."""
        placed = self._one(index, OrderStatus.AWAITING_PAYMENT, OrderStatus.EXPIRED)
        if placed is not None and not placed.line.paid:
            self._pay(placed)

    def _pay(self, placed: Placed) -> None:
        now = self._now()
        expired = self.kit.order(placed.order_id).status is OrderStatus.EXPIRED
        outcome = self.kit.pay(placed.order_id)
        had = self.model.hold(placed.line) if expired else True
        assert (outcome is PaidOutcome.REFUND_DUE) == (not had)
        if had:
            self.model.pay(placed.line, now)

    @rule(index=st.integers(0, 50))
    def cancel(self, index: int) -> None:
        """Called off, paid or not."""
        placed = self._one(index, OrderStatus.AWAITING_PAYMENT, OrderStatus.PAID)
        if placed is not None:
            self._call_off(placed)

    def _call_off(self, placed: Placed) -> None:
        now = self._now()
        self.kit.run(lambda s: orders.cancel(s, order_id=placed.order_id, actor="test", reason="no more", now=now).id)
        if placed.line.paid:
            self.model.give_back(placed.line, placed.line.quantity, now)
        else:
            self.model.release(placed.line)
            self.model.refresh(now)  # what was held may be past its time

    @rule(index=st.integers(0, 50))
    def deliver(self, index: int) -> None:
        """Packed, sent, handed over."""
        placed = self._one(index, OrderStatus.PAID)
        if placed is not None:
            self._deliver(placed)

    def _deliver(self, placed: Placed) -> None:
        now = self._now()
        self.kit.deliver(placed.order_id)
        self.model.deliver(placed.line, now)

    @rule(index=st.integers(0, 50), quantity=st.integers(1, 4))
    def bring_back(self, index: int, quantity: int) -> None:
        """Some units of a delivered order return."""
        placed = self._one(index, OrderStatus.DELIVERED)
        if placed is not None and placed.line.given_back < placed.line.quantity:
            self._return(placed, min(quantity, placed.line.quantity - placed.line.given_back))

    def _return(self, placed: Placed, count: int) -> None:
        now = self._now()
        self.kit.return_units(placed.line_id, count)
        self.model.give_back(placed.line, count, now)

    @rule(minutes=st.sampled_from([20, 60 * 24 * 16, 60 * 24 * 200]), work=st.booleans())
    def wait(self, minutes: int, work: bool) -> None:
        """Time passes; perhaps the worker looks in, and finds nothing to do when it looks again."""
        self._wait(timedelta(minutes=minutes), work=work)

    def _wait(self, time: timedelta, *, work: bool) -> None:
        self.clock.advance(time)
        self._now()
        if work:
            jobs.expire_due_points(self.kit.database)
            jobs.activate_due_points(self.kit.database)
            assert jobs.expire_due_points(self.kit.database) == 0
            order_jobs.expire_unpaid_orders(self.kit.database)
        for placed in self.placed:
            if placed.line.held and self.kit.order(placed.order_id).status is OrderStatus.EXPIRED:
                self.model.release(placed.line)
        self.model.refresh(self.kit.now)

    @precondition(lambda self: not self.ended)
    @rule()
    def give_everything_back(self) -> None:
        """Invariant 4: the balance is then that of somebody who never ordered, less what time took."""
        self.ended = True
        for placed in self.placed:
            status = self.kit.order(placed.order_id).status
            if status is OrderStatus.PAID:
                self._deliver(placed)
            left = placed.line.quantity - placed.line.given_back
            if status in {OrderStatus.PAID, OrderStatus.DELIVERED} and left:
                self._return(placed, left)
            if status is OrderStatus.AWAITING_PAYMENT:
                self._call_off(placed)
        points = self.kit.points(self.customer)
        assert points.held == points.spent == 0
        net = points.active + points.pending - points.owed
        if points.expired == points.shortfall == 0:
            assert net == self.given
        elif points.shortfall == 0:
            assert self.given - points.expired <= net <= self.given

    @invariant()
    def the_model_agrees(self) -> None:
        """Every figure of the balance, whether or not the jobs have run."""
        if hasattr(self, "customer"):
            points, model = self.kit.points(self.customer), self.model
            assert (points.active, points.pending, points.owed) == (model.active, model.pending, model.owed)
            assert (points.held, points.spent) == (model.held, model.spent)
            assert (points.expired, points.reversed) == (model.expired, model.reversed)
            assert points.shortfall == model.shortfall

    @invariant()
    def the_ledger_proves_itself(self) -> None:
        """Invariants 1, 2, 7 and 9 of the ledger, and no wallet below its floor."""
        self.kit.assert_sound()
        with self.kit.database.read() as session:
            assert_consumptions_cover_debits(session)
            assert_issued_is_accounted_for(session)
            assert_adjustments_are_signed(session)
            if hasattr(self, "customer"):
                for wallet in service.wallet_balances(session, self.customer, now=self.kit.now):
                    assert wallet.owed <= self.floors[wallet.wallet]


class TightMachine(LedgerMachine):
    """The same under a floor that is soon reached."""

    floors = {Wallet.EARNED: 15, Wallet.PROMOTIONAL: 4}


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
    """Issued = active + pending − owed + held + spent + expired + reversed, over all customers."""
    kinds = PointEntry.kind.in_([EntryKind.EARN, EntryKind.ADJUST])
    issued = session.scalar(select(func.coalesce(func.sum(PointEntry.points), 0)).where(kinds))
    of_row = PointBalance.active + PointBalance.pending - PointBalance.owed + PointBalance.held
    of_row = of_row + PointBalance.spent + PointBalance.expired + PointBalance.reversed
    assert issued == session.scalar(select(func.coalesce(func.sum(of_row), 0)))
    came = PointLot.source.not_in(["restore", "reinstatement"])
    lots = session.scalar(select(func.coalesce(func.sum(PointLot.amount), 0)).where(came))
    taken = (PointEntry.kind == EntryKind.ADJUST) & (PointEntry.points < 0)
    by_hand = session.scalar(select(func.coalesce(func.sum(PointEntry.points), 0)).where(taken))
    assert lots + by_hand == issued


def assert_adjustments_are_signed(session: Session) -> None:
    """Every adjustment by hand has an actor and a reason."""
    for entry in session.scalars(select(PointEntry).where(PointEntry.kind == EntryKind.ADJUST)):
        assert entry.actor.strip()
        assert entry.reason.strip()


AS_IT_CAME = (Phase.explicit, Phase.generate)
"""A failing sequence is reported as it came: to shrink a long history takes many minutes."""


def run_machine(
    machine: type[LedgerMachine],
    template: Path,
    *,
    examples: int,
    steps: int,
    fixed: bool,
    phases: Sequence[Phase] = tuple(Phase),
) -> None:
    """Drive sequences of a machine on copies of the template."""
    run_state_machine_as_test(
        type("Machine", (machine,), {"template": template}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=phases,
            derandomize=fixed,
            database=None,
        ),
    )


@pytest.mark.parametrize("machine", [LedgerMachine, TightMachine])
def test_any_sequence_of_trade_keeps_the_ledger(machine: type[LedgerMachine], template: Path) -> None:
    run_machine(machine, template, examples=6, steps=20, fixed=True)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [LedgerMachine, TightMachine])
def test_many_more_sequences_keep_the_ledger(machine: type[LedgerMachine], template: Path) -> None:
    run_machine(machine, template, examples=12, steps=45, fixed=False)
