"""Learned challengers of `or-clv`: boosting and a two-part model, on label windows that ended by the
origin."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from models_ml.arrays import FloatArray
from models_ml.churn.features import BEHAVIOUR, churn_features, churn_labels
from models_ml.lifetime.summary import purchase_summary
from models_ml.training.lifetime import actual_value

_LEAST_CUSTOMERS = 100
_BOOSTING = {"max_iter": 120, "learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 40}


def boosted_churn(known: pl.DataFrame, until: datetime, days: int, features: pl.DataFrame) -> FloatArray | None:
    """P(no order in the `days` from `until`) by gradient boosting; None without a past window."""
    X, churned, _ = _windows(known, until, days)
    if not len(X):
        return None
    model = HistGradientBoostingClassifier(random_state=0, **_BOOSTING).fit(X, churned)
    return np.asarray(model.predict_proba(_matrix(features))[:, 1], dtype=np.float64)


def boosted_value(known: pl.DataFrame, until: datetime, days: int, features: pl.DataFrame) -> FloatArray | None:
    """Money in the `days` from `until` by boosting with a Poisson loss; None without a past window."""
    X, _, value = _windows(known, until, days)
    if not len(X):
        return None
    model = HistGradientBoostingRegressor(loss="poisson", random_state=0, **_BOOSTING)
    model.fit(X, np.maximum(value, 0.0))
    return np.asarray(model.predict(_matrix(features)), dtype=np.float64)


def two_part_value(known: pl.DataFrame, until: datetime, days: int, features: pl.DataFrame) -> FloatArray | None:
    """P(any order) × the lognormal mean of what is spent, both linear; None without a past window."""
    X, churned, value = _windows(known, until, days)
    if not len(X):
        return None
    scaler = StandardScaler().fit(X)
    scaled, asked = scaler.transform(X), scaler.transform(_matrix(features))
    comes = LogisticRegression(C=0.01, max_iter=2000).fit(scaled, ~churned)
    spent = value > 0
    amount = Ridge(alpha=10.0).fit(scaled[spent], np.log(value[spent]))
    spread = float(np.var(np.log(value[spent]) - amount.predict(scaled[spent])))
    mean = np.exp(amount.predict(asked) + spread / 2)
    return np.asarray(comes.predict_proba(asked)[:, 1] * mean, dtype=np.float64)


def _windows(known: pl.DataFrame, until: datetime, days: int) -> tuple[FloatArray, np.ndarray, FloatArray]:
    """Features, churn and money of [until − H, until) and of the same season last year, where they exist."""
    parts = []
    for back in (days, 365):
        origin = until - timedelta(days=back)
        features = churn_features(known, origin, active_days=None)
        if features.height < _LEAST_CUSTOMERS:
            continue
        summary = purchase_summary(known, origin)
        churned = churn_labels(known, features, origin, days)
        parts.append((_matrix(features), churned, actual_value(known, summary, origin, days)))
    if not parts:
        return np.empty((0, len(BEHAVIOUR))), np.empty(0, dtype=np.bool_), np.empty(0)
    X, churned, value = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return X, churned, value


def _matrix(features: pl.DataFrame) -> FloatArray:
    return features.select(BEHAVIOUR).to_numpy()
