"""The BG/NBD model of repeat buying (Fader, Hardie & Lee 2005, Marketing Science 24(2), 275–284).

While active a customer buys at a rate λ ~ Gamma(r, rate α) a week; after each purchase he leaves for good
with probability p ~ Beta(a, b). Times are weeks; x, t_x, T as in `summary.py`.

P(alive) is no churn score: the model lets nobody leave before his first repeat purchase, so all one-time
buyers have P(alive) = 1. Ask `no_purchase` or `expected_orders` instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from models_ml.arrays import FloatArray
from models_ml.lifetime.fitting import Fit, LogNormalPrior, maximise
from models_ml.lifetime.summary import PurchaseCounts

NAMES = ("r", "alpha", "a", "b")

# Centred on what published fits of shops give (CDNOW: .24, 4.4, .79, 2.4; gift shops buy somewhat more
# evenly).
WEAK_PRIOR = LogNormalPrior(centre=(0.6, 8.0, 0.6, 3.0))

_QUADRATURE_NODES = 64


@dataclass(frozen=True)
class BgNbd:
    """A BG/NBD model with known parameters; `fit` estimates them."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    log_covariance: FloatArray | None = None
    """4 × 4 covariance of (log r, log α, log a, log b), or None for given parameters."""

    def __post_init__(self) -> None:
        if min(self.r, self.alpha, self.a, self.b) <= 0:
            raise ValueError(f"r, alpha, a and b must be positive, not {self.parameters}")

    @property
    def parameters(self) -> tuple[float, float, float, float]:
        """(r, α, a, b)."""
        return self.r, self.alpha, self.a, self.b

    @classmethod
    def fit(cls, counts: PurchaseCounts, prior: LogNormalPrior | None = None) -> BgNbd:
        """Estimate the parameters; without a prior this is plain maximum likelihood.

        Raises ConvergenceError when a parameter runs to a boundary, as in histories too short to show anyone
        leaving.
        """
        likelihood = _Likelihood(counts)
        mean_age = float(counts.T @ counts.n / counts.customers)
        start = np.array([0.5, max(mean_age / 4, 0.5), 0.5, 2.0])
        fit: Fit = maximise(likelihood, start, NAMES, counts.customers, prior)
        r, alpha, a, b = fit.parameters.tolist()
        return cls(r, alpha, a, b, fit.log_likelihood, fit.log_covariance)

    def probability_alive(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike) -> FloatArray:
        """P(still active at T | x, t_x, T). 1 for x = 0 by the model's construction: never a churn score."""
        log_active, log_left = self._log_terms(*_as_floats(x, t_x, T))
        return special.expit(log_active - log_left)

    def expected_orders(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike, horizon: float) -> FloatArray:
        """E[purchases in (T, T + horizon] | x, t_x, T], horizon in weeks.

        Computed as P(alive) · E[(1 − ((α+T)/(α+T+pH))^(r+x)) / p] over p ~ Beta(a, b+x), by Gauss–Jacobi
        quadrature. The published closed form with ₂F₁ has a removable singularity at a = 1 and loses its
        sign or its value where a + b + x ≤ 1 or a → 0; the integrand here is positive and bounded for all
        parameters, and its value at p = 0 is the NBD limit H (r + x) / (α + T).
        """
        xs, t_xs, Ts = _as_floats(x, t_x, T)
        if_alive = self._expected_if_alive(xs, Ts, horizon)
        return self.probability_alive(xs, t_xs, Ts) * if_alive

    def no_purchase(self, x: npt.ArrayLike, t_x: npt.ArrayLike, T: npt.ArrayLike, horizon: float) -> FloatArray:
        """P(no purchase in (T, T + horizon] | x, t_x, T) = L(x, t_x, T + horizon) / L(x, t_x, T)."""
        xs, t_xs, Ts = _as_floats(x, t_x, T)
        now = np.logaddexp(*self._log_terms(xs, t_xs, Ts))
        later = np.logaddexp(*self._log_terms(xs, t_xs, Ts + horizon))
        return np.asarray(np.exp(later - now), dtype=np.float64)

    def expected_purchases(self, t: npt.ArrayLike) -> FloatArray:
        """E[repeat purchases of a new customer within t weeks]."""
        zero = np.zeros_like(np.asarray(t, dtype=np.float64))
        grid = np.atleast_1d(np.asarray(t, dtype=np.float64))
        each = [float(self._expected_if_alive(np.zeros(1), np.zeros(1), w)[0]) for w in grid.tolist()]
        return np.asarray(each, dtype=np.float64).reshape(zero.shape)

    def pmf(self, n_max: int, t: npt.ArrayLike) -> FloatArray:
        """P(X(t) = n) for n = 0 … n_max (last axis) of a new customer after t weeks (the paper's eq. 8)."""
        r, alpha, a, b = self.parameters
        n = np.arange(n_max + 1, dtype=np.float64)
        times = np.asarray(t, dtype=np.float64)[..., None]
        nbd = np.exp(
            special.gammaln(r + n) - special.gammaln(r) - special.gammaln(n + 1)
            + r * np.log(alpha / (alpha + times)) + special.xlogy(n, times / (alpha + times))
        )  # fmt: skip
        survived = np.exp(special.betaln(a, b + n) - special.betaln(a, b))
        left = np.zeros_like(n)
        left[1:] = np.exp(special.betaln(a + 1, b + n[1:] - 1) - special.betaln(a, b))
        fewer = np.cumsum(nbd, axis=-1) - nbd
        return np.asarray(survived * nbd + left * (1 - fewer), dtype=np.float64)

    def _log_terms(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logs of the likelihood's two terms, "still active" and "left after the last purchase".

        The factor that both share, and that neither T nor the ratio of the two depends on, is left out.
        """
        r, alpha, a, b = self.parameters
        active = -(r + x) * np.log(alpha + T)
        repeat = np.maximum(b + x - 1, np.where(x > 0, 0.0, 1.0))  # never read where x = 0
        left = np.log(a) - np.log(repeat) - (r + x) * np.log(alpha + t_x)
        return active, np.where(x > 0, left, -np.inf)

    def _expected_if_alive(self, x: FloatArray, T: FloatArray, horizon: float) -> FloatArray:
        out = np.empty(len(x))
        for value in np.unique(x).tolist():
            rows = np.flatnonzero(x == value)
            ages, back = np.unique(T[rows], return_inverse=True)
            nodes, weights = self._dropout_quadrature(value)
            shrink = np.log1p(nodes[None, :] * (horizon / (self.alpha + ages))[:, None])
            integrand = -np.expm1(-(self.r + value) * shrink) / nodes
            out[rows] = (integrand @ weights)[back]
        return out

    def _dropout_quadrature(self, x: float) -> tuple[FloatArray, FloatArray]:
        """Nodes and weights of the expectation over p ~ Beta(a, b + x)."""
        nodes, weights = special.roots_jacobi(_QUADRATURE_NODES, self.b + x - 1, self.a - 1)
        # Kept off zero: where a → 0 the first node underflows, and the integrand there is its limit anyway.
        p = np.maximum((1 + nodes) / 2, 1e-12)
        return p, weights / weights.sum()


class _Likelihood:
    """Log-likelihood and gradient in the log-parameters over grouped histories.

    Γ and ψ are evaluated once a distinct x, logarithms once a distinct time: with a million customers that
    is what the fit's seconds go into.
    """

    def __init__(self, counts: PurchaseCounts) -> None:
        self._x, self._n = counts.x, counts.n
        self._total = counts.customers
        self._xs, self._at_x = np.unique(counts.x, return_inverse=True)
        self._ages, self._at_age = np.unique(counts.T, return_inverse=True)
        repeat = counts.x > 0
        self._repeat = np.flatnonzero(repeat)
        self._lasts, self._at_last = np.unique(counts.t_x[repeat], return_inverse=True)
        self._n_of_x = np.bincount(self._at_x, weights=counts.n)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(theta).tolist()
        left_share, log_sum = self._mixture(r, alpha, a, b)
        value = self._shared_factor(r, alpha, a, b) + float(self._n @ log_sum)
        return value, self._gradient(r, alpha, a, b, left_share)

    def _mixture(self, r: float, alpha: float, a: float, b: float) -> tuple[FloatArray, FloatArray]:
        """The share of the second term (repeat buyers only), and the log of the sum of both."""
        exponent = r + self._x
        active = -exponent * np.log(alpha + self._ages)[self._at_age]
        rows = self._repeat
        left = np.log(a) - np.log(b + self._x[rows] - 1) - exponent[rows] * np.log(alpha + self._lasts)[self._at_last]
        odds = left - active[rows]
        # log(1 + e^odds) without overflow, and the share from the same exponential
        small = np.exp(-np.abs(odds))
        active[rows] += np.maximum(odds, 0.0) + np.log1p(small)
        share = np.where(odds > 0, 1.0, small) / (1.0 + small)
        return share, active

    def _shared_factor(self, r: float, alpha: float, a: float, b: float) -> float:
        g, xs = special.gammaln, self._xs
        each = (
            g(r + xs) - g(r) + r * np.log(alpha)
            + g(a + b) + g(b + xs) - g(b) - g(a + b + xs)
        )  # fmt: skip
        return float(self._n_of_x @ each)

    def _gradient(self, r: float, alpha: float, a: float, b: float, share: FloatArray) -> FloatArray:
        psi, xs, rows = special.digamma, self._xs, self._repeat
        n_left = self._n[rows] * share  # customers in the second term
        n_active = self._n.copy()
        n_active[rows] -= n_left
        active_by_age = np.bincount(self._at_age, weights=n_active, minlength=len(self._ages))
        left_by_last = np.bincount(self._at_last, weights=n_left, minlength=len(self._lasts))
        exponent = r + self._x
        active_x = np.bincount(self._at_age, weights=n_active * exponent, minlength=len(self._ages))
        left_x = np.bincount(self._at_last, weights=n_left * exponent[rows], minlength=len(self._lasts))

        common = psi(a + b) - psi(a + b + xs)
        d_r = (
            self._n_of_x @ (psi(r + xs) - psi(r) + np.log(alpha))
            - active_by_age @ np.log(alpha + self._ages)
            - left_by_last @ np.log(alpha + self._lasts)
        )
        d_alpha = self._total * r / alpha - active_x @ (1 / (alpha + self._ages)) - left_x @ (1 / (alpha + self._lasts))
        d_a = self._n_of_x @ common + n_left.sum() / a
        d_b = self._n_of_x @ (common + psi(b + xs) - psi(b)) - n_left @ (1 / (b + self._x[rows] - 1))
        return np.array([r * d_r, alpha * d_alpha, a * d_a, b * d_b], dtype=np.float64)


def _as_floats(*arrays: npt.ArrayLike) -> tuple[FloatArray, ...]:
    broadcast = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, dtype=np.float64)) for a in arrays))
    return tuple(np.ascontiguousarray(array) for array in broadcast)
