"""The life of an order: payment, expiry, cancellation, packing, shipping, delivery, returned units.

Each function locks the order's row first and then stock, coupon and points, in that order: no two of them wait for each
other in a ring. Repeating a step that was done either changes nothing or is refused by the transition table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import allocate, unit_share
from transactional.core.outbox import publish
from transactional.inventory import service as inventory
from transactional.inventory.service import HoldState, SoldLine
from transactional.loyalty import service as loyalty
from transactional.loyalty.service import EarningLine
from transactional.orders.models import Order, OrderLine, OrderStatus, OrderStatusChange, PaymentMode
from transactional.orders.placement import NewLine, NewOrder, financial_year, write_order
from transactional.orders.queries import (
    find_order,
    get_line,
    get_order,
    get_visible_order,
    lines_of,
    lock_order,
    order_of_cart,
    page_of_orders,
    status_history,
)
from transactional.orders.sold import Bought, Sold, purchases_of, sold_products
from transactional.orders.transitions import STATUS_CHANGED, TRANSITIONS, allowed, transition
from transactional.promotions import service as promotions
from transactional.shipping import service as shipping

__all__ = [
    "COLLECTED",
    "REFUND_DUE",
    "STATUS_CHANGED",
    "TRANSITIONS",
    "Bought",
    "NewLine",
    "NewOrder",
    "Order",
    "OrderLine",
    "OrderStatus",
    "OrderStatusChange",
    "PaidOutcome",
    "PaymentMode",
    "ReturnedUnits",
    "Sold",
    "allowed",
    "cancel",
    "deliver",
    "expire_unpaid",
    "financial_year",
    "find_order",
    "get_line",
    "get_order",
    "get_visible_order",
    "lines_of",
    "lock_order",
    "mark_paid",
    "order_of_cart",
    "pack",
    "page_of_orders",
    "purchases_of",
    "register_return",
    "ship",
    "sold_products",
    "status_history",
    "transition",
    "write_order",
]

REFUND_DUE = "orders.refund_due"
"""Outbox topic {order_id, amount_minor, currency, reason, key}: a paid order was cancelled, its money goes back."""

COLLECTED = "orders.collected"
"""Outbox topic {order_id, amount_minor, currency, occurred_at}: an order paid on delivery was paid at the door."""

_RETURNABLE = (OrderStatus.SHIPPED, OrderStatus.PARTIALLY_DELIVERED, OrderStatus.DELIVERED)


class PaidOutcome(StrEnum):
    """What a payment did to its order."""

    CONFIRMED = "confirmed"
    REVIVED = "revived"
    """The order had expired; its goods, coupon and points could be had again."""
    REFUND_DUE = "refund_due"
    """The order is cancelled, or had expired and its goods are gone: whoever took the money gives it back."""
    ALREADY_PAID = "already_paid"


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units `first` … `first + count - 1` of a line, and their frozen part of what was paid for it."""

    order_line_id: int
    first: int
    count: int
    refund_minor: int


def mark_paid(
    session: Session, *, order_id: int, paid_at: datetime, actor: str, now: datetime | None = None
) -> PaidOutcome:
    """The order's money has arrived; `now` (default: `paid_at`) is when the shop learns of it.

    Confirms the holds, redeems the coupon, captures the points that were held and gives the points that were earned. An
    expired order is revived if everything it needs can be had again, else cancelled. Safe to call twice. On REFUND_DUE
    the caller refunds: no message is published.
    """
    moment = now or paid_at
    order = lock_order(session, order_id)
    if order.paid_at is not None:
        return PaidOutcome.ALREADY_PAID
    if order.status is OrderStatus.CANCELLED:
        return PaidOutcome.REFUND_DUE
    lines = lines_of(session, order_id)
    outcome = PaidOutcome.CONFIRMED
    if order.status is OrderStatus.EXPIRED:
        if not _claim_everything_again(session, order, lines, moment):
            transition(
                session,
                order,
                OrderStatus.CANCELLED,
                actor=actor,
                reason="paid too late: goods, coupon or points are gone",
                now=moment,
                stamps={"cancelled_at": moment},
            )
            return PaidOutcome.REFUND_DUE
        outcome = PaidOutcome.REVIVED
    stamps = {"paid_at": paid_at, "expires_at": None}
    transition(session, order, OrderStatus.PAID, actor=actor, reason=outcome, now=moment, stamps=stamps)
    _settle_claims(session, order, lines, actor, moment)
    return outcome


def cancel(session: Session, *, order_id: int, actor: str, reason: str, now: datetime) -> Order:
    """Call an order off before it ships: everything that it claimed is freed, and a paid order's money goes back.

    A paid order publishes `orders.refund_due`. Raises NotFound, and IllegalTransition once the order has shipped.
    """
    order = lock_order(session, order_id)
    transition(session, order, OrderStatus.CANCELLED, actor=actor, reason=reason, now=now, stamps={"cancelled_at": now})
    inventory.release_holds(session, order_id, state=HoldState.RELEASED, now=now)
    promotions.release(session, order_id=order_id, now=now, fully_refunded=order.paid_at is not None)
    if order.paid_at is None:
        loyalty.release(session, order_id=order_id, now=now, actor=actor)
        return order
    lines = lines_of(session, order_id)
    for line in lines:
        left = line.quantity - line.returned_quantity
        if left:
            loyalty.reverse_for_return(
                session, order_line_id=line.id, first=line.returned_quantity, count=left, now=now, actor=actor
            )
    _publish_refund(session, order, order.total_minor - sum(line.refunded_minor for line in lines), reason, now)
    return order


def expire_unpaid(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Give up orders whose time to pay is over, freeing stock, coupons and points; gives their number.

    Safe to repeat and to run in several workers at once.
    """
    overdue = session.scalars(
        select(Order)
        .where(Order.status == OrderStatus.AWAITING_PAYMENT, Order.expires_at <= now)
        .order_by(Order.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for order in overdue:
        transition(session, order, OrderStatus.EXPIRED, actor="worker", reason="not paid in time", now=now)
        inventory.release_holds(session, order.id, state=HoldState.EXPIRED, now=now)
        promotions.release(session, order_id=order.id, now=now)
        loyalty.release(session, order_id=order.id, now=now, actor="worker")
    return len(overdue)


def pack(session: Session, *, order_id: int, actor: str, now: datetime) -> Order:
    """A paid order, or one that is paid on delivery, is packed."""
    order = lock_order(session, order_id)
    transition(session, order, OrderStatus.PACKED, actor=actor, now=now)
    return order


def ship(
    session: Session,
    *,
    order_id: int,
    actor: str,
    now: datetime,
    carrier: str = "own",
    tracking_number: str | None = None,
    weight_grams: int = 0,
) -> Order:
    """A packed order leaves in one parcel: its holds become sales. Raises Conflict for a used tracking number."""
    order = lock_order(session, order_id)
    transition(session, order, OrderStatus.SHIPPED, actor=actor, reason=f"by {carrier}", now=now)
    sold = [SoldLine(line.id, line.variant_id, line.quantity) for line in lines_of(session, order_id)]
    inventory.fulfil_holds(session, order_id, now=now, lines=sold)
    shipping.create_shipment(
        session,
        order_id=order_id,
        carrier=carrier,
        tracking_number=tracking_number,
        weight_grams=weight_grams,
        now=now,
    )
    return order


def deliver(session: Session, *, order_id: int, actor: str, now: datetime) -> Order:
    """Every parcel of a shipped order has arrived; an order paid on delivery is paid by that.

    The return window starts, and with it the time that earned points wait.
    """
    order = lock_order(session, order_id)
    stamps = {"delivered_at": now}
    collected = order.paid_at is None and order.payment_mode is PaymentMode.ON_DELIVERY
    if collected:
        stamps["paid_at"] = now
    transition(session, order, OrderStatus.DELIVERED, actor=actor, now=now, stamps=stamps)
    shipping.mark_delivered(session, order_id=order_id, now=now)
    if collected:
        _settle_claims(session, order, lines_of(session, order_id), actor, now)
        _publish_collected(session, order, now)
    loyalty.postpone_activation(session, order_id=order_id, delivered_at=now)
    return order


def register_return(session: Session, *, order_line_id: int, quantity: int, now: datetime) -> ReturnedUnits:
    """Count units of a shipped line as returned; gives which units these are and their frozen refund in minor units.

    Whatever happened to other units: any sequence of partial returns sums to what was paid for the line. The last unit
    of the order frees its coupon where the code's policy says so. Points are settled by
    `loyalty.service.reverse_for_return` with the units given here.

    Raises NotFound, InvalidInput for a quantity below 1, Conflict where fewer units are left or nothing was shipped.
    """
    if quantity < 1:
        raise InvalidInput(f"a return has at least one unit, not {quantity}")
    order_id = session.scalar(select(OrderLine.order_id).where(OrderLine.id == order_line_id))
    if order_id is None:
        raise NotFound("there is no such order line")
    order = lock_order(session, order_id)
    if order.status not in _RETURNABLE:
        raise Conflict(f"order {order.order_number} is {order.status}: nothing of it can come back")
    returned = session.scalar(
        update(OrderLine)
        .where(OrderLine.id == order_line_id, OrderLine.returned_quantity + quantity <= OrderLine.quantity)
        .values(returned_quantity=OrderLine.returned_quantity + quantity)
        .returning(OrderLine.returned_quantity)
        .execution_options(synchronize_session=False)
    )
    line = get_line(session, order_line_id)
    if returned is None:
        left = line.quantity - line.returned_quantity
        raise Conflict(f"{left} units of {line.sku} are left to return, not {quantity}", left=left)
    first = returned - quantity
    paid = line.net_minor if order.tax_included else line.net_minor + line.tax_minor
    refund = unit_share(paid, line.quantity, first, quantity)
    line.refunded_minor += refund
    session.flush()
    if all(other.returned_quantity == other.quantity for other in lines_of(session, order_id)):
        promotions.release(session, order_id=order_id, now=now, fully_refunded=True)
    return ReturnedUnits(order_line_id, first, quantity, refund)


def _claim_everything_again(session: Session, order: Order, lines: Sequence[OrderLine], now: datetime) -> bool:
    """Whether stock, coupon uses and points of an expired order could be had anew; all of them or none."""
    demand: dict[int, int] = {}
    for line in lines:
        demand[line.variant_id] = demand.get(line.variant_id, 0) + line.quantity
    try:
        with session.begin_nested():
            inventory.hold(session, order_id=order.id, demand=demand, expires_at=None, now=now)
            promotions.claim_again(session, order_id=order.id, now=now)
            if order.points_redeemed and order.customer_id is not None:
                loyalty.hold(
                    session,
                    customer_id=order.customer_id,
                    order_id=order.id,
                    points=order.points_redeemed,
                    now=now,
                )
    except Conflict:
        return False
    return True


def _settle_claims(session: Session, order: Order, lines: Sequence[OrderLine], actor: str, now: datetime) -> None:
    """The money is here: what was held is taken for good, and what was earned is given."""
    inventory.confirm_holds(session, order.id)
    promotions.redeem(session, order_id=order.id, now=now)
    loyalty.capture(session, order_id=order.id, now=now, actor=actor)
    if order.customer_id is None or get_customer(session, order.customer_id).is_guest:
        return  # nobody could ever spend a guest's points
    spent = allocate(order.points_redeemed, [line.points_discount_minor for line in lines])
    loyalty.earn_for_order(
        session,
        order_id=order.id,
        customer_id=order.customer_id,
        lines=[
            EarningLine(line.id, line.quantity, line.net_minor, points)
            for line, points in zip(lines, spent, strict=True)
        ],
        now=now,
        actor=actor,
    )


def _publish_collected(session: Session, order: Order, now: datetime) -> None:
    if order.total_minor == 0:
        return
    payload = {
        "order_id": order.id,
        "amount_minor": order.total_minor,
        "currency": order.currency,
        "occurred_at": now.isoformat(),
    }
    publish(session, COLLECTED, payload, dedup_key=f"{COLLECTED}:{order.id}", now=now)


def _publish_refund(session: Session, order: Order, amount_minor: int, reason: str, now: datetime) -> None:
    if amount_minor <= 0:
        return
    key = f"cancel:{order.id}"
    payload = {
        "order_id": order.id,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "reason": reason,
        "key": key,
    }
    publish(session, REFUND_DUE, payload, dedup_key=f"{REFUND_DUE}:{order.id}", now=now)
