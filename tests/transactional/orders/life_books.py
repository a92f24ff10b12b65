"""What must hold of a customer's orders after each step of their lives, and at the end of all of them."""

from hypothesis.stateful import invariant
from sqlalchemy import select

from tests.support.trade import TradeKit
from transactional.core.models import OutboxMessage
from transactional.orders import service
from transactional.orders.service import OrderStatus
from transactional.orders.verification import verify_order

STOCK = 1_000
OVER = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


class LifeBooks:
    """The invariants; the machine that takes the steps says what it paid, sent back and bought."""

    kit: TradeKit
    paid: dict[int, int]
    """Paid at the till, by order."""
    desk: dict[int, int]
    """Given back at the desk, by order."""
    given: int
    """Points that the customer began with."""
    variants: list[int]
    customer: int

    @invariant()
    def every_order_is_what_its_history_says(self) -> None:
        """order = fold(events)."""
        with self.kit.database.read() as session:
            for order_id in self.paid:
                assert verify_order(session, order_id) == []

    @invariant()
    def the_ledgers_prove_themselves(self) -> None:
        """Stock, coupons and points."""
        if hasattr(self, "customer"):
            self.kit.assert_sound()

    @invariant()
    def the_till_agrees(self) -> None:
        """Paid − sent back = total − given back, for every order that was paid."""
        with self.kit.database.read() as session:
            messages = list(
                session.scalars(
                    select(OutboxMessage.payload).where(
                        OutboxMessage.topic.in_([service.REFUND_DUE, service.COLLECTED])
                    )
                )
            )
            for order in self.orders():
                decisions = service.decisions_of(session, order.id)
                due = sum(m["amount_minor"] for m in messages if m["order_id"] == order.id and "key" in m)
                door = sum(m["amount_minor"] for m in messages if m["order_id"] == order.id and "key" not in m)
                change = service.open_change_of(session, order.id)
                # What was returned for an exchange lies with the shop until its difference is paid or it is declined.
                credit = change.given_up_minor if change is not None and change.kind == "exchange" else 0
                kept = order.total_minor - sum(d.refund_minor for d in decisions)
                assert kept >= 0
                came_in = self.paid[order.id] + door
                assert came_in - self.desk.get(order.id, 0) - due == (kept + credit if order.paid_at is not None else 0)
                if order.status is OrderStatus.CANCELLED and not any(
                    line.shipped_quantity for line in service.lines_of(session, order.id)
                ):
                    assert kept == 0 or not decisions

    @invariant()
    def the_shelf_agrees(self) -> None:
        """Gone is what was sent and did not come home; reserved is what has yet to leave."""
        if not hasattr(self, "variants"):
            return
        gone, waiting = dict.fromkeys(self.variants, 0), dict.fromkeys(self.variants, 0)
        with self.kit.database.read() as session:
            for order in self.orders():
                for line in service.lines_of(session, order.id):
                    gone[line.variant_id] += line.shipped_quantity - line.came_back_quantity - line.returned_quantity
                    waiting[line.variant_id] += 0 if order.status in OVER else line.unshipped_quantity
                change = service.open_change_of(session, order.id)
                if change is not None and change.status == "awaiting_payment":
                    for part in service.change_lines_of(session, change.id):
                        waiting[part.variant_id] += part.quantity if part.action == "add" else 0
        for variant in self.variants:
            assert self.kit.level(variant) == (STOCK - gone[variant], waiting[variant])

    def give_everything_back(self) -> None:
        """Whatever happened before: in the end the customer has all their money, but for shipping that was rendered."""
        for order in self.orders():
            self._undo(order.id)
        with self.kit.database.read() as session:
            for order in self.orders():
                if order.paid_at is None:
                    continue
                decisions = service.decisions_of(session, order.id)
                back = sum(d.refund_minor for d in decisions)
                goods = order.total_minor - order.shipping_minor
                assert sum(d.units_minor for d in decisions) == goods
                assert sum(d.coupon_withheld_minor for d in decisions) == 0
                assert back == goods + sum(d.shipping_minor for d in decisions)
        points = self.kit.points(self.customer)
        assert points.active + points.pending - points.owed == self.given

    def _undo(self, order_id: int) -> None:
        order = self.kit.order(order_id)
        if order.status in OVER:
            return
        if not any(line.shipped_quantity for line in self.kit.lines(order_id)):
            self.kit.run(lambda s: service.cancel(s, order_id=order_id, actor="t", reason="end", now=self.kit.now).id)
            return
        if order.status is OrderStatus.AWAITING_EXTRA_PAYMENT:
            self.kit.run(self._decline(order_id))
        lines = self.kit.lines(order_id)
        waiting = {line.id: line.unshipped_quantity for line in lines if line.unshipped_quantity}
        if waiting:
            self.kit.run(
                lambda s: (
                    service.cancel_units(
                        s, order_id=order_id, units=waiting, actor="t", reason="end", now=self.kit.now
                    ).id
                )
            )
        under_way = {line.id: line.under_way_quantity for line in lines if line.under_way_quantity}
        if under_way:
            self.kit.run(
                lambda s: (
                    service.parcel_came_back(s, order_id=order_id, units=under_way, actor="t", now=self.kit.now).id
                )
            )
        kept = {line.id: line.delivered_quantity - line.returned_quantity for line in self.kit.lines(order_id)}
        kept = {line: quantity for line, quantity in kept.items() if quantity}
        if kept:
            self.kit.run(lambda s: self.take_back(s, order_id, kept, ours=False))

    def _decline(self, order_id: int):  # type: ignore[no-untyped-def]
        def work(session) -> None:  # type: ignore[no-untyped-def]
            change = service.open_change_of(session, order_id)
            assert change is not None
            service.decline_change(session, change_id=change.id, actor="t", now=self.kit.now)

        return work
