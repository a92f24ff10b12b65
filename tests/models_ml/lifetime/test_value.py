"""Summary, prediction frame, minimum data, intervals, and saving."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models_ml import artifacts
from models_ml.lifetime.summary import PurchaseCounts, purchase_summary
from models_ml.lifetime.value import DEFAULT_SETTINGS, LifetimeModel, NotEnoughDataError, check_enough, observed_only

at = datetime.fromisoformat

START = at("2025-01-01")
AS_OF = at("2026-01-01")


def shop(customers: int = 400, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(1, customers + 1):
        when = START + timedelta(days=float(rng.uniform(0, 250)))
        gap, level = rng.gamma(1.5, 60), rng.gamma(4, 10)
        while when < AS_OF:
            rows.append((customer, len(rows) + 1, when, float(rng.gamma(5, level / 5)) + 0.01))
            if rng.random() < 0.2:
                break
            when += timedelta(days=float(rng.exponential(gap)) + 0.1)
    return pl.DataFrame(
        rows, schema=["customer_id", "order_id", "placed_at", "net_merchandise"], orient="row"
    ).with_columns(pl.col("placed_at").cast(pl.Datetime("us")))


@pytest.fixture(scope="module")
def summary() -> pl.DataFrame:
    return purchase_summary(shop(), AS_OF)


@pytest.fixture(scope="module")
def model(summary: pl.DataFrame) -> LifetimeModel:
    return LifetimeModel.fit(summary, data_through=AS_OF)


def orders(*rows: tuple[int | None, int, datetime, float | None]) -> pl.DataFrame:
    schema = {
        "customer_id": pl.Int64,
        "order_id": pl.Int64,
        "placed_at": pl.Datetime("us"),
        "net_merchandise": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_summary_counts_days_and_leaves_out_the_first_in_spend() -> None:
    frame = orders(
        (1, 1, at("2025-03-01 23:59"), 10.0),
        (1, 2, at("2025-03-02 00:01"), 20.0),
        (1, 3, at("2025-03-02 18:00"), 30.0),
        (1, 4, at("2025-03-12 09:00"), 0.0),
        (2, 5, at("2025-03-05 09:00"), 7.0),
        (None, 6, at("2025-03-06 09:00"), 7.0),
        (2, 7, at("2025-03-31 00:00"), 99.0),
    )
    got = purchase_summary(frame, at("2025-03-31"))
    assert got.rows(named=True) == [
        {"customer_id": 1, "x": 2, "t_x": 11, "T": 30, "orders": 4, "historic_value": 60.0, "repeat_value": 50.0,
         "spend_days": 1, "mean_value": 30.0, "value_days": 2},
        {"customer_id": 2, "x": 0, "t_x": 0, "T": 26, "orders": 1, "historic_value": 7.0, "repeat_value": None,
         "spend_days": 0, "mean_value": 7.0, "value_days": 1},
    ]  # fmt: skip


def test_summary_takes_decimals_and_any_order_of_rows() -> None:
    frame = shop(30)
    decimals = frame.sample(fraction=1, shuffle=True, seed=1).with_columns(
        pl.Series("net_merchandise", [Decimal("12.34")] * frame.height)
    )
    got = purchase_summary(decimals, AS_OF)
    assert got["historic_value"].sum() == pytest.approx(12.34 * frame.height)
    assert got["x"].to_list() == purchase_summary(frame, AS_OF)["x"].to_list()


def test_a_repeated_order_and_a_missing_column_are_named() -> None:
    twice = orders((1, 7, START, 1.0), (1, 7, START, 1.0))
    with pytest.raises(ValueError, match="order 7 more than once"):
        purchase_summary(twice, AS_OF)
    with pytest.raises(ValueError, match="net_merchandise"):
        purchase_summary(twice.drop("net_merchandise"), AS_OF)


def test_the_future_changes_nothing(summary: pl.DataFrame) -> None:
    noise = orders((1, 900_001, AS_OF, 1e9), (77_777, 900_002, AS_OF + timedelta(days=3), 5.0))
    assert purchase_summary(pl.concat([shop(), noise]), AS_OF).equals(summary)


def test_predictions_have_the_columns_of_the_mart(summary: pl.DataFrame, model: LifetimeModel) -> None:
    predicted = model.predict(summary)
    assert predicted.columns == [
        "customer_id", "historic_value", "orders", "probability_alive", "expected_orders_90d",
        "expected_orders_365d", "expected_order_value", "predicted_value_365d", "value_low", "value_high",
        "value_decile",
    ]  # fmt: skip
    assert predicted.columns == observed_only(summary).columns
    assert predicted.null_count().sum_horizontal()[0] == 0
    assert (predicted["expected_orders_90d"] < predicted["expected_orders_365d"]).all()
    assert (predicted["value_low"] <= predicted["value_high"]).all()
    best = predicted.sort("predicted_value_365d")
    assert best["value_decile"].to_list() == sorted(best["value_decile"].to_list())
    assert set(best["value_decile"].to_list()) == set(range(1, 11))


def test_equal_histories_share_value_and_decile(model: LifetimeModel) -> None:
    one = {
        "x": 0,
        "t_x": 0,
        "T": 100,
        "orders": 1,
        "historic_value": 5.0,
        "repeat_value": None,
        "spend_days": 0,
        "mean_value": 5.0,
        "value_days": 1,
    }
    frame = pl.DataFrame([{"customer_id": i, **one} for i in range(5)]).with_columns(
        pl.col("repeat_value").cast(pl.Float64)
    )
    assert model.predict(frame)["value_decile"].n_unique() == 1


def test_intervals_cover_what_the_model_says_happens(model: LifetimeModel) -> None:
    """Customers drawn from the fitted model itself fall into their interval about 95 times in 100."""
    one = {
        "x": 3,
        "t_x": 120,
        "T": 150,
        "orders": 4,
        "historic_value": 200.0,
        "repeat_value": 50.0,
        "spend_days": 3,
        "mean_value": 50.0,
        "value_days": 4,
    }
    frame = pl.DataFrame([{"customer_id": i, **one} for i in range(50)])
    predicted = model.predict(frame)
    mean = predicted["predicted_value_365d"][0]
    assert (predicted["value_low"] < mean).all()
    assert (predicted["value_high"] > mean).all()
    assert predicted["value_high"].std() < 0.25 * predicted["value_high"].mean()


@pytest.mark.parametrize(
    ("customers", "repeaters", "days", "lacking"),
    [(99, 50, 400, "customers with an order"), (500, 29, 400, "repeat order"), (500, 50, 300, "days of history")],
)
def test_below_the_minimum_it_says_what_is_lacking(customers: int, repeaters: int, days: int, lacking: str) -> None:
    frame = pl.DataFrame(
        {
            "x": [1] * repeaters + [0] * (customers - repeaters),
            "spend_days": [1] * repeaters + [0] * (customers - repeaters),
            "T": [days] * customers,
        }
    )
    with pytest.raises(NotEnoughDataError, match=lacking):
        check_enough(frame, DEFAULT_SETTINGS, 365)


def test_no_customer_at_all_is_not_enough() -> None:
    frame = pl.DataFrame(schema={"x": pl.Int64, "spend_days": pl.Int64, "T": pl.Int64})
    with pytest.raises(NotEnoughDataError, match="0 customers"):
        check_enough(frame, DEFAULT_SETTINGS, 90)


def test_saved_and_loaded_it_predicts_the_same(summary: pl.DataFrame, model: LifetimeModel, tmp_path: Path) -> None:
    loaded = artifacts.load(artifacts.save(model, tmp_path / "m"))
    assert loaded.predict(summary).equals(model.predict(summary))
    assert loaded.data_through == AS_OF
    assert loaded.settings == model.settings


def test_counts_group_equal_histories(summary: pl.DataFrame) -> None:
    assert PurchaseCounts.from_summary(summary).customers == summary.height
