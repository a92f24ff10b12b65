"""What happened to an order, from every domain that knows something, in the order in which it happened.

Staff see everything, with who did it and why; customers the story of it (`orders.story`).
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby

from sqlalchemy.orm import Session

from transactional.documents import service as documents
from transactional.orders.approvals import approvals_of
from transactional.orders.change_models import ChangeKind
from transactional.orders.changes import changes_of
from transactional.orders.giving_back import decisions_of
from transactional.orders.queries import get_order, lines_of, status_history
from transactional.orders.story import Entry, story
from transactional.orders.units import moves_of
from transactional.payments import service as payments
from transactional.shipping import service as shipping


class Audience(StrEnum):
    """Who reads."""

    CUSTOMER = "customer"
    STAFF = "staff"


UNCONFIRMED = "scan"
"""A scan that changes nothing, or that only an unsigned webhook claims."""


def timeline(session: Session, order_id: int, *, audience: Audience) -> list[Entry]:
    """Everything that happened, oldest first. Raises NotFound."""
    order = get_order(session, order_id)
    sources = (
        _steps(session, order_id),
        _units(session, order_id),
        _approvals(session, order_id),
        _changes(session, order_id),
        _decisions(session, order_id),
        _money(session, order_id),
        _parcels(session, order_id),
        _documents(session, order.id),
    )
    entries = sorted((entry for source in sources for entry in source), key=lambda entry: entry.at)
    return entries if audience is Audience.STAFF else story(entries)


def _steps(session: Session, order_id: int) -> Iterator[Entry]:
    for step in status_history(session, order_id):
        details = {} if step.from_status is None else {"from": step.from_status}
        yield Entry(step.occurred_at, "status", step.to_status, details, step.actor, step.reason)


def _units(session: Session, order_id: int) -> Iterator[Entry]:
    """Moves that happened together are one entry."""
    titles = {line.id: line.title for line in lines_of(session, order_id)}
    moves = moves_of(session, order_id)
    for (at, kind, actor, reason), together in groupby(
        moves, key=lambda move: (move.occurred_at, move.kind, move.actor, move.reason)
    ):
        units = [
            {"order_line_id": move.order_line_id, "title": titles[move.order_line_id], "quantity": move.quantity}
            for move in together
        ]
        yield Entry(at, "units", kind, {"units": units}, actor, reason)


def _approvals(session: Session, order_id: int) -> Iterator[Entry]:
    for approval in approvals_of(session, order_id):
        details = {"content_sha256": approval.content_sha256, "expires_at": approval.expires_at}
        yield Entry(approval.approved_at, "approval", "approved", details, approval.approved_by)
        if approval.voided_at is not None:
            yield Entry(approval.voided_at, "approval", "voided", {}, approval.voided_by, approval.void_reason)


def _changes(session: Session, order_id: int) -> Iterator[Entry]:
    for change in changes_of(session, order_id):
        details = {"id": change.public_id, "kind": change.kind, "difference_minor": change.difference_minor}
        if change.kind is not ChangeKind.CANCELLATION:
            yield Entry(change.created_at, "change", "proposed", details, change.created_by, change.reason)
        for at, what in ((change.applied_at, "applied"), (change.declined_at, "declined")):
            if at is not None:
                yield Entry(at, "change", what, details, change.decided_by, change.reason)


def _decisions(session: Session, order_id: int) -> Iterator[Entry]:
    for decision in decisions_of(session, order_id):
        details = {"cause": decision.cause, "refund_minor": decision.refund_minor, "policy": decision.policy}
        yield Entry(decision.decided_at, "decision", decision.kind, details, decision.actor)


def _money(session: Session, order_id: int) -> Iterator[Entry]:
    for payment in payments.payments_of_order(session, order_id=order_id):
        details = {"amount_minor": payment.amount_minor, "currency": payment.currency, "method": payment.method}
        moments = (
            (payment.authorized_at, "authorized"),
            (payment.captured_at, "captured"),
            (payment.failed_at, "failed"),
        )
        yield from (Entry(at, "payment", what, details) for at, what in moments if at is not None)
    for refund in payments.refunds_of_order(session, order_id=order_id):
        details = {"amount_minor": refund.amount_minor, "currency": refund.currency}
        moments = ((refund.created_at, "ordered"), (refund.processed_at, "paid_back"), (refund.failed_at, "failed"))
        yield from (Entry(at, "refund", what, details, reason=refund.reason) for at, what in moments if at is not None)


def _parcels(session: Session, order_id: int) -> Iterator[Entry]:
    """Every scan that may decide where a parcel stands; for staff also the others, and who told of them."""
    for parcel in shipping.shipments_of(session, order_id):
        details = {"carrier": parcel.carrier, "tracking_number": parcel.tracking_number}
        # What the buyer sends back is not what the buyer waits for.
        kind = "parcel" if parcel.kind is shipping.ShipmentKind.FORWARD else "return_parcel"
        yield Entry(parcel.created_at, kind, "created", details)
        for scan in shipping.events_of(session, parcel.id):
            seen = {**details, "location": scan.location, "activity": scan.activity}
            what = scan.status if scan.status is not None and shipping.counts_for(scan) else UNCONFIRMED
            yield Entry(scan.occurred_at, kind, what, seen, scan.source, scan.problem)


def _documents(session: Session, order_id: int) -> Iterator[Entry]:
    for document in documents.documents_of(session, order_id):
        details = {"number": document.number, "amount_minor": document.total_minor}
        yield Entry(document.issued_at, "document", document.kind, details)
