"""Published snapshots made by hand: the contract of the marts that serving reads, and nothing more."""

import json
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

AS_OF = datetime(2026, 1, 15, 10, 0)  # noqa: DTZ001  the warehouse's times are UTC without zone

Line = tuple[int, int | None, int, float]
"""order id, customer id, product id, days before `AS_OF`."""


def publish(
    published: Path,
    build_id: str,
    *,
    products: Sequence[tuple[int, str, str, bool]],
    lines: Sequence[Line],
    unsold: Sequence[Line] = (),
) -> None:
    """Write a snapshot and move the pointer to it, atomically, as publishing does."""
    published.mkdir(parents=True, exist_ok=True)
    file = published / f"{build_id}.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.dim_products (product_id BIGINT, name VARCHAR, category VARCHAR, is_active BOOLEAN)"
        )
        connection.execute(
            "CREATE TABLE marts.fct_order_lines (order_line_id BIGINT, order_id BIGINT, customer_id BIGINT,"
            " product_id BIGINT, placed_at TIMESTAMP, is_sale BOOLEAN)"
        )
        if products:
            connection.executemany("INSERT INTO marts.dim_products VALUES (?, ?, ?, ?)", list(products))
        rows = [
            (number, order, customer, product, AS_OF - timedelta(days=age), number <= len(lines))
            for number, (order, customer, product, age) in enumerate([*lines, *unsold], start=1)
        ]
        if rows:
            connection.executemany("INSERT INTO marts.fct_order_lines VALUES (?, ?, ?, ?, ?, ?)", rows)
    point_to(published, build_id)


def point_to(published: Path, build_id: str, **overrides: object) -> None:
    """Replace CURRENT.json."""
    content = {
        "path": f"{build_id}.duckdb",
        "build_id": build_id,
        "parent": None,
        "published_at": "2026-01-15T11:00:00+00:00",
        "as_of": AS_OF.isoformat(),
        "duckdb_version": duckdb.__version__,
        **overrides,
    }
    temporary = published / "CURRENT.json.tmp"
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, published / "CURRENT.json")


PRODUCTS = (
    (1, "Brass lamp", "Lights", True),
    (2, "Clay diya", "Lights", True),
    (3, "Silk scarf", "Clothes", True),
    (4, "Withdrawn mug", "Kitchen", False),
    (5, "Wooden horse", "Toys", True),
)

LINES: tuple[Line, ...] = (
    (101, 11, 1, 1.0),
    (101, 11, 2, 1.0),
    (102, 12, 1, 2.0),
    (103, 13, 1, 3.0),
    (103, 13, 3, 3.0),
    (104, None, 3, 4.0),
    (105, 12, 4, 1.0),
    (106, 14, 4, 1.5),
    (107, 15, 4, 1.5),
    (108, 16, 4, 1.5),
    (109, 11, 5, 200.0),
)
