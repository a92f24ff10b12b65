"""The "buy again" shelf: what this shopper buys, the fresher and the more often the higher."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import ClassVar, Self

import numpy as np

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import State
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.popularity import PopularityRecommender
from models_ml.recommend.protocol import Query
from models_ml.recommend.reasons import Reason, ReasonKind

_SECONDS_PER_DAY = 86_400.0


class BuyAgainRecommender(ScoringRecommender):
    """Σ over the shopper's purchases of an item of 2^(−age / half_life), plus `fill` × normalised popularity.

    The popularity term orders equals and fills the list of a shopper with a short history. `half_life_days`
    0 means no decay. An event without a time counts as of the moment of the question.
    """

    kind: ClassVar[str] = "buy_again"
    DEFAULTS: ClassVar[dict[str, Json]] = {"half_life_days": 180.0, "fill": 0.5}

    def __init__(self, settings: dict[str, Json] | None = None) -> None:
        super().__init__(settings)
        self._popular = PopularityRecommender()

    def fit(self, interactions: Interactions) -> Self:
        """Learn what sells; all else stands in the query."""
        self._popular.fit(interactions)
        self._items = interactions.items
        self._data_through = interactions.as_of
        return self

    def scores(self, query: Query) -> FloatArray:
        """Decayed personal frequency plus the fill."""
        popular = self._popular.scores(query)
        total = self.setting_number("fill") * popular / max(float(popular.max(initial=0.0)), 1e-12)
        now, half_life = query.at or self._data_through, self.setting_number("half_life_days")
        for event in query.history:
            position = self.items.position(event.item_id)
            if position is not None:
                total[position] += event.weight * _decay(event.at, now, half_life)
        return total

    def reasons(self, query: Query, positions: IntArray) -> list[Reason]:
        """How often and when the shopper bought it, or that it sells."""
        times: dict[int, list[datetime | None]] = defaultdict(list)
        for event in query.history:
            if event.weight >= 1:
                times[event.item_id].append(event.at)
        popular = self._popular.reasons(query, positions)
        reasons = []
        for item_id, fallback in zip(self.items.ids[positions].tolist(), popular, strict=True):
            bought = times.get(item_id)
            reasons.append(_bought(item_id, bought) if bought else fallback)
        return reasons

    def to_state(self) -> State:
        """The popularity inside."""
        return self._popular.to_state()

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described."""
        model = cls(settings)
        model._popular = PopularityRecommender.from_state(state, {}, data_through)
        model._items = ItemIndex(state.arrays["items"])
        model._data_through = data_through
        return model


def _decay(at: datetime | None, now: datetime | None, half_life: float) -> float:
    if at is None or now is None or half_life <= 0:
        return 1.0
    age = max((now - at).total_seconds() / _SECONDS_PER_DAY, 0.0)
    return float(np.exp2(-age / half_life))


def _bought(item_id: int, times: list[datetime | None]) -> Reason:
    known = [at for at in times if at is not None]
    return Reason(ReasonKind.BOUGHT_BEFORE, item_id=item_id, count=len(times), last_at=max(known) if known else None)
