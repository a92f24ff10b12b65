"""The inbox of webhooks: stored as they came, with the job that processes them, in one transaction."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, NotFound, ShopError
from transactional.core.uow import Database
from transactional.payments import parsing
from transactional.payments.alerts import raise_alert
from transactional.payments.effects import Applied, Effect
from transactional.payments.models import InboxState, WebhookInbox
from transactional.payments.refund_reports import apply_gateway_refund
from transactional.payments.state import apply_gateway_payment

log = structlog.stdlib.get_logger("transactional.payments")

PROCESS_TOPIC = "payments.process_webhook"
SOURCE = "razorpay"

_PATIENCE = timedelta(minutes=10)
"""How long an event may wait for what it speaks of, before somebody must look."""
_GIVE_UP = timedelta(days=1)
"""How long an event whose processing fails is tried."""
_NEEDS_A_LOOK = {Effect.UNKNOWN, Effect.MISMATCH, Effect.UNREADABLE}
_ANSWER_TIME = timedelta(minutes=1)
_PAYMENT_EVENTS = {"payment.authorized", "payment.captured", "payment.failed", "order.paid"}
_REFUND_EVENTS = {"refund.created", "refund.processed", "refund.failed", "refund.speed_changed"}
_EVENT_NAME = re.compile(r"[a-z_.]{1,64}")
_MAX_EVENT_ID = 80
_MAX_NOTE = 300


class NotJson(ShopError):
    """A signed body that is no JSON object."""

    code = "not-json"
    title = "The body is not a JSON object"


class NotYetKnown(Exception):
    """The event speaks of something that may still become known: try again later."""


def receive(session: Session, *, raw: bytes, event_id: str | None, now: datetime) -> bool:
    """Store a verified webhook and the message that processes it; False when it is here already.

    Without an event id the SHA-256 of the body stands in. Raises NotJson.
    """
    event_type = _event_type(raw)
    identity = event_id if event_id and len(event_id) <= _MAX_EVENT_ID else hashlib.sha256(raw).hexdigest()
    statement = (
        insert_into(session, WebhookInbox)
        .values(
            source=SOURCE,
            event_id=identity,
            event_type=event_type,
            raw=raw.decode("utf-8"),
            state=InboxState.RECEIVED,
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["source", "event_id"])
        .returning(WebhookInbox.id)
    )
    row_id = session.scalar(statement)
    if row_id is None:
        return False
    outbox.publish(
        session, PROCESS_TOPIC, {"inbox_id": row_id}, dedup_key=f"{PROCESS_TOPIC}:{SOURCE}:{identity}", now=now
    )
    return True


def _event_type(raw: bytes) -> str:
    event = _event(raw).get("event")
    return event if isinstance(event, str) and _EVENT_NAME.fullmatch(event) else "unknown"


def _event(raw: str | bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotJson("the webhook's body is not JSON") from error
    if not isinstance(event, dict):
        raise NotJson("the webhook's body is not a JSON object")
    return event


def process(session: Session, *, inbox_id: int, now: datetime) -> InboxState:
    """Apply a stored webhook: effects, postings and the row's new state in one transaction. Safe to repeat.

    Raises NotYetKnown while what it speaks of may still come; after ten minutes it goes to quarantine.
    """
    row = session.get_one(WebhookInbox, inbox_id, with_for_update=True, populate_existing=True)
    if row.state is not InboxState.RECEIVED:
        return row.state
    applied = _apply(session, row, now)
    if any(each.effect is Effect.UNKNOWN for each in applied) and now - row.received_at < _PATIENCE:
        raise NotYetKnown("; ".join(each.note or "" for each in applied))
    note = "; ".join(each.note for each in applied if each.note)
    effects = {each.effect for each in applied}
    if effects & _NEEDS_A_LOOK:
        # Whoever found a mismatch has told of it already, whatever brought the news.
        _quarantine(session, row, note, told=not effects & {Effect.UNKNOWN, Effect.UNREADABLE}, now=now)
    else:
        row.state = InboxState.PROCESSED if applied else InboxState.IGNORED
        row.note = note[:_MAX_NOTE] or None
        row.processed_at = now
    return row.state


def _quarantine(session: Session, row: WebhookInbox, reason: str, *, told: bool, now: datetime) -> None:
    row.state = InboxState.QUARANTINED
    row.note = reason[:_MAX_NOTE]
    row.processed_at = now
    log.error("webhook quarantined", inbox_id=row.id, event_type=row.event_type, reason=row.note)
    if not told:
        raise_alert(
            session,
            cause=f"webhook:{row.source}:{row.event_id}:{row.requeued_at or row.received_at}",
            subject="An event of the payment gateway is in quarantine",
            body=f"{row.event_type} ({row.event_id}, inbox {row.id}): {row.note}. Nothing was posted.",
            now=now,
        )


def requeue(session: Session, *, inbox_id: int, actor: str, now: datetime) -> WebhookInbox:
    """Send an event in quarantine through again; the worker does it after the commit.

    Raises NotFound, and Conflict for an event that is not in quarantine.
    """
    row = session.get(WebhookInbox, inbox_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("there is no such event")
    if row.state is not InboxState.QUARANTINED:
        raise Conflict(f"this event is {row.state}, not in quarantine")
    row.state, row.processed_at = InboxState.RECEIVED, None
    row.requeued_at, row.requeued_by = now, actor
    # The state is part of the key's meaning: each quarantine can be left once.
    key = f"{PROCESS_TOPIC}:again:{row.id}:{now.isoformat()}"
    outbox.publish(session, PROCESS_TOPIC, {"inbox_id": row.id}, dedup_key=key, now=now)
    return row


def _apply(session: Session, row: WebhookInbox, now: datetime) -> list[Applied]:
    """The effects of an event, payment before refund; none for events that concern nothing here."""
    payload = _event(row.raw).get("payload")
    try:
        if row.event_type in _PAYMENT_EVENTS:
            return [_apply_payment(session, payload, now)]
        if row.event_type in _REFUND_EVENTS:
            return _apply_refund(session, payload, now)
    except parsing.Malformed as error:
        return [Applied(Effect.UNREADABLE, note=f"malformed {row.event_type}: {error}")]
    return []


def _apply_payment(session: Session, payload: object, now: datetime) -> Applied:
    snapshot = parsing.payment_from(_entity(payload, "payment"))
    return apply_gateway_payment(session, snapshot=snapshot, source="webhook", now=now)


def _apply_refund(session: Session, payload: object, now: datetime) -> list[Applied]:
    """A refund's event carries its payment, whose capture may not have been heard of yet."""
    snapshot = parsing.refund_from(_entity(payload, "refund"))
    of_payment = [_apply_payment(session, payload, now)] if _has(payload, "payment") else []
    if any(each.effect in _NEEDS_A_LOOK for each in of_payment):
        return of_payment
    return [*of_payment, apply_gateway_refund(session, snapshot=snapshot, source="webhook", now=now)]


def _has(payload: object, name: str) -> bool:
    return isinstance(payload, dict) and name in payload


def _entity(payload: object, name: str) -> Mapping[str, Any]:
    wrapper = payload.get(name) if isinstance(payload, dict) else None
    entity = wrapper.get("entity") if isinstance(wrapper, dict) else None
    if not isinstance(entity, dict):
        raise parsing.Malformed(f"no {name} in the payload")
    return entity


def handle_process(database: Database, payload: dict[str, Any]) -> None:
    """The outbox's message `payments.process_webhook`."""
    inbox_id = int(payload["inbox_id"])
    database.run(lambda session: process(session, inbox_id=inbox_id, now=database.clock.now()), actor="payments")


def sweep(database: Database) -> int:
    """Process what is still unprocessed a minute after it came, in whatever way its message got lost; gives how many.

    What is not yet known stays for the next round. An event that fails does not hold up the others; after a day of
    failures it goes to quarantine.
    """
    with database.read() as session:
        statement = (
            select(WebhookInbox.id)
            .where(WebhookInbox.state == InboxState.RECEIVED)
            .where(WebhookInbox.received_at < database.clock.now() - _ANSWER_TIME)
            .order_by(WebhookInbox.id)
        )
        waiting = session.scalars(statement).all()
    done = 0
    for inbox_id in waiting:
        try:
            handle_process(database, {"inbox_id": inbox_id})
            done += 1
        except NotYetKnown as reason:
            log.info("webhook waits", inbox_id=inbox_id, reason=str(reason))
        except Exception as error:
            log.exception("webhook failed", inbox_id=inbox_id)
            _give_up_if_old(database, inbox_id, error)
    return done


def _give_up_if_old(database: Database, inbox_id: int, error: Exception) -> None:
    now = database.clock.now()

    def work(session: Session) -> None:
        row = session.get_one(WebhookInbox, inbox_id, with_for_update=True, populate_existing=True)
        since = row.requeued_at or row.received_at
        if row.state is InboxState.RECEIVED and now - since >= _GIVE_UP:
            _quarantine(session, row, f"processing fails: {type(error).__name__}", told=False, now=now)

    database.run(work, actor="payments")
