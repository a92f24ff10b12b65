"""Making an unfitted recommender from its recipe: kind and settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models_ml.arrays import Json
from models_ml.recommend.als import AlsRecommender
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.blend import BlendRecommender
from models_ml.recommend.buy_again import BuyAgainRecommender
from models_ml.recommend.item_item import ItemItemRecommender
from models_ml.recommend.popularity import PopularityRecommender
from models_ml.recommend.similar import SimilarRecommender
from models_ml.recommend.together import TogetherRecommender

_MAKERS: dict[str, Callable[[dict[str, Json]], ScoringRecommender]] = {
    ItemItemRecommender.kind: ItemItemRecommender,
    AlsRecommender.kind: AlsRecommender,
    BuyAgainRecommender.kind: BuyAgainRecommender,
    TogetherRecommender.kind: TogetherRecommender,
    PopularityRecommender.kind: PopularityRecommender,
    SimilarRecommender.kind: SimilarRecommender,
}


@dataclass(frozen=True)
class Recipe:
    """A named recommender to be: what a contest of models compares."""

    name: str
    kind: str
    settings: dict[str, Json]

    def make(self) -> ScoringRecommender:
        """A fresh, unfitted recommender."""
        return make(self.kind, self.settings)


def blend_recipe(name: str, parts: Sequence[tuple[str, dict[str, Json], float]]) -> Recipe:
    """The recipe of a blend of (kind, settings, weight)."""
    sources: list[Json] = [{"kind": kind, "settings": s, "weight": weight} for kind, s, weight in parts]
    return Recipe(name, BlendRecommender.kind, {"sources": sources})


def make(kind: str, settings: dict[str, Json]) -> ScoringRecommender:
    """An unfitted recommender. Raises ValueError for an unknown kind or setting."""
    if kind == BlendRecommender.kind:
        parts: Any = settings["sources"]
        return BlendRecommender(
            [make(part["kind"], part["settings"]) for part in parts], [part["weight"] for part in parts]
        )
    if kind not in _MAKERS:
        raise ValueError(f"unknown kind of recommender: {kind!r}")
    return _MAKERS[kind](settings)
