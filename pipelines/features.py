"""What models learn from and are asked about: frames from the marts, the same for training and for scoring."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import polars as pl

# What an order was worth when it was placed. Its returns so far would be news from after a past cut-off: a back-test
# that saw them would know the future.
PURCHASES = (
    "SELECT customer_id, order_id, placed_at, CAST(sold_merchandise AS DOUBLE) AS net_merchandise FROM marts.fct_orders"
    " WHERE is_sale AND customer_id IS NOT NULL ORDER BY placed_at, order_id"
)
LINES = (
    "SELECT order_id, customer_id, product_id, placed_at FROM marts.fct_order_lines"
    " WHERE is_sale ORDER BY placed_at, order_line_id"
)
PRODUCTS = "SELECT product_id, name, category FROM marts.dim_products ORDER BY product_id"


@dataclass(frozen=True, slots=True)
class Marts:
    """Reads feature frames from an open build or snapshot."""

    connection: duckdb.DuckDBPyConnection

    def cut_off(self) -> datetime:
        """The end (exclusive, UTC without zone) of the data: just after the moment that the figures speak for."""
        row = self.connection.execute("SELECT as_of FROM marts.dim_shop").fetchone()
        assert row is not None, "marts.dim_shop has one row"
        as_of: datetime = row[0]
        return as_of + timedelta(microseconds=1)

    def purchases(self) -> pl.DataFrame:
        """One row an order of a known customer: customer_id, order_id, placed_at, net_merchandise (before returns)."""
        return self.connection.execute(PURCHASES).pl()

    def lines(self) -> pl.DataFrame:
        """One row an order line: order_id, customer_id (null for guests), product_id, placed_at."""
        return self.connection.execute(LINES).pl()

    def products(self) -> pl.DataFrame:
        """The catalogue: product_id, name, category."""
        return self.connection.execute(PRODUCTS).pl()
