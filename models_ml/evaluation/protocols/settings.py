"""Settings of the evaluation protocols, tuned inside the first Online Retail year only, in one place.

Raise `VERSION` with every change: reports carry it.
"""

from __future__ import annotations

from typing import Any

from models_ml.recommend.recipes import Recipe, blend_recipe

VERSION = 1
TEST_DAYS = 100

_EASE: dict[str, Any] = {"method": "ease", "regularisation": 500.0, "neighbours": 15_000}
_SEASON: dict[str, Any] = {"from_days": 365.0, "to_days": 265.0}

REC = (
    Recipe("popularity, all time", "popularity", {"from_days": 100_000.0}),
    Recipe("popularity, 28 days", "popularity", {}),
    Recipe("popularity, season last year", "popularity", _SEASON),
    Recipe("personal + 28 days", "buy_again", {"half_life_days": 0.0}),
    Recipe("cosine K=100", "item_item", {"method": "cosine", "neighbours": 100}),
    Recipe("TF-IDF K=100", "item_item", {"method": "tfidf", "neighbours": 100}),
    Recipe("BM25 K=100", "item_item", {"method": "bm25", "neighbours": 100}),
    Recipe("ALS", "als", {"factors": 128, "alpha": 1.0, "regularisation": 10.0}),
    Recipe("EASE", "item_item", _EASE),
    blend_recipe("EASE + 28 days", [("item_item", _EASE, 1.0), ("popularity", {}, 0.2)]),
    blend_recipe(
        "EASE + 28 days + season",
        [("item_item", _EASE, 1.0), ("popularity", {}, 0.1), ("popularity", _SEASON, 0.1)],
    ),
    blend_recipe("EASE + 2 personal", [("item_item", _EASE, 1.0), ("buy_again", {"half_life_days": 0.0}, 2.0)]),
)
"""Sources and blends of `or-rec`."""

FBT = (
    Recipe("popularity, 28 days", "popularity", {}),
    Recipe("confidence", "bought_together", {"minimum_count": 1, "minimum_lift": 0.0, "partners": 1000}),
    Recipe("confidence, 2 orders", "bought_together", {"minimum_count": 2, "partners": 1000}),
    Recipe("shrunk cosine", "similar", {"neighbours": 1000, "rows": "baskets"}),
    Recipe("EASE on baskets λ=500", "item_item", {**_EASE, "rows": "baskets"}),
    Recipe("EASE on baskets λ=100", "item_item", {**_EASE, "rows": "baskets", "regularisation": 100.0}),
)
"""Scores of `or-fbt`."""
