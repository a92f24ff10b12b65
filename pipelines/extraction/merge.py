"""Writing rows into `raw`. Nothing here begins or commits a transaction: the caller's makes it one with the cursor."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from pipelines.contracts import Table


def has_shape(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Whether `raw` holds this table with exactly the contract's columns and types, in order."""
    present = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database()"
        " AND schema_name = 'raw' AND table_name = ? ORDER BY column_index",
        [table.name],
    ).fetchall()
    return present == [(column.name, column.sql_type) for column in table.columns]


def replace(connection: duckdb.DuckDBPyConnection, table: Table, chunks: Iterable[pa.Table]) -> int:
    """Make `raw.<table>` consist of exactly these rows; returns their number."""
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table.columns)
    connection.execute(f'CREATE OR REPLACE TABLE raw."{table.name}" ({columns})')
    return append(connection, table, chunks)


def append(connection: duckdb.DuckDBPyConnection, table: Table, chunks: Iterable[pa.Table]) -> int:
    """Add these rows, whose ids must not be there; returns their number."""
    return sum(_insert(connection, table, chunk) for chunk in chunks)


def delete(connection: duckdb.DuckDBPyConnection, table: Table, keys: pa.ChunkedArray | pa.Array) -> None:
    """Remove these ids, where they are there."""
    connection.register("doomed", pa.table({"id": keys}))
    try:
        connection.execute(
            f'DELETE FROM raw."{table.name}" WHERE id IN (SELECT id FROM doomed)'  # noqa: S608 - a contract's name
        )
    finally:
        connection.unregister("doomed")


def drop_strangers(connection: duckdb.DuckDBPyConnection, known: Iterable[str]) -> None:
    """Drop tables of `raw` that no contract names any more."""
    present = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'raw'"
    ).fetchall()
    for (name,) in present:
        if name not in set(known):
            connection.execute(f'DROP TABLE raw."{name}"')


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, chunk: pa.Table) -> int:
    connection.register("chunk", chunk)
    try:
        connection.execute(f'INSERT INTO raw."{table.name}" SELECT * FROM chunk')  # noqa: S608 - a contract's name
    finally:
        connection.unregister("chunk")
    return int(chunk.num_rows)
