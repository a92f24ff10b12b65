"""The churn model: a ridge logistic regression on what a customer did, fitted on label windows of the past.

Never 1 − P(alive): BG/NBD gives every one-time buyer P(alive) = 1, so that score ranks churn below chance.
What BG/NBD does offer, P(no purchase in the horizon), is one of the methods here, recalibrated on the same
windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Self

import numpy as np
import polars as pl
from scipy import special
from sklearn.linear_model import LogisticRegression

from models_ml.arrays import BoolArray, FloatArray, Json
from models_ml.artifacts import ArtifactError, State, revive, state_of
from models_ml.churn.features import ACTIVE_DAYS, BEHAVIOUR, HORIZON_DAYS, churn_features, churn_labels
from models_ml.churn.reasons import main_reasons
from models_ml.lifetime.summary import checked_purchases, purchase_summary
from models_ml.lifetime.value import LifetimeModel, NotEnoughDataError, check_enough

METHODS = ("behaviour", "bgnbd", "recency")

DEFAULT_SETTINGS: dict[str, Json] = {
    "method": "behaviour",
    "horizon_days": HORIZON_DAYS,
    "penalty": 100.0,
    "origins": 3,
    "origin_step_days": 30,
    "active_days": ACTIVE_DAYS,  # None: everybody who ever ordered
    "minimum_customers": 100,
    "minimum_of_each": 20,
    "season_prior_customers": 200,
    "high_risk": 0.7,
    "medium_risk": 0.4,
}

_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class ChurnModel:
    """A fitted churn model.

    mean, scale   of the training features; coefficients are per standard deviation
    season_shift  added to the log-odds: how far the same model a year ago missed the window that comes now
    lifetime      the BG/NBD model behind the method "bgnbd", else None
    """

    kind: ClassVar[str] = "churn"

    mean: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    intercept: float
    season_shift: float | None
    lifetime: LifetimeModel | None
    settings: dict[str, Json]
    data_through: datetime | None = None

    @classmethod
    def fit(cls, purchases: pl.DataFrame, until: datetime, settings: dict[str, Json] | None = None) -> Self:
        """Fit on orders before `until` only: features of past origins, and what followed within their 90
        days.

        Origins: 90 days before `until`, a few earlier ones in monthly steps, and the same season last year;
        a window with too few customers or outcomes is left out. With no window left, "bgnbd" is used as it
        is, without recalibration, if the lifetime model has its minimum of data; otherwise
        NotEnoughDataError.
        """
        chosen = {**DEFAULT_SETTINGS, **(settings or {})}
        if chosen["method"] not in METHODS:
            raise ValueError(f"churn method must be one of {', '.join(METHODS)}, not {chosen['method']!r}")
        known = checked_purchases(purchases, until)
        windows = _label_windows(known, until, chosen)
        if not windows:
            return cls._from_lifetime_alone(known, until, chosen)
        X = np.vstack([features for features, _ in windows])
        churned = np.concatenate([label for _, label in windows])
        mean, scale = X.mean(axis=0), X.std(axis=0)
        scale[scale == 0] = 1.0
        model = LogisticRegression(C=1 / _number(chosen["penalty"]), max_iter=2000)
        model.fit((X - mean) / scale, churned)
        lifetime = _lifetime(known, until) if chosen["method"] == "bgnbd" else None
        return cls(
            mean=mean,
            scale=scale,
            coefficients=np.asarray(model.coef_[0], dtype=np.float64),
            intercept=float(model.intercept_[0]),
            season_shift=cls._season(known, until, chosen),
            lifetime=lifetime,
            settings=chosen,
            data_through=until,
        )

    @property
    def method(self) -> str:
        """Which features the model looks at."""
        return str(self.settings["method"])

    def probabilities(self, purchases: pl.DataFrame, as_of: datetime, features: pl.DataFrame) -> FloatArray:
        """P(no order within the horizon from `as_of`) of each row of `features` (from `churn_features` at
        `as_of`)."""
        X = _design(purchases, as_of, features, self.settings, self.lifetime)
        return np.asarray(special.expit(self.log_odds(X)), dtype=np.float64)

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Log-odds of churn of the rows that the method looks at."""
        line = (X - self.mean) / self.scale @ self.coefficients
        return np.asarray(line + self.intercept + (self.season_shift or 0.0), dtype=np.float64)

    def predict(self, purchases: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
        """customer_id, churn_probability, risk_band (high, medium, low), main_reasons (list of text).

        For customers with an order in the 365 days before `as_of`.
        """
        features = churn_features(purchases, as_of, _active(self.settings))
        probability = self.probabilities(purchases, as_of, features)
        bands = self.risk_bands(probability)
        return features.select("customer_id").with_columns(
            pl.Series("churn_probability", probability),
            pl.Series("risk_band", bands, dtype=pl.String),
            pl.Series("main_reasons", self._reasons(features, bands), dtype=pl.List(pl.String)),
        )

    def risk_bands(self, probability: FloatArray) -> list[str]:
        """high from .7, medium from .4 (both are settings), low below."""
        high, medium = _number(self.settings["high_risk"]), _number(self.settings["medium_risk"])
        return ["high" if p >= high else "medium" if p >= medium else "low" for p in probability.tolist()]

    def to_state(self) -> State:
        """Coefficients and scales."""
        state = State(
            values={"intercept": self.intercept, "season_shift": self.season_shift},
            arrays={"mean": self.mean, "scale": self.scale, "coefficients": self.coefficients},
        )
        if self.lifetime is not None:
            state.nested("lifetime", state_of(self.lifetime))
        return state

    @classmethod
    def from_state(cls, state: State, settings: dict[str, Json], data_through: datetime | None) -> Self:
        """The model that `to_state` described. Raises ArtifactError for one that learnt other features than today's."""
        values, arrays = state.values, state.arrays
        if settings["method"] == "behaviour" and len(arrays["coefficients"]) != len(BEHAVIOUR):
            learnt = len(arrays["coefficients"])
            raise ArtifactError(f"the model learnt {learnt} features, this version has {len(BEHAVIOUR)}: train anew")
        return cls(
            mean=arrays["mean"],
            scale=arrays["scale"],
            coefficients=arrays["coefficients"],
            intercept=values["intercept"],
            season_shift=values["season_shift"],
            lifetime=revive(state.part("lifetime")) if "lifetime" in values else None,
            settings=settings,
            data_through=data_through,
        )

    @classmethod
    def _from_lifetime_alone(cls, known: pl.DataFrame, until: datetime, settings: dict[str, Json]) -> Self:
        summary = purchase_summary(known, until)
        lifetime = LifetimeModel.fit(summary) if _enough(summary, settings) else None
        if lifetime is None:
            raise NotEnoughDataError(
                f"not enough data: no past window of {settings['horizon_days']} days has "
                f"{settings['minimum_customers']} customers "
                f"with {settings['minimum_of_each']} who came back and as many who did not"
            )
        one = np.ones(1)
        return cls(np.zeros(1), one, one, 0.0, None, lifetime, {**settings, "method": "bgnbd"}, until)

    @classmethod
    def _season(cls, known: pl.DataFrame, until: datetime, settings: dict[str, Json]) -> float | None:
        """The error of the same model a year ago in log-odds, shrunk; None where there is no such year."""
        then = until - _YEAR
        earlier = checked_purchases(known, then)
        if earlier.is_empty() or then + _horizon(settings) > until or not _label_windows(earlier, then, settings):
            return None
        past = cls.fit(known, then, settings)
        features = churn_features(known, then, _active(settings))
        churned = churn_labels(known, features, then, _number(settings["horizon_days"]))
        predicted = float(past.probabilities(known, then, features).mean())
        observed = (churned.sum() + 0.5) / (len(churned) + 1)
        weight = len(churned) / (len(churned) + _number(settings["season_prior_customers"]))
        return float(weight * (special.logit(observed) - special.logit(predicted)) + (past.season_shift or 0.0))

    def _reasons(self, features: pl.DataFrame, bands: Sequence[str]) -> list[list[str]]:
        if self.method != "behaviour":
            return main_reasons(features, None, bands)
        X = features.select(BEHAVIOUR).to_numpy()
        return main_reasons(features, (X - self.mean) / self.scale * self.coefficients, bands)


def _design(
    purchases: pl.DataFrame,
    origin: datetime,
    features: pl.DataFrame,
    settings: dict[str, Json],
    lifetime: LifetimeModel | None = None,
) -> FloatArray:
    """The rows that a method looks at: customers × features."""
    if settings["method"] == "recency":
        return features.select("recency").to_numpy()
    if settings["method"] == "behaviour":
        return features.select(BEHAVIOUR).to_numpy()
    summary = purchase_summary(purchases, origin)
    model = lifetime or LifetimeModel.fit(summary)
    rows = features.select("customer_id").join(summary, on="customer_id", how="left", maintain_order="left")
    stays_away = np.clip(model.no_purchase(rows, _number(settings["horizon_days"])), 1e-6, 1 - 1e-6)
    return np.asarray(special.logit(stays_away)[:, None], dtype=np.float64)


def _label_windows(
    known: pl.DataFrame, until: datetime, settings: dict[str, Json]
) -> list[tuple[FloatArray, BoolArray]]:
    """(features, churned) of each origin whose window ended by `until`."""
    step = timedelta(days=_number(settings["origin_step_days"]))
    origins = [until - _horizon(settings) - step * i for i in range(int(_number(settings["origins"])))]
    if _horizon(settings) <= _YEAR:
        origins.append(until - _YEAR)
    windows = []
    for origin in origins:
        features = churn_features(known, origin, _active(settings))
        churned = (
            churn_labels(known, features, origin, _number(settings["horizon_days"]))
            if features.height
            else np.empty(0, dtype=np.bool_)
        )
        rarer = min(int(churned.sum()), int((~churned).sum()))
        if features.height < _number(settings["minimum_customers"]) or rarer < _number(settings["minimum_of_each"]):
            continue
        if settings["method"] == "bgnbd" and not _enough(purchase_summary(known, origin), settings):
            continue
        windows.append((_design(known, origin, features, settings), churned))
    return windows


def _enough(summary: pl.DataFrame, settings: dict[str, Json]) -> bool:
    try:
        check_enough(summary, _LIFETIME_MINIMUM, _number(settings["horizon_days"]))
    except NotEnoughDataError:
        return False
    return True


_LIFETIME_MINIMUM: dict[str, Json] = {"minimum_buyers": 100, "minimum_repeaters": 30}


def _lifetime(known: pl.DataFrame, until: datetime) -> LifetimeModel:
    return LifetimeModel.fit(purchase_summary(known, until), data_through=until)


def _horizon(settings: dict[str, Json]) -> timedelta:
    return timedelta(days=_number(settings["horizon_days"]))


def _active(settings: dict[str, Json]) -> float | None:
    return None if settings["active_days"] is None else _number(settings["active_days"])


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a setting must be a number, not {value!r}")
    return float(value)
