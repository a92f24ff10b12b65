"""Reading a shop on PostgreSQL.

Sequences and timestamps are given when a row is written and become visible when its transaction commits, so neither
is a cursor: a transaction that began early and commits late would be passed over for ever. The cursor is the
transaction horizon. Each run reads, in one REPEATABLE READ snapshot, all visible journal rows whose transaction id is
at or above the last run's horizon (the oldest transaction that was still open then), without an upper bound. What is
seen twice merges to the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from pipelines.contracts import Column, ColumnType, Table
from pipelines.errors import FullCopyRequired, ShopUnreachable
from pipelines.extraction.cursor import JOURNAL, Cursor
from pipelines.extraction.snapshot import Keys, Snapshot, by_table


@contextmanager
def open_postgres(url: str) -> Iterator["PostgresSnapshot"]:
    """A snapshot of the shop's database, read-only; it blocks no writer. Raises `ShopUnreachable`."""
    try:
        connection = adbc.connect(url, autocommit=False)
    except adbc.Error as error:
        raise ShopUnreachable(f"the shop's PostgreSQL server does not answer: {error}") from error
    try:
        snapshot = PostgresSnapshot(connection)
        snapshot.open()
        yield snapshot
    finally:
        connection.close()


class PostgresSnapshot(Snapshot):
    """One REPEATABLE READ, READ ONLY transaction."""

    dialect = "postgresql"

    def open(self) -> None:
        """Begin; the first query takes the snapshot. Raises `ShopUnreachable` where no journal is."""
        cursor = self.statement()
        try:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        finally:
            cursor.close()
        if self.row("SELECT to_regclass('journal')::text AS name")["name"] is None:
            raise ShopUnreachable("the database has no journal: it is no shop, or its migrations never ran.")

    def source_id(self) -> str:
        """The cluster's own identifier and the database's in it: transaction ids mean nothing elsewhere."""
        row = self.row(
            "SELECT system_identifier::text || ':' || (SELECT oid::text FROM pg_database"
            " WHERE datname = current_database()) AS id FROM pg_control_system()"
        )
        return str(row["id"])

    def cursor(self, own_feeds: tuple[str, ...]) -> Cursor:
        """The oldest transaction that is still open: everything below it is decided and visible."""
        horizon = int(self.row("SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin")["xmin"])
        oldest = self.row("SELECT min(txid) AS txid FROM journal")["txid"]
        return Cursor(self.dialect, self.source_id(), dict.fromkeys((JOURNAL, *own_feeds), horizon), oldest)

    def check(self, cursor: Cursor) -> None:
        """The horizon must lie in this cluster's past, and no journal row from it on may be pruned."""
        horizon = cursor.positions[JOURNAL]
        upcoming = int(self.row("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xmax")["xmax"])
        if horizon > upcoming:
            raise FullCopyRequired(
                f"The warehouse stands at transaction {horizon}, but this cluster has only reached {upcoming}:"
                " the shop was moved or restored."
            )
        oldest = self.row("SELECT min(txid) AS txid FROM journal")["txid"]
        reached_back = cursor.oldest_seen is not None and cursor.oldest_seen < horizon
        if reached_back and (oldest is None or oldest > horizon):
            raise FullCopyRequired(f"The journal was pruned beyond transaction {horizon}, where the warehouse stands.")

    def changed_keys(self, cursor: Cursor) -> Keys:
        """The ids of all visible journal rows from the horizon on.

        An upper bound would lose nothing either, but `raw` would contradict itself: the full row of an order, read
        now, already carries the total of a later transaction whose new line lies outside of the window.
        """
        horizon = cursor.positions[JOURNAL]
        return by_table(self.query(f"SELECT DISTINCT table_name, row_id FROM journal WHERE txid >= {horizon:d}"))  # noqa: S608 - an integer

    def read_all(self, table: Table) -> Iterator[pa.Table]:
        """The whole table, streamed in the driver's batches."""
        return self._stream(table, self.select(table))

    def read_since(self, table: Table, position: int) -> Iterator[pa.Table]:
        """The rows of transactions from the horizon on."""
        return self._stream(table, f"{self.select(table)} WHERE txid >= {position:d}")

    def selected(self, table: Table, column: Column) -> str:  # noqa: ARG002 - one table a query
        """Times in UTC without zone, JSON as its text."""
        if column.type is ColumnType.TIMESTAMP:
            return f"\"{column.name}\" AT TIME ZONE 'UTC'"
        if column.type is ColumnType.JSON:
            return f'"{column.name}"::text'
        return f'"{column.name}"'

    def _stream(self, table: Table, sql: str) -> Iterator[pa.Table]:
        for batch in self.batches(sql):
            yield self.conform(table, pa.Table.from_batches([batch]))
