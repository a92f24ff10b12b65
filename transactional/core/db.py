"""Engine, declarative base and sessions for SQLite (default) and PostgreSQL."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import StaticPool

NAMING_CONVENTION: Mapping[str, str] = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

POOL_SIZE = 24
"""Connections that stay open; half as many again may come and go."""
_RESTED_SECONDS = 5.0
"""A connection that lay unused for longer is asked whether it still lives before it is given out."""


class Base(DeclarativeBase):
    """The declarative base of every domain; constraint names are explicit so that migrations can find them."""

    metadata = MetaData(naming_convention=dict(NAMING_CONVENTION))


def make_engine(database_url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """Open an engine with the settings that make both databases behave alike.

    SQLite: WAL, foreign keys on, five seconds of patience for the write lock. PostgreSQL: bounded lock and
    statement times, READ COMMITTED. `postgresql://` is read as psycopg 3.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(database_url, pool_size)
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size // 2,
        connect_args={"connect_timeout": 10, "options": "-c lock_timeout=10s -c statement_timeout=60s -c timezone=UTC"},
    )
    _ping_rested_connections(engine)
    return engine


def _ping_rested_connections(engine: Engine) -> None:
    """Replace connections that died while nobody used them. A busy one is not asked: that would cost every request a
    round trip, and what fails half-way is lost with or without the question.
    """

    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: Any, record: Any, _fairy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", time.monotonic()) < _RESTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another one

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


def _sqlite_engine(database_url: str, pool_size: int) -> Engine:
    path = make_url(database_url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    in_memory = not path or path == ":memory:"
    pool: dict[str, Any] = (
        {"poolclass": StaticPool} if in_memory else {"pool_size": pool_size, "max_overflow": pool_size // 2}
    )
    engine = create_engine(database_url, connect_args={"timeout": 5.0, "check_same_thread": False}, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would begin too late; BEGIN is ours (see `_begin_sqlite`).
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "busy_timeout=5000",
        "synchronous=NORMAL",
        "recursive_triggers=OFF",
        # The journal's triggers give every statement a rollback journal of its own; in memory it costs no system calls.
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    """Take the write lock at once for writing sessions: an upgrade half-way would fail with "database is locked"."""
    read_only = connection.get_execution_options().get("mlt_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def insert_into(session: Session, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows `ON CONFLICT` in the session's dialect. Ask RETURNING whether a row was new, not the count:
    PostgreSQL's driver gives none where the database makes the key.
    """
    return sqlite.insert(model) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(model)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Statements of this block travel to PostgreSQL in one round trip; none may be asked for rows or counts.

    Give them to `session.connection()`; an INSERT is `.inline()`, or it would be asked for its key. Their errors are
    raised at the end of the block. SQLite, which knows no round trips, does them one by one.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    dbapi = connection.dialect.loaded_dbapi
    assert driver is not None
    try:
        with driver.pipeline():
            yield
    except dbapi.Error as error:
        raise DBAPIError.instance(None, None, error, dbapi.Error, dialect=connection.dialect) from error


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that write. `expire_on_commit=False`: what was read stays readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False, autoflush=True)


def read_session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that only read; on SQLite they never take the write lock."""
    return sessionmaker(engine.execution_options(mlt_read_only=True), expire_on_commit=False, autoflush=False)
