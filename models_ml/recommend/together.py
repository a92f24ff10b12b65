"""Bought together: the share of orders with A that hold B as well (confidence).

Confidence ranks; lift > 1 and a minimum count only filter. Ranking by lift finds rare coincidences.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query
from models_ml.recommend.reasons import Reason, ReasonKind
from models_ml.recommend.weights import largest_of_rows


class TogetherRecommender(ScoringRecommender):
    """Answers for the items in `query.basket`: confidences, summed over the basket.

    Settings: `minimum_count` orders with both, `minimum_lift`, and `partners` kept an item.
    """

    kind: ClassVar[str] = "bought_together"
    DEFAULTS: ClassVar[dict[str, Json]] = {"minimum_count": 5, "minimum_lift": 1.0, "partners": 200}

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        super().__init__(settings)
        self._together: Any = None
        self._orders_with: IntArray = np.empty(0, dtype=np.int64)
        self._orders = 0

    def fit(self, interactions: Interactions) -> Self:
        """Count pairs by one sparse product."""
        self._items = interactions.items
        self._data_through = interactions.as_of
        X = interactions.basket_matrix()
        self._orders = X.shape[0]
        self._orders_with = np.rint(np.asarray(X.sum(axis=0)).ravel()).astype(np.int64)
        self._together = largest_of_rows(self._kept_pairs(X), int(self.setting_number("partners")))
        return self

    def scores(self, query: Query) -> FloatArray:
        """Σ over basket items A of P(B | A)."""
        total = np.zeros(len(self.items))
        for position in self._basket(query).tolist():
            row = self._together.getrow(position)
            total[row.indices] += row.data / self._orders_with[position]
        return total

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """The basket item with the highest confidence: together in `count` of its `total` orders."""
        basket = self._basket(query)
        if not len(basket):
            return [Reason(ReasonKind.BOUGHT_TOGETHER, count=0, total=0) for _ in positions]
        counts = self._together[basket][:, positions].toarray()
        strongest = (counts / self._orders_with[basket][:, None]).argmax(axis=0)
        return [
            Reason(
                ReasonKind.BOUGHT_TOGETHER,
                item_id=int(self.items.ids[basket[i]]),
                count=round(counts[i, column]),
                total=int(self._orders_with[basket[i]]),
            )
            for column, i in enumerate(strongest.tolist())
        ]

    def pair(self, first: int, second: int) -> tuple[int, float, float]:
        """(orders with both, confidence first ⇒ second, lift) of a kept pair; zeros where none is kept."""
        a, b = self.items.position(first), self.items.position(second)
        together = 0.0 if a is None or b is None else float(self._together[a, b])
        if not together or a is None or b is None:
            return 0, 0.0, 0.0
        n_a, n_b = int(self._orders_with[a]), int(self._orders_with[b])
        return round(together), together / n_a, together * self._orders / (n_a * n_b)

    def to_state(self) -> State:
        """Pair counts and how many orders hold each item."""
        t = self._together
        return State(
            values={"orders": self._orders},
            arrays={
                "items": self.items.ids,
                "orders_with": self._orders_with,
                "data": t.data.astype(np.int32),
                "indices": t.indices.astype(np.int32),
                "indptr": t.indptr.astype(np.int64),
            },
        )

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model, arrays = cls(settings), state.arrays
        model._items = ItemIndex(arrays["items"])
        model._data_through = data_through
        model._orders = state.values["orders"]
        model._orders_with = arrays["orders_with"]
        size = len(model._items)
        model._together = sparse.csr_matrix(
            (arrays["data"].astype(np.float64), arrays["indices"], arrays["indptr"]), shape=(size, size)
        )
        return model

    def _basket(self, query: Query) -> IntArray:
        return np.unique(self.items.known_positions(query.basket))

    def _kept_pairs(self, X: Any) -> Any:
        pairs = (X.T @ X).tocoo()
        sold = self._orders_with
        lift = pairs.data * self._orders / (sold[pairs.row] * sold[pairs.col])
        keep = (
            (pairs.row != pairs.col)
            & (pairs.data >= self.setting_number("minimum_count"))
            & (lift > self.setting_number("minimum_lift"))
        )
        kept = (pairs.data[keep], (pairs.row[keep], pairs.col[keep]))
        return sparse.csr_matrix(kept, shape=pairs.shape)
