"""The outbox: work for after the commit is a row of the business transaction; a worker does it at least once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from sqlalchemy import Executable, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from transactional.core.db import together
from transactional.core.models import OutboxMessage, OutboxState
from transactional.core.uow import Database

log = structlog.stdlib.get_logger("transactional.outbox")

Handler = Callable[[Database, dict[str, Any]], None]
"""Does one message's work in its own units of work. Must be idempotent: a crash repeats it."""

MAX_ATTEMPTS = 10
_LEASE = timedelta(minutes=2)
_BATCH = 25
"""Messages claimed at once: claiming and finishing cost the same for one as for many."""
_handlers: dict[str, Handler] = {}
_followers: dict[str, list[Handler]] = {}


def handles(topic: str) -> Callable[[Handler], Handler]:
    """Register the one handler of a topic."""

    def register(handler: Handler) -> Handler:
        if topic in _handlers:
            raise ValueError(f"topic {topic!r} has a handler already")
        _handlers[topic] = handler
        return handler

    return register


def follows(topic: str) -> Callable[[Handler], Handler]:
    """Register somebody who acts on a topic after its handler has; a follower's failure repeats the message as well.

    So a follower does as little as can fail: it publishes a message of its own domain and leaves the work to that.
    """

    def register(follower: Handler) -> Handler:
        _followers.setdefault(topic, []).append(follower)
        return follower

    return register


def publish(
    session: Session,
    topic: str,
    payload: dict[str, Any],
    *,
    dedup_key: str,
    now: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Write a message into the present transaction; False when the same `dedup_key` was published before."""
    row = {
        "topic": topic,
        "payload": payload,
        "dedup_key": dedup_key,
        "state": OutboxState.PENDING,
        "attempts": 0,
        "due_at": due_at or now,
        "created_at": now,
    }
    statement = _publish_statement(session.get_bind().dialect.name)
    return session.connection().execute(statement, row).scalar() is not None


@cache
def _publish_statement(dialect: str) -> Executable:
    """Built once: almost every transaction of the shop publishes something."""
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(OutboxMessage)
    statement: Executable = insert.on_conflict_do_nothing(index_elements=["dedup_key"]).returning(OutboxMessage.id)
    return statement


def drain(database: Database, *, limit: int = 1000) -> int:
    """Do every message that is due by the shop's clock; gives the number done. Messages may publish messages."""
    done = 0
    while done < limit:
        claimed = _claim(database, min(_BATCH, limit - done))
        if not claimed:
            return done
        done += _work_off(database, claimed)
    return done


def _claim(database: Database, count: int) -> list[OutboxMessage]:
    """Up to `count` due messages, the longest due first: this worker's alone until their lease ends."""
    now = database.clock.now()
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.state == OutboxState.PENDING, OutboxMessage.due_at <= now)
        .where((OutboxMessage.claimed_until.is_(None)) | (OutboxMessage.claimed_until <= now))
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(count)
    )
    with database.read() as session:
        # A look without a lock first: an idle worker must not take SQLite's write lock every second.
        if session.scalar(due.limit(1)) is None:
            return []
    # A common table expression is evaluated once; a bare subquery with a limit may be asked again for every row.
    locked = due.with_for_update(skip_locked=True).cte("locked")
    claim = (
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(select(locked.c.id)))
        .values(claimed_until=now + _LEASE)
        .returning(OutboxMessage)
        .execution_options(synchronize_session=False)
    )
    with database.unit_of_work(actor="worker") as session:
        return sorted(session.scalars(claim), key=lambda message: (message.due_at, message.id))


def _work_off(database: Database, claimed: Sequence[OutboxMessage]) -> int:
    """Do claimed messages and write down which are done, in one go; gives how many were tried.

    What a slow one leaves no time for is given back before its lease ends: nobody else may do it meanwhile.
    """
    give_back_at = database.clock.now() + _LEASE / 2
    done: list[int] = []
    tried = 0
    try:
        for message in claimed:
            if database.clock.now() >= give_back_at:
                break
            tried += 1
            if _process(database, message):
                done.append(message.id)
    finally:
        _finish(database, done, given_back=[message.id for message in claimed[tried:]])
    return tried


def _process(database: Database, message: OutboxMessage) -> bool:
    handler = _handlers.get(message.topic)
    try:
        if handler is None:
            raise LookupError(f"no handler for topic {message.topic!r}")
        handler(database, message.payload)
        for follower in _followers.get(message.topic, ()):
            follower(database, message.payload)
    except Exception as error:  # noqa: BLE001  whatever a handler raises, the message must be kept and tried again
        _record_failure(database, message, error)
        return False
    return True


def _finish(database: Database, done: Sequence[int], *, given_back: Sequence[int]) -> None:
    if not (done or given_back):
        return
    with database.unit_of_work(actor="worker") as session, together(session):
        session.connection().execute(
            update(OutboxMessage)
            .where(OutboxMessage.id.in_(done))
            .values(
                state=OutboxState.DONE,
                attempts=OutboxMessage.attempts + 1,
                done_at=database.clock.now(),
                claimed_until=None,
                last_error=None,
            )
        )
        if given_back:
            session.connection().execute(
                update(OutboxMessage).where(OutboxMessage.id.in_(given_back)).values(claimed_until=None)
            )


def _record_failure(database: Database, message: OutboxMessage, error: Exception) -> None:
    attempt = message.attempts + 1
    gave_up = attempt >= MAX_ATTEMPTS
    tell = log.error if gave_up else log.warning
    tell("message failed", topic=message.topic, message_id=message.id, attempt=attempt, gave_up=gave_up)
    back_off = timedelta(seconds=min(3600, 2**attempt))
    with database.unit_of_work(actor="worker") as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message.id)
            .values(
                state=OutboxState.FAILED if gave_up else OutboxState.PENDING,
                attempts=attempt,
                due_at=database.clock.now() + back_off,
                claimed_until=None,
                last_error=f"{type(error).__name__}: {error}"[:500],
            )
        )
