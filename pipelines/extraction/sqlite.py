"""Reading a shop on SQLite.

SQLite has one writer and the journal's `AUTOINCREMENT` id is given under its lock, so id order is commit order and
the last id is a cursor. The driver guesses each column's type from the first batch of a result: results are therefore
read in key chunks of one batch each and cast to the contract.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa

from pipelines.contracts import Column, Table
from pipelines.errors import FullCopyRequired, ShopUnreachable
from pipelines.extraction.cursor import JOURNAL, Cursor
from pipelines.extraction.snapshot import Keys, Snapshot, by_table

CHUNK_ROWS = 65_536
_BATCH_OPTION = {"adbc.sqlite.query.batch_rows": str(CHUNK_ROWS)}


@contextmanager
def open_sqlite(path: Path) -> Iterator["SqliteSnapshot"]:
    """A snapshot of the shop's file, read-only; writers go on meanwhile (WAL). Raises `ShopUnreachable`."""
    if not path.is_file():
        raise ShopUnreachable(f"there is no shop database at {path}; create one by importing or simulating a history.")
    connection = adbc.connect(f"file:{quote(str(path))}?mode=ro", autocommit=False)
    try:
        snapshot = SqliteSnapshot(connection)
        snapshot.open()
        yield snapshot
    finally:
        connection.close()


class SqliteSnapshot(Snapshot):
    """One read transaction on a SQLite file."""

    dialect = "sqlite"

    def open(self) -> None:
        """Begin: SQLite takes its snapshot at the first read. Raises `ShopUnreachable` where no journal is."""
        present = self.row("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'journal'")
        if not present["n"]:
            raise ShopUnreachable("the database has no journal: it is no shop, or its migrations never ran.")

    def source_id(self) -> str:
        """The moment that the shop was founded: SQLite has no identity of its own."""
        founded = self.query("SELECT created_at FROM shop_profile WHERE id = 1").column(0).to_pylist()
        return str(founded[0]) if founded else ""

    def cursor(self, own_feeds: tuple[str, ...]) -> Cursor:
        """The highest id ever given in each feed."""
        positions = {feed: self._last_id(feed) for feed in (JOURNAL, *own_feeds)}
        oldest = self.row("SELECT min(seq) AS seq FROM journal")["seq"]
        return Cursor(self.dialect, self.source_id(), positions, oldest)

    def check(self, cursor: Cursor) -> None:
        """The journal must still hold the row after the cursor, and must have given the cursor's number."""
        position, last = cursor.positions[JOURNAL], self._last_id(JOURNAL)
        if position > last:
            raise FullCopyRequired(
                f"The warehouse has read the journal up to {position}, but this shop's ends at {last}:"
                " it is another shop or an older copy."
            )
        oldest = self.row("SELECT min(seq) AS seq FROM journal")["seq"]
        if position < last and (oldest is None or oldest > position + 1):
            raise FullCopyRequired(f"The journal was pruned beyond {position}, where the warehouse stands.")

    def changed_keys(self, cursor: Cursor) -> Keys:
        """The ids of the journal's rows after the cursor."""
        position = cursor.positions[JOURNAL]
        return by_table(self.query(f"SELECT DISTINCT table_name, row_id FROM journal WHERE seq > {position:d}"))  # noqa: S608 - an integer

    def read_all(self, table: Table) -> Iterator[pa.Table]:
        """The whole table in chunks of ascending ids."""
        return self.read_since(table, -(2**63))

    def read_since(self, table: Table, position: int) -> Iterator[pa.Table]:
        """The rows with a higher id than `position`."""
        while True:
            chunk = self.query(f"{self.select(table)} WHERE id > {position:d} ORDER BY id LIMIT {CHUNK_ROWS}")
            if chunk.num_rows == 0:
                return
            position = chunk.column("id")[-1].as_py()
            yield self.conform(table, chunk)

    def selected(self, table: Table, column: Column) -> str:
        """Text and integers are cast on our side. Qualified: SQLite takes an unknown quoted name for a text."""
        return f'"{table.name}"."{column.name}"'

    def statement(self) -> Any:
        """As the base class, with batches as large as the chunks: the driver guesses types from the first batch."""
        cursor = super().statement()
        cursor.adbc_statement.set_options(**_BATCH_OPTION)
        return cursor

    def _last_id(self, feed: str) -> int:
        column = "seq" if feed == JOURNAL else "id"
        given = self.query(f"SELECT seq FROM sqlite_sequence WHERE name = '{feed}'").column(0).to_pylist()  # noqa: S608 - our own table names
        highest = self.row(f'SELECT max("{column}") AS last FROM "{feed}"')["last"]  # noqa: S608
        return max(given[0] if given else 0, highest or 0)
