"""What the selection of offers gives: who applied with which amounts, and why each other one did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from transactional.promotions.engine.facts import NOTHING, DiscountClass

Missing = Mapping[str, int]
"""Figures by name: `spend_minor` and `quantity` to a threshold, `better_by_minor` to the combination that applied."""


class Reason(StrEnum):
    """Why an offer gives nothing; programmes read it, people read `Refused.detail`.

    A condition that fails gives its own kind as reason: min_spend, min_quantity, period, channel, country, categories,
    products, customer_groups, first_order, staff_only.
    """

    LIMIT_REACHED = "limit_reached"
    PERSON_LIMIT_REACHED = "person_limit_reached"
    NOT_ACTIVE = "not_active"
    PAUSED = "paused"
    ENDED = "ended"
    HELD_OUT = "held_out"
    UNKNOWN_CODE = "unknown_code"
    BLOCKED = "blocked"
    SAME_OFFER = "same_offer"
    CURRENCY = "currency"
    NOTHING_SELECTED = "nothing_selected"
    TOO_FEW = "too_few"
    SHIPPING_UNKNOWN = "shipping_unknown"
    NOTHING_LEFT = "nothing_left"
    NOT_IN_FULL = "not_in_full"
    BETTER_WITHOUT = "better_without"


@dataclass(frozen=True, slots=True)
class Applied:
    """An offer that applies. `amount_minor` is its whole saving: Σ `units` for goods, `shipping_minor` for shipping.

    `units` has, for each line that it lowers, what it takes off each unit; units of a line are numbered from 0 and
    mean the same unit in every offer of an outcome.
    """

    offer_id: int
    version: int
    code: str | None
    discount_class: DiscountClass
    amount_minor: int
    units: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: NOTHING)
    shipping_minor: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """An offer that does not apply, and why. `missing` holds the figures: `spend_minor`, `quantity`, `better_by_minor`.

    `reachable` says whether this shopper can still have it now by filling the basket or naming an address.
    """

    offer_id: int
    version: int
    code: str | None
    reason: str
    detail: str
    missing: Missing = field(default_factory=dict)
    reachable: bool = False


@dataclass(frozen=True, slots=True)
class Nearest:
    """The automatic offer that the basket misses by least: `detail` is "₹200 more for free shipping"."""

    offer_id: int
    version: int
    discount_class: DiscountClass
    detail: str
    missing: Missing


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best legal combination for the customer.

    `proved_best` is False only where the search gave up after its fixed number of steps: the combination is legal and
    every figure right, yet a better one may exist.
    """

    applied: tuple[Applied, ...]
    refused: tuple[Refused, ...]
    nearest: Nearest | None
    proved_best: bool = True

    @property
    def saving_minor(self) -> int:
        """What the customer saves in all."""
        return sum(applied.amount_minor for applied in self.applied)

    @property
    def shipping_discount_minor(self) -> int:
        """What is taken off shipping."""
        return sum(applied.shipping_minor for applied in self.applied)

    def by_line(self, discount_class: DiscountClass) -> dict[int, int]:
        """What the discounts of a class take off each line; lines without one are absent."""
        lines: dict[int, int] = {}
        for applied in self.applied:
            if applied.discount_class is discount_class:
                for line_id, units in applied.units.items():
                    lines[line_id] = lines.get(line_id, 0) + sum(units)
        return lines
