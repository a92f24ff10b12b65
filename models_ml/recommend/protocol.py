"""The one interface of all recommenders: a query in, ranked items with a true reason out.

A query is what is known when the question is asked (history, basket, moment, bans), never a user id: whoever
asks sends the *whole* history together with what happened a second ago, so a new event counts at once and a
customer that the training never saw is no special case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self, runtime_checkable

import numpy as np

from models_ml.arrays import BoolArray, FloatArray
from models_ml.recommend.interactions import Interactions
from models_ml.recommend.items import ItemIndex
from models_ml.recommend.reasons import Reason


@dataclass(frozen=True, slots=True)
class Event:
    """One item in a shopper's past: bought (weight 1), or seen or put into a cart (less)."""

    item_id: int
    at: datetime | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """What a recommender may know.

    history     the shopper's events, any order, repeats allowed; unknown items are ignored
    basket      items in the cart or on the page: the question of "bought together" and "similar"
    at          the moment of the question (UTC, no zone); None: the end of the model's data
    exclude     items never to be shown
    candidates  if given, only these may be shown (what can be bought now)
    new_only    leave out what the history holds (the "discover" shelf)
    """

    history: tuple[Event, ...] = ()
    basket: tuple[int, ...] = ()
    at: datetime | None = None
    exclude: frozenset[int] = frozenset()
    candidates: frozenset[int] | None = None
    new_only: bool = False

    @classmethod
    def of(
        cls,
        history: Iterable[int] = (),
        *,
        basket: Iterable[int] = (),
        exclude: Collection[int] = (),
        new_only: bool = False,
    ) -> Query:
        """A query from plain item ids."""
        return cls(
            history=tuple(Event(item) for item in history),
            basket=tuple(basket),
            exclude=frozenset(exclude),
            new_only=new_only,
        )


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One ranked item. Scores order items within one answer and mean nothing across models."""

    item_id: int
    score: float
    reason: Reason


@runtime_checkable
class Recommender(Protocol):
    """A source of recommendations."""

    @property
    def items(self) -> ItemIndex:
        """The items that the model knows; scores are in this order."""
        ...

    def fit(self, interactions: Interactions) -> Self:
        """Learn from purchases and return the model itself."""
        ...

    def scores(self, query: Query) -> FloatArray:
        """A score for each known item, higher is better, before any exclusion; 0 means no opinion."""
        ...

    def recommend(self, query: Query, k: int) -> list[Recommendation]:
        """The k best allowed items, best first; fewer when fewer have a positive score."""
        ...

    def explain(self, query: Query, item_id: int) -> Reason:
        """Why this item: the largest term of the sum that is its score."""
        ...


def allowed_mask(items: ItemIndex, query: Query) -> BoolArray:
    """Which known items the query permits."""
    allowed = query.candidates
    mask = np.ones(len(items), dtype=np.bool_) if allowed is None else items.mask_of(allowed).copy()
    banned: Sequence[int] = [*query.exclude, *query.basket]
    mask[items.known_positions(banned)] = False
    if query.new_only:
        mask[items.known_positions(event.item_id for event in query.history)] = False
    return mask
