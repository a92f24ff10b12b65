"""The Gamma-Gamma model of spend per purchase.

Fader, Hardie & Lee 2005 (Journal of Marketing Research 42) and Fader & Hardie 2013, "The Gamma-Gamma Model of
Monetary Value": a purchase's value is Gamma(p, rate ν), and ν ~ Gamma(q, rate v) over customers. It holds
spend to be independent of how often a customer buys; report `spend_correlation` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from models_ml.arrays import FloatArray
from models_ml.lifetime.fitting import LogNormalPrior, maximise

NAMES = ("p", "q", "v")


@dataclass(frozen=True)
class GammaGamma:
    """A Gamma-Gamma model with known parameters; `fit` estimates them. v is in units of money."""

    p: float
    q: float
    v: float
    log_likelihood: float = float("nan")
    log_covariance: FloatArray | None = None
    """3 × 3 covariance of (log p, log q, log v), or None for given parameters."""

    @property
    def parameters(self) -> tuple[float, float, float]:
        """(p, q, v)."""
        return self.p, self.q, self.v

    @classmethod
    def fit(cls, x: npt.ArrayLike, mean_value: npt.ArrayLike, *, weak_prior: bool = False) -> GammaGamma:
        """Estimate from repeat buyers: x > 0 repeat days each, and their mean value > 0 (money).

        The weak prior is centred on the sample's own scale. Raises ConvergenceError without an interior
        maximum and ValueError for a customer without repeat purchase or positive value.
        """
        xs = np.asarray(x, dtype=np.float64)
        means = np.asarray(mean_value, dtype=np.float64)
        if not len(xs):
            raise ValueError("no repeat buyers to fit spend on")
        if (xs <= 0).any() or not (means > 0).all():
            raise ValueError("spend is fitted on repeat buyers with a positive mean value only")
        # In units of the sample's own mean: v is money, and neither start nor limits may depend on the
        # currency.
        unit = float(xs @ means / xs.sum())
        prior = LogNormalPrior((3.0, 3.0, 1.0), spread=1.5) if weak_prior else None
        start = np.array([3.0, 3.0, 1.0])
        fit = maximise(_Likelihood(xs, means / unit), start, NAMES, float(len(xs)), prior)
        p, q, v = fit.parameters.tolist()
        return cls(p, q, v * unit, fit.log_likelihood - len(xs) * float(np.log(unit)), fit.log_covariance)

    def expected_value(self, x: npt.ArrayLike, mean_value: npt.ArrayLike) -> FloatArray:
        """E[value of a purchase | x repeat purchases of this mean] = p (v + x·m) / (p·x + q − 1).

        Without a repeat purchase this is the population's p·v/(q − 1), which needs q > 1; where q ≤ 1 the
        population has no mean and those customers get infinity.
        """
        xs = np.asarray(x, dtype=np.float64)
        known = np.where(xs > 0, np.asarray(mean_value, dtype=np.float64), 0.0)
        below = self.p * xs + self.q - 1
        with np.errstate(divide="ignore"):
            value = self.p * (self.v + xs * known) / np.maximum(below, 0.0)
        return np.asarray(value, dtype=np.float64)


def spend_correlation(x: npt.ArrayLike, mean_value: npt.ArrayLike) -> float:
    """Pearson correlation of frequency and mean value over repeat buyers (the model assumes none)."""
    return float(np.corrcoef(np.asarray(x, dtype=np.float64), np.asarray(mean_value, dtype=np.float64))[0, 1])


class _Likelihood:
    """Log-likelihood of the mean values, and its gradient in the log-parameters."""

    def __init__(self, x: FloatArray, mean: FloatArray) -> None:
        self._x, self._total = x, x * mean
        self._log_mean, self._log_total = np.log(mean), np.log(x * mean)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        p, q, v = np.exp(theta).tolist()
        px = p * self._x
        log_sum = np.log(v + self._total)
        value = (
            special.gammaln(px + q) - special.gammaln(px) - special.gammaln(q)
            + q * np.log(v) + px * self._log_total - self._log_mean - (px + q) * log_sum
        ).sum()  # fmt: skip
        psi_sum = special.digamma(px + q)
        d_p = (self._x * (psi_sum - special.digamma(px) + self._log_total - log_sum)).sum()
        d_q = (psi_sum - special.digamma(q) + np.log(v) - log_sum).sum()
        d_v = (q / v - (px + q) / (v + self._total)).sum()
        return float(value), np.array([p * d_p, q * d_q, v * d_v], dtype=np.float64)
