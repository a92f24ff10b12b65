"""`raw_ops.check_results`: what every check of every run found; the mart `data_quality` shows it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb

Severity = Literal["ERROR", "WARN"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one run. `run_id` is the build's id; `observed` says in words what was found."""

    run_id: str
    check_name: str
    asset: str
    passed: bool
    severity: Severity
    failed_rows: int
    observed: str
    checked_at: datetime


def create_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table if it is not there yet."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw_ops")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS raw_ops.check_results (run_id VARCHAR, check_name VARCHAR, asset VARCHAR,"
        " passed BOOLEAN, severity VARCHAR, failed_rows BIGINT, observed VARCHAR, checked_at TIMESTAMP)"
    )


def record(connection: duckdb.DuckDBPyConnection, results: Iterable[CheckResult]) -> None:
    """Store results; a repeated check of the same run replaces its earlier result."""
    create_table(connection)
    for result in results:
        connection.execute(
            "DELETE FROM raw_ops.check_results WHERE run_id = ? AND check_name = ? AND asset = ?",
            [result.run_id, result.check_name, result.asset],
        )
        values = [*astuple(result)[:-1], result.checked_at.replace(tzinfo=None)]
        connection.execute("INSERT INTO raw_ops.check_results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def forget_before(connection: duckdb.DuckDBPyConnection, moment: datetime) -> None:
    """Drop results older than this (UTC)."""
    connection.execute("DELETE FROM raw_ops.check_results WHERE checked_at < ?", [moment.replace(tzinfo=None)])


def passed_checks(connection: duckdb.DuckDBPyConnection, run_id: str) -> set[str]:
    """Names of the checks that this run passed."""
    create_table(connection)
    rows = connection.execute(
        "SELECT check_name FROM raw_ops.check_results WHERE run_id = ? GROUP BY 1 HAVING bool_and(passed)", [run_id]
    ).fetchall()
    return {name for (name,) in rows}


def failures(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[dict[str, Any]]:
    """Checks that this run did not pass, as plain values; none where the build has no log yet."""
    known = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'raw_ops'"
        " AND table_name = 'check_results'"
    ).fetchone()
    if known is None:
        return []
    columns = ("check_name", "asset", "severity", "failed_rows", "observed")
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM raw_ops.check_results WHERE run_id = ? AND NOT passed"  # noqa: S608
        " ORDER BY asset, check_name",
        [run_id],
    ).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]
