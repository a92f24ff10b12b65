"""Bringing a database to the present schema: migrations, the journal's triggers, the seeded roles and tariff."""

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from transactional.core.uow import Database
from transactional.shipping.service import seed_tariff
from transactional.staff.service import seed_roles

_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(engine: Engine) -> Config:
    """Alembic's configuration for this engine; no file of settings besides the migrations."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision; at head the journal's triggers are generated anew, roles and tariff seeded."""
    command.upgrade(alembic_config(engine), revision)
    if pending_revision(engine) is None:
        database = Database(engine)
        database.run(seed_roles, actor="migration")
        database.run(seed_tariff, actor="migration")


def pending_revision(engine: Engine) -> str | None:
    """The revision that this code needs, when the database is not there; None when it is."""
    head = _head()
    with engine.execution_options(mlt_read_only=True).connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return None if current == head else head


@lru_cache(maxsize=1)
def _head() -> str:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None
    return head
