"""The customer agrees to what will be made for them."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.orders import approvals
from transactional.orders.models import Order, OrderApproval, OrderStatus, PaymentMode
from transactional.orders.payment import mark_paid
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import refusal, transition

TIME_TO_PAY = timedelta(days=2)
"""How long an approval lives."""


class ContentChanged(Conflict):
    """The customer agreed to something else than what would be made."""

    code = "content-changed"
    title = "The design is not the one that was shown"


def approve(session: Session, *, order_id: int, content_sha256: str, actor: str, now: datetime) -> OrderApproval:
    """The customer agrees to the content with this hash: the order may be paid until the approval expires.

    An order with nothing to pay is confirmed by it. Agreeing again to what counts already changes nothing.

    Raises NotFound, IllegalTransition unless the order awaits approval, ContentChanged for another content.
    """
    order = lock_order(session, order_id)
    given = approvals.live_approval(session, order_id, now)
    if given is not None and given.content_sha256 == content_sha256:
        return given
    if order.status is not OrderStatus.AWAITING_APPROVAL:
        raise refusal(order, OrderStatus.AWAITING_PAYMENT)
    _require_content(session, order, content_sha256)
    approval = OrderApproval(
        order_id=order.id,
        content_sha256=content_sha256,
        amount_minor=order.total_minor,
        approved_by=actor,
        approved_at=now,
        expires_at=now + TIME_TO_PAY,
    )
    session.add(approval)
    session.flush()
    at_the_door = order.payment_mode is PaymentMode.ON_DELIVERY
    stamps = {"expires_at": None if at_the_door else approval.expires_at}
    transition(session, order, OrderStatus.AWAITING_PAYMENT, actor=actor, reason="approved", now=now, stamps=stamps)
    if order.total_minor == 0:
        mark_paid(session, order_id=order.id, paid_at=now, actor=actor)
    return approval


def _require_content(session: Session, order: Order, content: str) -> None:
    actual = approvals.content_sha256(lines_of(session, order.id))
    if content != actual:
        raise ContentChanged("look at the design again: it changed since it was shown", content_sha256=actual)
