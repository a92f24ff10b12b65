"""Nothing is sent that nobody pays for any more: an order whose money all went back before it left is called off."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.payments.models import Refund
from transactional.payments.refunds import refundable_of_order, request_refund

_MAY_STILL_LEAVE = (
    orders.OrderStatus.PAID,
    orders.OrderStatus.PACKED,
    orders.OrderStatus.MODIFYING,
    orders.OrderStatus.AWAITING_EXTRA_PAYMENT,
)


def call_off_unfunded(session: Session, *, order: orders.Order, actor: str, now: datetime) -> bool:
    """Cancel a locked order of which nothing left and no money is kept, although it is worth something; whether it was.

    An order that is worth nothing (its paid units were taken off it, or all of it was free) goes on.
    """
    if order.status not in _MAY_STILL_LEAVE or refundable_of_order(session, order_id=order.id) != 0:
        return False
    if order.total_minor == orders.given_back_minor(session, order.id):
        return False
    if any(line.shipped_quantity for line in orders.lines_of(session, order.id)):
        return False
    reason = "everything that was paid for it was given back"
    orders.cancel(session, order_id=order.id, actor=actor, reason=reason, now=now, ours=True, payable_minor=0)
    return True


def refund_by_staff(
    session: Session,
    *,
    order_id: int,
    amount_minor: int,
    reason: str,
    idempotency_key: str,
    actor: str,
    now: datetime,
    send_all_the_same: bool = False,
) -> Refund:
    """As `request_refund`; an order that is left without any money before it leaves is called off with it.

    `send_all_the_same`: it is a present of the shop, and goes on.
    """
    refund = request_refund(
        session, order_id=order_id, amount_minor=amount_minor, reason=reason, idempotency_key=idempotency_key, now=now
    )
    if not send_all_the_same:
        call_off_unfunded(session, order=orders.get_order(session, order_id), actor=actor, now=now)
    return refund
