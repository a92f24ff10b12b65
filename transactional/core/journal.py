"""The journal: one append-only table that triggers fill, in the transaction of the change itself.

It is the audit log's source and the change feed of the warehouse. Triggers are generated from the mapped tables, so
bulk SQL is caught as well as the ORM's. A table opts out with `info={"journal": False}` and hides columns with
`info={"journal_redact": (…)}`. On PostgreSQL each row carries its transaction id, because sequences and timestamps are
given at write time and become visible at commit; on SQLite the write lock makes `seq` order commit order.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, Connection, FetchedValue, Index, String, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler

from transactional.core.db import Base, together
from transactional.core.types import BigInt, IntPk, Json, UtcDateTime

PG_TRANSACTION_ID = "(pg_current_xact_id()::text)::bigint"

TransactionId = Annotated[int, mapped_column(BigInteger, server_default=FetchedValue(), info={"transaction_id": True})]
"""The writing transaction's id (PostgreSQL; 0 on SQLite, where it is not needed)."""


@compiles(CreateColumn, "sqlite")
def _transaction_id_sqlite(element: CreateColumn, compiler: DDLCompiler, **kw: object) -> str:
    return _with_default(element, compiler, "0", **kw)


@compiles(CreateColumn, "postgresql")
def _transaction_id_postgresql(element: CreateColumn, compiler: DDLCompiler, **kw: object) -> str:
    return _with_default(element, compiler, PG_TRANSACTION_ID, **kw)


def _with_default(element: CreateColumn, compiler: DDLCompiler, default: str, **kw: object) -> str:
    column = compiler.visit_create_column(element, **kw)  # type: ignore[no-untyped-call]
    if element.element.info.get("transaction_id") and column:
        column = column.replace(" NOT NULL", f" DEFAULT {default} NOT NULL")
    return str(column) if column is not None else ""


class JournalEntry(Base):
    """One row change."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_txid", "txid"),
        Index("ix_journal_table_name_row_id", "table_name", "row_id"),
        {"info": {"journal": False}, "sqlite_autoincrement": True},
    )

    seq: Mapped[IntPk]
    txid: Mapped[TransactionId]
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """The shop's clock where the writer gave it, else the database's."""
    actor: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    table_name: Mapped[str] = mapped_column(String(63))
    row_id: Mapped[int] = mapped_column(BigInt)
    operation: Mapped[str] = mapped_column(String(1))
    """I, U or D."""
    changes: Mapped[Json | None]
    """U: {column: [old, new]} of the changed columns. D: the row as it was. I: nothing, the row is there."""


class JournalContext(Base):
    """Who is writing (SQLite only): one row, set and cleared inside each writing transaction."""

    __tablename__ = "journal_context"
    __table_args__ = {"info": {"journal": False}}

    id: Mapped[IntPk]
    actor: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    occurred_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


_SQLITE_CONTEXT = "UPDATE journal_context SET actor = ?, request_id = ?, occurred_at = ? WHERE id = 1"


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Who writes, for which request, at what time by the shop's clock."""

    actor: str
    request_id: str | None
    now: datetime


def journaled_tables() -> list[Table]:
    """Every mapped table whose changes the journal records, by name."""
    tables = (t for t in Base.metadata.sorted_tables if t.info.get("journal", True))
    return sorted(tables, key=lambda table: table.name)


def set_context(session: Session, context: WriteContext) -> None:
    """Tell the triggers of this transaction who is writing. Call it once, first, in every writing transaction."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        stamp = context.now.strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.exec_driver_sql(_SQLITE_CONTEXT, (context.actor, context.request_id, stamp))
        return
    with together(session):  # the driver's BEGIN travels along
        connection.exec_driver_sql(
            "SELECT set_config('mlt.actor', %s, true), set_config('mlt.request', %s, true),"
            " set_config('mlt.now', %s, true)",
            (context.actor, context.request_id or "", context.now.isoformat()),
        )


def clear_context(session: Session) -> None:
    """Forget the writer before the commit (SQLite), so that a later raw statement is not put in their name."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_SQLITE_CONTEXT, (None, None, None))


def install_triggers(connection: Connection) -> None:
    """(Re)create the journal's triggers for every journaled table; safe to repeat, run after each migration."""
    if connection.dialect.name == "sqlite":
        _install_sqlite(connection)
    else:
        _install_postgresql(connection)


def _visible_columns(table: Table) -> list[str]:
    hidden = set(table.info.get("journal_redact", ()))
    return [column.name for column in table.columns if column.name not in hidden]


# --- SQLite ---------------------------------------------------------------------------------------------------------

_SQLITE_HEAD = (
    "INSERT INTO journal (txid, occurred_at, actor, request_id, table_name, row_id, operation, changes)"
    " SELECT 0, coalesce(c.occurred_at, strftime('%Y-%m-%d %H:%M:%f000', 'now')), c.actor, c.request_id,"
)
_SQLITE_TAIL = " FROM (SELECT 1) LEFT JOIN journal_context AS c ON c.id = 1"


def _install_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("INSERT OR IGNORE INTO journal_context (id) VALUES (1)")
    for table in journaled_tables():
        for operation, event in (("I", "INSERT"), ("U", "UPDATE"), ("D", "DELETE")):
            name = f"journal_{table.name}_{operation.lower()}"
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(_sqlite_trigger(name, table, operation, event))
    connection.exec_driver_sql("DROP TRIGGER IF EXISTS journal_append_only_u")
    connection.exec_driver_sql(
        "CREATE TRIGGER journal_append_only_u BEFORE UPDATE ON journal"
        " BEGIN SELECT raise(ABORT, 'the journal is append-only'); END"
    )


def _sqlite_trigger(name: str, table: Table, operation: str, event: str) -> str:
    columns = _visible_columns(table)
    row = "OLD" if operation == "D" else "NEW"
    if operation == "I":
        changes = "NULL"
    elif operation == "D":
        pairs = ", ".join(f"'{c}', OLD.\"{c}\"" for c in columns)
        changes = f"json_object({pairs})"
    else:
        compared = " UNION ALL ".join(f'SELECT \'{c}\' AS k, OLD."{c}" AS o, NEW."{c}" AS n' for c in columns)
        changes = f"(SELECT json_group_object(k, json_array(o, n)) FROM ({compared}) WHERE o IS NOT n)"  # noqa: S608
    return (
        f'CREATE TRIGGER {name} AFTER {event} ON "{table.name}" FOR EACH ROW BEGIN '
        f"{_SQLITE_HEAD} '{table.name}', {row}.id, '{operation}', {changes}{_SQLITE_TAIL}; END"
    )


# --- PostgreSQL -----------------------------------------------------------------------------------------------------

_PG_FUNCTION = """
CREATE OR REPLACE FUNCTION journal_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hidden text[] := TG_ARGV[0]::text[];
    was jsonb;
    becomes jsonb;
    diff jsonb;
    key bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        key := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        key := OLD.id;
        diff := to_jsonb(OLD) - hidden;
    ELSE
        key := NEW.id;
        was := to_jsonb(OLD) - hidden;
        becomes := to_jsonb(NEW) - hidden;
        SELECT coalesce(jsonb_object_agg(b.key, jsonb_build_array(was -> b.key, b.value)), '{}'::jsonb)
            INTO diff FROM jsonb_each(becomes) AS b WHERE b.value IS DISTINCT FROM was -> b.key;
    END IF;
    INSERT INTO journal (occurred_at, actor, request_id, table_name, row_id, operation, changes)
    VALUES (
        coalesce(nullif(current_setting('mlt.now', true), '')::timestamptz, clock_timestamp()),
        nullif(current_setting('mlt.actor', true), ''),
        nullif(current_setting('mlt.request', true), ''),
        TG_TABLE_NAME, key, left(TG_OP, 1), diff
    );
    RETURN NULL;
END $$
"""

_PG_REFUSE = """
CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_OP || ' is not allowed on ' || TG_TABLE_NAME || ': the journal would miss it';
END $$
"""


def _install_postgresql(connection: Connection) -> None:
    connection.exec_driver_sql(_PG_FUNCTION)
    connection.exec_driver_sql(_PG_REFUSE)
    for table in journaled_tables():
        hidden = "{" + ",".join(table.info.get("journal_redact", ())) + "}"
        name = f"journal_{table.name}"
        connection.exec_driver_sql(
            f'CREATE OR REPLACE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE ON "{table.name}"'
            f" FOR EACH ROW EXECUTE FUNCTION journal_row_change('{hidden}')"
        )
        # TRUNCATE fires no row trigger: refused, rather than unseen.
        connection.exec_driver_sql(
            f'CREATE OR REPLACE TRIGGER {name}_truncate BEFORE TRUNCATE ON "{table.name}"'
            " FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()"
        )
    connection.exec_driver_sql(
        "CREATE OR REPLACE TRIGGER journal_append_only BEFORE UPDATE ON journal"
        " FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()"
    )
