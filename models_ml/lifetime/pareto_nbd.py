"""Challengers of BG/NBD: Pareto/NBD, and NBD without dropout. For comparison; nothing serves them.

Pareto/NBD: Schmittlein, Morrison & Colombo 1987, in the forms of Fader & Hardie 2005, "A Note on Deriving the
Pareto/NBD Model and Related Expressions". Purchases at rate λ ~ Gamma(r, α), lifetime exponential with rate
μ ~ Gamma(s, β). Times are weeks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from models_ml.arrays import FloatArray
from models_ml.lifetime.fitting import Fit, LogNormalPrior, maximise
from models_ml.lifetime.summary import PurchaseCounts

_STEP = 1e-6


@dataclass(frozen=True)
class ParetoNbd:
    """A Pareto/NBD model with known parameters; `fit` estimates them."""

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = float("nan")

    @classmethod
    def fit(cls, counts: PurchaseCounts, prior: LogNormalPrior | None = None) -> ParetoNbd:
        """Estimate the parameters. Raises ConvergenceError when a parameter runs to a boundary."""

        def value(theta: FloatArray) -> float:
            r, alpha, s, beta = np.exp(theta).tolist()
            log_l = cls(r, alpha, s, beta)._log_likelihood(counts.x, counts.t_x, counts.T)
            return float(counts.n @ log_l)

        fit = _maximise_numerically(value, np.array([0.5, 10.0, 0.6, 12.0]), ("r", "alpha", "s", "beta"), counts, prior)
        r, alpha, s, beta = fit.parameters.tolist()
        return cls(r, alpha, s, beta, fit.log_likelihood)

    def probability_alive(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> FloatArray:
        """P(still active at T | x, t_x, T)."""
        xs, t_xs, Ts = (np.asarray(a, dtype=np.float64) for a in (x, t_x, T))
        alive, left = self._log_terms(xs, t_xs, Ts)
        return np.asarray(special.expit(alive - left), dtype=np.float64)

    def expected_orders(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike, horizon: float) -> FloatArray:
        """E[purchases in (T, T + horizon] | x, t_x, T]; s = 1 is taken as its limit."""
        xs, Ts = np.asarray(x, dtype=np.float64), np.asarray(T, dtype=np.float64)
        rate = (self.r + xs) * (self.beta + Ts) / (self.alpha + Ts)
        log_ratio = np.log((self.beta + Ts) / (self.beta + Ts + horizon))
        power = self.s - 1
        lifetime = -np.expm1(power * log_ratio) / power if abs(power) > 1e-9 else -log_ratio
        return np.asarray(rate * lifetime * self.probability_alive(x, t_x, T), dtype=np.float64)

    def _log_likelihood(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        shared = (
            special.gammaln(self.r + x)
            - special.gammaln(self.r)
            + self.r * np.log(self.alpha)
            + self.s * np.log(self.beta)
        )
        return np.asarray(shared + np.logaddexp(*self._log_terms(x, t_x, T)), dtype=np.float64)

    def _log_terms(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logs of "still active" and "left between t_x and T"."""
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
        total, larger = r + s + x, max(alpha, beta)
        second = s + 1 if alpha >= beta else r + x

        def part(t: FloatArray) -> FloatArray:
            z = abs(alpha - beta) / (larger + t)
            return np.log(special.hyp2f1(total, second, total + 1, z)) - total * np.log(larger + t)

        at_last, at_end = part(t_x), part(T)
        with np.errstate(divide="ignore"):
            difference = at_last + np.log(-np.expm1(np.minimum(at_end - at_last, 0.0)))
        return alive, np.log(s) - np.log(total) + difference


@dataclass(frozen=True)
class Nbd:
    """The negative binomial model: nobody ever leaves."""

    r: float
    alpha: float
    log_likelihood: float = float("nan")

    @classmethod
    def fit(cls, counts: PurchaseCounts) -> Nbd:
        """Estimate the parameters from x and T."""

        def value(theta: FloatArray) -> float:
            r, alpha = np.exp(theta).tolist()
            log_l = (
                special.gammaln(r + counts.x) - special.gammaln(r)
                + r * np.log(alpha) - (r + counts.x) * np.log(alpha + counts.T)
            )  # fmt: skip
            return float(counts.n @ log_l)

        fit = _maximise_numerically(value, np.array([0.5, 10.0]), ("r", "alpha"), counts)
        r, alpha = fit.parameters.tolist()
        return cls(r, alpha, fit.log_likelihood)

    def expected_orders(self, x: npt.ArrayLike, T: npt.ArrayLike, horizon: float) -> FloatArray:
        """E[purchases in (T, T + horizon] | x, T]."""
        xs, Ts = np.asarray(x, dtype=np.float64), np.asarray(T, dtype=np.float64)
        return np.asarray(horizon * (self.r + xs) / (self.alpha + Ts), dtype=np.float64)


def _maximise_numerically(
    value: Callable[[FloatArray], float],
    start: FloatArray,
    names: tuple[str, ...],
    counts: PurchaseCounts,
    prior: LogNormalPrior | None = None,
) -> Fit:
    """`maximise` with a gradient by central differences: these models are fitted rarely."""

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        gradient = np.empty(len(theta))
        for i in range(len(theta)):
            shift = np.zeros(len(theta))
            shift[i] = _STEP
            gradient[i] = (value(theta + shift) - value(theta - shift)) / (2 * _STEP)
        return float(value(theta)), gradient

    return maximise(objective, start, names, counts.customers, prior)
