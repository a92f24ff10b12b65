"""Alembic's environment: one linear history that runs on SQLite (batch mode) and PostgreSQL."""

from alembic import context
from sqlalchemy import Connection, Engine

from transactional import tables
from transactional.core.journal import install_triggers


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=sqlite,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.has_table(connection, "journal"):
        install_triggers(connection)


engine: Engine = context.config.attributes["engine"]
with engine.begin() as connection:
    _run(connection)
