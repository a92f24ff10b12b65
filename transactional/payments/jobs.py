"""What the worker does for payments: the outbox's messages and the polling that returns."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.jobs import every
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments import capturing, cash, inbox, polling, refunds, sending
from transactional.payments.calling_off import call_off_unfunded
from transactional.payments.ledger_check import check_ledger
from transactional.payments.models import GatewayOrder
from transactional.payments.provider import current_gateway
from transactional.payments.reconciliation import YOUNG
from transactional.payments.reconciliation import reconcile as reconcile_books
from transactional.payments.refunds import SEND_TOPIC
from transactional.payments.state import CAPTURE_TOPIC


@handles(CAPTURE_TOPIC)
def capture(database: Database, payload: dict[str, Any]) -> None:
    """Take an authorised payment: {payment_id}."""
    capturing.handle_capture(database, current_gateway(), payload)


@handles(SEND_TOPIC)
def send_refund(database: Database, payload: dict[str, Any]) -> None:
    """Send a refund to the gateway: {refund_id}."""
    sending.handle_send(database, current_gateway(), payload)


@handles(inbox.PROCESS_TOPIC)
def process_webhook(database: Database, payload: dict[str, Any]) -> None:
    """Apply a stored webhook: {inbox_id}."""
    inbox.handle_process(database, payload)


@handles("orders.refund_due")
def refund_due(database: Database, payload: dict[str, Any]) -> None:
    """An order gave up money that was paid for it: {order_id, amount_minor, reason, key}."""
    order_id, now = int(payload["order_id"]), database.clock.now()

    def work(session: Session) -> None:
        order = orders.lock_order(session, order_id)
        given = refunds.refund_due(
            session,
            order_id=order_id,
            amount_minor=int(payload["amount_minor"]),
            reason=str(payload["reason"]),
            idempotency_key=str(payload["key"]),
            now=now,
        )
        if given is not None:
            call_off_unfunded(session, order=order, actor="payments", now=now)

    database.run(work, actor="payments")


@handles(cash.COLLECTED_TOPIC)
def collected(database: Database, payload: dict[str, Any]) -> None:
    """An order was paid at the door: {order_id, amount_minor, currency}."""
    database.run(
        lambda session: cash.record_collection(
            session,
            order_id=int(payload["order_id"]),
            amount_minor=int(payload["amount_minor"]),
            currency=str(payload["currency"]),
            now=database.clock.now(),
        ),
        actor="payments",
    )


@every(timedelta(minutes=1), name="payments.sweep_inbox")
def sweep_inbox(database: Database) -> None:
    """Process webhooks whose message got lost."""
    inbox.sweep(database)


@every(timedelta(minutes=5), name="payments.poll_young")
def poll_young(database: Database) -> None:
    """Ask about payments that were started within the last hour."""
    polling.poll_open(database, current_gateway(), younger_than=YOUNG)


@every(timedelta(hours=1), name="payments.reconcile")
def reconcile(database: Database) -> None:
    """Ask about everything that is open for as long as a late authorisation may come, and compare the books."""
    gateway = current_gateway()
    with database.read() as session:
        trades = session.scalar(select(GatewayOrder.id).where(GatewayOrder.gateway == gateway.name).limit(1))
    if trades is not None:  # a shop that never asked for a payment need not have a gateway that answers
        reconcile_books(database, gateway)


@every(timedelta(days=1), name="payments.check_ledger")
def check_books(database: Database) -> None:
    """Prove that debits equal credits and that every payment says what the ledger holds."""
    check_ledger(database, gateway=current_gateway().name)
