"""Features strictly before the origin, labels strictly after it, probabilities that mean something."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models_ml import artifacts
from models_ml.churn.features import BEHAVIOUR, churn_features, churn_labels
from models_ml.churn.model import ChurnModel
from models_ml.evaluation import metrics
from models_ml.lifetime.value import NotEnoughDataError

NOW = datetime.fromisoformat("2026-01-01")


def orders(*rows: tuple[int, float]) -> pl.DataFrame:
    """Orders as (customer, days before NOW)."""
    return pl.DataFrame(
        {
            "customer_id": [c for c, _ in rows],
            "order_id": list(range(len(rows))),
            "placed_at": [NOW - timedelta(days=d) for _, d in rows],
            "net_merchandise": [20.0] * len(rows),
        }
    ).with_columns(pl.col("placed_at").cast(pl.Datetime("us")))


def test_who_is_asked_about_and_what_counts_as_churn() -> None:
    frame = orders((1, 400), (2, 364), (3, 10), (3, -90), (4, 10), (4, -89.9), (5, 10), (5, 0), (6, -1))
    features = churn_features(frame, NOW)
    assert features["customer_id"].to_list() == [2, 3, 4, 5]
    # an order at the origin itself is the future; one exactly 90 days later is outside the window
    assert churn_labels(frame, features, NOW).tolist() == [True, True, False, False]


def test_the_future_changes_no_feature() -> None:
    past = orders((1, 100), (1, 40), (2, 7))
    with_future = orders((1, 100), (1, 40), (2, 7), (1, 0), (2, -5), (8, -30))
    assert churn_features(past, NOW).equals(churn_features(with_future, NOW))


def test_figures_behind_the_reasons() -> None:
    row = churn_features(orders((1, 100), (1, 40), (2, 7)), NOW).rows(named=True)
    assert (row[0]["recency_days"], row[0]["gap_days"], row[0]["order_days"]) == (40, 60, 2)
    assert (row[1]["gap_days"], row[1]["order_days"]) == (None, 1)
    assert all(np.isfinite([row[0][name] for name in BEHAVIOUR]))


@pytest.mark.parametrize("method", ["behaviour", "bgnbd", "recency"])
def test_probabilities_foretell_and_are_calibrated(method: str, purchases: pl.DataFrame, as_of: datetime) -> None:
    origin = as_of - timedelta(days=90)
    model = ChurnModel.fit(purchases, origin, {"method": method})
    features = churn_features(purchases, origin)
    churned = churn_labels(purchases, features, origin)
    probability = model.probabilities(purchases, origin, features)
    assert metrics.auc(probability, churned) > 0.75
    assert metrics.brier(probability, churned) < churned.mean() * (1 - churned.mean())
    assert abs(probability.mean() - churned.mean()) < 0.12


def test_the_fit_sees_nothing_from_its_cutoff_on(purchases: pl.DataFrame, as_of: datetime) -> None:
    origin = as_of - timedelta(days=90)
    past = purchases.filter(pl.col("placed_at") < origin)
    whole, cut = ChurnModel.fit(purchases, origin), ChurnModel.fit(past, origin)
    assert np.array_equal(whole.coefficients, cut.coefficients)
    assert (whole.intercept, whole.season_shift) == (cut.intercept, cut.season_shift)


def test_predictions_have_bands_and_reasons_that_fit_them(purchases: pl.DataFrame, as_of: datetime) -> None:
    predicted = ChurnModel.fit(purchases, as_of).predict(purchases, as_of)
    assert predicted.columns == ["customer_id", "churn_probability", "risk_band", "main_reasons"]
    assert predicted["customer_id"].is_unique().all()
    for _, probability, band, reasons in predicted.iter_rows():
        assert 0 < probability < 1
        assert band == ("high" if probability >= 0.7 else "medium" if probability >= 0.4 else "low")
        assert 1 <= len(reasons) <= 3
        assert band != "high" or any("no order for" in r or "only" in r or "less" in r for r in reasons)


def test_a_short_history_falls_back_to_the_lifetime_model_uncalibrated(as_of: datetime) -> None:
    rng = np.random.default_rng(0)
    rows = [(c, float(d)) for c in range(150) for d in rng.uniform(0, 95, rng.integers(1, 5))] + [(999, 95)]
    frame = orders(*rows)
    model = ChurnModel.fit(frame, as_of)
    assert model.method == "bgnbd"
    assert (model.intercept, model.season_shift) == (0, None)
    assert model.predict(frame, as_of)["churn_probability"].is_between(0, 1).all()


def test_too_little_is_said() -> None:
    with pytest.raises(NotEnoughDataError, match="not enough data"):
        ChurnModel.fit(orders((1, 5), (2, 200)), NOW)
    with pytest.raises(NotEnoughDataError):
        ChurnModel.fit(orders(), NOW)
    with pytest.raises(ValueError, match="method must be one of"):
        ChurnModel.fit(orders((1, 5)), NOW, {"method": "one minus alive"})


@pytest.mark.parametrize("method", ["behaviour", "bgnbd"])
def test_saved_and_loaded_it_predicts_the_same(
    method: str, purchases: pl.DataFrame, as_of: datetime, tmp_path: Path
) -> None:
    model = ChurnModel.fit(purchases, as_of, {"method": method})
    loaded = artifacts.load(artifacts.save(model, tmp_path / "churn"))
    assert loaded.predict(purchases, as_of).equals(model.predict(purchases, as_of))
