"""Maximum likelihood, or maximum a posteriori with a weak prior, on log-parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from models_ml.arrays import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""Log-parameters to (log-likelihood, its gradient in the log-parameters)."""

# Log-parameters outside ± this have run away: the likelihood rises for ever towards a boundary.
_BOUND = 12.0
_GRADIENT_TOLERANCE = 1e-4  # per customer; where parameters are large, rounding alone leaves 1e-5


class ConvergenceError(Exception):
    """A likelihood has no interior maximum for these data; the message says which parameter ran away."""


@dataclass(frozen=True)
class LogNormalPrior:
    """Independent normal priors on the log-parameters.

    Together they weigh as much as a handful of customers: with thousands they change nothing, with a few
    hundred they keep the fit off the boundary where a parameter runs to zero or infinity.
    """

    centre: tuple[float, ...]
    """Prior medians of the parameters themselves (not of their logarithms)."""
    spread: float = 1.5
    """Standard deviation of each log-parameter: 1.5 means a factor of 4.5 either way."""

    def log_density(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Log density up to a constant, and its gradient."""
        z = (theta - np.log(np.asarray(self.centre))) / self.spread
        return float(-0.5 * z @ z), -z / self.spread


@dataclass(frozen=True)
class Fit:
    """A maximum: the parameters, the log-likelihood there (without prior) and the covariance of the logs."""

    parameters: FloatArray
    log_likelihood: float
    log_covariance: FloatArray


def maximise(
    objective: Objective,
    start: FloatArray,
    names: tuple[str, ...],
    weight: float,
    prior: LogNormalPrior | None = None,
) -> Fit:
    """Maximise `objective` (plus the prior) over log-parameters from `start` (given as parameters).

    `weight` is the number of customers; the search works on the mean, so that its tolerances mean the same
    for a hundred and for a million. Raises ConvergenceError when no interior maximum is found.
    """

    def penalised(theta: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = objective(theta)
        if prior is not None:
            prior_value, prior_gradient = prior.log_density(theta)
            value, gradient = value + prior_value, gradient + prior_gradient
        return -value / weight, -gradient / weight

    found = optimize.minimize(
        penalised,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_BOUND, _BOUND)] * len(start),
        options={"maxiter": 1000, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-8},
    )
    theta = np.asarray(found.x, dtype=np.float64)
    _check(theta, np.asarray(found.jac), names, str(found.message))
    hessian = _hessian(penalised, theta) * weight
    return Fit(
        parameters=np.exp(theta),
        log_likelihood=objective(theta)[0],
        log_covariance=_covariance(hessian, names),
    )


def _check(theta: FloatArray, gradient: FloatArray, names: tuple[str, ...], message: str) -> None:
    for value, name in zip(theta, names, strict=True):
        if not np.isfinite(value) or abs(value) > _BOUND - 2:
            towards = "0" if value < 0 else "infinity"
            raise ConvergenceError(
                f"parameter {name} runs to {towards} ({np.exp(value):.3g}): these data do not determine it; "
                "use a longer history or a prior"
            )
    if np.abs(gradient).max() > _GRADIENT_TOLERANCE:
        raise ConvergenceError(f"no maximum found: {message}")


def _hessian(gradient_of: Objective, theta: FloatArray, step: float = 1e-4) -> FloatArray:
    """Central differences of the analytic gradient."""
    size = len(theta)
    hessian = np.empty((size, size))
    for i in range(size):
        shift = np.zeros(size)
        shift[i] = step
        hessian[i] = (gradient_of(theta + shift)[1] - gradient_of(theta - shift)[1]) / (2 * step)
    return (hessian + hessian.T) / 2


def _covariance(hessian: FloatArray, names: tuple[str, ...]) -> FloatArray:
    values, vectors = np.linalg.eigh(hessian)
    if values.min() <= 0:
        weakest = names[int(np.abs(vectors[:, 0]).argmax())]
        raise ConvergenceError(f"the likelihood is flat in {weakest}: these data do not determine it")
    return np.asarray((vectors / values) @ vectors.T, dtype=np.float64)
