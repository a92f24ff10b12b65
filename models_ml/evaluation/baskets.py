"""Judging "bought together" on later orders: one item shown on a product page, and one hidden from a cart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from models_ml.arrays import BoolArray, FloatArray, IntArray
from models_ml.evaluation import ranking
from models_ml.evaluation.shelves import CANDIDATE_DAYS
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.protocol import Query

SMALLEST, LARGEST = 2, 60
"""Orders with fewer distinct candidates ask nothing; longer ones are a wholesaler's stock list."""


@dataclass(frozen=True)
class BasketSplit:
    """Training data before the cut-off and the distinct candidates (positions) of each later order."""

    train: Interactions
    candidates: BoolArray
    baskets: tuple[IntArray, ...]


@dataclass(frozen=True)
class PageQuality:
    """An entry a basket: did the five items shown beside a random item of the order hit the rest of it."""

    hit5: FloatArray
    precision5: FloatArray
    coverage: float


@dataclass(frozen=True)
class CompletionQuality:
    """An entry a basket of three or more: was the hidden item among the first ten, and 1 / its rank."""

    hit10: FloatArray
    reciprocal_rank: FloatArray


def basket_split(lines: pl.DataFrame, cutoff: datetime, days: float = 91) -> BasketSplit:
    """Split order lines at `cutoff`; the test orders are those of the `days` after it."""
    train = Interactions.from_lines(lines, cutoff)
    candidates = np.zeros(len(train.items), dtype=np.bool_)
    candidates[train.items.positions_of(train.since(CANDIDATE_DAYS)["product_id"].unique().to_numpy())] = True
    window = lines.filter(pl.col("placed_at") >= cutoff, pl.col("placed_at") < cutoff + timedelta(days=days))
    orders = window.group_by("order_id").agg(pl.col("product_id").unique().sort()).sort("order_id")
    baskets = []
    for products in orders["product_id"].to_list():
        positions = train.items.known_positions(products)
        positions = positions[candidates[positions]]
        if SMALLEST <= len(positions) <= LARGEST:
            baskets.append(positions)
    return BasketSplit(train, candidates, tuple(baskets))


def page_quality(scores_of: Callable[[Query], FloatArray], split: BasketSplit, *, seed: int = 42) -> PageQuality:
    """For one random item of each basket, rank the candidates; relevant is the rest of the basket."""
    rng = np.random.default_rng(seed)
    ids, shuffle = split.train.items.ids, rng.permutation(len(split.candidates))
    shown_for: dict[int, IntArray] = {}
    hits: list[int] = []
    for basket in split.baskets:
        asked = int(rng.choice(basket))
        if asked not in shown_for:
            allowed = split.candidates.copy()
            allowed[asked] = False
            scores = scores_of(Query(basket=(int(ids[asked]),)))
            shown_for[asked] = ranking.top_k(scores, allowed & (scores > 0), 5, shuffle)
        hits.append(int(np.isin(shown_for[asked], basket).sum()))
    found = np.array(hits, dtype=np.float64)
    return PageQuality(
        hit5=(found > 0).astype(np.float64),
        precision5=found / 5,
        coverage=ranking.coverage(list(shown_for.values()), int(split.candidates.sum())),
    )


def completion_quality(
    scores_of: Callable[[Query], FloatArray], split: BasketSplit, *, seed: int = 42
) -> CompletionQuality:
    """Hide one random item of each basket of three or more and ask with the rest; ties at their expected
    rank."""
    rng = np.random.default_rng(seed)
    ids = split.train.items.ids
    hits, reciprocal = [], []
    for basket in split.baskets:
        if len(basket) < 3:
            continue
        hidden = int(rng.choice(basket))
        rest = basket[basket != hidden]
        scores = scores_of(Query(basket=tuple(ids[rest].tolist())))
        allowed = split.candidates.copy()
        allowed[rest] = False
        above = int((scores[allowed] > scores[hidden]).sum())
        equal = int((scores[allowed] == scores[hidden]).sum())  # counts the hidden item itself
        rank = above + (equal + 1) / 2
        hits.append(float(rank <= 10))
        reciprocal.append(1 / rank)
    return CompletionQuality(np.array(hits), np.array(reciprocal))
