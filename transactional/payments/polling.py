"""The poller: asks the gateway about everything that is still open, so that no lost webhook loses a payment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.payments.capturing import capture_authorized
from transactional.payments.effects import Applied, Effect
from transactional.payments.gateway import GatewayError, PaymentGateway, PaymentSnapshot, RefundSnapshot
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus, Refund, RefundStatus
from transactional.payments.refund_reports import apply_gateway_refund
from transactional.payments.sending import send_refund
from transactional.payments.starting import find_by_receipt, post_gateway_order
from transactional.payments.state import apply_gateway_payment

log = structlog.stdlib.get_logger("transactional.payments")

LATE_WINDOW = timedelta(days=6)
"""Late authorisations come up to three days after (five, on other pages); a day is left for the gateway's own delay."""
_SENDING_TIME = timedelta(hours=1)
"""The outbox tries to send a refund for a quarter of an hour; later it is the poller's."""
_ANSWER_TIME = timedelta(minutes=1)
"""A request without the gateway's id is left alone so long: its answer may be on the way."""


@dataclass(slots=True)
class PollReport:
    """What a round of polling did."""

    asked: int = 0
    changed: int = 0
    failed: int = 0


def poll_open(database: Database, gateway: PaymentGateway, *, younger_than: timedelta = LATE_WINDOW) -> PollReport:
    """Ask about every open request, authorised payment and pending refund of the time span, and apply the answers.

    One failing call does not stop the round; it is counted and logged.
    """
    since = database.clock.now() - younger_than
    report = PollReport()
    with database.read() as session:
        requests = _open_requests(session, gateway.name, since)
        refunds = _open_refunds(session, gateway.name, since, unsent_before=database.clock.now() - _SENDING_TIME)
    for request in requests:
        _guarded(report, partial(poll_request, database, gateway, request), receipt=request.receipt)
    for refund in refunds:
        _guarded(report, partial(_poll_refund, database, gateway, refund), refund_id=refund.id)
    return report


def _guarded(report: PollReport, ask: Callable[[], int], **context: object) -> None:
    report.asked += 1
    try:
        report.changed += ask()
    except GatewayError as error:
        report.failed += 1
        log.warning("polling failed", reason=str(error), **context)


def _open_requests(session: Session, gateway: str, since: datetime) -> list[GatewayOrder]:
    """Requests that no captured payment has answered yet, or of which a payment still waits for its capture."""
    captured = exists().where(Payment.gateway_order_id == GatewayOrder.id, Payment.captured_minor > 0)
    waiting = exists().where(
        Payment.gateway_order_id == GatewayOrder.id,
        Payment.status.in_([PaymentStatus.AUTHORIZED, PaymentStatus.CREATED]),
    )
    statement = (
        select(GatewayOrder)
        .where(GatewayOrder.gateway == gateway, GatewayOrder.created_at >= since, ~captured | waiting)
        .order_by(GatewayOrder.id)
    )
    return list(session.scalars(statement))


def _open_refunds(session: Session, gateway: str, since: datetime, *, unsent_before: datetime) -> list[Refund]:
    """Refunds that the gateway has not settled; those that it may not even know, once their message had its time."""
    known = Refund.gateway_refund_id.is_not(None) | (Refund.created_at < unsent_before)
    statement = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.gateway == gateway, Refund.status == RefundStatus.PENDING, Refund.created_at >= since, known)
        .order_by(Refund.id)
    )
    return list(session.scalars(statement))


def poll_request(database: Database, gateway: PaymentGateway, request: GatewayOrder) -> int:
    """Ask about one request's payments and their refunds; gives the number of changes. May raise GatewayError."""
    gateway_order_id = request.gateway_order_id or _recover(database, gateway, request)
    if gateway_order_id is None:
        return 0
    changed = 0
    for snapshot in gateway.order_payments(gateway_order_id):
        changed += apply_payment(database, snapshot)
        if snapshot.refunded_minor:
            for refund in gateway.payment_refunds(snapshot.payment_id):
                changed += apply_refund(database, refund)
        if snapshot.status is PaymentStatus.AUTHORIZED:
            _capture(database, gateway, snapshot)
    return changed


def _recover(database: Database, gateway: PaymentGateway, request: GatewayOrder) -> str | None:
    """The id of a gateway's order whose answer was lost, found by its receipt."""
    if database.clock.now() - request.created_at < _ANSWER_TIME:
        return None
    found = find_by_receipt(gateway, request)
    if found is None:
        return None
    posted = database.run(lambda session: post_gateway_order(session, request.id, found), actor="payments")
    return posted.gateway_order_id


def _poll_refund(database: Database, gateway: PaymentGateway, refund: Refund) -> int:
    """Ask about a refund, or send it again under its key where the gateway's answer never came."""
    send_refund(database, gateway, refund_id=refund.id)
    with database.read() as session:
        return session.get_one(Refund, refund.id).status is not RefundStatus.PENDING


def _capture(database: Database, gateway: PaymentGateway, snapshot: PaymentSnapshot) -> None:
    with database.read() as session:
        statement = select(Payment.id).where(
            Payment.gateway == gateway.name, Payment.gateway_payment_id == snapshot.payment_id
        )
        payment_id = session.scalar(statement)
    if payment_id is not None:
        capture_authorized(database, gateway, payment_id=payment_id)


def apply_payment(database: Database, snapshot: PaymentSnapshot) -> bool:
    """Apply a payment's snapshot in a unit of work of its own; True when it changed something."""
    return _changed(
        database.run(
            lambda session: apply_gateway_payment(
                session, snapshot=snapshot, source="poller", now=database.clock.now()
            ),
            actor="payments",
        )
    )


def apply_refund(database: Database, snapshot: RefundSnapshot) -> bool:
    """The same for a refund."""
    return _changed(
        database.run(
            lambda session: apply_gateway_refund(session, snapshot=snapshot, source="poller", now=database.clock.now()),
            actor="payments",
        )
    )


def _changed(applied: Applied) -> bool:
    return applied.effect is Effect.CHANGED
