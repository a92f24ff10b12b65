"""The published snapshot: who it is, and the few marts of it that serving keeps in memory.

The file is opened read-only, read once and closed: answers never touch the disk, and publishing never waits for us.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from serving.snapshot import Product, PurchaseIndex, Snapshot, SoldLines, popularity_of

POINTER = "CURRENT.json"


class SnapshotError(Exception):
    """The pointer or the file that it names cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What CURRENT.json says of the snapshot it names."""

    path: Path
    build_id: str
    as_of: datetime
    """UTC, without zone."""


def read_pointer(published: Path) -> Pointer | None:
    """The current snapshot's pointer, or None before anything was published. Raises SnapshotError."""
    file = published / POINTER
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SnapshotError(f"{file}: cannot be read: {error}") from error
    try:
        pointer = Pointer(
            path=published / content["path"],
            build_id=str(content["build_id"]),
            as_of=_utc_without_zone(datetime.fromisoformat(content["as_of"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"{file}: lacks or garbles a field: {error!r}") from error
    written_by = content.get("duckdb_version", duckdb.__version__)
    if written_by != duckdb.__version__:
        raise SnapshotError(f"{pointer.path}: written by DuckDB {written_by}, this is {duckdb.__version__}")
    return pointer


def load_snapshot(pointer: Pointer) -> Snapshot:
    """Read products and sold lines of a snapshot into memory. Raises SnapshotError."""
    if not pointer.path.is_file():
        raise SnapshotError(f"{pointer.path}: does not exist")
    try:
        connection = duckdb.connect(
            str(pointer.path),
            read_only=True,
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
        )
        try:
            products = _products(connection)
            lines = _sold_lines(connection)
        finally:
            connection.close()
    except duckdb.Error as error:
        raise SnapshotError(f"{pointer.path}: {error}") from error
    active = frozenset(product.product_id for product in products.values() if product.is_active)
    return Snapshot(
        build_id=pointer.build_id,
        as_of=pointer.as_of,
        products=products,
        active=active,
        inactive=frozenset(products) - active,
        purchases=PurchaseIndex.of(lines),
        popularity=popularity_of(lines, pointer.as_of),
    )


def _products(connection: duckdb.DuckDBPyConnection) -> dict[int, Product]:
    rows = connection.execute("SELECT product_id, name, category, is_active FROM marts.dim_products").fetchall()
    return {
        product_id: Product(product_id, name or "", category or "", bool(is_active))
        for product_id, name, category, is_active in rows
    }


def _sold_lines(connection: duckdb.DuckDBPyConnection) -> SoldLines:
    columns = connection.execute(
        "SELECT order_id, coalesce(customer_id, 0) AS customer_id, product_id, placed_at::TIMESTAMP AS placed_at"
        " FROM marts.fct_order_lines WHERE is_sale AND product_id IS NOT NULL AND placed_at IS NOT NULL"
        " ORDER BY customer_id, placed_at, order_line_id"
    ).fetchnumpy()
    return SoldLines(
        order_id=np.asarray(columns["order_id"], dtype=np.int64),
        customer_id=np.asarray(columns["customer_id"], dtype=np.int64),
        product_id=np.asarray(columns["product_id"], dtype=np.int64),
        placed_at=np.asarray(columns["placed_at"], dtype="datetime64[us]"),
    )


def _utc_without_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment
    offset = moment.utcoffset() or timedelta()
    return (moment - offset).replace(tzinfo=None)
