"""Training lifetime value: BG/NBD and Gamma-Gamma, judged by what customers spend in a hold-out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from models_ml.arrays import FloatArray, IntArray, Json
from models_ml.artifacts import Model
from models_ml.evaluation import metrics as figures
from models_ml.evaluation.bootstrap import Replicates, gain, resample
from models_ml.evaluation.estimate import Metric
from models_ml.evaluation.gate import Trial
from models_ml.evaluation.plots import decile_plot, frequency_plot, interval_plot
from models_ml.lifetime.fitting import ConvergenceError
from models_ml.lifetime.gamma_gamma import spend_correlation
from models_ml.lifetime.summary import checked_purchases, exact_sum, purchase_summary
from models_ml.lifetime.value import (
    DEFAULT_SETTINGS,
    LifetimeModel,
    NotEnoughDataError,
    check_enough,
    history,
    observed_only,
)
from models_ml.threads import one_blas_thread
from models_ml.training.result import TrainingResult

NAME = "lifetime_value"
HOLDOUT_DAYS = 90
_PRIMARY = "value_spearman"
_FLOOR = "recency"
_REPEATS = 500
_MOST_CUSTOMERS = 20_000  # more are sampled for the hold-out's figures
_BARS = 8


@one_blas_thread()
def train_lifetime(
    purchases: pl.DataFrame,
    as_of: datetime,
    champion: Model | None = None,
    settings: Mapping[str, Json] | None = None,
) -> TrainingResult:
    """Train lifetime value on orders placed before `as_of`.

    `purchases`: customer_id, order_id, placed_at, net_merchandise, one row an order. The predictions frame
    has the columns of the mart `customer_lifetime_value`. Below the minimum of `check_enough` it holds
    observed figures only and the note says what is lacking. The gate's figure is the rank correlation of
    predicted with actual value in the last 90 days, the floor "who bought last".
    """
    chosen: dict[str, Json] = {**DEFAULT_SETTINGS, **(settings or {})}
    known = checked_purchases(purchases, as_of)
    summary = purchase_summary(known, as_of)
    try:
        check_enough(summary, chosen, HOLDOUT_DAYS)
        model = LifetimeModel.fit(summary, chosen, as_of)
    except (NotEnoughDataError, ConvergenceError) as error:
        return TrainingResult(NAME, as_of, predictions=observed_only(summary), note=str(error))
    plots: dict[str, Figure] = {"repeat_purchases": _frequency(model, summary)}
    held = _holdout(known, as_of, model, champion)
    if held is not None:
        plots.update(held[2])
    return TrainingResult(
        name=NAME,
        data_through=as_of,
        model=model,
        params=_parameters(model, summary),
        metrics=() if held is None else held[0],
        plots=plots,
        trial=None if held is None else held[1],
        predictions=model.predict(summary),
        note="" if held is not None else "no hold-out: the history is too short to judge the model",
    )


def _holdout(
    known: pl.DataFrame, as_of: datetime, model: LifetimeModel, champion: Model | None
) -> tuple[tuple[Metric, ...], Trial, dict[str, Figure]] | None:
    """Fit on what was known 90 days before the cut-off and compare with what came; None below the minimum."""
    origin = as_of - timedelta(days=HOLDOUT_DAYS)
    summary = purchase_summary(known, origin)
    try:
        check_enough(summary, model.settings, HOLDOUT_DAYS)
        mine = LifetimeModel.fit(summary, model.settings, origin)
    except (NotEnoughDataError, ConvergenceError):
        return None
    fitted = {"": mine}
    if isinstance(champion, LifetimeModel):
        fitted["champion"] = LifetimeModel.fit(summary, champion.settings, origin)
    judged = _sample(summary)
    actual = actual_value(known, judged, origin, HOLDOUT_DAYS)
    values = {name: one.expected_value(judged, HOLDOUT_DAYS) for name, one in fitted.items()}
    values.update(baselines(known, judged, origin, HOLDOUT_DAYS))
    replicates = _replicates(values, actual)
    metrics = tuple(one.metric(figure, model=name) for (name, figure), one in replicates.items())
    metrics += _order_metrics(fitted[""], judged, actual > 0)
    compared = [metric for metric in metrics if metric.name == _PRIMARY]
    plots = {
        "holdout_candidates": interval_plot(compared, "Value in 90 days: rank correlation", "lifetime value"),
        "holdout_deciles": decile_plot(values[""], actual, "Value in the 90 days of the hold-out", "money"),
    }
    return metrics, _trial(replicates, model, champion), plots


def actual_value(known: pl.DataFrame, summary: pl.DataFrame, origin: datetime, days: float) -> FloatArray:
    """Net merchandise of each customer of the summary in the `days` from `origin`; 0 for none."""
    end = origin + timedelta(days=days)
    spent = (
        known.filter(pl.col("placed_at") >= origin, pl.col("placed_at") < end)
        .group_by("customer_id")
        .agg(exact_sum("net_merchandise").alias("spent"))
    )
    joined = summary.join(spent, on="customer_id", how="left", maintain_order="left")
    return joined["spent"].fill_null(0.0).to_numpy().astype(np.float64)


def baselines(known: pl.DataFrame, summary: pl.DataFrame, origin: datetime, days: float) -> dict[str, FloatArray]:
    """What needs no model: who bought last, what was spent in the last `days`, and the rate so far."""
    age = summary["T"].to_numpy().astype(np.float64)
    recency = age - summary["t_x"].to_numpy()
    past = known.filter(pl.col("placed_at") < origin)
    return {
        _FLOOR: -recency,
        f"spend of the last {days:.0f} days": actual_value(past, summary, origin - timedelta(days=days), days),
        "lifetime rate": summary["historic_value"].to_numpy() / np.maximum(age, days) * days,
    }


def _replicates(values: dict[str, FloatArray], actual: FloatArray) -> dict[tuple[str, str], Replicates]:
    def on(figure: figures.AmountFigure, predicted: FloatArray, chosen: IntArray) -> float:
        return figure(predicted[chosen], actual[chosen])

    statistics = {}
    for name, predicted in values.items():
        for label, figure in _AMOUNT_FIGURES.items():
            if name != _FLOOR or label in _RANK_ONLY:  # recency is no amount of money
                statistics[f"{name}\t{label}"] = partial(on, figure, predicted)
    found = resample(statistics, len(actual), repeats=_REPEATS)
    return {(key.split("\t")[0], key.split("\t")[1]): one for key, one in found.items()}


_AMOUNT_FIGURES: dict[str, figures.AmountFigure] = {
    _PRIMARY: figures.spearman,
    "value_gini": figures.normalised_gini,
    "value_top_decile_share": figures.top_share,
    "value_mae": figures.mean_absolute_error,
    "value_bias": figures.total_bias,
}
_RANK_ONLY = {_PRIMARY, "value_gini", "value_top_decile_share"}


def _order_metrics(model: LifetimeModel, summary: pl.DataFrame, ordered: np.ndarray) -> tuple[Metric, ...]:
    """How well P(no purchase) foretells who stays away."""
    away = ~ordered
    probability = model.no_purchase(summary, HOLDOUT_DAYS)
    found = resample(
        {
            "no_order_auc": lambda i: figures.auc(probability[i], away[i]),
            "no_order_brier": lambda i: figures.brier(probability[i], away[i]),
        },
        len(away),
        repeats=_REPEATS,
    )
    return tuple(one.metric(name) for name, one in found.items())


def _trial(replicates: dict[tuple[str, str], Replicates], model: LifetimeModel, champion: Model | None) -> Trial:
    mine, floor = replicates["", _PRIMARY], replicates[_FLOOR, _PRIMARY]
    old = replicates.get(("champion", _PRIMARY))
    through = None if champion is None else champion.data_through
    return Trial(
        challenger=mine.metric(_PRIMARY),
        higher_is_better=True,
        floor=floor.metric(_PRIMARY),
        gain_over_floor=gain(mine, floor, _PRIMARY),
        champion=None if old is None else old.metric(_PRIMARY),
        gain_over_champion=None if old is None else gain(mine, old, _PRIMARY),
        same_recipe=champion is not None and champion.settings == model.settings,
        newer_data=through is None or (model.data_through is not None and through < model.data_through),
    )


def _parameters(model: LifetimeModel, summary: pl.DataFrame) -> dict[str, Json]:
    fitted: dict[str, Json] = dict(zip(("r", "alpha", "a", "b"), model.orders.parameters, strict=True))
    fitted.update(zip(("p", "q", "v"), model.spend.parameters, strict=True))
    spenders = summary.filter(pl.col("spend_days") > 0)
    return {
        **model.settings,
        **fitted,
        "log_likelihood_orders": model.orders.log_likelihood,
        "log_likelihood_spend": model.spend.log_likelihood,
        "spend_frequency_correlation": spend_correlation(spenders["spend_days"], spenders["repeat_value"]),
        "customers": summary.height,
    }


def _frequency(model: LifetimeModel, summary: pl.DataFrame) -> Figure:
    x, _, T = history(summary)
    actual = np.bincount(np.minimum(x, _BARS - 1).astype(np.int64), minlength=_BARS).astype(np.float64)
    ages, customers = np.unique(T, return_counts=True)
    pmf = model.orders.pmf(_BARS - 2, ages)
    expected = customers @ pmf
    return frequency_plot(
        actual, np.append(expected, len(x) - expected.sum()), "Repeat purchase days: observed and fitted"
    )


def _sample(summary: pl.DataFrame) -> pl.DataFrame:
    if summary.height <= _MOST_CUSTOMERS:
        return summary
    chosen = np.random.default_rng(0).choice(summary.height, _MOST_CUSTOMERS, replace=False)
    return summary.with_row_index("row").filter(pl.col("row").is_in(chosen)).drop("row")
