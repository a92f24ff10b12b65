"""Figures of probabilities and of predicted amounts. Arrays are one entry a customer, all of the same
length."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy import special, stats

from models_ml.arrays import BoolArray, FloatArray

AmountFigure: TypeAlias = Callable[[FloatArray, FloatArray], float]
"""A figure of (predicted, actual) amounts."""


def auc(score: FloatArray, happened: BoolArray) -> float:
    """Area under the ROC curve: the chance that one to whom it happened scores higher; ties count half.

    NaN when it happened to all or to none.
    """
    positives = int(happened.sum())
    negatives = len(happened) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[happened].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(score: FloatArray, happened: BoolArray) -> float:
    """Mean of the precision at each hit, tied scores taken together (area under the step of
    precision–recall)."""
    if not happened.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    sorted_score, hit = score[order], happened[order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(sorted_score) != 0, True))
    hits = np.cumsum(hit)[ends]
    precision = hits / (ends + 1)
    return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def brier(probability: FloatArray, happened: BoolArray) -> float:
    """Mean squared difference of probability and outcome; lower is better."""
    return float(np.mean((probability - happened) ** 2))


def calibration_slope(probability: FloatArray, happened: BoolArray) -> float:
    """Slope of the logistic regression of the outcome on the logit of the probability (Cox 1958).

    1 is right; below 1 the probabilities are too extreme, above 1 too timid. NaN when it happened to all or
    to none.
    """
    if happened.all() or not happened.any():
        return float("nan")
    logit = special.logit(np.clip(probability, 1e-6, 1 - 1e-6))
    intercept, slope = 0.0, 1.0
    for _ in range(_NEWTON_STEPS):
        fitted = special.expit(intercept + slope * logit)
        error, weight = happened - fitted, fitted * (1 - fitted)
        sums = weight.sum(), float(weight @ logit), float(weight @ logit**2)
        determinant = max(sums[0] * sums[2] - sums[1] ** 2, 1e-12)
        first, second = error.sum(), float(error @ logit)
        steps = (
            (sums[2] * first - sums[1] * second) / determinant,
            (sums[0] * second - sums[1] * first) / determinant,
        )
        intercept, slope = intercept + steps[0], slope + steps[1]
        if max(abs(steps[0]), abs(steps[1])) < 1e-8:
            break
    return float(slope)


_NEWTON_STEPS = 30


def mean_absolute_error(predicted: FloatArray, actual: FloatArray) -> float:
    """Mean absolute error, in the unit of the amounts."""
    return float(np.abs(predicted - actual).mean())


def spearman(predicted: FloatArray, actual: FloatArray) -> float:
    """Rank correlation; NaN when either does not vary."""
    a, b = stats.rankdata(predicted), stats.rankdata(actual)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def normalised_gini(predicted: FloatArray, actual: FloatArray) -> float:
    """Gini of the actual amounts in predicted order, divided by that in their own order: 1 is a perfect
    ranking.

    Tied predictions share the mean of their actual amounts, so their order in the array does not matter.
    """
    best = _lorenz_area(actual, actual)
    return _lorenz_area(predicted, actual) / best if best else float("nan")


def _lorenz_area(score: FloatArray, actual: FloatArray) -> float:
    """Σ over customers of (share of the total held by the best-scored up to here − share of customers)."""
    total = actual.sum()
    if not total:
        return 0.0
    _, group = np.unique(-score, return_inverse=True)
    mean = np.bincount(group, weights=actual) / np.bincount(group)
    ordered = np.sort(group)
    held = np.cumsum(mean[ordered]) / total
    return float((held - np.arange(1, len(actual) + 1) / len(actual)).mean())


def total_bias(predicted: FloatArray, actual: FloatArray) -> float:
    """Relative error of the total: −.2 means that a fifth too little was predicted."""
    total = actual.sum()
    return float(predicted.sum() / total - 1) if total else float("nan")


def top_share(predicted: FloatArray, actual: FloatArray, part: float = 0.1) -> float:
    """Share of the actual total held by the `part` of the customers with the highest predictions."""
    top = np.argsort(-predicted, kind="stable")[: max(1, round(part * len(actual)))]
    total = actual.sum()
    return float(actual[top].sum() / total) if total else float("nan")
