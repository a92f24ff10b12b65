"""Protocol `or-rec`: personal lists on Online Retail files, task A (any item) and B (items new to the
shopper)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.evaluation import ranking
from models_ml.evaluation.bootstrap import Replicates, resample_means
from models_ml.evaluation.protocols import online_retail
from models_ml.evaluation.protocols.report import Report, described_files
from models_ml.evaluation.protocols.settings import REC, TEST_DAYS, VERSION
from models_ml.evaluation.shelves import ListQuality, ShelfSplit, list_quality, shelf_split
from models_ml.recommend.base import ScoringRecommender
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.protocol import Event, Query
from models_ml.recommend.recipes import Recipe

Scores = Callable[[Query], FloatArray]
_COLD_QUERIES = (0, 1, 2, 3)


def evaluate(paths: list[Path], cutoff: datetime, seed: int = 0) -> Report:
    """Fit every source on all data before `cutoff`, judge the 100 days after it."""
    data = online_retail.load(paths)
    report = Report("or-rec", cutoff.isoformat(), seed, described_files(paths), dict(data.counts))
    split = shelf_split(data.lines, cutoff, TEST_DAYS)
    if not split.shoppers:
        raise online_retail.InputError(f"no shopper with a history buys in the {TEST_DAYS} days from {cutoff:%Y-%m-%d}")
    report.counts.update(
        {
            "candidates": int(split.candidates.sum()),
            "known_items": len(split.train.items),
            "shoppers": len(split.shoppers),
        }
    )
    report.settings = {"version": VERSION, **{recipe.name: recipe.settings for recipe in REC}}
    fitted = {recipe.name: recipe.make().fit(split.train) for recipe in _recipes(split.train, cutoff)}
    _personal_lists(report, split, fitted, seed)
    baskets = _first_orders(data.lines, split.train, cutoff)
    _cold_shoppers(report, baskets, fitted, seed)
    return report


def _recipes(train: Interactions, cutoff: datetime) -> list[Recipe]:
    """All sources; those of last year's season only where there was a last year."""
    first = train.lines["placed_at"].min()
    assert isinstance(first, datetime)
    has_year = first <= cutoff - timedelta(days=365)
    return [recipe for recipe in REC if has_year or "season" not in recipe.name]


def _personal_lists(report: Report, split: ShelfSplit, fitted: dict[str, ScoringRecommender], seed: int) -> None:
    scores: dict[str, Scores] = {"random": lambda _: np.zeros(len(split.train.items))}
    scores.update({name: model.scores for name, model in fitted.items()})
    for task, new_only, best in (("A", False, "personal + 28 days"), ("B", True, "EASE")):
        quality = {name: list_quality(one, split, new_only=new_only, seed=seed) for name, one in scores.items()}
        if not len(quality["random"].ndcg20):
            report.add_missing(task, "all", "all", "ndcg_at_20", "no shopper buys anything that counts")
            continue
        for metric in ("ndcg_at_20", "ndcg_at_10", "recall_at_20", "hit_at_20"):
            found = resample_means({name: _per_shopper(q)[metric] for name, q in quality.items()}, seed=seed)
            for name, one in found.items():
                report.add(task, "all", name, {metric: one})
            if metric == "ndcg_at_20":
                report.compare(task, "all", metric, found, against=best)
        for name, q in quality.items():
            report.add_value(task, "all", name, "coverage", q.coverage)
            report.add_value(task, "all", name, "gini", q.gini)
            report.add_value(task, "all", name, "self_information", q.self_information)
    for recipe in REC:
        if recipe.name not in fitted:
            for task in ("A", "B"):
                why = "the data before the cut-off hold no full year"
                report.add_missing(task, "all", recipe.name, "ndcg_at_20", why)


def _per_shopper(quality: ListQuality) -> dict[str, FloatArray]:
    return {
        "ndcg_at_20": quality.ndcg20,
        "ndcg_at_10": quality.ndcg10,
        "recall_at_20": quality.recall20,
        "hit_at_20": quality.hit20,
    }


def _cold_shoppers(report: Report, baskets: list[list[int]], fitted: dict[str, ScoringRecommender], seed: int) -> None:
    """New customers' first order with three or more known items: some are told, the rest are to be found."""
    if not baskets:
        report.add_missing("cold users", "all", "EASE", "ndcg_at_20", "no new customer with three known items")
        return
    fallback = fitted.get("popularity, season last year", fitted["popularity, 28 days"])
    for asked in _COLD_QUERIES:
        enough = [basket for basket in baskets if len(basket) > asked]
        models = {name: fallback if asked == 0 else fitted[name] for name in ("EASE", "ALS")}
        values = {name: _cold_ndcg(model, enough, asked, seed) for name, model in models.items()}
        found: dict[str, Replicates] = resample_means(values, seed=seed)
        for name, one in found.items():
            report.add("cold users", f"after {asked} items", name, {"ndcg_at_20": one})


def _first_orders(lines: pl.DataFrame, train: Interactions, cutoff: datetime) -> list[list[int]]:
    window = lines.filter(pl.col("placed_at") >= cutoff, pl.col("placed_at") < cutoff + timedelta(days=TEST_DAYS))
    new = window.filter(~pl.col("customer_id").is_in(train.lines["customer_id"].unique().implode()))
    first = new.filter(pl.col("placed_at") == pl.col("placed_at").min().over("customer_id"))
    orders = (
        first.filter(pl.col("order_id") == pl.col("order_id").min().over("customer_id"))
        .group_by("customer_id")
        .agg(pl.col("product_id").unique().sort())
        .sort("customer_id")
    )
    known = [[p for p in products if p in train.items] for products in orders["product_id"].to_list()]
    return [products for products in known if len(products) >= 3]


def _cold_ndcg(model: ScoringRecommender, baskets: list[list[int]], asked: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    found = []
    for basket in baskets:
        told = rng.permutation(basket)[:asked].tolist()
        rest = model.items.known_positions(set(basket) - set(told))
        allowed = np.ones(len(model.items), dtype=np.bool_)
        allowed[model.items.known_positions(told)] = False
        scores = model.scores(Query(history=tuple(Event(item) for item in told)))
        shown = ranking.top_k(scores, allowed, 20, rng.permutation(len(allowed)))
        found.append(ranking.ndcg(np.isin(shown, rest), len(rest), 20))
    return np.array(found)
