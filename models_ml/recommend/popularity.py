"""What sells: the floor that every model must beat, and the shop-wide shelves "best sellers" and "rising"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend.base import ScoringRecommender, best_positions
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query, Recommendation, allowed_mask
from models_ml.recommend.reasons import Reason, ReasonKind

_WEEK = 7
_BASE_WEEKS = 4
_MINIMUM_RISE = 1.0  # a shrunk ratio of 1 is "as usual"


class PopularityRecommender(ScoringRecommender):
    """Distinct customers of each item in a window; two more lists from the last weeks' orders.

    Settings: the window reaches from `from_days` to `to_days` before the end of the data (28 to 0; last
    year's same season is 365 to 265); `shrink` is the k of the rising ratio (x + k) / (b + k). Items without
    a customer in the window rank below all others, by their customers of all time. A guest's order counts as
    one customer.
    """

    kind: ClassVar[str] = "popularity"
    DEFAULTS: ClassVar[dict[str, Json]] = {"from_days": 28, "to_days": 0, "shrink": 5.0}

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        super().__init__(settings)
        self._window: IntArray = np.empty(0, dtype=np.int64)
        self._ever: IntArray = np.empty(0, dtype=np.int64)
        self._week: IntArray = np.empty(0, dtype=np.int64)
        self._base: FloatArray = np.empty(0)

    def fit(self, interactions: Interactions) -> Self:
        """Count."""
        self._items = interactions.items
        self._data_through = interactions.as_of
        newest, oldest = self.setting_number("to_days"), self.setting_number("from_days")
        self._window = self._customers(_between(interactions, oldest, newest))
        self._ever = self._customers(interactions.lines)
        self._week = self._orders(interactions.since(_WEEK))
        before = _between(interactions, _WEEK * (1 + _BASE_WEEKS), _WEEK)
        self._base = self._orders(before) / _BASE_WEEKS
        return self

    def scores(self, query: Query) -> FloatArray:
        """Customers in the window, and a fraction below one for those of all time."""
        del query  # what sells does not depend on who asks
        share = self._ever / (self._ever.max(initial=0) + 1.0)
        return np.asarray(self._window + share, dtype=np.float64)

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """How many bought it."""
        del query
        days = int(self.setting_number("from_days"))
        season = self.setting_number("to_days") > 0
        kind = ReasonKind.SEASON if season else ReasonKind.POPULAR
        return [
            Reason(kind, count=int(self._window[p]), days=days)
            if self._window[p]
            else Reason(ReasonKind.POPULAR, count=int(self._ever[p]))
            for p in positions
        ]

    def best_sellers(self, query: Query, k: int) -> list[Recommendation]:
        """The items in most orders of the last seven days."""
        return self._shelf(query, self._week.astype(np.float64), k, ReasonKind.BEST_SELLER)

    def rising(self, query: Query, k: int) -> list[Recommendation]:
        """The items whose last week most exceeds the weekly mean of the four weeks before it.

        The ratio (x + k) / (b + k) is shrunk towards 1, so that one order of an item that never sells is no
        rise.
        """
        shrink = self.setting_number("shrink")
        ratio = (self._week + shrink) / (self._base + shrink)
        return self._shelf(query, np.where(ratio > _MINIMUM_RISE, ratio, 0.0), k, ReasonKind.RISING)

    def to_state(self) -> State:
        """The counts."""
        return State(
            arrays={
                "items": self.items.ids,
                "window": self._window,
                "ever": self._ever,
                "week": self._week,
                "base": self._base,
            }
        )

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model = cls(settings)
        model._items = ItemIndex(state.arrays["items"])
        model._data_through = data_through
        model._window, model._ever = state.arrays["window"], state.arrays["ever"]
        model._week, model._base = state.arrays["week"], state.arrays["base"]
        return model

    def _shelf(self, query: Query, scores: FloatArray, k: int, kind: ReasonKind) -> list[Recommendation]:
        best = best_positions(np.where(allowed_mask(self.items, query), scores, 0.0), k)
        return [
            Recommendation(
                item_id=int(self.items.ids[p]),
                score=float(scores[p]),
                reason=Reason(kind, count=int(self._week[p]), days=_WEEK),
            )
            for p in best
        ]

    def _customers(self, lines: pl.DataFrame) -> IntArray:
        guest = -pl.col("order_id") - 1  # customer ids are not negative
        buyers = lines.select("product_id", pl.coalesce("customer_id", guest).alias("buyer")).unique()
        return self._counts(buyers["product_id"])

    def _orders(self, lines: pl.DataFrame) -> IntArray:
        return self._counts(lines.select("product_id", "order_id").unique()["product_id"])

    def _counts(self, products: pl.Series) -> IntArray:
        positions = self.items.positions_of(products.to_numpy())
        return np.bincount(positions, minlength=len(self.items)).astype(np.int64)


def _between(interactions: Interactions, oldest: float, newest: float) -> pl.DataFrame:
    end = interactions.as_of - timedelta(days=newest)
    return interactions.since(oldest).filter(pl.col("placed_at") < end)
