"""Prediction intervals of a customer's future value, by simulating the models themselves.

Each draw takes new parameters from their normal approximation at the fit (parameter uncertainty), then a
customer's own λ, p and spend level given his history, and lets him buy (sampling uncertainty).
"""

from __future__ import annotations

import numpy as np

from models_ml.arrays import FloatArray
from models_ml.lifetime.bgnbd import BgNbd
from models_ml.lifetime.gamma_gamma import GammaGamma

_CUSTOMERS_AT_ONCE = 4096


def simulate_value(
    orders: BgNbd,
    spend: GammaGamma,
    *,
    history: tuple[FloatArray, FloatArray, FloatArray],
    spend_history: tuple[FloatArray, FloatArray],
    horizon: float,
    draws: int,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """The 2.5 % and 97.5 % quantiles of each customer's value in the next `horizon` weeks (money).

    `history` is (x, t_x, T) in weeks; `spend_history` the number of repeat days with a value and their mean
    value. Customers with the same arguments get the same interval up to simulation noise, whatever their
    order.
    """
    rng = np.random.default_rng(seed)
    rates = _parameter_draws(orders.parameters, orders.log_covariance, draws, rng)
    levels = _parameter_draws(spend.parameters, spend.log_covariance, draws, rng)
    x, t_x, T = history
    low, high = np.empty(len(x)), np.empty(len(x))
    for start in range(0, len(x), _CUSTOMERS_AT_ONCE):
        rows = slice(start, start + _CUSTOMERS_AT_ONCE)
        count = _draw_orders(rates, (x[rows], t_x[rows], T[rows]), horizon, rng)
        value = _draw_value(levels, count, spend_history[0][rows], spend_history[1][rows], rng)
        low[rows], high[rows] = np.quantile(value, [0.025, 0.975], axis=1)
    return low, high


def _parameter_draws(
    parameters: tuple[float, ...], covariance: FloatArray | None, draws: int, rng: np.random.Generator
) -> FloatArray:
    """Shape (number of parameters, draws)."""
    centre = np.log(np.asarray(parameters))
    if covariance is None:
        return np.repeat(np.exp(centre)[:, None], draws, axis=1)
    return np.asarray(np.exp(rng.multivariate_normal(centre, covariance, size=draws).T), dtype=np.float64)


def _draw_orders(
    rates: FloatArray,
    history: tuple[FloatArray, FloatArray, FloatArray],
    horizon: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Purchases in the horizon, shape (customers, draws)."""
    r, alpha, a, b = (row[None, :] for row in rates)
    x, t_x, T = (column[:, None] for column in history)
    left = np.log(a) - np.log(np.maximum(b + x - 1, 1e-12)) + (r + x) * np.log((alpha + T) / (alpha + t_x))
    alive = (x == 0) | (np.log(1 / np.maximum(rng.random(left.shape), 1e-300) - 1) > left)
    rate = rng.gamma(np.broadcast_to(r + x, left.shape)) / (alpha + T)
    leave = rng.beta(np.broadcast_to(a, left.shape), b + x)
    # Buying without leaving has rate λ(1 − p), the purchase after which one leaves has rate λp.
    with np.errstate(divide="ignore", over="ignore"):
        until_leaving = rng.exponential(size=left.shape) / (rate * leave)
    leaves = until_leaving <= horizon
    active_for = np.minimum(until_leaving, horizon)
    return np.where(alive, rng.poisson(rate * (1 - leave) * active_for) + leaves, 0).astype(np.float64)


def _draw_value(
    levels: FloatArray, count: FloatArray, days: FloatArray, mean: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Total value of `count` purchases, shape (customers, draws)."""
    p, q, v = (row[None, :] for row in levels)
    days, mean = days[:, None], mean[:, None]
    level = rng.gamma(np.broadcast_to(p * days + q, count.shape)) / (v + days * mean)
    total = rng.gamma(np.where(count > 0, p * count, 1.0)) / np.maximum(level, 1e-300)
    return np.where(count > 0, total, 0.0)
