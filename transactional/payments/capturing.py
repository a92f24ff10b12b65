"""Taking what was authorised: the outbox's handler, and what the browser's verification does at once."""

from typing import Any

import structlog
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.gateway import Invalid, PaymentGateway, PaymentSnapshot, Unknown
from transactional.payments.models import Payment, PaymentStatus
from transactional.payments.state import apply_gateway_payment

log = structlog.stdlib.get_logger("transactional.payments")


def capture_authorized(database: Database, gateway: PaymentGateway, *, payment_id: int) -> None:
    """Capture a payment of ours that is authorised, and post the result. Safe to repeat.

    An order that is paid already, cancelled or not approved any more takes no payment: its authorisation is left to
    lapse, which costs nothing, whereas capture and refund would cost the fee. May raise the gateway's errors.
    """
    with database.read() as session:
        payment = session.get(Payment, payment_id)
        if payment is None or payment.status is not PaymentStatus.AUTHORIZED or not is_wanted(session, payment):
            return
    snapshot = _capture(gateway, payment)
    database.run(
        lambda session: apply_gateway_payment(session, snapshot=snapshot, source="capture", now=database.clock.now()),
        actor="payments",
    )


_CLOSED = (orders.OrderStatus.CANCELLED, orders.OrderStatus.AWAITING_APPROVAL)


def is_wanted(session: Session, payment: Payment) -> bool:
    """Whether the order takes this authorised payment: its first one, or exactly what a change of it added."""
    order = orders.get_order(session, payment.order_id)
    if order.paid_at is None:
        return order.status not in _CLOSED
    return orders.amount_due(session, order.id) == payment.amount_minor


def _capture(gateway: PaymentGateway, payment: Payment) -> PaymentSnapshot:
    """Capture; when the answer is lost, or says no, the payment itself tells what became of it."""
    try:
        return gateway.capture(payment.gateway_payment_id, amount_minor=payment.amount_minor, currency=payment.currency)
    except (Unknown, Invalid) as error:
        log.warning("capture unclear", payment=payment.gateway_payment_id, reason=str(error))
        snapshot = gateway.fetch_payment(payment.gateway_payment_id)
        if snapshot.status is PaymentStatus.AUTHORIZED:
            raise
        return snapshot


def handle_capture(database: Database, gateway: PaymentGateway, payload: dict[str, Any]) -> None:
    """The outbox's message `payments.capture`."""
    capture_authorized(database, gateway, payment_id=int(payload["payment_id"]))
