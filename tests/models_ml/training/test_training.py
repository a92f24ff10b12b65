"""The training functions: what they give back, when they decline, and what the gate makes of a second run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest
from matplotlib.figure import Figure

from models_ml import artifacts
from models_ml.training.churn import train_churn
from models_ml.training.discover import train_discover
from models_ml.training.lifetime import train_lifetime
from models_ml.training.result import TrainingResult
from models_ml.training.shelves import train_bought_together, train_buy_again, train_popularity, train_similar

pytestmark = pytest.mark.slow

ON_LINES: dict[str, Callable[..., TrainingResult]] = {
    "discover": train_discover,
    "buy_again": train_buy_again,
    "bought_together": train_bought_together,
    "popularity": train_popularity,
    "similar": train_similar,
}
ON_PURCHASES: dict[str, Callable[..., TrainingResult]] = {"lifetime_value": train_lifetime, "churn": train_churn}
TRAINERS = {**ON_LINES, **ON_PURCHASES}


@pytest.fixture(scope="module")
def results(lines: pl.DataFrame, purchases: pl.DataFrame, as_of: datetime) -> dict[str, TrainingResult]:
    found = {name: train(lines, as_of) for name, train in ON_LINES.items()}
    return found | {name: train(purchases, as_of) for name, train in ON_PURCHASES.items()}


@pytest.mark.parametrize("name", TRAINERS)
def test_every_model_is_trained_measured_and_drawn(name: str, results: dict[str, TrainingResult]) -> None:
    result = results[name]
    assert (result.name, result.note.startswith("not enough")) == (name, False)
    assert isinstance(result.model, artifacts.Model)
    assert result.data_through == result.model.data_through
    primary = [m for m in result.own_metrics if m.low is not None]
    assert all(m.low <= m.value <= m.high and m.n > 0 for m in primary)  # type: ignore[operator]
    assert len(primary) >= 1
    assert result.baseline_metrics
    assert result.plots
    assert all(isinstance(figure, Figure) for figure in result.plots.values())
    assert result.params


@pytest.mark.parametrize("name", ["discover", "buy_again", "bought_together", "similar", "churn", "lifetime_value"])
def test_it_beats_the_floor_in_a_shop_with_structure(name: str, results: dict[str, TrainingResult]) -> None:
    decision = results[name].decision()
    assert decision.promote, decision.reasons
    assert decision.reasons[0] == "there is no champion yet"


@pytest.mark.parametrize("name", ["discover", "churn", "lifetime_value", "buy_again"])
def test_the_same_data_again_promote_nothing_newer_data_do(
    name: str, results: dict[str, TrainingResult], lines: pl.DataFrame, purchases: pl.DataFrame, as_of: datetime
) -> None:
    champion = results[name].model
    frame = lines if name in ON_LINES else purchases
    again = TRAINERS[name](frame, as_of, champion)
    assert again.trial is not None
    assert again.trial.same_recipe
    assert not again.decision().promote
    assert "no newer data" in again.decision().reasons[0]
    next_week = TRAINERS[name](frame, as_of + timedelta(days=7), champion)
    assert next_week.trial is not None
    assert next_week.trial.newer_data


def test_training_twice_gives_the_same_figures(
    results: dict[str, TrainingResult], lines: pl.DataFrame, purchases: pl.DataFrame, as_of: datetime
) -> None:
    shuffled = purchases.sample(fraction=1, shuffle=True, seed=4)
    assert train_churn(shuffled, as_of).metrics == results["churn"].metrics
    assert train_lifetime(shuffled, as_of).metrics == results["lifetime_value"].metrics
    mixed = lines.sample(fraction=1, shuffle=True, seed=4)
    assert train_buy_again(mixed, as_of).metrics == results["buy_again"].metrics


@pytest.mark.parametrize("name", TRAINERS)
def test_an_empty_shop_is_no_error(name: str, lines: pl.DataFrame, purchases: pl.DataFrame, as_of: datetime) -> None:
    frame = (lines if name in ON_LINES else purchases).clear()
    result = TRAINERS[name](frame, as_of)
    assert result.model is None
    assert result.note.startswith("not enough data")
    assert not result.decision().promote
    assert result.predictions is None or result.predictions.is_empty()


@pytest.mark.parametrize("name", TRAINERS)
def test_a_shop_of_ten_customers_gets_no_predictions(
    name: str, lines: pl.DataFrame, purchases: pl.DataFrame, as_of: datetime
) -> None:
    frame = (lines if name in ON_LINES else purchases).filter(pl.col("customer_id") <= 10)
    result = TRAINERS[name](frame, as_of)
    if name == "popularity":  # what everything falls back to
        assert result.decision().promote
        return
    assert result.model is None
    assert "not enough data" in result.note


def test_below_the_minimum_observed_figures_stand_alone(purchases: pl.DataFrame, as_of: datetime) -> None:
    few = purchases.filter(pl.col("customer_id") <= 50)
    predictions = train_lifetime(few, as_of).predictions
    assert predictions is not None
    assert predictions["historic_value"].null_count() == 0
    assert predictions["predicted_value_365d"].null_count() == predictions.height
    churn = train_churn(few, as_of).predictions
    assert churn is not None
    assert churn["churn_probability"].null_count() == churn.height


def test_predictions_cover_every_customer(results: dict[str, TrainingResult], purchases: pl.DataFrame) -> None:
    value = results["lifetime_value"].predictions
    assert value is not None
    assert sorted(value["customer_id"]) == sorted(purchases["customer_id"].unique())
