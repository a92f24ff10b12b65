"""Time splits: nothing of the future teaches, nothing of the past counts as a hit."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from models_ml.evaluation.baskets import basket_split, completion_quality, page_quality
from models_ml.evaluation.shelves import list_quality, shelf_split
from models_ml.recommend.popularity import PopularityRecommender
from models_ml.recommend.protocol import Query
from models_ml.recommend.together import TogetherRecommender

CUT = datetime.fromisoformat("2026-01-01")


def lines(*orders: tuple[int | None, float, list[int]]) -> pl.DataFrame:
    """Orders as (customer or None, days after the cut-off, items)."""
    rows = [(n, c, i, CUT + timedelta(days=d)) for n, (c, d, items) in enumerate(orders, 1) for i in items]
    schema = {
        "order_id": pl.Int64,
        "customer_id": pl.Int64,
        "product_id": pl.Int64,
        "placed_at": pl.Datetime("us"),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_relevant_are_known_candidates_of_shoppers_with_a_history() -> None:
    split = shelf_split(
        lines(
            (1, -10, [10]), (2, -5, [20]), (3, -200, [30]),
            (1, 0, [10, 20, 30, 40]),  # 30 is out of stock, 40 did not exist
            (9, 1, [10]),  # no history
            (2, 150, [10]),  # after the window
            (None, 2, [10]),
        ),
        CUT,
    )  # fmt: skip
    assert split.train.items.ids.tolist() == [10, 20, 30]
    assert split.candidates.tolist() == [True, True, False]
    assert [s.customer_id for s in split.shoppers] == [1]
    assert split.shoppers[0].bought.tolist() == [0, 1]
    assert split.shoppers[0].bought_new.tolist() == [1]
    assert [e.item_id for e in split.shoppers[0].query.history] == [10]


def test_a_perfect_ranking_scores_one_and_history_is_masked_for_new_items() -> None:
    split = shelf_split(lines((1, -10, [10]), (2, -5, [20, 30]), (1, 1, [10, 20])), CUT)

    def oracle(query: Query) -> np.ndarray:
        return np.array([3.0, 2.0, 1.0])

    assert list_quality(oracle, split, new_only=False).ndcg20.tolist() == [1]
    found = list_quality(oracle, split, new_only=True)
    assert (found.ndcg20.tolist(), found.recall20.tolist(), found.coverage) == ([1], [1], pytest.approx(2 / 3))


def test_baskets_ask_with_one_item_and_hide_one() -> None:
    past = [(n, -n - 1.0, [10, 20]) for n in range(6)] + [(n, -n - 1.0, [30]) for n in range(20)]
    split = basket_split(lines(*past, (1, 1, [10, 20]), (2, 2, [10]), (3, 3, [10, 20, 30])), CUT)
    assert len(split.baskets) == 2
    together = TogetherRecommender().fit(split.train)
    page = page_quality(together.scores, split)
    assert page.hit5.shape == (2,)
    assert page.precision5.max() <= 0.4
    assert completion_quality(together.scores, split).hit10.shape == (1,)


def test_ties_are_ranked_at_their_expectation() -> None:
    split = basket_split(lines((1, -1, list(range(10, 31))), (1, 1, [10, 11, 12])), CUT)
    quality = completion_quality(lambda query: np.zeros(21), split)
    assert quality.reciprocal_rank.tolist() == [1 / 10]  # the middle of the nineteen that are left


def test_an_empty_window() -> None:
    split = shelf_split(lines((1, -10, [10])), CUT)
    assert split.shoppers == ()
    quality = list_quality(PopularityRecommender().fit(split.train).scores, split, new_only=True)
    assert (len(quality.ndcg20), quality.coverage, quality.gini) == (0, 0, 0)
