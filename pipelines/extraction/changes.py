"""What a run changed, told to whoever builds on it: incremental models replace exactly these rows."""

from collections.abc import Sequence

import duckdb
import pyarrow as pa


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """`raw_ops.changed_keys` (deleted rows included) and `raw_ops.extract_state` (whether everything is new)."""
    connection.execute("CREATE TABLE IF NOT EXISTS raw_ops.changed_keys (table_name VARCHAR, row_id BIGINT)")
    connection.execute('CREATE TABLE IF NOT EXISTS raw_ops.extract_state ("full" BOOLEAN)')


def forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what the run changed that this build was seeded from: its models have taken it in."""
    connection.execute("DELETE FROM raw_ops.changed_keys")
    connection.execute("DELETE FROM raw_ops.extract_state")


def record(connection: duckdb.DuckDBPyConnection, table: str, keys: Sequence[int]) -> None:
    """Rows of a table that were written or deleted."""
    connection.register("touched_keys", pa.table({"id": pa.array(keys, pa.int64())}))
    try:
        connection.execute("INSERT INTO raw_ops.changed_keys SELECT ?, id FROM touched_keys", [table])
    finally:
        connection.unregister("touched_keys")


def record_state(connection: duckdb.DuckDBPyConnection, *, full: bool) -> None:
    """Whether every row has to be taken as changed: some table was copied whole."""
    connection.execute("INSERT INTO raw_ops.extract_state VALUES (?)", [full])


def take_everything_as_changed(connection: duckdb.DuckDBPyConnection) -> None:
    """Say so although extraction read changes only: models are made anew, and the audit has to look at every row."""
    connection.execute("DELETE FROM raw_ops.extract_state")
    record_state(connection, full=True)
