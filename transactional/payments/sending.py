"""Sending refunds to the gateway, under a key that makes every repetition the same refund."""

from typing import Any

import structlog

from transactional.core.uow import Database
from transactional.payments.gateway import Declined, Invalid, PaymentGateway, RefundSnapshot
from transactional.payments.models import Payment, Refund, RefundStatus
from transactional.payments.refund_reports import apply_gateway_refund
from transactional.payments.refunds import NOTE, fail, gateway_key
from transactional.payments.state import lock_payment

log = structlog.stdlib.get_logger("transactional.payments")


def send_refund(database: Database, gateway: PaymentGateway, *, refund_id: int) -> None:
    """Send a pending refund and post the answer. Safe to repeat: the same key gives the same refund.

    Refunds of another way to pay are not this gateway's: they stay pending. Raises the gateway's errors that ask for a
    repetition; a refusal fails the refund, unless the gateway shows one that it made by itself.
    """
    with database.read() as session:
        refund = session.get_one(Refund, refund_id)
        payment = session.get_one(Payment, refund.payment_id)
    if refund.status is not RefundStatus.PENDING or payment.gateway != gateway.name:
        return
    try:
        snapshot = _send(gateway, refund, payment)
    except (Invalid, Declined) as error:
        _settle_refusal(database, gateway, refund, payment, str(error))
        return
    _post(database, snapshot)


def _send(gateway: PaymentGateway, refund: Refund, payment: Payment) -> RefundSnapshot:
    if refund.gateway_refund_id is not None:
        return gateway.fetch_refund(refund.gateway_refund_id)
    key = gateway_key(refund, payment)
    return gateway.refund(payment.gateway_payment_id, amount_minor=refund.amount_minor, key=key, notes={NOTE: key})


def _post(database: Database, snapshot: RefundSnapshot) -> None:
    database.run(
        lambda session: apply_gateway_refund(session, snapshot=snapshot, source="gateway", now=database.clock.now()),
        actor="payments",
    )


def _settle_refusal(database: Database, gateway: PaymentGateway, refund: Refund, payment: Payment, reason: str) -> None:
    """The gateway may have given the money back by itself (a late duplicate): look before calling it failed."""
    for snapshot in gateway.payment_refunds(payment.gateway_payment_id):
        _post(database, snapshot)

    def fail_if_still_unsent(session: Any) -> None:
        locked = lock_payment(session, gateway=payment.gateway, gateway_payment_id=payment.gateway_payment_id)
        row = session.get_one(Refund, refund.id, populate_existing=True)
        if row.status is RefundStatus.PENDING and row.gateway_refund_id is None:
            log.error("refund refused", refund_id=row.id, reason=reason)
            fail(session, row, locked, now=database.clock.now())

    database.run(fail_if_still_unsent, actor="payments")


def handle_send(database: Database, gateway: PaymentGateway, payload: dict[str, Any]) -> None:
    """The outbox's message `payments.send_refund`."""
    send_refund(database, gateway, refund_id=int(payload["refund_id"]))
