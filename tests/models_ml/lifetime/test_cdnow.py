"""The published figures of the CDNOW sample (Fader, Hardie & Lee 2005)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models_ml.lifetime.bgnbd import BgNbd
from models_ml.lifetime.gamma_gamma import GammaGamma, spend_correlation
from models_ml.lifetime.summary import PurchaseCounts

DATA = Path(__file__).parents[2] / "data"
HOLDOUT_WEEKS = 39


@pytest.fixture(scope="module")
def histories() -> pl.DataFrame:
    return pl.read_csv(DATA / "cdnow_histories.csv", comment_prefix="#")


@pytest.fixture(scope="module")
def counts(histories: pl.DataFrame) -> PurchaseCounts:
    weeks = histories.with_columns(pl.col("t_x", "T") / 7)
    columns = (weeks[name].cast(pl.Float64).to_numpy() for name in ("x", "t_x", "T", "n"))
    return PurchaseCounts(*columns)


@pytest.fixture(scope="module")
def model(counts: PurchaseCounts) -> BgNbd:
    return BgNbd.fit(counts)


@pytest.fixture(scope="module")
def spend() -> pl.DataFrame:
    return pl.read_csv(DATA / "cdnow_spend.csv", comment_prefix="#")


def test_the_fit_is_the_published_one(counts: PurchaseCounts, model: BgNbd) -> None:
    assert counts.customers == 2357
    assert model.parameters == pytest.approx((0.242595, 4.413532, 0.792886, 2.425752), rel=1e-3)
    assert model.log_likelihood == pytest.approx(-9582.4256, abs=0.01)


@pytest.mark.parametrize(
    ("x", "t_x", "alive", "expected"),
    [(0, 0, 1, 0.19478), (2, 30.43, 0.72661, 1.22591), (1, 1.71, 0.21223, 0.20325), (29, 38.43, 0.96628, 19.67783)],
)
def test_published_points(model: BgNbd, x: float, t_x: float, alive: float, expected: float) -> None:
    assert model.probability_alive(x, t_x, 38.86)[0] == pytest.approx(alive, abs=6e-6)
    assert model.expected_orders(x, t_x, 38.86, HOLDOUT_WEEKS)[0] == pytest.approx(expected, abs=6e-6)


def test_expected_number_of_customers_by_frequency(counts: PurchaseCounts, model: BgNbd) -> None:
    expected = counts.n @ model.pmf(150, counts.T)
    published = [1407.7, 460.3, 192.5, 101.2, 59.8, 38.1, 25.5]
    assert expected[:7] == pytest.approx(published, abs=0.06)
    assert expected[7:].sum() == pytest.approx(71.9, abs=0.06)


def test_holdout_by_calibration_frequency(histories: pl.DataFrame, counts: PurchaseCounts, model: BgNbd) -> None:
    predicted = model.expected_orders(counts.x, counts.t_x, counts.T, HOLDOUT_WEEKS)
    group = np.minimum(counts.x, 7).astype(int)
    customers = np.bincount(group, weights=counts.n)
    assert customers.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    by_group = np.bincount(group, weights=counts.n * predicted) / customers
    assert by_group == pytest.approx([0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=6e-4)
    assert counts.n @ predicted == pytest.approx(1653, abs=0.6)
    actual = histories["holdout"].to_numpy()
    assert counts.n @ actual == 1882
    everyone = counts.n.astype(int)
    correlation = np.corrcoef(np.repeat(predicted, everyone), np.repeat(actual, everyone))[0, 1]
    assert correlation == pytest.approx(0.626, abs=5e-4)
    assert counts.n @ (predicted - actual) ** 2 / counts.customers == pytest.approx(2.586, abs=6e-4)


def test_gamma_gamma_fit_is_the_published_one(spend: pl.DataFrame) -> None:
    x, mean = spend["x"].to_numpy(), spend["mean_value"].to_numpy()
    fitted = GammaGamma.fit(x, mean)
    assert len(x) == 946
    assert fitted.parameters == pytest.approx((6.24880, 3.74459, 15.44775), rel=1e-3)
    assert fitted.log_likelihood == pytest.approx(-4055.9232, abs=0.01)
    assert spend_correlation(x, mean) == pytest.approx(0.114, abs=5e-4)


def test_conditional_spend_of_the_first_ten_customers() -> None:
    model = GammaGamma(6.25, 3.74, 15.44)
    x = [2, 1, 0, 0, 0, 7, 1, 0, 2, 0]
    mean = [22.345, 11.77, 0, 0, 0, 73.74143, 11.77, 0, 25.55, 0]
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert model.expected_value(x, mean) == pytest.approx(published, abs=0.1)


def test_the_currency_does_not_matter(spend: pl.DataFrame) -> None:
    x, mean = spend["x"].to_numpy(), spend["mean_value"].to_numpy()
    dollars, paise = GammaGamma.fit(x, mean), GammaGamma.fit(x, mean * 8_300)
    assert paise.parameters == pytest.approx((dollars.p, dollars.q, dollars.v * 8_300), rel=1e-6)
    assert paise.expected_value(x, mean * 8_300) == pytest.approx(dollars.expected_value(x, mean) * 8_300)
    assert paise.log_likelihood == pytest.approx(dollars.log_likelihood - len(x) * np.log(8_300))
