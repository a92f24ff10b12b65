"""What captured money does: it pays for its order, or it goes back."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.payments.models import GatewayOrder, Payment
from transactional.payments.refunds import refund_whole_payment

_REFUND_REASONS = {
    orders.PaidOutcome.REFUND_DUE: "the order could not be fulfilled any more when the payment arrived",
    orders.PaidOutcome.ALREADY_PAID: "the order was paid already",
}


def hand_over(
    session: Session,
    order: orders.Order,
    requested: GatewayOrder,
    payment: Payment,
    *,
    source: str,
    now: datetime,
) -> None:
    """Give a locked payment that was just captured to its locked order, or order its refund."""
    if _is_for_another_design(session, requested, now):
        reason: str | None = "another design was approved since this payment was started"
    else:
        outcome = orders.take_payment(
            session,
            order,
            paid_at=now,
            actor=f"payments:{source}",
            now=now,
            amount_minor=payment.amount_minor,
        )
        reason = _REFUND_REASONS.get(outcome)
    if reason is not None:
        refund_whole_payment(session, payment=payment, reason=reason, now=now)


def _is_for_another_design(session: Session, requested: GatewayOrder, now: datetime) -> bool:
    """Whether the customer has agreed to something else since. An approval that merely ran out harms nothing: the
    content is the same, and the order itself knows whether it can still be had."""
    if requested.approval_sha256 is None:
        return False
    approval = orders.live_approval(session, requested.order_id, now)
    return approval is not None and approval.content_sha256 != requested.approval_sha256
