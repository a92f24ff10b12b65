"""Training the "discover" shelf: what a shopper has not bought yet and will."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from models_ml.arrays import Json
from models_ml.artifacts import Model
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.item_item import EASE_ITEM_LIMIT
from models_ml.recommend.recipes import Recipe, blend_recipe
from models_ml.training.contest import Contest
from models_ml.training.result import TrainingResult
from models_ml.training.tasks import ShelfTask

POPULAR = Recipe("popularity", "popularity", {})
_SEASON: dict[str, Json] = {"from_days": 365.0, "to_days": 265.0}
_POPULARITY_SHARE = 0.2
_YEAR = 365


def train_discover(lines: pl.DataFrame, as_of: datetime, champion: Model | None = None) -> TrainingResult:
    """Train "discover" on order lines before `as_of`.

    `lines`: order_id, customer_id (null for guests), product_id, placed_at. Candidates: EASE, EASE blended
    with what sells (and, given a year of history, with what sold in this season last year), implicit ALS,
    BM25 and cosine neighbours. The floor is the popularity of 28 days.
    """
    known = Interactions.from_lines(lines, as_of)
    return Contest("discover", ShelfTask(new_only=True), candidates(known), POPULAR).run(known.lines, as_of, champion)


def candidates(known: Interactions) -> list[Recipe]:
    """The recipes to compare for this shop: regularisation goes with its size, EASE with its number of
    items."""
    strength = _regularisation(known)
    als: dict[str, Json] = {"factors": 128 if len(known.items) > 1000 else 32, "regularisation": strength / 50}
    recipes = [
        Recipe("als", "als", als),
        Recipe("bm25", "item_item", {"method": "bm25", "neighbours": 100}),
        Recipe("cosine", "item_item", {"method": "cosine", "neighbours": 100}),
    ]
    linear: dict[str, Json] = {"method": "bm25", "neighbours": 100}
    if len(known.items) <= EASE_ITEM_LIMIT:
        linear = {"method": "ease", "regularisation": strength}
        recipes.insert(0, Recipe("ease", "item_item", linear))
    sells: list[tuple[str, dict[str, Json], float]] = [("popularity", {}, _POPULARITY_SHARE)]
    if known.before(known.as_of - timedelta(days=_YEAR)).lines.height:
        sells = [("popularity", {}, _POPULARITY_SHARE / 2), ("popularity", _SEASON, _POPULARITY_SHARE / 2)]
    recipes.append(blend_recipe("blend", [("item_item", linear, 1.0), *sells]))
    return recipes


def _regularisation(known: Interactions) -> float:
    """λ of EASE: 500 was tuned on 3,500 customers of a gift shop; it grows with the counts that it is added
    to."""
    customers = known.lines["customer_id"].drop_nulls().n_unique()
    return float(min(500.0, max(20.0, customers / 7)))
