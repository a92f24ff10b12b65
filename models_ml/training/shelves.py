"""Training the other shelves: buy again, bought together, similar, and what sells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from models_ml.artifacts import Model
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Trial
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.recipes import Recipe
from models_ml.recommend.similar import SimilarRecommender
from models_ml.training.contest import Contest
from models_ml.training.discover import POPULAR
from models_ml.training.result import TrainingResult
from models_ml.training.tasks import BasketTask, ShelfTask

# The least that a list of what sells must beat is last quarter's list.
_STALE = Recipe("popularity of the last quarter", "popularity", {"from_days": 120.0, "to_days": 92.0})


def train_buy_again(lines: pl.DataFrame, as_of: datetime, champion: Model | None = None) -> TrainingResult:
    """Train "buy again" on order lines before `as_of`; candidates differ in how fast old purchases fade."""
    recipes = [
        Recipe("no decay", "buy_again", {"half_life_days": 0.0}),
        Recipe("half-life 365 days", "buy_again", {"half_life_days": 365.0}),
        Recipe("half-life 180 days", "buy_again", {"half_life_days": 180.0}),
    ]
    return Contest("buy_again", ShelfTask(new_only=False), recipes, POPULAR).run(lines, as_of, champion)


def train_bought_together(lines: pl.DataFrame, as_of: datetime, champion: Model | None = None) -> TrainingResult:
    """Train "bought together" on order lines before `as_of`; candidates differ in the evidence that a pair
    needs."""
    recipes = [
        Recipe("confidence, 5 orders", "bought_together", {"minimum_count": 5}),
        Recipe("confidence, 3 orders", "bought_together", {"minimum_count": 3}),
        Recipe("confidence, 2 orders", "bought_together", {"minimum_count": 2}),
    ]
    return Contest("bought_together", BasketTask(), recipes, POPULAR).run(lines, as_of, champion)


def train_popularity(lines: pl.DataFrame, as_of: datetime, champion: Model | None = None) -> TrainingResult:
    """Count what sells. This is the floor of the others; its own floor is what sold a quarter earlier."""
    recipe = Recipe("28 days", "popularity", {})
    result = Contest("popularity", ShelfTask(new_only=False), [recipe], _STALE).run(lines, as_of, champion)
    known = Interactions.from_lines(lines, as_of)
    if result.enough_data or known.lines.is_empty():
        return result
    # Even a shop too young to judge anything shows what sells: everything else falls back to this.
    trial = Trial(
        challenger=Metric("ndcg_at_20", 0.0),
        higher_is_better=True,
        champion=None if champion is None else Metric("ndcg_at_20", 0.0),
        same_recipe=champion is not None,
        newer_data=champion is None or champion.data_through is None or champion.data_through < as_of,
    )
    model: Any = recipe.make().fit(known)
    return replace(result, model=model, params={"recipe": recipe.name, **model.settings}, trial=trial)


def train_similar(
    lines: pl.DataFrame,
    as_of: datetime,
    products: pl.DataFrame | None = None,
    champion: Model | None = None,
) -> TrainingResult:
    """Train "similar products" on order lines before `as_of` and the catalogue (product_id, name, category).

    Nobody records which products are alike, so the judge is a stand-in: alike products meet in orders more
    often than what merely sells. Customers' other orders teach the model as well, so it is no copy of
    "bought together".
    """
    settings: Sequence[float] = (0.5, 0.2) if products is not None else (0.5,)
    recipes = [_SimilarRecipe(f"content {w:g}", "similar", {"content": w}, products) for w in settings]
    return Contest("similar", BasketTask(), recipes, POPULAR).run(lines, as_of, champion)


@dataclass(frozen=True)
class _SimilarRecipe(Recipe):
    """A recipe that hands the catalogue to the model."""

    products: pl.DataFrame | None = None

    def make(self) -> ScoringRecommender:
        """A model that knows the catalogue."""
        return SimilarRecommender(self.settings, self.products)
