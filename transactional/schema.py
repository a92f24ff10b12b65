"""Bringing a database to the present schema: migrations, the journal's triggers, the shop's own row."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(engine: Engine) -> Config:
    """Alembic's configuration for this engine; no file of settings besides the migrations."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision; at head the journal's triggers are generated anew from the mapped tables."""
    command.upgrade(alembic_config(engine), revision)
