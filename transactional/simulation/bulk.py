"""A long history in one sweep, for benchmarks: the same kind of trade as the shoppers make, set-based.

Customers with gamma-distributed purchase rates, the seasons of the Indian year, baskets of tastes that cluster,
parcels, payments, returns, stock and ledger, all through the journal's triggers. Points, coupons, behaviour events and
the moves of single units are left out: they would double the rows and add nothing to what is measured.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from transactional.core.counters import next_ordinals
from transactional.core.profile import ensure_profile
from transactional.core.uow import Database
from transactional.importing.bulk import BulkWriter
from transactional.settings import Settings
from transactional.simulation import bulk_frames as frames
from transactional.simulation import bulk_shelf
from transactional.simulation.bulk_orders import insert_orders
from transactional.simulation.trading import require_empty

_ORDERS_A_TRANSACTION = 50_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """How much history: `orders` by `customers` within `days` before `end`; the seed fixes everything."""

    orders: int
    customers: int
    days: int
    seed: int
    end: datetime


def write_history(
    database: Database, plan: BulkPlan, *, settings: Settings, progress: Progress = lambda _: None
) -> dict[str, int]:
    """Write the history, some ten thousand orders a transaction; gives the number of rows by table.

    Raises ShopNotEmpty for a shop with customers, orders or products.
    """
    rng = np.random.default_rng(plan.seed)
    counts: Counter[str] = Counter()
    drawn = frames.draw(rng, plan.orders, plan.customers, plan.days, plan.end)
    with database.unit_of_work(actor="simulation") as session:
        require_empty(session)
        writer = _CountingWriter(session, counts)
        config = settings.model_copy(update={"base_currency": "INR", "time_zone": "Asia/Kolkata"})
        ensure_profile(session, config, now=drawn.start)
        shelf = bulk_shelf.stock_up(session, writer, drawn)
        frames.insert_customers(writer, drawn)
        writer.finish()
    for part in drawn.orders.iter_slices(_ORDERS_A_TRANSACTION):
        with database.unit_of_work(actor="simulation") as session:
            writer = _CountingWriter(session, counts)
            numbers = _order_numbers(session, part)
            insert_orders(writer, drawn, part.with_columns(numbers), shelf)
            bulk_shelf.take_from_levels(session, drawn, part, shelf)
            writer.finish()
        progress(f"{counts['orders']:,} of {plan.orders:,} orders")
    return dict(counts)


class _CountingWriter(BulkWriter):
    """Counts the rows that it writes, by table."""

    def __init__(self, session: Session, counts: Counter[str]) -> None:
        super().__init__(session)
        self._counts = counts

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        super().insert(table, frame)
        self._counts[table] += frame.height


def _order_numbers(session: Session, orders: pl.DataFrame) -> pl.Series:
    """Numbers from the shop's own series, so that the next real order goes on after them."""
    years = orders["financial_year"].to_list()
    following = {
        year: iter(next_ordinals(session, f"orders:{year}", count=count))
        for year, count in sorted(Counter(years).items())
    }
    numbers = [f"MLT-{year}-{next(following[year]):06d}" for year in years]
    return pl.Series("order_number", numbers, dtype=pl.String)
