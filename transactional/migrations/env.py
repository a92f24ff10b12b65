"""Alembic's environment: one linear history that runs on SQLite (batch mode) and PostgreSQL."""

from alembic import context
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from transactional import tables
from transactional.core.journal import install_triggers


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    # The triggers are those of the mapped tables: half-way through the history these may not be there yet.
    if context.get_context().get_current_revision() == ScriptDirectory.from_config(context.config).get_current_head():
        install_triggers(connection)


def _migrate_sqlite(engine: Engine) -> None:
    """SQLite changes a table by building it anew; meanwhile references into it would be refused, so they wait.

    They are checked before the commit. The pragma works outside of a transaction only, hence the driver's connection.
    """
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                _migrate(connection)
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                if broken:
                    raise RuntimeError(
                        f"the migration leaves {len(broken)} dangling references, the first: {broken[0]}"
                    )
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


engine: Engine = context.config.attributes["engine"]
if engine.dialect.name == "sqlite":
    _migrate_sqlite(engine)
else:
    with engine.begin() as connection:
        _migrate(connection)
