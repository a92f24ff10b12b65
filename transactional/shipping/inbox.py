"""Tracking webhooks: stored as they came, with the message that processes them, in one transaction."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.db import insert_into
from transactional.core.uow import Database
from transactional.shipping import parsing, scalars
from transactional.shipping.models import ScanSource, Shipment, TrackingInbox, TrackingInboxState
from transactional.shipping.scans import Report
from transactional.shipping.tracking import lock_shipment, reports_from, take_in

log = structlog.stdlib.get_logger("transactional.shipping")

PROCESS_TOPIC = "shipping.process_webhook"
CONFIRM_TOPIC = "shipping.confirm"
"""Outbox topic {shipment_id}: ask the carrier itself about what a webhook claims."""

_LATE = timedelta(minutes=1)


def token_matches(given: str | None, expected: str) -> bool:
    """Whether a webhook carries the shared token, compared in constant time; never without one configured."""
    return bool(expected) and hmac.compare_digest((given or "").encode(), expected.encode())


def receive(session: Session, *, raw: bytes, now: datetime) -> bool:
    """Store a webhook and the message that processes it; False when the same body is here already."""
    digest = hashlib.sha256(raw).hexdigest()
    row_id = session.scalar(
        insert_into(session, TrackingInbox)
        .values(
            digest=digest,
            # A NUL is no text for PostgreSQL; no webhook of use holds one.
            raw=raw.decode("utf-8", "replace").replace("\x00", ""),
            state=TrackingInboxState.RECEIVED,
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(TrackingInbox.id)
    )
    if row_id is None:
        return False
    outbox.publish(session, PROCESS_TOPIC, {"inbox_id": row_id}, dedup_key=f"{PROCESS_TOPIC}:{digest}", now=now)
    return True


def process(session: Session, *, inbox_id: int, now: datetime) -> TrackingInboxState:
    """Take the scans of a stored webhook in. Safe to repeat."""
    row = session.get_one(TrackingInbox, inbox_id, with_for_update=True, populate_existing=True)
    if row.state is not TrackingInboxState.RECEIVED:
        return row.state
    row.processed_at = now
    row.note = _apply(session, row, now)
    row.state = TrackingInboxState.PROCESSED if row.note is None else TrackingInboxState.IGNORED
    if row.note is not None:
        log.warning("tracking webhook ignored", inbox_id=row.id, reason=row.note)
    return row.state


def _apply(session: Session, row: TrackingInbox, now: datetime) -> str | None:
    """Why nothing could be done with it; None when it was taken in."""
    body = parsing.webhook_from(row.raw)
    if body is None:
        return "the body is no JSON object"
    shipment_id = _find(session, body)
    if shipment_id is None:
        return f"no parcel has the number {scalars.text(body.get('awb'))!r}"[:300]
    shipment = lock_shipment(session, shipment_id)
    standing = take_in(session, shipment, _reports(body, now), source=ScanSource.WEBHOOK, now=now)
    if standing.unconfirmed:
        payload = {"shipment_id": shipment.id}
        outbox.publish(session, CONFIRM_TOPIC, payload, dedup_key=f"{CONFIRM_TOPIC}:{row.digest}", now=now)
    return None


def _find(session: Session, body: Mapping[str, Any]) -> int | None:
    """By the courier's number, then by the carrier's order; never by what it calls our id, which has a suffix."""
    awb, order_id = scalars.text(body.get("awb")), scalars.identifier(body.get("sr_order_id"))
    for column, value in ((Shipment.tracking_number, awb), (Shipment.carrier_order_id, order_id)):
        if value is not None:
            found = session.scalar(select(Shipment.id).where(column == value))
            if found is not None:
                return found
    return None


def _reports(body: Mapping[str, Any], now: datetime) -> list[Report]:
    """The whole history that comes along; without one, the webhook's own head is the scan."""
    scans = parsing.scans_from(list(parsing.rows(body.get("scans"))))
    if not scans:
        head = {
            "sr-status": body.get("shipment_status_id"),
            "status": body.get("shipment_status") or body.get("current_status"),
            "date": body.get("current_timestamp"),
        }
        scans = parsing.scans_from([head])
    return reports_from(scans, now=now)


def handle_process(database: Database, payload: Mapping[str, Any]) -> None:
    """The outbox's message `shipping.process_webhook`."""
    inbox_id = int(payload["inbox_id"])
    database.run(lambda session: process(session, inbox_id=inbox_id, now=database.clock.now()), actor="shipping")


def sweep(database: Database) -> int:
    """Process what is still unprocessed a minute after it came, however its message got lost; gives how many."""
    with database.read() as session:
        waiting = session.scalars(
            select(TrackingInbox.id)
            .where(TrackingInbox.state == TrackingInboxState.RECEIVED)
            .where(TrackingInbox.received_at < database.clock.now() - _LATE)
            .order_by(TrackingInbox.id)
        ).all()
    for inbox_id in waiting:
        handle_process(database, {"inbox_id": inbox_id})
    return len(waiting)
