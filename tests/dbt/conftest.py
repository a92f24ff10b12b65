"""One dbt for the whole session: parsing costs seconds, so every build happens at the same path."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.dbt.raw_shop import RawShop

PROJECT = Path(__file__).resolve().parents[2] / "dbt"


class Warehouse:
    """A build file, and dbt to run on it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "build.duckdb"
        self._folder = folder

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a dbt command in a process of its own; its words are in `stdout`."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), *arguments],
            cwd=PROJECT,
            env={
                **os.environ,
                "MLT_BUILD_PATH": str(self.path),
                "DBT_TARGET_PATH": str(self._folder / "target"),
                "DBT_LOG_PATH": str(self._folder / "logs"),
                "DBT_PROFILES_DIR": str(PROJECT),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, *arguments: str) -> None:
        """Run a dbt command that must end well."""
        done = self.dbt(*arguments)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

    def raw(self) -> RawShop:
        """The raw tables, to write to."""
        return RawShop(self.path)

    def start(self, fill: Callable[[RawShop], None]) -> None:
        """A new build with the rows that `fill` puts into it."""
        self.path.unlink(missing_ok=True)
        with self.raw() as shop:
            shop.create()
            fill(shop)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The answer to a query."""
        with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
            connection.execute(f"ATTACH '{self.path}' AS warehouse (READ_ONLY)")
            connection.execute("USE warehouse")
            return connection.execute(query).fetchall()

    def keep(self, name: str) -> Path:
        """A copy of the build under another name."""
        copy = self._folder / f"{name}.duckdb"
        shutil.copy(self.path, copy)
        return copy


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse that every test of this folder begins anew."""
    return Warehouse(tmp_path_factory.mktemp("dbt"))
