"""What serving remembers of a published snapshot: products, who bought what, and what sells. Immutable."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from models_ml.recommend.protocol import Event, Recommendation
from models_ml.recommend.reasons import Reason, ReasonKind

Ids: TypeAlias = npt.NDArray[np.int64]
Moments: TypeAlias = npt.NDArray[np.datetime64]

NOBODY = 0
"""Stands for the customer of a guest's order in the arrays; real ids are positive."""

POPULAR_WINDOWS = (28, 90, 365, 3650)
BEST_SELLER_DAYS = 7
RISING_BASE_DAYS = 28
RISING_SHRINKAGE = 5.0


@dataclass(frozen=True, slots=True)
class Product:
    """What answers need to know of a product."""

    product_id: int
    name: str
    category: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class SoldLines:
    """Order lines of sales, sorted by customer and time; arrays of one length. Times are UTC without zone."""

    order_id: Ids
    customer_id: Ids
    product_id: Ids
    placed_at: Moments


@dataclass(frozen=True, slots=True)
class PurchaseIndex:
    """Each customer's purchases as a slice of common arrays, found by binary search."""

    lines: SoldLines

    @classmethod
    def of(cls, lines: SoldLines) -> "PurchaseIndex":
        """Over lines that are sorted by customer."""
        return cls(lines)

    def history(self, customer_id: int) -> tuple[Event, ...]:
        """What the customer bought, oldest first; empty for one that the snapshot does not know."""
        if customer_id <= NOBODY:
            return ()
        lines = self.lines
        start, end = np.searchsorted(lines.customer_id, [customer_id, customer_id + 1])
        products = lines.product_id[start:end].tolist()
        moments = lines.placed_at[start:end].astype(datetime).tolist()
        return tuple(Event(item, at) for item, at in zip(products, moments, strict=True))


@dataclass(frozen=True, slots=True)
class Popularity:
    """What sells, best first; each entry with the count that its reason names."""

    popular: tuple[Recommendation, ...]
    best_sellers: tuple[Recommendation, ...]
    rising: tuple[Recommendation, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published build in memory."""

    build_id: str
    as_of: datetime
    """The moment that the build speaks for; UTC, without zone."""
    products: dict[int, Product]
    active: frozenset[int]
    inactive: frozenset[int]
    purchases: PurchaseIndex
    popularity: Popularity

    def name(self, product_id: int | None) -> str:
        """The product's name; empty for one that the snapshot does not know."""
        product = None if product_id is None else self.products.get(product_id)
        return product.name if product else ""


def popularity_of(lines: SoldLines, as_of: datetime) -> Popularity:
    """The shop-wide lists as of a moment.

    popular       distinct customers of the shortest window (28 days, 90, a year, ten) that has any sale
    best sellers  orders of the last 7 days
    rising        (x + 5) / (b + 5) above 1: x orders of the last 7 days, b weekly mean of the 28 days before them
    """
    recent = _counts(lines.product_id, lines.order_id, _between(lines, as_of, 0, BEST_SELLER_DAYS))
    before = _counts(
        lines.product_id,
        lines.order_id,
        _between(lines, as_of, BEST_SELLER_DAYS, BEST_SELLER_DAYS + RISING_BASE_DAYS),
    )
    weeks = RISING_BASE_DAYS / BEST_SELLER_DAYS
    risen = {
        item: (x + RISING_SHRINKAGE) / (before.get(item, 0) / weeks + RISING_SHRINKAGE) for item, x in recent.items()
    }
    return Popularity(
        popular=_popular(lines, as_of),
        best_sellers=_ranked(_as_scores(recent), recent, ReasonKind.BEST_SELLER, BEST_SELLER_DAYS),
        rising=_ranked({i: r for i, r in risen.items() if r > 1}, recent, ReasonKind.RISING, BEST_SELLER_DAYS),
    )


def _popular(lines: SoldLines, as_of: datetime) -> tuple[Recommendation, ...]:
    # A guest is a customer of their own: their order stands in for the id that they do not have.
    who = np.where(lines.customer_id == NOBODY, -lines.order_id, lines.customer_id)
    for days in POPULAR_WINDOWS:
        counts = _counts(lines.product_id, who, _between(lines, as_of, 0, days))
        if counts:
            return _ranked(_as_scores(counts), counts, ReasonKind.POPULAR, days)
    return ()


def _between(lines: SoldLines, as_of: datetime, newest_days: int, oldest_days: int) -> npt.NDArray[np.bool_]:
    # The last event of the data may lie exactly at `as_of`; it counts.
    end = np.datetime64(as_of - timedelta(days=newest_days), "us")
    start = np.datetime64(as_of - timedelta(days=oldest_days), "us")
    inside: npt.NDArray[np.bool_] = (lines.placed_at > start) & (lines.placed_at <= end)
    return inside


def _counts(products: Ids, whose: Ids, mask: npt.NDArray[np.bool_]) -> dict[int, int]:
    """How many distinct `whose` each product has among the masked lines."""
    pairs = np.unique(np.column_stack((products[mask], whose[mask])), axis=0)
    items, counts = np.unique(pairs[:, 0], return_counts=True)
    return dict(zip(items.tolist(), counts.tolist(), strict=True))


def _as_scores(counts: dict[int, int]) -> dict[int, float]:
    return {item: float(count) for item, count in counts.items()}


def _ranked(
    scores: dict[int, float], counts: dict[int, int], kind: ReasonKind, days: int
) -> tuple[Recommendation, ...]:
    order: list[Any] = sorted(scores, key=lambda item: (-scores[item], -counts[item], item))
    return tuple(Recommendation(item, scores[item], Reason(kind=kind, count=counts[item], days=days)) for item in order)
