"""A refresh is killed at every stage; readers stay where they were, and the next run ends as if nothing happened."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines import pointer
from pipelines.duck import attached
from pipelines.faults import VARIABLE
from pipelines.settings import ROOT, Settings
from tests.pipelines.small_refresh import refresh
from tests.pipelines.support import add_customers, customer, run_sql, url_of
from transactional.core.uow import Database

BEFORE_THE_POINTER = [
    "in_seed",
    "after_seed",
    "in_snapshot",
    "in_merge:customers",
    "before_merge_commit",
    "after_merge",
    "in_marts:1",
    "in_marts:3",
    "after_audit",
    "before_publish",
    "after_marts_copy",
    "after_snapshot",
    "before_pointer",
]
AFTER_THE_POINTER = ["after_pointer", "after_clean"]


def _tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in `raw` and the marts, and the cursor's position."""
    with attached(path, read_only=True) as connection:
        names = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name IN ('raw', 'marts')"
            " AND database_name = 'warehouse' ORDER BY ALL"
        ).fetchall()
        content = {
            f"{schema}.{name}": connection.execute(f'FROM {schema}."{name}" ORDER BY ALL').fetchall()
            for schema, name in names
        }
        content["cursor"] = connection.execute(
            "SELECT feed, position FROM raw_ops.extraction_cursor ORDER BY ALL"
        ).fetchall()
    return content


def _published_customers(settings: Settings) -> list[tuple[Any, ...]]:
    card = pointer.require_current(settings.published)
    with attached(settings.published / card.path, read_only=True) as connection:
        return connection.execute("SELECT customer_id, full_name FROM marts.dim_customers ORDER BY 1").fetchall()


def _killed_refresh(settings: Settings, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipelines.small_refresh"],
        cwd=ROOT,
        env={**os.environ, "MLT_VAR": str(settings.var), "DATABASE_URL": settings.database_url, VARIABLE: point},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"{point} was not reached:\n{done.stdout}{done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("point", BEFORE_THE_POINTER + AFTER_THE_POINTER)
def test_a_killed_refresh_leaves_no_trace(database: Database, tmp_path: Path, point: str) -> None:
    settings = Settings(var=tmp_path / "var", database_url=url_of(database))
    add_customers(database, customer(1, name="first"), customer(2, name="second"))
    refresh(settings)
    old = _published_customers(settings)
    run_sql(database, "UPDATE customers SET full_name = 'renamed' WHERE id = 1")
    run_sql(database, "DELETE FROM customers WHERE id = 2")
    add_customers(database, customer(3, name="third"))

    _killed_refresh(settings, point)
    new = [(1, "renamed"), (3, "third")]
    assert _published_customers(settings) == (new if point in AFTER_THE_POINTER else old)

    card = refresh(settings)
    assert _published_customers(settings) == new
    undisturbed = Settings(var=tmp_path / "undisturbed", database_url=url_of(database))
    other = refresh(undisturbed)
    assert _tables(settings.builds / f"{card.build_id}.duckdb") == _tables(
        undisturbed.builds / f"{other.build_id}.duckdb"
    )
