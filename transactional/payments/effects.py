"""What became of a report from the gateway."""

from dataclasses import dataclass
from enum import StrEnum

from transactional.orders.service import Order
from transactional.payments.models import Payment


class Effect(StrEnum):
    """The ways in which a report can end."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    """It speaks of something that the shop does not know, perhaps not yet."""
    MISMATCH = "mismatch"
    """Its amount or currency is not ours: nothing was posted, somebody was told."""
    UNREADABLE = "unreadable"
    """It lacks what cannot be guessed."""


@dataclass(frozen=True, slots=True)
class Applied:
    """An effect, the row it fell on and, where nothing was posted, why."""

    effect: Effect
    row_id: int | None = None
    note: str | None = None
    payment: Payment | None = None
    """With a payment's report: the row as it stands now, and its order's, for whoever shows them."""
    order: Order | None = None
