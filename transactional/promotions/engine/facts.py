"""What an offer is judged by: the basket, the shopper and the moment. Plain values; amounts in minor units."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class DiscountClass(StrEnum):
    """What a discount is taken from. Product discounts come first, then order discounts, shipping last."""

    PRODUCT = "product"
    ORDER = "order"
    SHIPPING = "shipping"


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one variant at one price. `floor_minor` is the least that a unit may cost after every discount."""

    line_id: int
    variant_id: int
    product_id: int
    category_ids: frozenset[int]
    """The product's categories with all their ancestors."""
    quantity: int
    unit_price_minor: int
    floor_minor: int = 0

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"line {self.line_id} holds {self.quantity} units; an empty line is left out")
        if self.unit_price_minor < 0 or self.floor_minor < 0:
            raise ValueError(f"line {self.line_id} has a negative price or floor")

    @property
    def gross_minor(self) -> int:
        """Before every discount."""
        return self.unit_price_minor * self.quantity

    @property
    def unit_room_minor(self) -> int:
        """The most that may be taken off one unit; nothing where the price lies below the floor already."""
        return max(0, self.unit_price_minor - self.floor_minor)


@dataclass(frozen=True, slots=True)
class Basket:
    """What is bought. `shipping_minor` and `country` are None as long as nobody knows where the parcel goes."""

    currency: str
    lines: tuple[Line, ...]
    shipping_minor: int | None = None
    country: str | None = None
    channel: str = "web"

    def __post_init__(self) -> None:
        if len({line.line_id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines of a basket have the same id")
        if self.shipping_minor is not None and self.shipping_minor < 0:
            raise ValueError("shipping does not cost less than nothing")

    @property
    def gross_minor(self) -> int:
        """The goods before every discount."""
        return sum(line.gross_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who buys. `groups` are customer groups and segments by name; `identity` is None for somebody unknown yet."""

    identity: str | None = None
    is_first_order: bool = False
    groups: frozenset[str] = frozenset()
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything a condition may look at. `now` is the caller's clock, with its time zone."""

    basket: Basket
    shopper: Shopper
    now: datetime

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("a moment needs its time zone")


NOTHING: Mapping[int, tuple[int, ...]] = MappingProxyType({})
"""Units of an offer that gives nothing on goods."""
