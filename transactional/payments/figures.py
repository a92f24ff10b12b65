"""An order's money at a glance: what was asked for, is on its way, arrived and went back."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.payments.capturing import is_wanted
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Sums over an order's payments in minor units; each `…_pending` part has been asked for and not been answered."""

    authorized_minor: int
    """Reserved at the customer's bank and not taken."""
    authorized_pending_minor: int
    """Asked of the customer: the amount of requests that no payment has answered."""
    captured_minor: int
    """Taken, before refunds."""
    captured_pending_minor: int
    """The part of `authorized_minor` that is to be taken."""
    refunded_minor: int
    refunded_pending_minor: int
    cancelled_minor: int
    """Authorisations that went back without having been taken."""
    cancelled_pending_minor: int
    """The part of `authorized_minor` that is left to lapse."""
    fee_minor: int
    """Kept by the gateway, with its GST."""

    @property
    def net_minor(self) -> int:
        """What the shop has of it."""
        return self.captured_minor - self.refunded_minor - self.fee_minor


def order_figures(session: Session, *, order_id: int) -> OrderFigures:
    """The figures of one order. Raises NotFound."""
    orders.get_order(session, order_id)
    payments = session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)).all()
    authorized = [payment for payment in payments if payment.status is PaymentStatus.AUTHORIZED]
    wanted = sum(payment.amount_minor for payment in authorized if is_wanted(session, payment))
    reserved = sum(payment.amount_minor for payment in authorized)
    given_back = [payment for payment in payments if payment.status is PaymentStatus.REFUNDED]
    return OrderFigures(
        authorized_minor=reserved,
        authorized_pending_minor=_unanswered(session, order_id),
        captured_minor=sum(payment.captured_minor for payment in payments),
        captured_pending_minor=wanted,
        refunded_minor=sum(payment.refunded_minor for payment in payments),
        refunded_pending_minor=sum(payment.refund_pending_minor for payment in payments),
        cancelled_minor=sum(payment.amount_minor for payment in given_back if payment.captured_minor == 0),
        cancelled_pending_minor=reserved - wanted,
        fee_minor=sum(payment.fee_minor or 0 for payment in payments),
    )


def _unanswered(session: Session, order_id: int) -> int:
    """The latest request without a success; older ones for the same order were replaced by it."""
    successful = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.REFUNDED)
    answered = (
        select(Payment.id).where(Payment.gateway_order_id == GatewayOrder.id, Payment.status.in_(successful)).exists()
    )
    latest = (
        select(GatewayOrder.amount_minor)
        .where(GatewayOrder.order_id == order_id, ~answered)
        .order_by(GatewayOrder.id.desc())
        .limit(1)
    )
    return (session.scalar(latest) or 0) if orders.amount_due(session, order_id) else 0
