"""A time split for recommenders: who bought what after a cut-off, judged with what was known before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from models_ml.arrays import BoolArray, FloatArray, IntArray
from models_ml.evaluation import ranking
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.protocol import Event, Query

CANDIDATE_DAYS = 90
"""Items sold in so many days before the cut-off count as in stock: stock itself is not in order lines."""


@dataclass(frozen=True)
class Shopper:
    """One customer of the test window: the query at the cut-off and what he then bought (positions)."""

    customer_id: int
    query: Query
    bought: IntArray
    bought_new: IntArray


@dataclass(frozen=True)
class ShelfSplit:
    """Training data before the cut-off, and the test window after it, with history-bearing customers only."""

    train: Interactions
    candidates: BoolArray
    shoppers: tuple[Shopper, ...]


@dataclass(frozen=True)
class ListQuality:
    """Figures of one model's lists, an entry a shopper with something relevant, and of all lists together."""

    ndcg10: FloatArray
    ndcg20: FloatArray
    recall20: FloatArray
    hit20: FloatArray
    coverage: float
    gini: float
    self_information: float


def shelf_split(lines: pl.DataFrame, cutoff: datetime, days: float = 100) -> ShelfSplit:
    """Split order lines at `cutoff`; the test window is the `days` after it.

    Candidates are the items known and sold in the last 90 days before the cut-off; relevant are the distinct
    candidates that a shopper with a history buys in the window.
    """
    train = Interactions.from_lines(lines, cutoff)
    candidates = np.zeros(len(train.items), dtype=np.bool_)
    candidates[train.items.positions_of(train.since(CANDIDATE_DAYS)["product_id"].unique().to_numpy())] = True
    window = lines.filter(
        pl.col("placed_at") >= cutoff, pl.col("placed_at") < cutoff + timedelta(days=days)
    ).drop_nulls("customer_id")
    bought = _items_by_customer(window)
    past = _events_by_customer(train, set(bought))
    shoppers = []
    for customer in sorted(past):
        positions = train.items.known_positions(bought[customer])
        relevant = np.unique(positions[candidates[positions]])
        known = train.items.known_positions({event.item_id for event in past[customer]})
        query = Query(history=past[customer], at=cutoff)
        shoppers.append(Shopper(customer, query, relevant, np.setdiff1d(relevant, known)))
    return ShelfSplit(train, candidates, tuple(shoppers))


def list_quality(
    scores_of: Callable[[Query], FloatArray], split: ShelfSplit, *, new_only: bool, seed: int = 0
) -> ListQuality:
    """Rank the candidates for each shopper and judge the lists; ties are broken by a seeded shuffle.

    `new_only` is the "discover" task: items of the history are masked and only new purchases are relevant.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, float, float, float]] = []
    lists: list[IntArray] = []
    for shopper in split.shoppers:
        relevant = shopper.bought_new if new_only else shopper.bought
        shuffle = rng.permutation(len(split.candidates))
        if not len(relevant):
            continue
        allowed = split.candidates
        if new_only:
            allowed = allowed.copy()
            allowed[split.train.items.known_positions(e.item_id for e in shopper.query.history)] = False
        shown = ranking.top_k(scores_of(shopper.query), allowed, 20, shuffle)
        hits = np.isin(shown, relevant)
        lists.append(shown)
        rows.append(
            (
                ranking.ndcg(hits, len(relevant), 10),
                ranking.ndcg(hits, len(relevant), 20),
                ranking.recall(hits, len(relevant), 20),
                float(hits.any()),
            )
        )
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    candidates = int(split.candidates.sum())
    return ListQuality(
        ndcg10=table[:, 0],
        ndcg20=table[:, 1],
        recall20=table[:, 2],
        hit20=table[:, 3],
        coverage=ranking.coverage(lists, candidates),
        gini=ranking.exposure_gini(lists, candidates),
        self_information=ranking.self_information(lists, _share_of_customers(split.train)),
    )


def _share_of_customers(train: Interactions) -> FloatArray:
    X = train.customer_matrix()
    return np.asarray(X.sum(axis=0), dtype=np.float64).ravel() / max(X.shape[0], 1)


def _items_by_customer(window: pl.DataFrame) -> dict[int, list[int]]:
    grouped = window.group_by("customer_id").agg(pl.col("product_id").unique().sort())
    return dict(zip(grouped["customer_id"].to_list(), grouped["product_id"].to_list(), strict=True))


def _events_by_customer(train: Interactions, customers: set[int]) -> dict[int, tuple[Event, ...]]:
    """One event an order and item, in time order, of those of the customers that have a history."""
    lines = (
        train.lines.filter(pl.col("customer_id").is_in(list(customers)))
        .unique(["customer_id", "order_id", "product_id"])
        .sort("customer_id", "placed_at", "order_id", "product_id")
    )
    events: dict[int, list[Event]] = {}
    for customer, product, at in lines.select("customer_id", "product_id", "placed_at").iter_rows():
        events.setdefault(customer, []).append(Event(product, at))
    return {customer: tuple(past) for customer, past in events.items()}
