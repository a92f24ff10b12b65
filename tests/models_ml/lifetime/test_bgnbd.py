"""BG/NBD where the published closed forms break down, and where data do not determine it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import integrate, optimize, special

from models_ml.arrays import FloatArray
from models_ml.lifetime.bgnbd import WEAK_PRIOR, BgNbd, _Likelihood
from models_ml.lifetime.fitting import ConvergenceError
from models_ml.lifetime.summary import PurchaseCounts


def simulate(n: int, seed: int = 0, *, leaves: bool = True, longest: int = 730) -> PurchaseCounts:
    """Customers drawn from the model itself, times rounded to whole days."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.6, 1 / 6, n) / 7
    p = rng.beta(0.8, 2.5, n) if leaves else np.full(n, 1e-12)
    age = rng.integers(30, longest, n)
    until_leaving = rng.exponential(size=n) / np.maximum(rate * p, 1e-300)
    active = np.minimum(until_leaving, age)
    x = rng.poisson(rate * (1 - p) * active) + (until_leaving < age)
    last = np.where(until_leaving < age, until_leaving, active * rng.random(n) ** (1 / np.maximum(x, 1)))
    last = np.where(x > 0, np.minimum(np.ceil(last), age), 0)
    rows, counts = np.unique(np.column_stack([x, last, age]), axis=0, return_counts=True)
    return PurchaseCounts(rows[:, 0], rows[:, 1] / 7, rows[:, 2] / 7, counts.astype(float))


def by_adaptive_quadrature(model: BgNbd, x: float, age: float, horizon: float) -> float:
    """E[orders | alive] by integrating over p directly."""

    def integrand(p: float) -> float:
        orders = -np.expm1(-(model.r + x) * np.log1p(p * horizon / (model.alpha + age))) / p
        log_density = (model.a - 1) * np.log(p) + (model.b + x - 1) * np.log1p(-p)
        return float(orders * np.exp(log_density - special.betaln(model.a, model.b + x)))

    return float(integrate.quad(integrand, 0, 0.5)[0] + integrate.quad(integrand, 0.5, 1)[0])


@pytest.mark.parametrize("a", [0.05, 0.5, 1.0, 1.0000001, 3.0, 40.0])
@pytest.mark.parametrize("b", [0.2, 2.0])
@pytest.mark.parametrize("x", [0.0, 1.0, 12.0])
def test_expected_orders_for_all_parameters(a: float, b: float, x: float) -> None:
    model = BgNbd(0.5, 4.0, a, b)
    got = model.expected_orders(x, 10.0 * (x > 0), 10.0, 52.0)[0]
    alive = model.probability_alive(x, 10.0 * (x > 0), 10.0)[0]
    assert got == pytest.approx(alive * by_adaptive_quadrature(model, x, 10.0, 52.0), rel=1e-6)


def test_expected_orders_agree_with_the_published_formula_where_that_works() -> None:
    model, (x, t_x, age, h) = BgNbd(0.25, 4.4, 0.8, 2.4), (3.0, 20.0, 38.0, 39.0)
    r, alpha, a, b = model.parameters
    hyper = special.hyp2f1(r + x, b + x, a + b + x - 1, h / (alpha + age + h))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + h)) ** (r + x) * hyper)
    published = top / (1 + a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x))
    assert model.expected_orders(x, t_x, age, h)[0] == pytest.approx(published, rel=1e-9)


def test_without_dropout_the_nbd_limit_is_reached() -> None:
    model = BgNbd(0.5, 4.0, 1e-10, 0.3)
    assert model.expected_orders([0, 5], [0, 8], [10, 10], 26) == pytest.approx(
        26 * (0.5 + np.array([0, 5])) / 14, rel=1e-6
    )


def test_no_purchase_is_the_ratio_of_likelihoods_and_ranks_what_alive_cannot() -> None:
    model = BgNbd(0.25, 4.4, 0.8, 2.4)
    recent, long_ago = model.no_purchase([0, 0], [0, 0], [1, 60], 13)
    assert 0 < recent < long_ago < 1
    assert model.probability_alive([0, 0], [0, 0], [1, 60]).tolist() == [1, 1]
    assert model.no_purchase(4, 20, 30, 0)[0] == pytest.approx(1)
    # with no history at all it is the model's own chance of no purchase
    assert model.no_purchase(0, 0, 0, 13)[0] == pytest.approx(model.pmf(0, 13.0)[0])


def test_pmf_sums_to_one_and_its_mean_is_the_expectation() -> None:
    model = BgNbd(0.5, 4.0, 1.5, 2.5)
    pmf = model.pmf(2000, 30.0)
    assert pmf.sum() == pytest.approx(1, abs=1e-9)
    assert pmf @ np.arange(2001) == pytest.approx(float(model.expected_purchases(30.0)), rel=1e-6)


def test_the_gradient_is_the_derivative() -> None:
    likelihood = _Likelihood(simulate(500))
    theta = np.log([0.4, 6.0, 0.7, 2.0])
    numeric = optimize.approx_fprime(theta, lambda t: likelihood(t)[0], 1e-6)
    assert likelihood(theta)[1] == pytest.approx(numeric, rel=1e-4)


@pytest.mark.slow
def test_grouping_changes_nothing() -> None:
    grouped = simulate(2000, seed=3, longest=90)
    times = grouped.n.astype(int)
    single = PurchaseCounts(*(np.repeat(a, times) for a in (grouped.x, grouped.t_x, grouped.T)), np.ones(times.sum()))
    assert len(grouped.x) < len(single.x)
    assert BgNbd.fit(grouped).parameters == pytest.approx(BgNbd.fit(single).parameters, rel=1e-4)


@pytest.mark.slow
def test_recovers_the_parameters_it_was_simulated_from() -> None:
    model = BgNbd.fit(simulate(100_000, seed=1))
    assert model.parameters == pytest.approx((0.6, 6.0, 0.8, 2.5), rel=0.1)


def test_nobody_leaving_is_a_clear_error_and_a_prior_settles_it() -> None:
    counts = simulate(3000, leaves=False, longest=200)
    with pytest.raises(ConvergenceError, match=r"parameter [ab] runs|flat in|no maximum"):
        BgNbd.fit(counts)
    model = BgNbd.fit(counts, WEAK_PRIOR)
    expected = model.expected_orders(counts.x, counts.t_x, counts.T, 52)
    assert np.isfinite(expected).all()
    assert (expected > 0).all()


def test_a_small_shop_fits_quickly_with_the_prior() -> None:
    counts = simulate(300, seed=5)
    started = time.perf_counter()
    model = BgNbd.fit(counts, WEAK_PRIOR)
    assert time.perf_counter() - started < 1
    assert all(0.01 < value < 100 for value in model.parameters)


def test_only_one_time_buyers_still_fit_with_the_prior() -> None:
    counts = PurchaseCounts(np.zeros(20), np.zeros(20), np.arange(1.0, 21.0), np.full(20, 10.0))
    model = BgNbd.fit(counts, WEAK_PRIOR)
    assert np.isfinite(model.expected_orders(0, 0, 10, 52)).all()


@pytest.mark.parametrize(("x", "t_x", "age"), [(-1, 0, 5), (1, 6, 5), (0, 1, 5), (2, -1, 5)])
def test_impossible_histories_are_named(x: float, t_x: float, age: float) -> None:
    with pytest.raises(ValueError, match="impossible history"):
        PurchaseCounts(*(np.array([float(v)]) for v in (x, t_x, age, 1)))


def test_no_customers() -> None:
    empty: FloatArray = np.empty(0)
    with pytest.raises(ValueError, match="no customers"):
        PurchaseCounts(empty, empty, empty, empty)


@pytest.mark.slow
def test_a_million_customers_fit_within_two_seconds() -> None:
    counts = simulate(1_000_000, seed=2)
    started = time.process_time()  # other processes on a busy machine are not the fit's fault
    BgNbd.fit(counts)
    assert time.process_time() - started < 2
