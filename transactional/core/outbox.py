"""The outbox: work for after the commit is a row of the business transaction; a worker does it at least once."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Executable, Integer, Select, bindparam, select, update
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
_COLUMNS = (
    OutboxMessage.id,
    OutboxMessage.topic,
    OutboxMessage.payload,
    OutboxMessage.attempts,
    OutboxMessage.due_at,
)
_handlers: dict[str, Handler] = {}
_followers: dict[str, list[Handler]] = {}


class _Claimed(NamedTuple):
    """A message that this worker alone may do for now."""

    id: int
    topic: str
    payload: dict[str, Any]
    attempts: int
    due_at: datetime


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


def drain(database: Database, *, limit: int = 1000, topics: Collection[str] = ()) -> int:
    """Do every message that is due by the shop's clock; gives the number done. Messages may publish messages.

    Only those of `topics`, where some are named: all others stay where they are.
    """
    due = _due_statement(frozenset(topics))
    if not _is_any_due(database, due):
        return 0
    with database.unit_of_work(actor="worker") as session:
        claimed = _claim(session, due, database.clock.now(), min(_BATCH, limit))
    done = 0
    while claimed:
        tried, worked_off = _work_off(database, claimed)
        done += tried
        claimed = _hand_in(database, worked_off, given_back=claimed[tried:], next_of=due, count=limit - done)
    return done


def _is_any_due(database: Database, due: Select[int]) -> bool:
    """A look without a lock: an idle worker must not take SQLite's write lock every second."""
    with database.read() as session:
        return session.connection().execute(due, {"now": database.clock.now(), "count": 1}).first() is not None


@cache
def _due_statement(topics: frozenset[str]) -> Select[int]:
    """The longest due messages that nobody works on, `:count` of them at the time `:now`."""
    now = bindparam("now", type_=OutboxMessage.due_at.type)
    due = (
        select(OutboxMessage.id)
        .where(OutboxMessage.state == OutboxState.PENDING, OutboxMessage.due_at <= now)
        .where((OutboxMessage.claimed_until.is_(None)) | (OutboxMessage.claimed_until <= now))
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(bindparam("count", type_=Integer))
    )
    return due.where(OutboxMessage.topic.in_(sorted(topics))) if topics else due


def _claim(session: Session, due: Select[int], now: datetime, count: int) -> list[_Claimed]:
    """Up to `count` due messages, the longest due first: this worker's alone until their lease ends."""
    rows = session.connection().execute(
        _claim_statement(due), {"now": now, "count": count, "claimed_until": now + _LEASE}
    )
    return [_Claimed(*row._tuple()) for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


@cache
def _claim_statement(due: Select[int]) -> Executable:
    # A common table expression is evaluated once; a bare subquery with a limit may be asked again for every row.
    locked = due.with_for_update(skip_locked=True).cte("locked")
    statement: Executable = (
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(select(locked.c.id)))
        .values(claimed_until=bindparam("claimed_until"))
        .returning(*_COLUMNS)
    )
    return statement


def _work_off(database: Database, claimed: Sequence[_Claimed]) -> tuple[int, list[int]]:
    """Do claimed messages; gives how many were tried and which are done.

    What a slow one leaves no time for is given back before its lease ends: nobody else may do it meanwhile.
    """
    give_back_at = database.clock.now() + _LEASE / 2
    done: list[int] = []
    for tried, message in enumerate(claimed):
        if database.clock.now() >= give_back_at:
            return tried, done
        try:
            if _process(database, message):
                done.append(message.id)
        except BaseException:
            # The worker dies: what is done is written down, what was not begun is free again at once.
            _hand_in(database, done, given_back=claimed[tried + 1 :], next_of=None, count=0)
            raise
    return len(claimed), done


def _process(database: Database, message: _Claimed) -> bool:
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


def _hand_in(
    database: Database,
    done: Sequence[int],
    *,
    given_back: Sequence[_Claimed],
    next_of: Select[int] | None,
    count: int,
) -> list[_Claimed]:
    """Write down which messages are done and claim the next ones in the same breath; gives these."""
    now = database.clock.now()
    with database.unit_of_work(actor="worker") as session:
        with together(session):
            if done:
                session.connection().execute(_done_statement(), {"ids": done, "now": now})
            if given_back:
                session.connection().execute(_give_back_statement(), {"ids": [message.id for message in given_back]})
        if next_of is None or count <= 0:
            return []
        return _claim(session, next_of, now, min(_BATCH, count))


@cache
def _done_statement() -> Executable:
    statement: Executable = (
        update(OutboxMessage)
        .where(OutboxMessage.id.in_(bindparam("ids", expanding=True)))
        .values(
            state=OutboxState.DONE,
            attempts=OutboxMessage.attempts + 1,
            done_at=bindparam("now"),
            claimed_until=None,
            last_error=None,
        )
    )
    return statement


@cache
def _give_back_statement() -> Executable:
    return (
        update(OutboxMessage).where(OutboxMessage.id.in_(bindparam("ids", expanding=True))).values(claimed_until=None)
    )


def _record_failure(database: Database, message: _Claimed, error: Exception) -> None:
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
