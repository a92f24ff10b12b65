"""Protocol `or-clv`: who stays away and who spends how much, on Online Retail files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from models_ml.arrays import BoolArray, FloatArray, IntArray, Json
from models_ml.churn.features import churn_features, churn_labels
from models_ml.churn.model import DEFAULT_SETTINGS, ChurnModel
from models_ml.evaluation import metrics as figures
from models_ml.evaluation.bootstrap import resample
from models_ml.evaluation.protocols import online_retail
from models_ml.evaluation.protocols.learned import boosted_churn, boosted_value, two_part_value
from models_ml.evaluation.protocols.report import Report, described_files
from models_ml.evaluation.protocols.settings import VERSION
from models_ml.lifetime.bgnbd import WEAK_PRIOR
from models_ml.lifetime.fitting import ConvergenceError, LogNormalPrior
from models_ml.lifetime.pareto_nbd import ParetoNbd
from models_ml.lifetime.summary import PurchaseCounts, checked_purchases, purchase_summary
from models_ml.lifetime.value import LifetimeModel, NotEnoughDataError, history
from models_ml.threads import one_blas_thread
from models_ml.training.lifetime import actual_value, baselines

_HORIZONS = (90, 180)
_YEAR = timedelta(days=365)
_PARETO_PRIOR = LogNormalPrior(centre=(0.6, 8.0, 0.6, 12.0))
_SEASON_UNKNOWN = "season unknown: less than 13 months of history and the horizon before the cut-off"
_NO_WINDOW = "no past window to learn from"
_ROLLING_LIMIT = 12
_LEAST_CUSTOMERS = 100


@dataclass(frozen=True)
class Origin:
    """All customers with a purchase before one moment, and what they did in the horizon after it."""

    known: pl.DataFrame
    moment: datetime
    days: int
    summary: pl.DataFrame
    features: pl.DataFrame
    churned: BoolArray
    value: FloatArray

    @classmethod
    def at(cls, purchases: pl.DataFrame, moment: datetime, days: int) -> Origin:
        """Everything predicted with is from before `moment`; `known` holds no later row."""
        known = checked_purchases(purchases, moment)
        summary = purchase_summary(known, moment)
        features = churn_features(known, moment, active_days=None)
        return cls(
            known=known,
            moment=moment,
            days=days,
            summary=summary,
            features=features,
            churned=churn_labels(purchases, features, moment, days),
            value=actual_value(purchases, summary, moment, days),
        )


@one_blas_thread()
def evaluate(paths: list[Path], cutoff: datetime, seed: int = 0) -> Report:
    """Churn and value for 90 and 180 days from `cutoff`, and 90-day churn at month starts whose windows end
    by it."""
    data = online_retail.load(paths)
    purchases = data.purchases()
    last = purchases["placed_at"].max()
    assert isinstance(last, datetime)
    report = Report("or-clv", cutoff.isoformat(), seed, described_files(paths), dict(data.counts))
    report.settings = {"version": VERSION, "churn": _churn_settings(90), "lifetime_prior": list(WEAK_PRIOR.centre)}
    for days in _HORIZONS:
        if last.date() + timedelta(days=1) < (cutoff + timedelta(days=days)).date():
            reason = f"the data end on {last:%Y-%m-%d}, before the horizon does"
            report.add_missing("churn", f"H={days}", "all", "auc", reason)
            report.add_missing("value", f"H={days}", "all", "gini", reason)
            continue
        origin = Origin.at(purchases, cutoff, days)
        if origin.summary.height < _LEAST_CUSTOMERS:
            raise online_retail.InputError(
                f"{origin.summary.height} customers before {cutoff:%Y-%m-%d} are too few (needs {_LEAST_CUSTOMERS})"
            )
        if origin.churned.all() or not origin.churned.any():
            raise online_retail.InputError(f"all or none of the customers before {cutoff:%Y-%m-%d} come back")
        report.counts[f"customers_{days}"] = origin.summary.height
        report.add_value("churn", f"H={days}", "observed", "rate", float(origin.churned.mean()))
        _churn(report, origin, seed)
        _value(report, origin, seed)
    _rolling(report, purchases, cutoff, seed)
    return report


def _churn(report: Report, origin: Origin, seed: int) -> None:
    scores, missing = churn_scores(origin)
    part = f"H={origin.days}"
    aucs = {name: partial(_on, figures.auc, s, origin.churned) for name, s in scores.items()}
    found = resample(aucs, len(origin.churned), seed=seed)
    for name, score in scores.items():
        report.add("churn", part, name, {"auc": found[name]})
        report.add_value("churn", part, name, "average_precision", figures.average_precision(score, origin.churned))
        if name.startswith("P("):
            pair = {
                "brier": partial(_on, figures.brier, score, origin.churned),
                "calibration_slope": partial(_on, figures.calibration_slope, score, origin.churned),
            }
            report.add("churn", part, name, resample(pair, len(score), seed=seed))
            report.add_value("churn", part, name, "mean", float(score.mean()))
    for name, reason in missing.items():
        report.add_missing("churn", part, name, "auc", reason)
    report.compare("churn", part, "auc", found, against="BG/NBD −E[orders]")


def churn_scores(origin: Origin) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """A score a customer and model, higher for likelier churn; and why a model has none.

    Names that begin with "P(" are probabilities.
    """
    model = LifetimeModel.fit(origin.summary)
    recency = origin.features["recency_days"].to_numpy()
    gap = origin.features.select(pl.col("gap_days").fill_null(float(np.nanmean(_gaps(origin))))).to_series()
    scores = {
        "recency": recency,
        "recency / gap": recency / np.maximum(gap.to_numpy(), 1.0),
        "1 − P(alive)": 1 - model.orders.probability_alive(*history(origin.summary)),
        "BG/NBD −E[orders]": -model.expected_orders(origin.summary, origin.days),
        "P(no purchase), BG/NBD": model.no_purchase(origin.summary, origin.days),
    }
    missing: dict[str, str] = {}
    try:
        pareto = ParetoNbd.fit(PurchaseCounts.from_summary(origin.summary), _PARETO_PRIOR)
        scores["Pareto/NBD −E[orders]"] = -pareto.expected_orders(*history(origin.summary), origin.days / 7)
    except ConvergenceError as error:
        missing["Pareto/NBD −E[orders]"] = str(error)
    learned = ChurnModel.fit(origin.known, origin.moment, _churn_settings(origin.days))
    if learned.method == "behaviour":
        scores["P(churn), logistic regression"] = learned.probabilities(origin.known, origin.moment, origin.features)
        scores["P(churn), boosting"] = boosted_churn(origin.known, origin.moment, origin.days, origin.features)
    else:
        missing["P(churn), logistic regression"] = "no past window to learn from"
    return scores, missing


def _learned(origin: Origin) -> tuple[ChurnModel | None, str]:
    """The logistic regression, and the reason to give where it had no past window to learn from."""
    try:
        return ChurnModel.fit(origin.known, origin.moment, _churn_settings(origin.days)), _NO_WINDOW
    except NotEnoughDataError as error:
        return None, str(error)


def _value(report: Report, origin: Origin, seed: int) -> None:
    predictions, missing = value_predictions(origin)
    part = f"H={origin.days}"
    for name, predicted in predictions.items():
        statistics = {label: partial(_on, figure, predicted, origin.value) for label, figure in _VALUE_FIGURES.items()}
        report.add("value", part, name, resample(statistics, len(predicted), seed=seed))
    ginis = {
        name: partial(_on, figures.normalised_gini, predicted, origin.value) for name, predicted in predictions.items()
    }
    found = resample(ginis, len(origin.value), seed=seed)
    report.compare("value", part, "gini", found, against="BG/NBD × Gamma-Gamma")
    report.add_value("value", part, "oracle", "top_decile_share", figures.top_share(origin.value, origin.value))
    chosen = predictions["lifetime value"]
    for number, rows in enumerate(np.array_split(np.argsort(chosen, kind="stable"), 10), 1):
        report.add_value("value deciles", part, f"decile {number}", "predicted", float(chosen[rows].mean()))
        report.add_value("value deciles", part, f"decile {number}", "actual", float(origin.value[rows].mean()))
    for name, reason in missing.items():
        report.add_missing("value", part, name, "gini", reason)


_VALUE_FIGURES: Mapping[str, figures.AmountFigure] = {
    "mae": figures.mean_absolute_error,
    "spearman": figures.spearman,
    "gini": figures.normalised_gini,
    "bias": figures.total_bias,
    "top_decile_share": figures.top_share,
}


def value_predictions(origin: Origin) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Predicted money a customer and model; and why a model has none."""
    summary, days = origin.summary, origin.days
    plain = baselines(origin.known, summary, origin.moment, days)
    predictions = {name: amount for name, amount in plain.items() if name != "recency"}
    published = LifetimeModel.fit(summary, {"spend_from": "repeat_days"})
    predictions["BG/NBD × Gamma-Gamma"] = published.expected_value(summary, days)
    ours = LifetimeModel.fit(summary).expected_value(summary, days)
    predictions["lifetime value"] = ours
    missing: dict[str, str] = {}
    for name, learner in (("boosting, Poisson", boosted_value), ("two-part lognormal", two_part_value)):
        amount = learner(origin.known, origin.moment, days, origin.features)
        if amount is None:
            missing[name] = _NO_WINDOW
        else:
            predictions[name] = amount
    ratio = _season_ratio(origin)
    if ratio is None:
        missing["lifetime value × season"] = _SEASON_UNKNOWN
        missing["same window last year"] = _SEASON_UNKNOWN
    else:
        predictions["lifetime value × season"] = ours * ratio
        predictions["same window last year"] = actual_value(origin.known, summary, origin.moment - _YEAR, days)
    return predictions, missing


def _season_ratio(origin: Origin) -> float | None:
    """Actual over predicted total of the same model a year ago, shrunk by the customers behind it."""
    then = origin.moment - _YEAR
    first = origin.known["placed_at"].min()
    assert isinstance(first, datetime)
    if (then - first).days < min(origin.days, 30) or origin.days > _YEAR.days:
        return None
    past = Origin.at(origin.known, then, origin.days)
    predicted = LifetimeModel.fit(past.summary).expected_value(past.summary, origin.days).sum()
    weight = past.summary.height / (past.summary.height + 200)
    return float(1 + weight * (past.value.sum() / predicted - 1))


def _rolling(report: Report, purchases: pl.DataFrame, cutoff: datetime, seed: int) -> None:
    """90-day churn at each month start whose window ends by the cut-off and that has 90 days before it."""
    del seed  # plain figures: their spread over the origins is the interval
    first = purchases["placed_at"].min()
    assert isinstance(first, datetime)
    start, seen = cutoff.replace(day=1), 0
    while start - timedelta(days=90) >= first and seen < _ROLLING_LIMIT:
        if start + timedelta(days=90) <= cutoff:
            origin, seen = Origin.at(purchases, start, 90), seen + 1
            enough = origin.summary.height >= _LEAST_CUSTOMERS
            scores = churn_scores(origin)[0] if enough else {}
            for name, score in scores.items():
                auc = figures.auc(score, origin.churned)
                report.add_value("rolling churn", f"{start:%Y-%m}", name, "auc", auc)
                if name.startswith("P("):
                    brier = figures.brier(score, origin.churned)
                    report.add_value("rolling churn", f"{start:%Y-%m}", name, "brier", brier)
        start = (start - timedelta(days=1)).replace(day=1)


def _gaps(origin: Origin) -> FloatArray:
    gaps = origin.features["gap_days"].drop_nulls().to_numpy()
    return gaps if len(gaps) else np.array([90.0])


def _on(figure: Callable[[Any, Any], float], score: FloatArray, actual: Any, chosen: IntArray) -> float:
    return figure(score[chosen], actual[chosen])


def _churn_settings(days: int) -> dict[str, Json]:
    return {**DEFAULT_SETTINGS, "active_days": None, "horizon_days": days}
