"""Matplotlib figures for a run's record; made without pyplot, so that nothing global is touched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from models_ml.arrays import BoolArray, FloatArray
from models_ml.evaluation.estimate import Metric

_INK, _ACCENT = "#374151", "#b45309"


def interval_plot(metrics: Sequence[Metric], title: str, own_name: str) -> Figure:
    """One figure of several models with their 95 % intervals; the trained model's own is called
    `own_name`."""
    figure = Figure(figsize=(7, 0.9 + 0.42 * max(len(metrics), 1)), layout="constrained")
    axes = figure.add_subplot()
    ordered = sorted(metrics, key=lambda metric: metric.value)
    for height, metric in enumerate(ordered):
        colour = _INK if metric.model else _ACCENT
        low = metric.value if metric.low is None else metric.low
        high = metric.value if metric.high is None else metric.high
        axes.plot([low, high], [height, height], color=colour, linewidth=2)
        axes.plot([metric.value], [height], "o", color=colour)
    axes.set_yticks(range(len(ordered)), [metric.model or own_name for metric in ordered])
    axes.set_xlabel(f"{ordered[0].name}, 95 % interval" if ordered else "")
    axes.set_title(title)
    axes.grid(axis="x", alpha=0.3)
    return figure


def calibration_plot(probability: FloatArray, happened: BoolArray, title: str, bins: int = 10) -> Figure:
    """Observed share against mean predicted probability in bins of equal size, with binomial 95 % bars."""
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.add_subplot()
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    predicted = np.array([probability[part].mean() for part in parts])
    observed = np.array([happened[part].mean() for part in parts])
    sizes = np.array([len(part) for part in parts])
    error = 1.96 * np.sqrt(observed * (1 - observed) / sizes)
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle="--", label="perfect")
    axes.errorbar(predicted, observed, yerr=error, fmt="o-", color=_ACCENT, label="model")
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("observed share")
    axes.set_title(title)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def frequency_plot(actual: FloatArray, expected: FloatArray, title: str) -> Figure:
    """Customers by number of repeat purchases, observed and expected; the last bar is "or more"."""
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axes = figure.add_subplot()
    at = np.arange(len(actual))
    axes.bar(at - 0.2, actual, width=0.4, color=_INK, label="observed")
    axes.bar(at + 0.2, expected, width=0.4, color=_ACCENT, label="model")
    axes.set_xticks(at, [*map(str, at[:-1]), f"{at[-1]}+"])
    axes.set_xlabel("repeat purchase days")
    axes.set_ylabel("customers")
    axes.set_title(title)
    axes.legend()
    return figure


def decile_plot(predicted: FloatArray, actual: FloatArray, title: str, unit: str) -> Figure:
    """Mean predicted and actual amount by decile of the prediction, the highest last."""
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axes = figure.add_subplot()
    parts = [part for part in np.array_split(np.argsort(predicted, kind="stable"), 10) if len(part)]
    at = np.arange(1, len(parts) + 1)
    axes.bar(at - 0.2, [actual[part].mean() for part in parts], width=0.4, color=_INK, label="actual")
    axes.bar(at + 0.2, [predicted[part].mean() for part in parts], width=0.4, color=_ACCENT, label="predicted")
    axes.set_xticks(at)
    axes.set_xlabel("decile of the prediction")
    axes.set_ylabel(unit)
    axes.set_title(title)
    axes.legend()
    return figure
