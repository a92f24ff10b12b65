"""Protocol `or-fbt`: bought together on Online Retail files; product page and completion of the cart."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from models_ml.arrays import FloatArray
from models_ml.evaluation.baskets import basket_split, completion_quality, page_quality
from models_ml.evaluation.bootstrap import resample_means
from models_ml.evaluation.protocols import online_retail
from models_ml.evaluation.protocols.report import Report, described_files
from models_ml.evaluation.protocols.settings import FBT, VERSION
from models_ml.recommend.interactions import Interactions

_TEST_DAYS = 91
_PAGE_SEED = 42


def evaluate(paths: list[Path], cutoff: datetime, seed: int = 0) -> Report:
    """Fit every score on all data before `cutoff`, judge the orders of the 91 days after it."""
    data = online_retail.load(paths)
    split = basket_split(data.lines, cutoff, _TEST_DAYS)
    if not split.baskets:
        raise online_retail.InputError(f"no order of two known items in the {_TEST_DAYS} days from {cutoff:%Y-%m-%d}")
    report = Report("or-fbt", cutoff.isoformat(), seed, described_files(paths), dict(data.counts))
    report.counts["baskets"] = len(split.baskets)
    report.counts.update(_pair_counts(split.train))
    report.settings = {"version": VERSION, **{recipe.name: recipe.settings for recipe in FBT}}
    page: dict[str, dict[str, FloatArray]] = {"precision_at_5": {}, "hit_at_5": {}}
    cart: dict[str, dict[str, FloatArray]] = {"hit_at_10": {}, "mrr": {}}
    for recipe in FBT:
        model = recipe.make().fit(split.train)
        shown = page_quality(model.scores, split, seed=_PAGE_SEED)
        page["precision_at_5"][recipe.name], page["hit_at_5"][recipe.name] = shown.precision5, shown.hit5
        found = completion_quality(model.scores, split, seed=_PAGE_SEED)
        cart["hit_at_10"][recipe.name], cart["mrr"][recipe.name] = found.hit10, found.reciprocal_rank
        report.add_value("page", "all", recipe.name, "coverage", shown.coverage)
    for task, figures in (("page", page), ("completion", cart)):
        for metric, values in figures.items():
            replicates = resample_means(values, seed=seed)
            for name, one in replicates.items():
                report.add(task, "all", name, {metric: one})
            if metric in {"precision_at_5", "hit_at_10"}:
                report.compare(task, "all", metric, replicates, against="confidence")
    return report


def _pair_counts(train: Interactions) -> dict[str, int]:
    X = train.basket_matrix()
    pairs = (X.T @ X).tocoo()
    upper = pairs.data[pairs.row < pairs.col]
    return {
        "train_invoices": train.lines.select(pl.col("order_id").n_unique()).item(),
        "pairs": len(upper),
        "pairs_of_20_orders": int((upper >= 20).sum()),
    }
