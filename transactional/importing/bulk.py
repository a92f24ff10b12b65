"""Whole frames into the shop's tables, past the ORM but never past the journal: its triggers see every row.

Ids are reserved first, so that rows of several tables can refer to one another before any of them is written. SQLite's
write lock keeps others out meanwhile; on PostgreSQL the tables written to are locked against other writers until the
commit.
"""

from typing import Any, cast

import polars as pl
from sqlalchemy import Boolean, Date, DateTime, Enum, Table, TypeDecorator, func, select, text
from sqlalchemy.orm import Session

from transactional import tables

_SLICE = 50_000
_NULL = "\\N"


class BulkWriter:
    """Writes frames in one session's transaction. Close it with `finish` before the commit."""

    def __init__(self, session: Session) -> None:
        session.flush()
        self._session = session
        self._sqlite = session.get_bind().dialect.name == "sqlite"
        self._next_id: dict[str, int] = {}
        if not self._sqlite:
            # The usual limit protects shoppers from one slow statement; a bulk load is one by intent.
            session.execute(text("SET LOCAL statement_timeout = 0"))

    def reserve(self, table: str, count: int) -> int:
        """The first of `count` consecutive free ids of a table."""
        if table not in self._next_id:
            self._next_id[table] = self._first_free(table)
        first = self._next_id[table]
        self._next_id[table] = first + count
        return first

    def numbered(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with reserved ids in the column `id`, in the order of its rows."""
        first = self.reserve(table, frame.height)
        return frame.with_columns(pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias("id"))

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Write the frame's rows. Columns that it lacks take the mapped table's default, else NULL.

        Times are UTC without zone, enums their text, JSON its text. Raises ValueError for a column that the table does
        not have, or lacks a value for.
        """
        if frame.is_empty():
            return
        mapped = tables.metadata.tables[table]
        if "id" in frame.columns:
            self._skip_to(table, int(frame.select(pl.col("id").max()).item()) + 1)
        else:
            frame = self.numbered(table, frame)
        complete = _complete(mapped, frame)
        if self._sqlite:
            self._insert_sqlite(mapped, complete)
        else:
            self._copy_postgresql(mapped, complete)

    def _skip_to(self, table: str, following: int) -> None:
        """Ids below `following` are given."""
        self._next_id[table] = max(self.reserve(table, 0), following)

    def finish(self) -> None:
        """Let PostgreSQL's sequences continue after the ids given here; SQLite does so by itself."""
        if self._sqlite:
            return
        for table, following in self._next_id.items():
            self._session.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, true)"),
                {"name": table, "last": max(following - 1, 1)},
            )

    def _first_free(self, table: str) -> int:
        mapped = tables.metadata.tables[table]
        if not self._sqlite:
            self._session.execute(text(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE'))
        highest = self._session.scalar(select(func.coalesce(func.max(mapped.c.id), 0))) or 0
        if not self._sqlite:
            # Numbers of rolled back rows are gone: the sequence may be ahead of the table.
            given = self._session.scalar(text("SELECT nextval(pg_get_serial_sequence(:name, 'id'))"), {"name": table})
            highest = max(highest, int(given or 0))
        return int(highest) + 1

    def _connection(self) -> Any:
        return self._session.connection().connection.driver_connection

    def _insert_sqlite(self, table: Table, frame: pl.DataFrame) -> None:
        names = ", ".join(f'"{name}"' for name in frame.columns)
        marks = ", ".join("?" * frame.width)
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608  names of mapped columns
        cursor = self._connection().cursor()
        for part in frame.iter_slices(_SLICE):
            cursor.executemany(statement, _sqlite_values(table, part).iter_rows())
        cursor.close()

    def _copy_postgresql(self, table: Table, frame: pl.DataFrame) -> None:
        names = ", ".join(f'"{name}"' for name in frame.columns)
        statement = f"COPY \"{table.name}\" ({names}) FROM STDIN WITH (FORMAT csv, NULL '{_NULL}')"
        with self._connection().cursor() as cursor, cursor.copy(statement) as copy:
            for part in frame.iter_slices(_SLICE):
                copy.write(_csv(part))


def _complete(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    unknown = set(frame.columns) - {column.name for column in table.columns}
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    absent = [column for column in table.columns if column.name not in frame.columns]
    filled = []
    for column in absent:
        default = cast("Any", column.default)
        if default is not None:
            # The only computed default of the mapped tables is an empty JSON object.
            value = default.arg if default.is_scalar else "{}"
            filled.append(pl.lit(value.value if hasattr(value, "value") else value).alias(column.name))
        elif not column.nullable and column.server_default is None:
            raise ValueError(f"{table.name}.{column.name} needs a value")
    return frame.with_columns(filled)


def _base_type(column_type: Any) -> Any:
    return column_type.impl_instance if isinstance(column_type, TypeDecorator) else column_type


def _sqlite_values(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The text and number forms in which SQLAlchemy stores times, dates and truth values in SQLite."""
    changed = []
    for name in frame.columns:
        kind = _base_type(table.columns[name].type)
        if isinstance(kind, DateTime):
            changed.append(pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f"))
        elif isinstance(kind, Date):
            changed.append(pl.col(name).dt.strftime("%Y-%m-%d"))
        elif isinstance(kind, Boolean) and not isinstance(kind, Enum):
            changed.append(pl.col(name).cast(pl.Int64))
    return frame.with_columns(changed)


def _csv(frame: pl.DataFrame) -> str:
    """Every text quoted, so that an empty one is not NULL; times marked as UTC."""
    times = [
        pl.col(name).dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Datetime)
    ]
    return frame.with_columns(times).write_csv(include_header=False, quote_style="non_numeric", null_value=_NULL)
