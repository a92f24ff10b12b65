"""Reconciliation: our ledger against the gateway's own books, payment by payment and refund by refund, to the paisa.

A run lists what the gateway has of a time span, adds what only we know of it and what an earlier run left open, lets
the state functions take in whatever was lost on the way, and writes down what differs even then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.payments.comparison import Comparison, Difference, Theirs, by_payment, compare, known_payments
from transactional.payments.gateway import GatewayError, Invalid, PaymentGateway, PaymentSnapshot, RefundSnapshot
from transactional.payments.models import Payment, Refund
from transactional.payments.polling import LATE_WINDOW, PollReport, apply_payment, apply_refund, poll_open
from transactional.payments.runs import fail_run, finish_run, open_differences, start_run

YOUNG = timedelta(hours=1)
"""Requests so young are polled every few minutes: the shopper may be waiting."""

log = structlog.stdlib.get_logger("transactional.payments")


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """What was asked, what the poller could mend, and what differs still."""

    run_id: int
    polled: PollReport
    payments: int
    refunds: int
    differences: list[Difference] = field(default_factory=list)


def reconcile(
    database: Database, gateway: PaymentGateway, *, since: datetime | None = None, until: datetime | None = None
) -> ReconciliationReport:
    """Poll what is open, then compare all payments and refunds of a time span (the last six days by default).

    The run, its sums and its differences are kept; a difference of an earlier run that is none any more is resolved.
    Raises ValueError for a span that ends before it begins, and the gateway's errors: the run is then marked failed,
    and nothing is resolved.
    """
    until = until or database.clock.now()
    since = since or until - LATE_WINDOW
    if since >= until:
        raise ValueError("the time span to reconcile ends before it begins")
    run_id = start_run(database, gateway.name, since, until)
    try:
        polled = poll_open(database, gateway)
        theirs = _everything(database, gateway, since, until)
        _take_in_unheard(database, gateway, theirs)
        comparison = _compare_and_mend(database, gateway, theirs)
    except GatewayError as error:
        fail_run(database, run_id, error)
        raise
    finish_run(database, run_id, gateway.name, theirs, comparison)
    for difference in comparison.differences:
        log.error(
            "reconciliation difference",
            kind=difference.kind,
            reference=difference.reference,
            ours=difference.ours_minor,
            theirs=difference.theirs_minor,
        )
    return ReconciliationReport(run_id, polled, comparison.payments, comparison.refunds, comparison.differences)


def _everything(database: Database, gateway: PaymentGateway, since: datetime, until: datetime) -> Theirs:
    """The gateway's view of everything that either side has of the time span, and of what is still open."""
    theirs = Theirs(
        payments={each.payment_id: each for each in gateway.payments_created(since, until)},
        refunds={each.refund_id: each for each in gateway.refunds_created(since, until)},
    )
    with database.read() as session:
        payment_ids = _our_payment_ids(session, gateway.name, since, until)
        refund_ids = _our_refund_ids(session, gateway.name, since, until)
        left_open = open_differences(session, gateway.name)
    payment_ids += [difference.gateway_payment_id for difference in left_open]
    refund_ids += [each.gateway_refund_id for each in left_open if each.gateway_refund_id is not None]
    _ask_for_missing(gateway, theirs, payment_ids, refund_ids)
    return theirs


def _our_payment_ids(session: Session, gateway: str, since: datetime, until: datetime) -> list[str]:
    statement = select(Payment.gateway_payment_id).where(
        Payment.gateway == gateway, Payment.created_at >= since, Payment.created_at <= until
    )
    return list(session.scalars(statement))


def _our_refund_ids(session: Session, gateway: str, since: datetime, until: datetime) -> list[str]:
    statement = (
        select(Refund.gateway_refund_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.gateway == gateway, Refund.created_at >= since, Refund.created_at <= until)
    )
    return [refund_id for refund_id in session.scalars(statement) if refund_id is not None]


def _ask_for_missing(
    gateway: PaymentGateway, theirs: Theirs, payment_ids: Iterable[str], refund_ids: Iterable[str]
) -> None:
    """One by one: what was created just outside of the span, or is not there at all. Refunds bring their payments."""
    for refund_id in refund_ids:
        if refund_id not in theirs.refunds:
            theirs.refunds[refund_id] = _refund_or_none(gateway, refund_id)
    of_refunds = [refund.payment_id for refund in theirs.refunds.values() if refund is not None]
    for payment_id in (*payment_ids, *of_refunds):
        if payment_id and payment_id not in theirs.payments:
            theirs.payments[payment_id] = _payment_or_none(gateway, payment_id)


def _payment_or_none(gateway: PaymentGateway, payment_id: str) -> PaymentSnapshot | None:
    try:
        return gateway.fetch_payment(payment_id)
    except Invalid:
        return None


def _refund_or_none(gateway: PaymentGateway, refund_id: str) -> RefundSnapshot | None:
    try:
        return gateway.fetch_refund(refund_id)
    except Invalid:
        return None


def _take_in_unheard(database: Database, gateway: PaymentGateway, theirs: Theirs) -> None:
    """Payments of which no report ever came, failed attempts among them; those of foreign orders stay out."""
    with database.read() as session:
        known = known_payments(session, gateway.name, theirs.payments)
    for payment_id, snapshot in theirs.payments.items():
        if snapshot is not None and payment_id not in known:
            apply_payment(database, snapshot)


def _compare_and_mend(database: Database, gateway: PaymentGateway, theirs: Theirs) -> Comparison:
    """Compare; what differs is asked for and taken in once more, and only what differs then is a difference."""
    with database.read() as session:
        comparison = compare(session, gateway.name, theirs)
    if not comparison.differences:
        return comparison
    for payment_id in by_payment(comparison.differences):
        _take_in_again(database, gateway, theirs, payment_id)
    with database.read() as session:
        return compare(session, gateway.name, theirs)


def _take_in_again(database: Database, gateway: PaymentGateway, theirs: Theirs, payment_id: str) -> None:
    snapshot = _payment_or_none(gateway, payment_id) if payment_id else None
    if snapshot is None:
        return
    theirs.payments[payment_id] = snapshot
    apply_payment(database, snapshot)
    for refund in gateway.payment_refunds(payment_id):
        theirs.refunds[refund.refund_id] = refund
        apply_refund(database, refund)
