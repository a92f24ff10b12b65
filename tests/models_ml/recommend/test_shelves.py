"""Buy again, bought together, similar and what sells, on data small enough to count by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl
import pytest

from models_ml.recommend.buy_again import BuyAgainRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.popularity import PopularityRecommender
from models_ml.recommend.protocol import Event, Query
from models_ml.recommend.reasons import Reason, ReasonKind
from models_ml.recommend.similar import SimilarRecommender
from models_ml.recommend.together import TogetherRecommender

NOW = datetime.fromisoformat("2026-03-01")


def lines(*orders: tuple[int | None, float, list[int]]) -> Interactions:
    """Orders as (customer or None, days ago, items)."""
    rows = [
        (number, customer, item, NOW - timedelta(days=ago))
        for number, (customer, ago, items) in enumerate(orders, 1)
        for item in items
    ]
    schema = {
        "order_id": pl.Int64,
        "customer_id": pl.Int64,
        "product_id": pl.Int64,
        "placed_at": pl.Datetime("us"),
    }
    return Interactions.from_lines(pl.DataFrame(rows, schema=schema, orient="row"), NOW)


def test_confidence_ranks_and_says_n_of_m() -> None:
    known = lines(*[(1, 1, [10, 20])] * 6, *[(2, 1, [10, 30])] * 5, *[(3, 1, [40, 50])] * 20, (4, 1, [10]))
    model = TogetherRecommender().fit(known)
    shown = model.recommend(Query.of(basket=[10]), 5)
    assert [(r.item_id, r.score) for r in shown] == [(20, 6 / 12), (30, 5 / 12)]
    assert shown[0].reason == Reason(ReasonKind.BOUGHT_TOGETHER, item_id=10, count=6, total=12)
    assert shown[0].reason.sentence("Mug") == "In 6 of 12 orders with “Mug”"
    assert model.pair(20, 10) == (6, 1.0, pytest.approx(32 / 12))
    assert model.pair(20, 40) == (0, 0.0, 0.0)


def test_rare_pairs_and_pairs_of_merely_popular_items_are_filtered() -> None:
    # 10 and 20 are in nearly every order: together often, but less than chance would have it (lift < 1)
    known = lines(*[(1, 1, [10, 20])] * 6, *[(1, 1, [10])] * 6, *[(1, 1, [20])] * 6, *[(1, 1, [30, 40])] * 4)
    model = TogetherRecommender({"minimum_count": 5}).fit(known)
    assert model.pair(10, 20)[0] == 0
    assert model.pair(30, 40)[0] == 0
    assert TogetherRecommender({"minimum_count": 4}).fit(known).pair(30, 40)[0] == 4


def test_a_repeated_line_of_an_order_counts_once() -> None:
    known = lines(*[(1, 1, [10, 20, 20, 10])] * 5, *[(2, 1, [30])] * 5)
    assert TogetherRecommender().fit(known).pair(10, 20) == (5, 1.0, 2.0)


def test_buy_again_counts_fades_and_fills() -> None:
    known = lines((1, 300, [10]), (2, 5, [20]), (3, 6, [20]), (4, 7, [30]))
    history = (Event(10, NOW - timedelta(days=300)), Event(10, NOW - timedelta(days=200)), Event(30, NOW))
    often = BuyAgainRecommender({"half_life_days": 0}).fit(known).recommend(Query(history, at=NOW), 3)
    assert [r.item_id for r in often] == [10, 30, 20]
    assert often[0].reason == Reason(ReasonKind.BOUGHT_BEFORE, item_id=10, count=2, last_at=NOW - timedelta(days=200))
    assert often[0].reason.sentence() == "You bought it 2 times, last on 13 August 2025"
    assert often[2].reason.kind is ReasonKind.POPULAR
    fresh = BuyAgainRecommender({"half_life_days": 30}).fit(known).recommend(Query(history, at=NOW), 1)
    assert fresh[0].item_id == 30


def test_a_seen_item_was_not_bought() -> None:
    known = lines((1, 3, [10]), (2, 5, [20]))
    model = BuyAgainRecommender().fit(known)
    assert model.explain(Query(history=(Event(10, NOW, weight=0.3),)), 10).kind is ReasonKind.POPULAR


def test_popularity_counts_customers_and_guests_in_the_window() -> None:
    known = lines((1, 2, [10]), (1, 3, [10]), (1, 4, [10]), (2, 5, [20]), (None, 6, [20]), (3, 200, [30]))
    shown = PopularityRecommender().fit(known).recommend(Query(), 5)
    assert [r.item_id for r in shown] == [20, 10, 30]
    assert shown[0].reason == Reason(ReasonKind.POPULAR, count=2, days=28)
    assert shown[2].reason.sentence() == "Bought by 1 customer so far"


def test_last_years_season() -> None:
    known = lines((1, 330, [10]), (2, 330, [10]), (3, 5, [20]))
    season = PopularityRecommender({"from_days": 365, "to_days": 265}).fit(known).recommend(Query(), 1)
    assert (season[0].item_id, season[0].reason.kind) == (10, ReasonKind.SEASON)


def test_best_sellers_and_rising_are_two_lists() -> None:
    steady = [(n, ago, [10]) for n, ago in enumerate(list(range(1, 8)) * 3 + list(range(8, 35)) * 3)]
    fresh = [(900 + n, n % 6 + 0.5, [20]) for n in range(12)]
    single = [(950, 1, [30])]
    model = PopularityRecommender().fit(lines(*steady, *fresh, *single))
    best, rising = model.best_sellers(Query(), 3), model.rising(Query(), 3)
    assert [r.item_id for r in best] == [10, 20, 30]
    assert best[0].reason.kind is ReasonKind.BEST_SELLER
    assert [r.item_id for r in rising][:2] == [20, 30]
    assert rising[0].score == pytest.approx((12 + 5) / (0 + 5))
    assert 10 not in [r.item_id for r in rising][:2]
    assert model.rising(Query(exclude=frozenset({20})), 1)[0].item_id == 30


def test_similar_knows_a_product_that_never_sold() -> None:
    known = lines((1, 5, [10, 20]), (2, 5, [10, 20]), (3, 5, [30]))
    products = pl.DataFrame(
        {
            "product_id": [10, 20, 30, 99],
            "name": ["Red heart mug", "Blue vase", "Wooden frame", "Heart mug गुलाबी"],
            "category": ["Mugs", "Vases", "Frames", None],
        }
    )
    model = SimilarRecommender(products=products).fit(known)
    assert model.recommend(Query.of(basket=[99]), 1)[0].item_id == 10
    assert {r.item_id for r in model.recommend(Query.of(basket=[10]), 2)} == {20, 99}
    assert SimilarRecommender().fit(known).recommend(Query.of(basket=[99]), 1) == []


def test_names_without_a_word_do_no_harm() -> None:
    products = pl.DataFrame({"product_id": [10, 20], "name": ["", "?"]})
    known = lines((1, 5, [10, 20]), (2, 5, [10, 20]))
    assert SimilarRecommender(products=products).fit(known).recommend(Query.of(basket=[10]), 1)[0].item_id == 20


def test_a_shop_without_orders_answers_nothing() -> None:
    empty = lines()
    assert PopularityRecommender().fit(empty).recommend(Query(), 5) == []
