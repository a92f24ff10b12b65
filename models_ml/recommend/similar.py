"""Similar products of a product: who buys the one buys the other, and they are called and filed alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query
from models_ml.recommend.reasons import Reason, ReasonKind
from models_ml.recommend.weights import largest_of_rows, shrunk_cosine


class SimilarRecommender(ScoringRecommender):
    """Answers for the items in `query.basket`.

    Score: shrunk cosine of the buyers plus `content` × cosine of the TF-IDF of name and category. With a
    catalogue, products that never sold are answered for and shown too.
    """

    kind: ClassVar[str] = "similar"
    DEFAULTS: ClassVar[dict[str, Json]] = {
        "neighbours": 100,
        "shrink": 10.0,
        "content": 0.5,
        "rows": "customers",
    }

    def __init__(self, settings: dict[str, Json] | None = None, products: pl.DataFrame | None = None) -> None:
        """`products`: product_id and name, perhaps category; needed by `fit` only."""
        super().__init__(settings)
        self._products = products
        self._similar: Any = None

    def fit(self, interactions: Interactions) -> Self:
        """Learn from who bought what, and from the catalogue if there is one."""
        self._data_through = interactions.as_of
        neighbours = int(self.setting_number("neighbours"))
        by_basket = self._settings["rows"] == "baskets"
        X = interactions.basket_matrix() if by_basket else interactions.customer_matrix()
        bought = shrunk_cosine(X, neighbours, self.setting_number("shrink"))
        if self._products is None:
            self._items, similar = interactions.items, bought
        else:
            ids = np.concatenate([interactions.items.ids, self._products["product_id"].to_numpy()])
            self._items = ItemIndex(ids)
            named = self._named(self._products, neighbours)
            similar = self._moved(bought, interactions.items) + self.setting_number("content") * named
        self._similar = largest_of_rows(similar.tocsr(), neighbours)
        return self

    def scores(self, query: Query) -> FloatArray:
        """Σ over basket items of their similarity."""
        total = np.zeros(len(self.items))
        for position in self._basket(query).tolist():
            row = self._similar.getrow(position)
            total[row.indices] += row.data
        return total

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """The basket item that it is most similar to."""
        basket = self._basket(query)
        if not len(basket):
            return [Reason(ReasonKind.SIMILAR) for _ in positions]
        nearest = self._similar[basket][:, positions].toarray().argmax(axis=0)
        return [Reason(ReasonKind.SIMILAR, item_id=int(self.items.ids[basket[i]])) for i in nearest]

    def to_state(self) -> State:
        """The similarities."""
        s = self._similar
        return State(
            arrays={
                "items": self.items.ids,
                "data": s.data,
                "indices": s.indices.astype(np.int32),
                "indptr": s.indptr.astype(np.int64),
            }
        )

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model, arrays = cls(settings), state.arrays
        model._items = ItemIndex(arrays["items"])
        model._data_through = data_through
        size = len(model._items)
        parts = (arrays["data"], arrays["indices"], arrays["indptr"])
        model._similar = sparse.csr_matrix(parts, shape=(size, size))
        return model

    def _basket(self, query: Query) -> IntArray:
        return np.unique(self.items.known_positions(query.basket))

    def _moved(self, matrix: Any, known: ItemIndex) -> Any:
        """The same similarities in the positions of the larger index."""
        to, size = self.items.positions_of(known.ids), len(self.items)
        entries = matrix.tocoo()
        return sparse.csr_matrix((entries.data, (to[entries.row], to[entries.col])), shape=(size, size))

    def _named(self, products: pl.DataFrame, neighbours: int) -> Any:
        category = pl.col("category") if "category" in products.columns else pl.lit("")
        texts = products.select(
            "product_id", pl.concat_str("name", category, separator=" ", ignore_nulls=True).alias("text")
        ).unique("product_id", maintain_order=True)
        size = len(self.items)
        if not texts["text"].str.contains(r"\w\w").any():
            return sparse.csr_matrix((size, size))
        rows = self.items.positions_of(texts["product_id"].to_numpy())
        vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts["text"].to_list())
        near = (vectors @ vectors.T).tocoo()
        off = near.row != near.col
        placed = (near.data[off], (rows[near.row[off]], rows[near.col[off]]))
        return largest_of_rows(sparse.csr_matrix(placed, shape=(size, size)), neighbours)
