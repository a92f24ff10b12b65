"""How far extraction has come. The cursor lies in the build file and moves in the transaction that merges the rows.

So a build that is thrown away takes its cursor with it, and the next run reads again what that build had read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next run starts.

    `positions` holds one position a feed: the journal's, and one for every table that is its own feed. On PostgreSQL
    a position is a transaction horizon (`xid8`), on SQLite the last id read. `oldest_seen` is the oldest journal
    position that was visible, by which a pruned journal is told from a quiet one.
    """

    dialect: str
    source_id: str
    positions: Mapping[str, int]
    oldest_seen: int | None


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """The build's own book-keeping, in the schema `raw_ops`."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw_ops")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS raw_ops.extraction_cursor (feed VARCHAR, position BIGINT, dialect VARCHAR,"
        " source_id VARCHAR, oldest_seen BIGINT, extracted_at TIMESTAMP)"
    )


def read(connection: duckdb.DuckDBPyConnection) -> Cursor | None:
    """The cursor of this build; None where nothing was ever extracted into it."""
    rows = connection.execute(
        "SELECT feed, position, dialect, source_id, oldest_seen FROM raw_ops.extraction_cursor ORDER BY feed"
    ).fetchall()
    if not rows:
        return None
    _, _, dialect, source_id, oldest_seen = rows[0]
    return Cursor(
        dialect=dialect, source_id=source_id, positions={row[0]: row[1] for row in rows}, oldest_seen=oldest_seen
    )


def write(connection: duckdb.DuckDBPyConnection, cursor: Cursor, *, now: datetime) -> None:
    """Replace the cursor; the caller's transaction makes it one with the rows."""
    connection.execute("DELETE FROM raw_ops.extraction_cursor")
    for feed, position in cursor.positions.items():
        connection.execute(
            "INSERT INTO raw_ops.extraction_cursor VALUES (?, ?, ?, ?, ?, ?)",
            [feed, position, cursor.dialect, cursor.source_id, cursor.oldest_seen, now.replace(tzinfo=None)],
        )
