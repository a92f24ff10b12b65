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
OLD = [(1, "first"), (2, "second")]
NEW = [(1, "renamed"), (3, "third")]


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


@pytest.fixture
def changed_shop(database: Database, tmp_path: Path) -> Settings:
    """A shop that was published, and has traded since: an update, a delete, an insert."""
    settings = Settings(var=tmp_path / "var", database_url=url_of(database))
    add_customers(database, customer(1, name="first"), customer(2, name="second"))
    refresh(settings)
    run_sql(database, "UPDATE customers SET full_name = 'renamed' WHERE id = 1")
    run_sql(database, "DELETE FROM customers WHERE id = 2")
    add_customers(database, customer(3, name="third"))
    return settings


def _assert_like_one_never_killed(settings: Settings, undisturbed: Settings) -> None:
    card, other = refresh(settings), refresh(undisturbed)
    assert _published_customers(settings) == NEW
    build, twin = settings.builds / f"{card.build_id}.duckdb", undisturbed.builds / f"{other.build_id}.duckdb"
    assert _tables(build) == _tables(twin)


@pytest.mark.slow
def test_killed_at_every_stage_it_leaves_no_trace(changed_shop: Settings, tmp_path: Path) -> None:
    for point in BEFORE_THE_POINTER:
        _killed_refresh(changed_shop, point)
        assert _published_customers(changed_shop) == OLD, point
    _assert_like_one_never_killed(changed_shop, Settings(tmp_path / "undisturbed", changed_shop.database_url))


@pytest.mark.slow
@pytest.mark.parametrize("point", AFTER_THE_POINTER)
def test_killed_after_the_pointer_moved_it_has_published(changed_shop: Settings, tmp_path: Path, point: str) -> None:
    _killed_refresh(changed_shop, point)
    assert _published_customers(changed_shop) == NEW
    _assert_like_one_never_killed(changed_shop, Settings(tmp_path / "undisturbed", changed_shop.database_url))
