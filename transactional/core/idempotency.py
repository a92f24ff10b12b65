"""Idempotency keys: the first answer is stored in the transaction that made it, and given to every repetition."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Executable, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from transactional.core.access import IdentityDep
from transactional.core.context import shop_of
from transactional.core.errors import Conflict, IdempotencyMismatch, InvalidInput
from transactional.core.models import IdempotencyKey
from transactional.core.uow import LOCK_NOT_AVAILABLE

_ANONYMOUS_KEY_LENGTH = 16


@cache
def _claim_statement(dialect: str) -> Executable:
    """Take a key; one whose time is over is taken anew, in the same statement. Built once: it starts every POST."""
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(IdempotencyKey)
    taken_anew = {column: insert.excluded[column] for column in _CLAIMED}
    claim: Executable = insert.on_conflict_do_update(
        index_elements=["subject", "key"],
        set_=taken_anew,
        where=IdempotencyKey.expires_at <= insert.excluded.created_at,
    ).returning(IdempotencyKey.id)
    return claim


_CLAIMED = ("route", "fingerprint", "status_code", "body", "created_at", "expires_at")
_STORE = (
    update(IdempotencyKey)
    .where(IdempotencyKey.subject == bindparam("of_subject"), IdempotencyKey.key == bindparam("of_key"))
    .values(status_code=bindparam("status"), body=bindparam("answer"))
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a keyed request, just made or given once more."""

    body: bytes
    """JSON."""
    status: int
    replayed: bool = False

    def response(self, body: bytes | None = None) -> Response:
        """For the caller; `body` in place of the stored one."""
        headers = {"Idempotent-Replayed": "true"} if self.replayed else None
        return Response(body or self.body, status_code=self.status, media_type="application/json", headers=headers)


@dataclass(frozen=True, slots=True)
class Replay:
    """One keyed request: does its work once and answers every repetition with the first answer."""

    subject: str
    """Who sent it; keys of different callers never meet."""
    key: str
    route: str
    fingerprint: str
    now: datetime
    expires_at: datetime

    def answer(self, session: Session, *, status: int, make: Callable[[], BaseModel]) -> Response:
        """The stored answer, or else what `make` gives, stored in the same transaction as its effects; see `once`."""
        return self.once(session, status=status, make=make).response()

    def once(self, session: Session, *, status: int, make: Callable[[], BaseModel]) -> Answer:
        """As `answer`, for a handler that has something to add after the commit.

        A second request with the same key waits for the first one's commit (the unique key lets only one in). When
        `make` raises, the key goes with the rollback: refusals are not stored. Raises IdempotencyMismatch when the key
        was used for another request, Conflict when the first request takes longer than the database waits.
        """
        if not self._claim(session):
            return self._stored_answer(session)
        body = make().model_dump_json(by_alias=True).encode()
        session.connection().execute(
            _STORE, {"of_subject": self.subject, "of_key": self.key, "status": status, "answer": body}
        )
        return Answer(body, status)

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (IdempotencyKey.subject == self.subject, IdempotencyKey.key == self.key)

    def _claim(self, session: Session) -> bool:
        row = {
            "subject": self.subject,
            "key": self.key,
            "route": self.route,
            "fingerprint": self.fingerprint,
            "status_code": 0,
            "body": b"",
            "created_at": self.now,
            "expires_at": self.expires_at,
        }
        try:
            claimed = session.connection().execute(_claim_statement(session.get_bind().dialect.name), row)
            return claimed.scalar() is not None
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise Conflict("the first request with this key is still running; ask again later") from error
            raise

    def _stored_answer(self, session: Session) -> Answer:
        stored = session.scalars(select(IdempotencyKey).where(*self._mine())).one()
        if stored.fingerprint != self.fingerprint:
            raise IdempotencyMismatch(f"the key {self.key!r} was used for another request")
        return Answer(stored.body, stored.status_code, replayed=True)


async def read_key(
    request: Request,
    identity: IdentityDep,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=128,
            description="A new random value (a UUID) for each thing to be done; the same one for every retry of it",
            examples=["6f1c2d1e-6f0e-4a5b-9d5c-0d6b8f3f9a51"],
        ),
    ],
) -> Replay:
    """The request's key with a fingerprint of what was asked."""
    if identity.actor.user_id is None and len(key) < _ANONYMOUS_KEY_LENGTH:
        # All anonymous callers share one name space: a short key could meet a stranger's and show their answer.
        raise InvalidInput(
            f"without log-in an Idempotency-Key has at least {_ANONYMOUS_KEY_LENGTH} characters: send a UUID",
            field="header.Idempotency-Key",
        )
    shop = shop_of(request)
    now = shop.database.clock.now()
    route = f"{request.method} {request.url.path}"
    return Replay(
        subject=identity.actor.name,
        key=key,
        route=route[:200],
        fingerprint=_fingerprint(route, request.url.query, await request.body()),
        now=now,
        expires_at=now + timedelta(hours=shop.settings.idempotency_hours),
    )


def _fingerprint(route: str, query: str, body: bytes) -> str:
    digest = hashlib.sha256()
    for part in (route.encode(), query.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


Idempotency = Annotated[Replay, Depends(read_key)]


def purge_expired(session: Session, *, now: datetime) -> int:
    """Forget the answers whose time is over; gives how many."""
    result = session.connection().execute(delete(IdempotencyKey).where(IdempotencyKey.expires_at <= now))
    return result.rowcount
