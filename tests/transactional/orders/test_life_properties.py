"""Orders in any sequence of what can happen to them: every row is what its history says, and every ledger closes.

The model knows money as a till does: what came in, what was sent back. After each step, for each order:

* what was paid and not sent back is the order's total less everything that was given back;
* what is gone from the shelf is what was sent and did not come home; what is reserved is what has yet to leave;
* the order, rebuilt from its events, equals its row.
"""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.trade import TradeKit
from tests.transactional.orders.life_books import STOCK, LifeBooks
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.errors import ShopError
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.orders import jobs, service
from transactional.orders.service import AddedUnits, OrderStatus, PaidOutcome, WantedChange

PRICES = (1, 9_999, 33_335, 100_001)

pick = st.integers(0, 30)
wishes = st.fixed_dictionaries(
    {
        "lines": st.dictionaries(st.integers(0, 3), st.integers(1, 4), min_size=1, max_size=3),
        "coupon": st.booleans(),
        "points": st.integers(0, 20),
        "cash": st.booleans(),
    }
)


class OrderMachine(LifeBooks, RuleBasedStateMachine):
    """One customer with points and a coupon that has a minimum; a shop that does everything a shop can do."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="mlt-orders-"))
        shutil.copy(self.template, self._folder / "shop.db")
        self.clock = ManualClock(datetime(2026, 1, 15, 10, tzinfo=UTC))
        self.engine = make_engine(f"sqlite:///{self._folder / 'shop.db'}")
        self.kit = TradeKit(Database(self.engine, self.clock))
        self.paid: dict[int, int] = {}
        self.desk: dict[int, int] = {}
        self.given = 0

    def teardown(self) -> None:
        """The end of every life; then leave nothing behind."""
        try:
            if hasattr(self, "customer"):
                self.give_everything_back()
        finally:
            self.engine.dispose()
            shutil.rmtree(self._folder, ignore_errors=True)

    @initialize(bought=st.lists(st.tuples(wishes, st.integers(0, 9)), min_size=3, max_size=4))
    def open_shop(self, bought: list[tuple[dict[str, Any], int]]) -> None:
        """Goods at odd prices, one customer, one coupon, and some orders of every age.

        Otherwise a sequence that happens to order little would prove little.
        """
        self.variants = [self.kit.variant(f"V{price}", price=price, stock=STOCK) for price in PRICES]
        self.customer = self.kit.customer()
        self.kit.give_points(self.customer, 500)
        self.given = 500
        self.kit.coupon("MIN", percent_bp=1_337, min_spend_minor=60_000, frees_on_full_refund=True)
        for wish, age in bought:
            self.place(**wish)
            self.advance(len(self.paid) - 1, age)

    def orders(self, *statuses: OrderStatus) -> list[service.Order]:
        """The orders in these statuses, or all."""
        with self.kit.database.read() as session:
            found = [service.get_order(session, order_id) for order_id in self.paid]
        return [order for order in found if not statuses or order.status in statuses]

    def one(self, index: int, *statuses: OrderStatus) -> service.Order | None:
        """One of them."""
        fitting = self.orders(*statuses)
        return fitting[index % len(fitting)] if fitting else None

    def some(self, order_id: int, index: int, attribute: str) -> Mapping[int, int]:
        """Some units of the order that could move: by line, at least one where there is any."""
        left = {line.id: getattr(line, attribute) for line in self.kit.lines(order_id)}
        chosen = {line: 1 + (index + line) % n for line, n in left.items() if n and (index + line) % 3}
        return chosen or {line: n for line, n in left.items() if n}

    def pay_in(self, order_id: int, amount: int) -> None:
        """Money arrives; what the shop will not keep goes back at once."""
        outcome = self.kit.run(
            lambda s: service.mark_paid(s, order_id=order_id, paid_at=self.kit.now, actor="test", amount_minor=amount)
        )
        if outcome in (PaidOutcome.CONFIRMED, PaidOutcome.REVIVED):
            self.paid[order_id] += amount

    @rule(wish=wishes)
    def order_more(self, wish: dict[str, Any]) -> None:
        """Another order."""
        self.place(**wish)

    def place(self, lines: dict[int, int], coupon: bool, points: int, cash: bool) -> None:
        """An order, perhaps with coupon and points, perhaps paid at the door."""
        gross = sum(PRICES[n] * quantity for n, quantity in lines.items())
        free = self.kit.points(self.customer).redeemable
        order_id = self.kit.buy(
            {self.variants[n]: quantity for n, quantity in lines.items()},
            customer_id=self.customer,
            pay=False,
            coupon="MIN" if coupon and gross >= 60_000 else None,
            redeem_points=min(points, free, gross // 200),
            payment_mode="on_delivery" if cash else "online",
        )
        self.paid[order_id] = 0

    @rule(index=pick)
    def pay(self, index: int) -> None:
        """The money of an open or expired order, or of a change, arrives."""
        statuses = (OrderStatus.AWAITING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.AWAITING_EXTRA_PAYMENT)
        online = [order for order in self.orders(*statuses) if order.payment_mode == "online"]
        if online:
            order = online[index % len(online)]
            expired = order.status is OrderStatus.EXPIRED
            with self.kit.database.read() as session:
                due = order.total_minor if expired else service.amount_due(session, order.id)
            self.pay_in(order.id, due)

    @rule(index=pick, sure=st.integers(0, 3))
    def cancel(self, index: int, sure: int) -> None:
        """Called off as a whole, wherever it stands; not too often, or no order would grow old."""
        if sure:
            return
        self.attempt(
            index, lambda s, order: service.cancel(s, order_id=order.id, actor="t", reason="no", now=self.kit.now)
        )

    @rule(index=pick, ours=st.booleans())
    def cancel_some(self, index: int, ours: bool) -> None:
        """Units called off that have not left."""
        self.attempt(
            index,
            lambda s, order: service.cancel_units(
                s,
                order_id=order.id,
                units=self.some(order.id, index, "unshipped_quantity"),
                actor="t",
                reason="fewer",
                now=self.kit.now,
                ours=ours,
            ),
        )

    @rule(index=pick, steps=st.integers(2, 6))
    def advance(self, index: int, steps: int) -> None:
        """An order goes some natural steps, so that others find it at every age."""
        orders = self.orders()
        if not orders:
            return
        order_id = orders[index % len(orders)].id
        for number in range(steps):
            self._one_step(self.kit.order(order_id), index + number)

    def _one_step(self, order: service.Order, dice: int) -> None:
        online = order.payment_mode == "online"
        if order.status in (OrderStatus.AWAITING_PAYMENT, OrderStatus.AWAITING_EXTRA_PAYMENT) and online:
            with self.kit.database.read() as session:
                due = service.amount_due(session, order.id)
            self.pay_in(order.id, due)
        elif order.status in (OrderStatus.PAID, OrderStatus.AWAITING_PAYMENT):
            self.kit.run(lambda s: service.pack(s, order_id=order.id, actor="t", now=self.kit.now).id)
        elif units := self._sendable(order, dice):
            self.kit.run(
                lambda s: service.ship_parcel(s, order_id=order.id, units=units, actor="t", now=self.kit.now).id
            )
        elif units := self.some(order.id, dice, "under_way_quantity"):
            self.kit.run(
                lambda s: service.parcel_delivered(s, order_id=order.id, units=units, actor="t", now=self.kit.now).id
            )

    def _sendable(self, order: service.Order, dice: int) -> Mapping[int, int]:
        sendable = (OrderStatus.PACKED, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.PARTIALLY_DELIVERED)
        return self.some(order.id, dice, "unshipped_quantity") if order.status in sendable else {}

    @rule(index=pick)
    def pack(self, index: int) -> None:
        """Packed."""
        self.attempt(index, lambda s, order: service.pack(s, order_id=order.id, actor="t", now=self.kit.now))

    @rule(index=pick)
    def ship(self, index: int) -> None:
        """A parcel leaves with some of the units."""
        self.attempt(
            index,
            lambda s, order: service.ship_parcel(
                s,
                order_id=order.id,
                units=self.some(order.id, index, "unshipped_quantity"),
                actor="t",
                now=self.kit.now,
            ),
            OrderStatus.PACKED,
            OrderStatus.PARTIALLY_SHIPPED,
            OrderStatus.PARTIALLY_DELIVERED,
        )

    @rule(index=pick)
    def hand_over(self, index: int) -> None:
        """Some units under way arrive."""
        self.attempt(
            index,
            lambda s, order: service.parcel_delivered(
                s,
                order_id=order.id,
                units=self.some(order.id, index, "under_way_quantity"),
                actor="t",
                now=self.kit.now,
            ),
            OrderStatus.PARTIALLY_SHIPPED,
            OrderStatus.SHIPPED,
            OrderStatus.PARTIALLY_DELIVERED,
        )

    @rule(index=pick, ours=st.booleans())
    def come_back(self, index: int, ours: bool) -> None:
        """Some units under way come home."""
        self.attempt(
            index,
            lambda s, order: service.parcel_came_back(
                s,
                order_id=order.id,
                units=self.some(order.id, index, "under_way_quantity"),
                actor="t",
                now=self.kit.now,
                ours=ours,
            ),
            OrderStatus.PARTIALLY_SHIPPED,
            OrderStatus.SHIPPED,
            OrderStatus.PARTIALLY_DELIVERED,
        )

    @rule(index=pick, ours=st.booleans())
    def bring_back(self, index: int, ours: bool) -> None:
        """Delivered units return, and go on the shelf again."""
        order = self.one(index, OrderStatus.DELIVERED, OrderStatus.PARTIALLY_DELIVERED)
        if order is None:
            return
        left = {line.id: line.delivered_quantity - line.returned_quantity for line in self.kit.lines(order.id)}
        units = {line: 1 + index % n for line, n in left.items() if n and (index + line) % 2}
        if units:
            self.kit.run(lambda s: self.take_back(s, order.id, units, ours))

    def take_back(  # type: ignore[no-untyped-def]
        self, session, order_id: int, units: Mapping[int, int], ours: bool, desk: str = "return"
    ) -> int:
        """What the returns desk does; gives the decision's payout."""
        known = len(service.moves_of(session, order_id))
        given = service.take_back(
            session,
            order_id=order_id,
            units=units,
            cause=f"{desk}:{order_id}-{known}",
            actor="t",
            reason="unloved",
            now=self.kit.now,
            ours=ours,
        )
        for line in service.lines_of(session, order_id):
            if line.id in units:
                inventory.restock(session, variant_id=line.variant_id, quantity=units[line.id], now=self.kit.now)
        service.settle_given(session, service.get_order(session, order_id), given, actor="t", now=self.kit.now)
        if desk == "return" and service.get_order(session, order_id).paid_at is not None:
            self.desk[order_id] = self.desk.get(order_id, 0) + given.decision.refund_minor
        return given.decision.refund_minor

    @rule(index=pick, remove=st.booleans(), add=st.integers(0, 3), move=st.booleans())
    def propose(self, index: int, remove: bool, add: int, move: bool) -> None:
        """A draft that takes units away, adds others, or changes the address."""

        def work(session, order) -> object:  # type: ignore[no-untyped-def]
            less = dict(list(self.some(order.id, index, "unshipped_quantity").items())[:1]) if remove else {}
            more = [AddedUnits(self.variants[add], 1 + index % 2)] if add or not remove else []
            address = {**order.ship_to, "line1": f"{index} Ring Road"} if move else None
            wanted = WantedChange(remove=less, add=more, ship_to=address)
            return service.draft_change(
                session, order_id=order.id, wanted=wanted, actor="t", reason="else", now=self.kit.now, may_unpack=True
            )

        self.attempt(index, work, OrderStatus.PAID, OrderStatus.PACKED, OrderStatus.AWAITING_PAYMENT)

    @rule(index=pick, agree=st.integers(0, 3))
    def decide(self, index: int, agree: int) -> None:
        """The customer agrees to the draft, mostly."""
        order = self.one(index, OrderStatus.MODIFYING, OrderStatus.AWAITING_EXTRA_PAYMENT)
        if order is None:
            return

        def work(session, order) -> object:  # type: ignore[no-untyped-def]
            change = service.open_change_of(session, order.id)
            assert change is not None, "the order is being changed"
            decide = service.apply_change if agree else service.decline_change
            return decide(session, change_id=change.id, actor="t", now=self.kit.now)

        self.attempt(index, work, OrderStatus.MODIFYING, OrderStatus.AWAITING_EXTRA_PAYMENT)

    @rule(index=pick)
    def send_again(self, index: int) -> None:
        """Something was wrong with a unit: another one leaves, free of charge."""
        self.attempt(
            index,
            lambda s, order: service.send_again(
                s,
                order_id=order.id,
                units=dict(list(self.some(order.id, index, "delivered_quantity").items())[:1]),
                actor="t",
                reason="broken",
                now=self.kit.now,
            ),
            OrderStatus.DELIVERED,
            OrderStatus.PARTIALLY_DELIVERED,
        )

    @rule(index=pick, wanted=st.integers(0, 3))
    def exchange(self, index: int, wanted: int) -> None:
        """A delivered unit comes back, and pays for another."""

        def work(session, order) -> object:  # type: ignore[no-untyped-def]
            left = {line.id: line.delivered_quantity - line.returned_quantity for line in self.kit.lines(order.id)}
            units = {line: 1 for line, n in list(left.items())[: 1 + index % 2] if n}
            change = service.draft_exchange(
                session,
                order_id=order.id,
                add=[AddedUnits(self.variants[wanted], 1)],
                actor="t",
                reason="another",
                now=self.kit.now,
            )
            credit = self.take_back(session, order.id, units, ours=False, desk="exchange")
            return service.settle_exchange(
                session, change_id=change.id, credit_minor=credit, actor="t", now=self.kit.now
            )

        self.attempt(index, work, OrderStatus.DELIVERED)

    @rule(minutes=st.sampled_from([1, 20, 40, 60 * 25]))
    def wait(self, minutes: int) -> None:
        """Time passes, and the worker looks in."""
        self.clock.advance(timedelta(minutes=minutes))
        jobs.expire_unpaid_orders(self.kit.database)
        jobs.expire_open_changes(self.kit.database)

    def attempt(self, index: int, work, *statuses: OrderStatus) -> None:  # type: ignore[no-untyped-def]
        """Do it to one of the orders; a refusal must leave everything as it was."""
        order = self.one(index, *statuses)
        if order is None:
            return
        try:
            self.kit.run(lambda s: work(s, order) and None)
        except ShopError:
            assert self.kit.order(order.id).status is order.status


@pytest.fixture
def template(_sqlite_template: Path) -> Path:
    """An empty, migrated shop to copy for each sequence."""
    return _sqlite_template


def run_machine(template: Path, *, examples: int, steps: int, derandomize: bool) -> None:
    """So many sequences of so many steps."""
    machine = type("Machine", (OrderMachine,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=derandomize,
            database=None,
            phases=[Phase.generate],  # shrinking replays whole lives: minutes, for a trace that reads as well unshrunk
        ),
    )


@pytest.mark.slow
def test_any_sequence_keeps_every_order_whole(template: Path) -> None:
    run_machine(template, examples=5, steps=20, derandomize=True)


@pytest.mark.slow
def test_many_more_sequences_keep_every_order_whole(template: Path) -> None:
    run_machine(template, examples=8, steps=25, derandomize=False)
