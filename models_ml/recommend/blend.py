"""A weighted blend of sources: each source's scores are divided by its best one of the query, then summed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

import numpy as np

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State, revive, state_of
from models_ml.recommend.base import ScoringRecommender, best_positions
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.protocol import Query, Recommendation, allowed_mask
from models_ml.recommend.reasons import Reason


class BlendRecommender(ScoringRecommender):
    """Sources (already constructed, fitted together) and a weight each. All must know the same items."""

    kind: ClassVar[str] = "blend"
    DEFAULTS: ClassVar[dict[str, Json]] = {"sources": []}

    def __init__(self, sources: Sequence[ScoringRecommender], weights: Sequence[float]) -> None:
        if len(sources) != len(weights) or not sources:
            raise ValueError("a blend needs sources and as many weights")
        super().__init__({"sources": [_recipe(s, w) for s, w in zip(sources, weights, strict=True)]})
        self._sources = tuple(sources)
        self._weights = tuple(weights)

    @property
    def sources(self) -> tuple[ScoringRecommender, ...]:
        """The sources, in the order of their weights."""
        return self._sources

    def fit(self, interactions: Interactions) -> Self:
        """Fit every source."""
        for source in self._sources:
            source.fit(interactions)
        self._items = interactions.items
        self._data_through = interactions.as_of
        return self

    def scores(self, query: Query) -> FloatArray:
        """The weighted sum of the normalised scores."""
        return np.asarray(self._terms(query).sum(axis=0), dtype=np.float64)

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """Each item's reason comes from the source that contributed most to it."""
        return self._reasons(query, positions, self._terms(query))

    def recommend(self, query: Query, k: int) -> list[Recommendation]:
        """As of every recommender, with the sources asked once for both scores and reasons."""
        terms = self._terms(query)
        scores = terms.sum(axis=0)
        best = best_positions(np.where(allowed_mask(self.items, query), scores, 0.0), k)
        reasons = self._reasons(query, best, terms)
        found = zip(self.items.ids[best].tolist(), scores[best].tolist(), reasons, strict=True)
        return [Recommendation(item_id, score, reason) for item_id, score, reason in found]

    def _reasons(self, query: Query, positions: IntArray, terms: FloatArray) -> list[Reason]:
        strongest = terms[:, positions].argmax(axis=0)
        reasons: dict[int, Reason] = {}
        for number, source in enumerate(self._sources):
            mine = np.flatnonzero(strongest == number)
            if len(mine):
                reasons.update(zip(mine.tolist(), source.reasons(query, positions[mine]), strict=True))
        return [reasons[i] for i in range(len(positions))]

    def to_state(self) -> State:
        """The sources' states and the weights."""
        state = State(values={"weights": list(self._weights)}, arrays={"items": self.items.ids})
        for number, source in enumerate(self._sources):
            state.nested(str(number), state_of(_as_model(source)))
        return state

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        weights = state.values["weights"]
        model = cls([revive(state.part(str(number))) for number in range(len(weights))], weights)
        model._settings = settings
        model._items = ItemIndex(state.arrays["items"])
        model._data_through = data_through
        return model

    def _terms(self, query: Query) -> FloatArray:
        """Shape (sources, items)."""
        terms = np.empty((len(self._sources), len(self.items)))
        for row, (source, weight) in enumerate(zip(self._sources, self._weights, strict=True)):
            scores = source.scores(query)
            best = float(scores.max(initial=0.0))
            terms[row] = weight * scores / best if best > 0 else 0.0
        return terms


def _recipe(source: ScoringRecommender, weight: float) -> dict[str, Json]:
    return {"kind": _as_model(source).kind, "settings": source.settings, "weight": weight}


def _as_model(source: ScoringRecommender) -> Any:
    return source
