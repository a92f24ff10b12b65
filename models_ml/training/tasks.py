"""The tasks that shelves are judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.evaluation.baskets import BasketSplit, basket_split, completion_quality, page_quality
from models_ml.evaluation.shelves import ShelfSplit, list_quality, shelf_split
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.protocol import Query
from models_ml.training.contest import Measured

T = TypeVar("T")

_MOST_CASES = 2000
"""More cases than this are sampled: intervals are narrow by then, and a run's time stays bounded."""


@dataclass(frozen=True)
class ShelfTask:
    """Personal lists: what shoppers with a history buy next; with `new_only`, what they had not bought
    before."""

    new_only: bool
    primary: str = "ndcg_at_20"

    @property
    def slice(self) -> str:
        """Which purchases count."""
        return "new_items" if self.new_only else "all_items"

    def split(self, lines: pl.DataFrame, cutoff: datetime, days: float) -> ShelfSplit:
        """The shoppers of the window."""
        split = shelf_split(lines, cutoff, days)
        return replace(split, shoppers=_sampled(split.shoppers))

    def measure(self, model: ScoringRecommender, split: ShelfSplit) -> Measured:
        """NDCG, recall and hit rate a shopper; coverage and Gini of all lists."""
        quality = list_quality(_in_order_of(split.train, model), split, new_only=self.new_only)
        return Measured(
            units={
                "ndcg_at_20": quality.ndcg20,
                "ndcg_at_10": quality.ndcg10,
                "recall_at_20": quality.recall20,
                "hit_at_20": quality.hit20,
            },
            overall={
                "coverage": quality.coverage,
                "exposure_gini": quality.gini,
                "self_information": quality.self_information,
            },
        )


@dataclass(frozen=True)
class BasketTask:
    """Product page and cart: what else is in an order that holds this."""

    primary: str = "precision_at_5"
    slice: str = "orders"

    def split(self, lines: pl.DataFrame, cutoff: datetime, days: float) -> BasketSplit:
        """The orders of the window."""
        split = basket_split(lines, cutoff, days)
        return replace(split, baskets=_sampled(split.baskets))

    def measure(self, model: ScoringRecommender, split: BasketSplit) -> Measured:
        """Hit and precision of five an order; completion of carts of three and more."""
        scores = _in_order_of(split.train, model)
        page = page_quality(scores, split)
        cart = completion_quality(scores, split)
        return Measured(
            units={"precision_at_5": page.precision5, "hit_at_5": page.hit5},
            overall={
                "coverage": page.coverage,
                "completion_hit_at_10": float(cart.hit10.mean()) if len(cart.hit10) else 0.0,
                "completion_mrr": float(cart.reciprocal_rank.mean()) if len(cart.hit10) else 0.0,
            },
        )


def _in_order_of(train: Interactions, model: ScoringRecommender) -> Callable[[Query], FloatArray]:
    """The model's scores of the training items: one with a catalogue knows more items than were ever sold."""
    place = model.items.positions_of(train.items.ids)
    return lambda query: model.scores(query)[place]


def _sampled(cases: tuple[T, ...]) -> tuple[T, ...]:
    if len(cases) <= _MOST_CASES:
        return cases
    chosen = np.sort(np.random.default_rng(0).choice(len(cases), _MOST_CASES, replace=False))
    return tuple(cases[i] for i in chosen.tolist())
