"""Reconciliation: our ledger against the gateway's own books, payment by payment, to the paisa."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.payments.gateway import PaymentGateway, PaymentSnapshot
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus
from transactional.payments.polling import LATE_WINDOW, PollReport, poll_open, poll_request

YOUNG = timedelta(hours=1)
"""Requests so young are polled every few minutes: the shopper may be waiting."""

log = structlog.stdlib.get_logger("transactional.payments")


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that the two sides see differently; amounts in minor units."""

    gateway_payment_id: str
    figure: str
    """`captured`, `refunded`, `fee`, or `presence` (1 known, 0 unknown)."""
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """What was asked, what the poller could mend, and what differs still."""

    polled: PollReport
    payments: int
    differences: list[Difference] = field(default_factory=list)


def reconcile(database: Database, gateway: PaymentGateway, *, since: datetime | None = None) -> ReconciliationReport:
    """Poll what is open, then compare every payment of the requests made since (six days by default).

    Refunds in flight differ for a moment by nature: what is compared as refunded includes those that the gateway has
    accepted. May raise the gateway's errors.
    """
    polled = poll_open(database, gateway)
    since = since or database.clock.now() - LATE_WINDOW
    with database.read() as session:
        requests = _requests(session, gateway.name, since)
    differences: list[Difference] = []
    compared = 0
    for request in requests:
        count, found = _compare_request(database, gateway, request)
        if found:
            # What was lost on the way is asked for once more; only what differs then is a difference.
            poll_request(database, gateway, request)
            count, found = _compare_request(database, gateway, request)
        compared += count
        differences += found
    for difference in differences:
        log.error("reconciliation difference", **asdict(difference))
    return ReconciliationReport(polled, compared, differences)


def _compare_request(
    database: Database, gateway: PaymentGateway, request: GatewayOrder
) -> tuple[int, list[Difference]]:
    """How many payments a request has on either side, and where the sides differ."""
    assert request.gateway_order_id is not None
    theirs = {snapshot.payment_id: snapshot for snapshot in gateway.order_payments(request.gateway_order_id)}
    with database.read() as session:
        statement = select(Payment).where(Payment.gateway_order_id == request.id)
        ours = {payment.gateway_payment_id: payment for payment in session.scalars(statement)}
    payment_ids = sorted(theirs.keys() | ours.keys())
    found = [
        difference
        for payment_id in payment_ids
        for difference in _compare(payment_id, ours.get(payment_id), theirs.get(payment_id))
    ]
    return len(payment_ids), found


def _requests(session: Session, gateway: str, since: datetime) -> list[GatewayOrder]:
    statement = (
        select(GatewayOrder)
        .where(GatewayOrder.gateway == gateway, GatewayOrder.created_at >= since)
        .where(GatewayOrder.gateway_order_id.is_not(None))
        .order_by(GatewayOrder.id)
    )
    return list(session.scalars(statement))


def _compare(payment_id: str, ours: Payment | None, theirs: PaymentSnapshot | None) -> list[Difference]:
    if ours is None or theirs is None:
        return [Difference(payment_id, "presence", int(ours is not None), int(theirs is not None))]
    their_captured = _captured(theirs)
    pairs = {
        "captured": (ours.captured_minor, their_captured),
        "fee": (ours.fee_minor or 0, (theirs.fee_minor or 0) if their_captured else 0),
    }
    if their_captured and ours.refund_pending_minor == 0:
        pairs["refunded"] = (ours.refunded_minor, theirs.refunded_minor)
    return [Difference(payment_id, figure, *pair) for figure, pair in pairs.items() if pair[0] != pair[1]]


def _captured(snapshot: PaymentSnapshot) -> int:
    taken = snapshot.status is PaymentStatus.CAPTURED or (
        snapshot.status is PaymentStatus.REFUNDED and snapshot.captured
    )
    return snapshot.amount_minor if taken else 0
