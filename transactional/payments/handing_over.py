"""What captured money does: it pays for its order, or goes back, whole or as far as it is too much."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.payments.models import GatewayOrder, Payment
from transactional.payments.refunds import refund_part, refund_whole_payment

_WAITING = (orders.OrderStatus.AWAITING_PAYMENT, orders.OrderStatus.AWAITING_EXTRA_PAYMENT)

_REFUND_REASONS = {
    orders.PaidOutcome.REFUND_DUE: "the order could not be fulfilled any more when the payment arrived",
    orders.PaidOutcome.ALREADY_PAID: "the order was paid already",
}


def hand_over(session: Session, requested: GatewayOrder, payment: Payment, *, source: str, now: datetime) -> None:
    """Give a locked payment that was just captured to its locked order, or order its refund."""
    order = orders.get_order(session, payment.order_id)
    waits = order.status in _WAITING
    due = orders.amount_due(session, order.id) if waits else payment.amount_minor
    refusal = _why_not(session, requested, payment, due, now) if waits else None
    if refusal is not None:
        refund_whole_payment(session, payment=payment, reason=refusal, now=now)
        return
    outcome = orders.mark_paid(
        session,
        order_id=payment.order_id,
        paid_at=now,
        actor=f"payments:{source}",
        now=now,
        amount_minor=payment.amount_minor,
    )
    reason = _REFUND_REASONS.get(outcome)
    if reason is not None:
        refund_whole_payment(session, payment=payment, reason=reason, now=now)
    elif payment.amount_minor > due:
        refund_part(
            session,
            payment=payment,
            amount_minor=payment.amount_minor - due,
            reason="parts of the order were called off before it was paid",
            now=now,
        )


def _why_not(session: Session, requested: GatewayOrder, payment: Payment, due: int, now: datetime) -> str | None:
    """Why an order that waits for money cannot take this payment."""
    if payment.amount_minor < due:
        return "more than this was due when the payment arrived"
    if requested.approval_sha256 is not None:
        approval = orders.live_approval(session, requested.order_id, now)
        if approval is not None and approval.content_sha256 != requested.approval_sha256:
            return "another design was approved since this payment was started"
    return None
