"""What recommenders that score every item share: masking, ranking, and a reason for each shown item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self

import numpy as np

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query, Recommendation, allowed_mask
from models_ml.recommend.reasons import Reason


class NotFittedError(RuntimeError):
    """A recommender was asked before it was fitted."""


class ScoringRecommender(ABC):
    """A recommender that gives each known item a score; subclasses say how, and why."""

    DEFAULTS: ClassVar[dict[str, Json]] = {}

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        unknown = (settings or {}).keys() - self.DEFAULTS.keys()
        if unknown:
            raise ValueError(f"{type(self).__name__} has no setting {', '.join(sorted(unknown))}")
        self._settings: dict[str, Json] = {**self.DEFAULTS, **(settings or {})}
        self._items: ItemIndex | None = None
        self._data_through: datetime | None = None

    @property
    def items(self) -> ItemIndex:
        """The items that the model knows. Raises NotFittedError before `fit`."""
        if self._items is None:
            raise NotFittedError(f"{type(self).__name__} has not been fitted")
        return self._items

    @property
    def settings(self) -> dict[str, Json]:
        """The hyper-parameters, defaults included."""
        return self._settings

    @property
    def data_through(self) -> datetime | None:
        """The end (exclusive) of the data that the model was fitted on."""
        return self._data_through

    @abstractmethod
    def fit(self, interactions: Interactions) -> Self:
        """Learn from purchases and return the model itself."""

    @abstractmethod
    def scores(self, query: Query) -> FloatArray:
        """A score for each known item, before any exclusion."""

    @abstractmethod
    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """Why each of these items has its score: the largest term of the sum."""

    def recommend(self, query: Query, k: int) -> list[Recommendation]:
        """The k best allowed items with a positive score; equal scores in the order of their ids."""
        scores = self.scores(query)
        return self.ranked(query, scores, k)

    def explain(self, query: Query, item_id: int) -> Reason:
        """Why this item. Raises KeyError for an item that the model does not know."""
        position = self.items.position(item_id)
        if position is None:
            raise KeyError(f"item {item_id} is unknown to {type(self).__name__}")
        return self.reasons(query, np.array([position]))[0]

    def ranked(self, query: Query, scores: FloatArray, k: int) -> list[Recommendation]:
        """Mask, rank and explain given scores."""
        best = best_positions(np.where(allowed_mask(self.items, query), scores, 0.0), k)
        reasons: Sequence[Reason] = self.reasons(query, best) if len(best) else ()
        ids = self.items.ids[best].tolist()
        return [
            Recommendation(item_id, score, reason)
            for item_id, score, reason in zip(ids, scores[best].tolist(), reasons, strict=True)
        ]

    def setting_number(self, name: str) -> float:
        """A numeric setting as a float."""
        value = self._settings[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"setting {name} must be a number, not {value!r}")
        return float(value)


def best_positions(scores: FloatArray, k: int) -> IntArray:
    """Positions of the k highest positive scores, best first, equal ones by position."""
    positive = np.flatnonzero(scores > 0)
    if k < len(positive):
        kth = np.partition(scores[positive], len(positive) - k)[len(positive) - k] if k > 0 else np.inf
        positive = positive[scores[positive] >= kth]
    order = np.argsort(-scores[positive], kind="stable")
    return positive[order][: max(k, 0)]


def distinct_history(items: ItemIndex, query: Query) -> tuple[IntArray, FloatArray]:
    """Positions of the distinct known history items, ascending, and the highest weight each was met with."""
    weights: dict[int, float] = {}
    for event in query.history:
        position = items.position(event.item_id)
        if position is not None:
            weights[position] = max(event.weight, weights.get(position, 0.0))
    positions = np.array(sorted(weights), dtype=np.int64)
    return positions, np.array([weights[p] for p in positions.tolist()], dtype=np.float64)
