"""Implicit-feedback matrix factorisation by alternating least squares (Hu, Koren & Volinsky 2008), with
fold-in.

No user factors are kept: a user's factors are solved for when he asks, from his whole history, so a new
event and a new customer count at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy import linalg

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend.base import ScoringRecommender, distinct_history
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query
from models_ml.recommend.reasons import Reason, ReasonKind
from models_ml.threads import one_blas_thread


class AlsRecommender(ScoringRecommender):
    """ALS on the binary customer × item matrix; `alpha` is the confidence of a purchase."""

    kind: ClassVar[str] = "als"
    DEFAULTS: ClassVar[dict[str, Json]] = {
        "factors": 128,
        "regularisation": 10.0,
        "alpha": 1.0,
        "iterations": 15,
        "seed": 0,
    }

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        super().__init__(settings)
        self._factors: FloatArray = np.empty((0, 0))
        self._gram: FloatArray = np.empty((0, 0))

    def fit(self, interactions: Interactions) -> Self:
        """Factorise; BLAS keeps to one thread meanwhile, for its threads and the library's own get in each
        other's way.

        One library thread as well: the sums' order, and so the model, is then the same in every run.
        """
        self._items = interactions.items
        self._data_through = interactions.as_of
        X = interactions.customer_matrix().astype(np.float32)
        with one_blas_thread():
            model = AlternatingLeastSquares(
                factors=int(self.setting_number("factors")),
                regularization=self.setting_number("regularisation"),
                alpha=self.setting_number("alpha"),
                iterations=int(self.setting_number("iterations")),
                random_state=int(self.setting_number("seed")),
                num_threads=1,
                use_gpu=False,
            )
            model.fit(X, show_progress=False)
        self._set_factors(np.asarray(model.item_factors, dtype=np.float64))
        return self

    def scores(self, query: Query) -> FloatArray:
        """Fold the history in and multiply: x = (YᵀY + λI + Yᵀ(C−I)Y)⁻¹ YᵀC1, scores Yx."""
        history, strength = distinct_history(self.items, query)
        if not len(history):
            return np.zeros(len(self.items))
        confidence = self.setting_number("alpha") * strength
        right = self._factors[history].T @ confidence
        with one_blas_thread():  # threads cost more than so small a system takes
            user = linalg.solve(self._system(history, confidence), right, assume_a="pos")
            return np.asarray(self._factors @ user, dtype=np.float64)

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """The score is a sum over history items j of c_j · y_iᵀ A⁻¹ y_j: names the largest term."""
        history, strength = distinct_history(self.items, query)
        if not len(history):
            return [Reason(ReasonKind.BECAUSE_YOU_BOUGHT) for _ in positions]
        confidence = self.setting_number("alpha") * strength
        own = self._factors[history]
        with one_blas_thread():
            solved = linalg.solve(self._system(history, confidence), own.T, assume_a="pos")
            terms = (self._factors[positions] @ solved) * confidence
        largest = self.items.ids[history[terms.argmax(axis=1)]].tolist()
        return [Reason(ReasonKind.BECAUSE_YOU_BOUGHT, item_id=item) for item in largest]

    def to_state(self) -> State:
        """Item ids and factors."""
        return State(arrays={"items": self.items.ids, "factors": self._factors.astype(np.float32)})

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model = cls(settings)
        model._items = ItemIndex(state.arrays["items"])
        model._data_through = data_through
        model._set_factors(state.arrays["factors"].astype(np.float64))
        return model

    def _set_factors(self, factors: FloatArray) -> None:
        # Rounded as they are stored, so that a loaded model answers to the last bit as the one that was
        # saved.
        self._factors = factors.astype(np.float32).astype(np.float64)
        ridge = self.setting_number("regularisation") * np.eye(self._factors.shape[1])
        self._gram = self._factors.T @ self._factors + ridge

    def _system(self, history: IntArray, confidence: FloatArray) -> FloatArray:
        own = self._factors[history]
        return np.asarray(self._gram + (own.T * (confidence - 1)) @ own, dtype=np.float64)
