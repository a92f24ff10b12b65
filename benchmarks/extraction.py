"""Extraction of a whole shop: rows a second, beside DuckDB reading the same rows from Parquet files."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import timed
from pipelines import contracts
from pipelines.extraction.extract import extract


def run(database_url: str) -> dict[str, Any]:
    """First extraction of the shop at `database_url`, then the same tables from Parquet into a new file."""
    with tempfile.TemporaryDirectory(prefix="mlt-bench-") as folder:
        build = Path(folder) / "build.duckdb"
        seconds, report = timed(lambda: extract(database_url, build, now=datetime.now(UTC)))
        tables = [table.table for table in report.tables if table.rows_read]
        _to_parquet(build, tables, Path(folder))
        baseline, _ = timed(lambda: _from_parquet(tables, Path(folder)))
        again, second = timed(lambda: extract(database_url, build, now=datetime.now(UTC)))
    rows = report.rows_read
    return {
        "database": database_url.split(":", 1)[0],
        "tables": len(contracts.load()),
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "parquet_seconds": round(baseline, 2),
        "ratio_to_parquet": round(seconds / baseline, 1),
        "without_news": {"seconds": round(again, 3), "rows": second.rows_read},
    }


def _to_parquet(build: Path, tables: list[str], folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{build}' AS warehouse (READ_ONLY)")
        for table in tables:
            connection.execute(f"COPY warehouse.raw.{table} TO '{folder / table}.parquet' (FORMAT parquet)")


def _from_parquet(tables: list[str], folder: Path) -> None:
    with duckdb.connect(str(folder / "baseline.duckdb")) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} AS FROM read_parquet('{folder / table}.parquet')")
        connection.execute("CHECKPOINT")
