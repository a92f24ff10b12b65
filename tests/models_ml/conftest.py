"""A small shop whose structure the models must find: groups of customers with a taste, habits and seasons."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

AS_OF = datetime.fromisoformat("2026-01-01")
ITEMS_PER_TASTE, TASTES = 10, 4


def shop_lines(customers: int = 250, days: int = 600, seed: int = 0) -> pl.DataFrame:
    """Order lines: each customer mostly buys the items of one taste; some leave for good."""
    rng = np.random.default_rng(seed)
    start = AS_OF - timedelta(days=days)
    rows = []
    order = 0
    for customer in range(1, customers + 1):
        taste, gap = int(rng.integers(TASTES)), float(rng.gamma(2, 25)) + 5
        when = start + timedelta(days=float(rng.uniform(0, days * 0.7)))
        favourite = taste * ITEMS_PER_TASTE + int(rng.integers(ITEMS_PER_TASTE)) + 101
        while when < AS_OF:
            order += 1
            own = taste * ITEMS_PER_TASTE + rng.permutation(ITEMS_PER_TASTE)[: rng.integers(1, 5)] + 101
            other = rng.integers(TASTES * ITEMS_PER_TASTE, size=int(rng.random() < 0.3)) + 101
            bought = sorted({*own.tolist(), *other.tolist(), favourite})
            rows.extend((order, customer, item, when, 1, float(rng.gamma(4, 10)) + 1) for item in bought)
            if rng.random() < 0.08:
                break
            when += timedelta(days=float(rng.exponential(gap)) + 0.5)
    names = ["order_id", "customer_id", "product_id", "placed_at", "quantity", "net_amount"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("placed_at").cast(pl.Datetime("us")))


def orders_of(lines: pl.DataFrame) -> pl.DataFrame:
    """The purchases frame of the lines."""
    return lines.group_by("order_id").agg(
        pl.col("customer_id").first(),
        pl.col("placed_at").first(),
        pl.col("net_amount").sum().alias("net_merchandise"),
    )


@pytest.fixture(scope="session")
def as_of() -> datetime:
    return AS_OF


@pytest.fixture(scope="session")
def lines() -> pl.DataFrame:
    return shop_lines()


@pytest.fixture(scope="session")
def purchases(lines: pl.DataFrame) -> pl.DataFrame:
    return orders_of(lines)
