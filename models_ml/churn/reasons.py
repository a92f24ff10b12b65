"""The largest contributions to a customer's churn probability, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from models_ml.arrays import FloatArray
from models_ml.churn.features import BEHAVIOUR

# Features that say much the same share a reason: their contributions are summed before they are compared.
_GROUPS: dict[str, tuple[str, ...]] = {
    "recency": ("recency", "overdue", "orders_30d", "orders_90d", "spend_90d"),
    "frequency": ("frequency", "orders_180d", "orders_365d"),
    "spend": ("spend_365d", "order_value"),
    "age": ("age",),
    "season": ("same_season_last_year", "year_of_history"),
}
_MOST = 3
_NEGLIGIBLE = 0.05  # log-odds


def main_reasons(features: pl.DataFrame, contributions: FloatArray | None, bands: Sequence[str]) -> list[list[str]]:
    """Up to three reasons a customer, the weightiest first.

    `contributions` are those to the log-odds (customers × `BEHAVIOUR`), measured from the average customer.
    Customers at high or medium risk get what raises it, those at low risk what lowers it. Without
    contributions (a model that looks at the purchase history as a whole) the reason is that history.
    """
    rows = features.select("recency_days", "gap_days", "order_days", "age").iter_rows()
    if contributions is None:
        pairs = zip(rows, bands, strict=True)
        return [_history(*row[:3], raises=band != "low") for row, band in pairs]
    grouped = np.column_stack(
        [contributions[:, [BEHAVIOUR.index(f) for f in members]].sum(axis=1) for members in _GROUPS.values()]
    )
    names = list(_GROUPS)
    reasons = []
    for row, terms, band in zip(rows, grouped, bands, strict=True):
        sign = -1.0 if band == "low" else 1.0
        towards = sign * terms
        order = np.argsort(-towards, kind="stable")[:_MOST]
        chosen = [names[i] for i in order.tolist() if towards[i] > _NEGLIGIBLE]
        reasons.append([_words(name, row, raises=sign > 0) for name in chosen] or _history(*row[:3], raises=sign > 0))
    return reasons


def _words(name: str, row: tuple[float, float | None, int, float], *, raises: bool) -> str:
    recency, gap, days, log_age = row
    match name:
        case "recency":
            return _recency(recency, gap, raises=raises)
        case "frequency":
            return _frequency(days, raises=raises)
        case "spend":
            return "spends less than most" if raises else "spends more than most"
        case "age":
            tenure = round(float(np.expm1(log_age)))
            return f"first order {tenure} days ago"
        case _:
            return "did not order in this season last year" if raises else "ordered in this season last year"


def _recency(recency: float, gap: float | None, *, raises: bool) -> str:
    if not raises:
        return f"ordered {recency:.0f} days ago"
    usual = "" if gap is None else f" (usually every {gap:.0f} days)"
    return f"no order for {recency:.0f} days{usual}"


def _frequency(days: int, *, raises: bool) -> str:
    if days == 1:
        return "only one order so far"
    return f"only {days} orders so far" if raises else f"{days} orders so far"


def _history(recency: float, gap: float | None, days: int, *, raises: bool) -> list[str]:
    return [_recency(recency, gap, raises=raises), _frequency(days, raises=raises and days < 3)]
