"""Why an item is shown: the kind of reason, what it rests on, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReasonKind(StrEnum):
    """Why an item is shown."""

    BECAUSE_YOU_BOUGHT = "because_you_bought"
    BOUGHT_TOGETHER = "bought_together"
    BOUGHT_BEFORE = "bought_before"
    SIMILAR = "similar"
    POPULAR = "popular"
    SEASON = "season"
    BEST_SELLER = "best_seller"
    RISING = "rising"


# With and without the name of the product that the reason points to.
_WORDS = {
    ReasonKind.BECAUSE_YOU_BOUGHT: (
        "Because you bought “{name}”",
        "Because of something you bought",
    ),
    ReasonKind.BOUGHT_TOGETHER: (
        "In {count} of {total} orders with “{name}”",
        "In {count} of {total} orders with this",
    ),
    ReasonKind.SIMILAR: ("Similar to “{name}”", "Similar to this"),
    ReasonKind.BEST_SELLER: ("Best seller: {count} order{s} in the last {days} days",) * 2,
    ReasonKind.RISING: ("Rising: {count} order{s} in the last {days} days, more than usual",) * 2,
    ReasonKind.SEASON: ("Popular at this time last year: {count} customer{s}",) * 2,
    ReasonKind.POPULAR: ("Popular now: {count} customer{s} in the last {days} days",) * 2,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that follows from the model's own sum.

    item_id  the item of the history or basket that contributed most (None for shop-wide reasons)
    count    how often: baskets with both, purchases by this shopper, customers or orders of the window
    total    out of how many baskets, where a share is meant
    last_at  when the shopper last bought it (bought_before)
    days     length of the window that `count` speaks of
    """

    kind: ReasonKind
    item_id: int | None = None
    count: int | None = None
    total: int | None = None
    last_at: datetime | None = None
    days: int | None = None

    def sentence(self, name: str = "") -> str:
        """One English sentence without a full stop; `name` is the product that the reason points to."""
        if self.kind is ReasonKind.POPULAR and self.days is None:
            return f"Bought by {self.count} customer{'' if self.count == 1 else 's'} so far"
        if self.kind is ReasonKind.BOUGHT_BEFORE:
            return self._bought_before()
        known, unknown = _WORDS[self.kind]
        words = known if name else unknown
        s = "" if self.count == 1 else "s"
        return words.format(name=name, count=self.count, total=self.total, days=self.days, s=s)

    def _bought_before(self) -> str:
        times = "once" if self.count == 1 else f"{self.count} times"
        last = "" if self.last_at is None else f", last on {self.last_at:%d %B %Y}"
        return f"You bought it {times}{last}"
