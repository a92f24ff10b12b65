"""The linear item-item recommender: EASE and nearest neighbours differ only in how their weights come
about."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend import weights
from models_ml.recommend.base import ScoringRecommender, distinct_history
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query
from models_ml.recommend.reasons import Reason, ReasonKind

EASE_ITEM_LIMIT = 15_000


class ItemItemRecommender(ScoringRecommender):
    """Scores are row sums of an item × item weight matrix over the distinct items of the history.

    Settings: `method` (ease, bm25, tfidf, cosine, rp3beta), `neighbours` (weights kept an item),
    `regularisation` (ease), `k1` and `b` (bm25), `alpha` and `beta` (rp3beta), `rows` (customers or baskets:
    what counts as together).
    """

    kind: ClassVar[str] = "item_item"
    DEFAULTS: ClassVar[dict[str, Json]] = {
        "method": "ease",
        "rows": "customers",
        "neighbours": 400,
        "regularisation": 500.0,
        "k1": 100.0,
        "b": 0.5,
        "alpha": 0.6,
        "beta": 0.2,
    }

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        super().__init__(settings)
        self._weights: Any = None

    def fit(self, interactions: Interactions) -> Self:
        """Learn the weights. Raises ValueError for EASE on more items than fit into memory."""
        self._items = interactions.items
        self._data_through = interactions.as_of
        by_basket = self._settings["rows"] == "baskets"
        X = interactions.basket_matrix() if by_basket else interactions.customer_matrix()
        self._weights = self._learn(X).astype(np.float32).tocsr()
        self._weights.sort_indices()
        return self

    def scores(self, query: Query) -> FloatArray:
        """Row sums over the history, or over the basket where there is no history."""
        positions, strength = self._evidence(query)
        total = np.zeros(len(self.items))
        w = self._weights
        for position, weight in zip(positions.tolist(), strength.tolist(), strict=True):
            row = slice(w.indptr[position], w.indptr[position + 1])
            total[w.indices[row]] += weight * w.data[row]
        return total

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """For each item the history item with the largest term."""
        history, strength = self._evidence(query)
        if not len(history):
            return [Reason(ReasonKind.BECAUSE_YOU_BOUGHT) for _ in positions]
        terms = np.empty((len(history), len(positions)))
        row = np.empty(len(self.items), dtype=np.float32)
        w = self._weights
        for number, position in enumerate(history.tolist()):
            entries = slice(w.indptr[position], w.indptr[position + 1])
            row[:] = 0
            row[w.indices[entries]] = w.data[entries]
            terms[number] = row[positions] * strength[number]
        largest = self.items.ids[history[terms.argmax(axis=0)]].tolist()
        return [Reason(ReasonKind.BECAUSE_YOU_BOUGHT, item_id=item) for item in largest]

    def to_state(self) -> State:
        """Item ids and the sparse weights."""
        w = self._weights
        return State(
            arrays={
                "items": self.items.ids,
                "data": w.data,
                "indices": w.indices.astype(np.int32),
                "indptr": w.indptr.astype(np.int64),
            }
        )

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model = cls(settings)
        arrays = state.arrays
        model._items = ItemIndex(arrays["items"])
        model._data_through = data_through
        size = len(model._items)
        model._weights = sparse.csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(size, size))
        return model

    def _evidence(self, query: Query) -> tuple[IntArray, FloatArray]:
        if query.history:
            return distinct_history(self.items, query)
        basket = np.unique(self.items.known_positions(query.basket))
        return basket, np.ones(len(basket))

    def _learn(self, X: weights.Csr) -> weights.Csr:
        number = self.setting_number
        neighbours = int(number("neighbours"))
        match self._settings["method"]:
            case "ease":
                if X.shape[1] > EASE_ITEM_LIMIT:
                    raise ValueError(f"EASE is dense: {X.shape[1]} items are more than {EASE_ITEM_LIMIT}")
                return weights.ease(X, number("regularisation"), neighbours)
            case "bm25":
                return weights.bm25(X, neighbours, number("k1"), number("b"))
            case "tfidf":
                return weights.tfidf(X, neighbours)
            case "cosine":
                return weights.cosine(X, neighbours)
            case "rp3beta":
                return weights.rp3beta(X, neighbours, number("alpha"), number("beta"))
            case unknown:
                raise ValueError(f"unknown method of item-item weights: {unknown!r}")
