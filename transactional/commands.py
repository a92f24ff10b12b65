"""What every command of `python -m transactional` stands on."""

import sys

from sqlalchemy import Engine

from transactional.core.db import make_engine
from transactional.core.profile import ensure_profile
from transactional.core.uow import Database
from transactional.schema import migrate, pending_revision
from transactional.settings import get_settings


def say(line: str) -> None:
    """One line for whoever typed the command; logs go elsewhere."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class CommandError(Exception):
    """Bad input to a command: the message is printed and the command ends with exit code 2."""


def open_engine() -> Engine:
    """The database of the settings at the present schema.

    A SQLite file is brought there by itself: it is this installation's own. A server is shared, so whoever runs it
    decides when it is migrated; CommandError tells how.
    """
    engine = make_engine(get_settings().database_url)
    if engine.dialect.name == "sqlite":
        migrate(engine)
    elif pending_revision(engine) is not None:
        raise CommandError("the database is not at the present schema; run: python -m transactional migrate")
    return engine


def open_database() -> Database:
    """The shop of the settings, ready to trade: at the present schema and founded."""
    database = Database(open_engine())
    settings = get_settings()
    database.run(lambda session: ensure_profile(session, settings, now=database.clock.now()), actor="command-line")
    return database
