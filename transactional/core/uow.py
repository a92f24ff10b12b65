"""One unit of work a request or job: committed once, before the answer leaves; rolled back on any exception."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from transactional.core.clock import Clock, SystemClock
from transactional.core.db import read_session_factory, session_factory
from transactional.core.journal import WriteContext, clear_context, set_context

T = TypeVar("T")

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's SQLSTATE when `lock_timeout` is over."""
_RETRYABLE_SQLSTATES = {"40001", "40P01"}
_ATTEMPTS = 3


class Database:
    """The shop's database as its users see it: units of work that write, sessions that read."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock: Clock = clock or SystemClock()
        self._write: sessionmaker[Session] = session_factory(engine)
        self._read: sessionmaker[Session] = read_session_factory(engine)

    @contextmanager
    def unit_of_work(self, *, actor: str, request_id: str | None = None) -> Iterator[Session]:
        """A writing session; commits when the block ends well, rolls back when it raises."""
        with self._write() as session:
            try:
                set_context(session, WriteContext(actor=actor, request_id=request_id, now=self.clock.now()))
                yield session
                session.flush()
                clear_context(session)
                session.commit()
            except BaseException:
                session.rollback()
                raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A reading session: one snapshot on SQLite, never committed."""
        with self._read() as session:
            yield session

    def run(self, work: Callable[[Session], T], *, actor: str, request_id: str | None = None) -> T:
        """Do `work` in a unit of work; repeated as a whole, up to three times, when the database asks for it.

        Only for work that calls nothing outside of the database.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.unit_of_work(actor=actor, request_id=request_id) as session:
                    return work(session)
            except DBAPIError as error:
                if attempt == _ATTEMPTS or not is_retryable(error):
                    raise
                # Jitter keeps two losers from meeting again.
                threading.Event().wait(random.uniform(0.01, 0.05) * attempt)  # noqa: S311
        raise AssertionError("unreachable: the last attempt returns or raises")


def is_retryable(error: DBAPIError) -> bool:
    """Whether the database only asks to try the transaction again: deadlock, serialisation failure, busy."""
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate in _RETRYABLE_SQLSTATES:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)
