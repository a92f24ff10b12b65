"""A whole warehouse in a folder of its own: a small imported shop, and the command line as people use it."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.settings import ROOT, Settings

EXCERPT = ROOT / "tests" / "data" / "online_retail_excerpt.csv"


@dataclass(frozen=True)
class Warehouse:
    """A `var/` folder with its shop."""

    var: Path

    @property
    def settings(self) -> Settings:
        """Where things lie in it."""
        return Settings(var=self.var, database_url=f"sqlite:///{self.var / 'shop.db'}")

    def run(self, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """`python -m …` in this folder; keyword arguments go into its environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLT_", "DATABASE_"))}
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**kept, "MLT_VAR": str(self.var), **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        assert not check or done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done

    def refresh(self, *options: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """One refresh."""
        return self.run("pipelines", "refresh", *options, check=check, **more)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the published snapshot."""
        rows: list[dict[str, Any]] = json.loads(self.run("pipelines", "query", sql, "--format", "json").stdout)
        return rows

    def pointer(self) -> dict[str, Any]:
        """What CURRENT.json says."""
        content: dict[str, Any] = json.loads((self.settings.published / "CURRENT.json").read_text("utf-8"))
        return content

    def shop(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows straight from the shop."""
        with sqlite3.connect(self.var / "shop.db") as connection:
            return connection.execute(sql).fetchall()

    def damage(self, *statements: str) -> None:
        """Change the shop behind its own back: constraints are looked away from, the journal is not."""
        connection = sqlite3.connect(self.var / "shop.db")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


def imported(var: Path) -> Warehouse:
    """A shop with the excerpt of Online Retail II; nothing refreshed yet."""
    var.mkdir(parents=True)
    warehouse = Warehouse(var)
    warehouse.run("transactional", "import-online-retail", str(EXCERPT))
    return warehouse
