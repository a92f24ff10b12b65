"""`raw_ml`: what the champion models say about customers, put into a build before the marts that read it."""

from collections.abc import Mapping
from datetime import datetime

import duckdb
import polars as pl

VALUE = "customer_value_predictions"
CHURN = "customer_churn_predictions"
METRICS = "model_metrics"

COLUMNS: Mapping[str, Mapping[str, str]] = {
    VALUE: {
        "customer_id": "BIGINT",
        "probability_alive": "DOUBLE",
        "expected_orders_90d": "DOUBLE",
        "expected_orders_365d": "DOUBLE",
        "expected_order_value": "DOUBLE",
        "predicted_value_365d": "DOUBLE",
        "value_low": "DOUBLE",
        "value_high": "DOUBLE",
        "model_version": "VARCHAR",
        "scored_at": "TIMESTAMP",
    },
    CHURN: {
        "customer_id": "BIGINT",
        "churn_probability": "DOUBLE",
        "main_reasons": "VARCHAR",
        "model_version": "VARCHAR",
        "scored_at": "TIMESTAMP",
    },
    METRICS: {
        "model": "VARCHAR",
        "version": "VARCHAR",
        "metric": "VARCHAR",
        "slice": "VARCHAR",
        "value": "DOUBLE",
        "low": "DOUBLE",
        "high": "DOUBLE",
        "n": "BIGINT",
        "trained_at": "TIMESTAMP",
        "data_through": "TIMESTAMP",
        "is_champion": "BOOLEAN",
    },
}


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables exist, empty, while there is no model."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw_ml")
    for table, columns in COLUMNS.items():
        spelled = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f'CREATE TABLE IF NOT EXISTS raw_ml."{table}" ({spelled})')


def store(connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame | None) -> int:
    """Let a table hold exactly these rows (none for None); columns that the frame lacks are NULL. Gives the count."""
    connection.execute("BEGIN")
    connection.execute(f'DELETE FROM raw_ml."{table}"')  # noqa: S608 - one of three names of our own
    if rows is not None and rows.height:
        known = [name for name in COLUMNS[table] if name in rows.columns]
        names = ", ".join(f'"{name}"' for name in known)
        connection.register("predicted", rows.select(known).to_arrow())
        connection.execute(f'INSERT INTO raw_ml."{table}" ({names}) SELECT {names} FROM predicted')  # noqa: S608
        connection.unregister("predicted")
    connection.execute("COMMIT")
    return rows.height if rows is not None else 0


def stamped(rows: pl.DataFrame, *, version: str, now: datetime) -> pl.DataFrame:
    """Predictions with the model version that made them and when."""
    return rows.with_columns(
        pl.lit(version).alias("model_version"),
        pl.lit(now.replace(tzinfo=None)).cast(pl.Datetime("us")).alias("scored_at"),
    )
