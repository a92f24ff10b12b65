"""What the browser brings back after the checkout: a signed claim, checked and then asked about at the gateway."""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, NotFound, ShopError
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments.capturing import capture_authorized
from transactional.payments.gateway import GatewayError, PaymentGateway, SignatureInvalid
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus
from transactional.payments.state import apply_gateway_payment

log = structlog.stdlib.get_logger("transactional.payments")


class BadSignature(ShopError):
    """The signature does not belong to order and payment."""

    code = "signature-invalid"
    title = "The signature does not match"


class PaymentMismatch(Conflict):
    """The payment at the gateway is not the one that was asked for."""

    code = "payment-mismatch"
    title = "The payment does not match the order"


@dataclass(frozen=True, slots=True)
class Verification:
    """The order that was paid and how far its payment is; None when the gateway could not be asked just now."""

    order: orders.Order
    payment: Payment | None

    @property
    def order_id(self) -> int:
        """The order's id."""
        return self.order.id


def verify_checkout(
    database: Database,
    gateway: PaymentGateway,
    *,
    gateway_order_id: str,
    gateway_payment_id: str,
    signature: str,
) -> Verification:
    """Check the browser's signature against our stored order id, then take in what the gateway says. Safe to repeat.

    A payment that is only authorised is captured at once. When the gateway does not answer, nothing is lost: webhook
    or poller bring the payment later. Raises BadSignature, NotFound, PaymentMismatch.
    """
    request = _stored_request(database, gateway, gateway_order_id)
    stored_id = request.gateway_order_id
    assert stored_id is not None
    try:
        gateway.verify_checkout(order_id=stored_id, payment_id=gateway_payment_id, signature=signature)
    except SignatureInvalid as error:
        raise BadSignature("the signature does not match this order and payment") from error
    try:
        verified = _take_in(database, gateway, stored_id, gateway_payment_id)
        if verified.payment is None or verified.payment.status is not PaymentStatus.AUTHORIZED:
            return verified
        capture_authorized(database, gateway, payment_id=verified.payment.id)
    except GatewayError as error:
        log.warning("gateway did not answer", payment=gateway_payment_id, reason=str(error))
    return _as_it_stands(database, gateway, request.order_id, gateway_payment_id)


def _as_it_stands(database: Database, gateway: PaymentGateway, order_id: int, gateway_payment_id: str) -> Verification:
    with database.read() as session:
        statement = select(Payment).where(
            Payment.gateway == gateway.name, Payment.gateway_payment_id == gateway_payment_id
        )
        return Verification(orders.get_order(session, order_id), session.scalar(statement))


def _stored_request(database: Database, gateway: PaymentGateway, gateway_order_id: str) -> GatewayOrder:
    with database.read() as session:
        statement = select(GatewayOrder).where(
            GatewayOrder.gateway == gateway.name, GatewayOrder.gateway_order_id == gateway_order_id
        )
        request = session.scalar(statement)
    if request is None:
        raise NotFound("no such payment was started here")
    return request


def _take_in(
    database: Database, gateway: PaymentGateway, gateway_order_id: str, gateway_payment_id: str
) -> Verification:
    snapshot = gateway.fetch_payment(gateway_payment_id)
    if snapshot.order_id != gateway_order_id:
        raise PaymentMismatch("this payment belongs to another order")

    def work(session: Session) -> Verification | None:
        applied = apply_gateway_payment(session, snapshot=snapshot, source="browser", now=database.clock.now())
        if applied.payment is None or applied.order is None:
            return None
        return Verification(applied.order, applied.payment)

    verified = database.run(work, actor="payments")
    if verified is None:  # outside of the transaction, which has told somebody of the difference
        raise PaymentMismatch("amount or currency of the payment differ from the order's; it will be looked into")
    return verified
