"""Order lines as the recommenders see them: checked, cut off, indexed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from scipy import sparse

from models_ml.arrays import FloatArray
from models_ml.recommend.items import ItemIndex

COLUMNS: dict[str, pl.DataType] = {
    "order_id": pl.Int64(),
    "customer_id": pl.Int64(),
    "product_id": pl.Int64(),
    "placed_at": pl.Datetime("us"),
}


@dataclass(frozen=True)
class Interactions:
    """Order lines before a cut-off.

    lines    columns order_id, customer_id (null for a guest), product_id, placed_at (UTC, no zone)
    as_of    everything in `lines` lies before this moment
    items    the items that occur
    """

    lines: pl.DataFrame
    as_of: datetime
    items: ItemIndex

    @classmethod
    def from_lines(cls, lines: pl.DataFrame, as_of: datetime) -> Interactions:
        """Take the order lines placed before `as_of`; more columns than needed are ignored.

        Raises ValueError naming the column that is missing or of a wrong type.
        """
        known = _checked(lines).filter(pl.col("placed_at") < as_of)
        return cls(lines=known, as_of=as_of, items=ItemIndex(known["product_id"].unique()))

    def before(self, moment: datetime) -> Interactions:
        """What was known at an earlier moment."""
        return Interactions.from_lines(self.lines, min(moment, self.as_of))

    def since(self, days: float) -> pl.DataFrame:
        """The lines of the last `days` days before the cut-off."""
        return self.lines.filter(pl.col("placed_at") >= self.as_of - timedelta(days=days))

    def customer_pairs(self) -> pl.DataFrame:
        """Distinct (customer_id, product_id) with the number of orders `orders` and `last_at`; guests left
        out."""
        return (
            self.lines.drop_nulls("customer_id")
            .group_by("customer_id", "product_id")
            .agg(pl.col("order_id").n_unique().alias("orders"), pl.col("placed_at").max().alias("last_at"))
            .sort("customer_id", "product_id")
        )

    def customer_matrix(self) -> sparse.csr_matrix[np.float64]:
        """Customers × items, 1 where bought; customers in the order of their ids."""
        pairs = self.customer_pairs()
        rows = pairs["customer_id"].rank("dense").to_numpy().astype(np.int64) - 1
        return self._matrix(rows, pairs["product_id"])

    def basket_matrix(self) -> sparse.csr_matrix[np.float64]:
        """Orders × items, 1 where the order holds the item; guests' orders included."""
        pairs = self.lines.select("order_id", "product_id").unique().sort("order_id", "product_id")
        rows = pairs["order_id"].rank("dense").to_numpy().astype(np.int64) - 1
        return self._matrix(rows, pairs["product_id"])

    def _matrix(self, rows: np.ndarray, products: pl.Series) -> sparse.csr_matrix[np.float64]:
        columns = self.items.positions_of(products.to_numpy())
        ones: FloatArray = np.ones(len(rows), dtype=np.float64)
        height = int(rows.max()) + 1 if len(rows) else 0
        return sparse.csr_matrix((ones, (rows, columns)), shape=(height, len(self.items)))


def _checked(lines: pl.DataFrame) -> pl.DataFrame:
    missing = COLUMNS.keys() - set(lines.columns)
    if missing:
        raise ValueError(f"order lines lack the column(s) {', '.join(sorted(missing))}")
    try:
        return lines.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items()).drop_nulls(
            ["order_id", "product_id", "placed_at"]
        )
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"order lines have a column of a wrong type: {error}") from error
