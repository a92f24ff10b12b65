"""One consistent view of the shop: everything a run reads is read in it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contracts import Column, ColumnType, Table
from pipelines.errors import ContractBroken
from pipelines.extraction.cursor import Cursor

Keys = Mapping[str, list[int]]
"""The ids that changed, ascending, by table."""

KEYS_PER_QUERY = 5_000


class Snapshot(ABC):
    """A read-only transaction on the shop's database through ADBC; rows come as Arrow in the contract's schema."""

    dialect: str

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    # --- what differs between the databases ---

    @abstractmethod
    def source_id(self) -> str:
        """What tells this shop's database from another one; empty where it cannot be known yet."""

    @abstractmethod
    def cursor(self, own_feeds: tuple[str, ...]) -> Cursor:
        """The cursor that a run which read this snapshot may store."""

    @abstractmethod
    def check(self, cursor: Cursor) -> None:
        """Raise `FullCopyRequired` where the journal no longer reaches back to `cursor`, or never knew it."""

    @abstractmethod
    def changed_keys(self, cursor: Cursor) -> Keys:
        """Every row that the journal touched since `cursor`."""

    @abstractmethod
    def read_all(self, table: Table) -> Iterator[pa.Table]:
        """The whole table, in chunks."""

    @abstractmethod
    def read_since(self, table: Table, position: int) -> Iterator[pa.Table]:
        """The rows of a table that is its own feed since a position; some may have been read before."""

    @abstractmethod
    def selected(self, table: Table, column: Column) -> str:
        """The SQL expression that reads a column."""

    # --- what they share ---

    def read_keys(self, table: Table, keys: list[int]) -> Iterator[pa.Table]:
        """The rows of these ids that still exist."""
        for part in parts(keys):
            yield self.conform(table, self.query(f"{self.select(table)} WHERE id IN ({id_list(part)})"))

    def select(self, table: Table) -> str:
        """`SELECT … FROM` with exactly the contract's columns."""
        columns = ", ".join(f'{self.selected(table, column)} AS "{column.name}"' for column in table.columns)
        return f'SELECT {columns} FROM "{table.name}"'  # noqa: S608 - names come from the contracts

    def statement(self) -> Any:
        """A fresh ADBC cursor."""
        return self._connection.cursor()

    def query(self, sql: str) -> pa.Table:
        """The result of a query, whole. Raises `ContractBroken` where the shop has no such table or column."""
        with self._executed(sql) as cursor:
            return cursor.fetch_arrow_table()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result of a query as it streams in."""
        with self._executed(sql) as cursor:
            yield from cursor.fetch_record_batch()

    @contextmanager
    def _executed(self, sql: str) -> Iterator[Any]:
        cursor = self.statement()
        try:
            cursor.execute(sql)
            yield cursor
        except self._connection.Error as error:
            raise ContractBroken(f"the shop's database refused a read: {error}") from error
        finally:
            cursor.close()

    def row(self, sql: str) -> dict[str, Any]:
        """The first row of a query."""
        return dict(self.query(sql).slice(0, 1).to_pylist()[0])

    def conform(self, table: Table, chunk: pa.Table) -> pa.Table:
        """Cast a chunk to the contract's Arrow schema, whatever the driver guessed from it.

        Raises `ContractBroken` with table and column where a value does not fit.
        """
        arrays = []
        for column, field in zip(table.columns, table.arrow_schema, strict=True):
            values = chunk.column(column.name)
            try:
                arrays.append(_cast(values, column, field.type))
            except pa.ArrowInvalid as error:
                raise ContractBroken(f"raw.{table.name}.{column.name} is {column.type} by contract: {error}") from error
        return pa.table(arrays, schema=table.arrow_schema)


def _cast(values: pa.ChunkedArray, column: Column, wanted: pa.DataType) -> pa.ChunkedArray:
    if values.type == wanted:
        return values
    if values.null_count == len(values):
        # A chunk without a value has no type worth asking: drivers call it int64.
        return pa.chunked_array([pa.nulls(len(values), wanted)])
    if column.type is ColumnType.DATE and pa.types.is_string(values.type):
        return pc.cast(pc.cast(values, pa.timestamp("s")), wanted)
    return pc.cast(values, wanted)


def parts(keys: list[int]) -> Iterator[list[int]]:
    """Keys in parts that fit into one statement."""
    for start in range(0, len(keys), KEYS_PER_QUERY):
        yield keys[start : start + KEYS_PER_QUERY]


def id_list(keys: list[int]) -> str:
    """Integers as an SQL list; `int` refuses anything else."""
    return ", ".join(str(int(key)) for key in keys)


def by_table(changes: pa.Table) -> Keys:
    """`(table_name, row_id)` pairs, distinct, as ascending ids by table."""
    if changes.num_rows == 0:
        return {}
    grouped = changes.group_by("table_name").aggregate([("row_id", "distinct")])
    names = grouped.column("table_name").to_pylist()
    return {name: sorted(ids) for name, ids in zip(names, grouped.column("row_id_distinct").to_pylist(), strict=True)}
