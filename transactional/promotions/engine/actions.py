"""What an offer gives. Each action is a registered plug-in with typed arguments; amounts in minor units.

`monotone` declares that more of anything in the basket never lowers what the action saves. The cheapest item cannot
promise it: a cheaper one may come.
"""

from abc import abstractmethod
from typing import ClassVar, Self

from pydantic import Field, model_validator

from transactional.core.money import allocate, amount_text, percent_of
from transactional.promotions.engine.bundling import Sets, bundles_of
from transactional.promotions.engine.facts import DiscountClass
from transactional.promotions.engine.grants import Bundle, Grant, Part, Share
from transactional.promotions.engine.plugins import Plugin, Register
from transactional.promotions.engine.selection import Selection, Shelves

ALL_OF_IT = 10_000
_MOST = 10**15
_PRODUCT = frozenset({DiscountClass.PRODUCT})
_GOODS = frozenset({DiscountClass.PRODUCT, DiscountClass.ORDER})
_SHIPPING = frozenset({DiscountClass.SHIPPING})


class Action(Plugin):
    """What an offer gives: on goods, off a sum, or either; `classes` says as which sorts of discount."""

    classes: ClassVar[frozenset[DiscountClass]]
    monotone: ClassVar[bool] = True

    select: Selection = Selection()
    """Which goods it is for. Order and shipping discounts are for the whole order."""

    @abstractmethod
    def words(self, currency: str) -> str:
        """What it gives, for people: "10 % off"."""


class GoodsAction(Action):
    """Can be a product discount."""

    @abstractmethod
    def grant(self, shelves: Shelves) -> Grant:
        """What it gives on the selected goods."""

    @abstractmethod
    def falls_short(self, shelves: Shelves) -> bool:
        """Whether the goods cannot bear all of what it would give on them."""


class SumAction(Action):
    """Can be a discount on the order's sum or on the price of shipping."""

    @abstractmethod
    def off(self, base_minor: int) -> int:
        """What it takes off a sum, before anything limits it but its own cap."""


ACTIONS: Register[Action] = Register("action")


@ACTIONS.add
class Percentage(GoodsAction, SumAction):
    """`bp` basis points off, at most `cap_minor` in all; a cap is split over the lines by what each would get."""

    kind: ClassVar[str] = "percentage"
    classes: ClassVar[frozenset[DiscountClass]] = _GOODS

    bp: int = Field(ge=1, le=ALL_OF_IT)
    cap_minor: int | None = Field(default=None, ge=1, le=_MOST)

    def grant(self, shelves: Shelves) -> Grant:
        """A share of every selected line."""
        numbers = shelves.find(self.select)
        if self.cap_minor is None:
            return Grant(tuple(Share(number, self.bp) for number in numbers))
        wanted = [min(self._of_line(shelves, number), shelves.room_minor[number]) for number in numbers]
        capped = wanted if sum(wanted) <= self.cap_minor else allocate(self.cap_minor, wanted)
        return Grant(tuple(Share(number, self.bp, most) for number, most in zip(numbers, capped, strict=True)))

    def falls_short(self, shelves: Shelves) -> bool:
        """A floor stands in the way of the percentage."""
        numbers = shelves.find(self.select)
        return any(self._of_line(shelves, number) > shelves.room_minor[number] for number in numbers)

    def _of_line(self, shelves: Shelves, number: int) -> int:
        return percent_of(shelves.gross_minor[number], self.bp)

    def off(self, base_minor: int) -> int:
        """The share of the sum, up to the cap."""
        share = percent_of(base_minor, self.bp)
        return share if self.cap_minor is None else min(share, self.cap_minor)

    def words(self, currency: str) -> str:
        """10 % off, up to ₹500."""
        most = "" if self.cap_minor is None else f", up to {amount_text(self.cap_minor, currency)}"
        return f"{_percent(self.bp)} off{most}"


@ACTIONS.add
class Fixed(GoodsAction, SumAction):
    """`amount_minor` off: once, split over the selected goods by their value, or off each unit."""

    kind: ClassVar[str] = "fixed"
    classes: ClassVar[frozenset[DiscountClass]] = _GOODS

    amount_minor: int = Field(ge=1, le=_MOST)
    each: bool = False

    def grant(self, shelves: Shelves) -> Grant:
        """The amount as a ceiling for every selected line."""
        numbers = shelves.find(self.select)
        if self.each:
            lines = [shelves.lines[number] for number in numbers]
            ceilings = [min(self.amount_minor, line.unit_room_minor) * line.quantity for line in lines]
        else:
            rooms = [shelves.room_minor[number] for number in numbers]
            ceilings = allocate(min(self.amount_minor, sum(rooms)), rooms)
        return Grant(tuple(Share(number, ALL_OF_IT, most) for number, most in zip(numbers, ceilings, strict=True)))

    def falls_short(self, shelves: Shelves) -> bool:
        """The goods are worth less than the amount, or a floor stands in the way."""
        numbers = shelves.find(self.select)
        if self.each:
            return any(shelves.lines[number].unit_room_minor < self.amount_minor for number in numbers)
        return sum(shelves.room_minor[number] for number in numbers) < self.amount_minor

    def off(self, base_minor: int) -> int:  # noqa: ARG002
        """The amount; the goods' room limits it elsewhere."""
        return self.amount_minor

    def words(self, currency: str) -> str:
        """₹100 off, or off each."""
        return f"{amount_text(self.amount_minor, currency)} off{' each' if self.each else ''}"


@ACTIONS.add
class FreeShipping(SumAction):
    """Shipping costs nothing, or `cap_minor` less."""

    kind: ClassVar[str] = "free_shipping"
    classes: ClassVar[frozenset[DiscountClass]] = _SHIPPING

    cap_minor: int | None = Field(default=None, ge=1, le=_MOST)

    def off(self, base_minor: int) -> int:
        """Never more than shipping costs."""
        return base_minor if self.cap_minor is None else min(base_minor, self.cap_minor)

    def words(self, currency: str) -> str:
        """Free shipping, or so much off it."""
        return "free shipping" if self.cap_minor is None else f"{amount_text(self.cap_minor, currency)} off shipping"


@ACTIONS.add
class CheapestItem(GoodsAction):
    """`bp` basis points off the cheapest unit of all selected ones, whatever else happens to it."""

    kind: ClassVar[str] = "cheapest_item"
    classes: ClassVar[frozenset[DiscountClass]] = _PRODUCT
    monotone: ClassVar[bool] = False

    bp: int = Field(default=ALL_OF_IT, ge=1, le=ALL_OF_IT)

    def grant(self, shelves: Shelves) -> Grant:
        """One unit of the line with the lowest price; among equals the first."""
        numbers = shelves.find(self.select)
        if not numbers:
            return Grant()
        cheapest = self._cheapest(shelves, numbers)
        line = shelves.lines[cheapest]
        amount = min(percent_of(line.unit_price_minor, self.bp), line.unit_room_minor)
        return Grant(bundles=(Bundle((Part(cheapest, 0, 1, amount),)),))

    def falls_short(self, shelves: Shelves) -> bool:
        """A floor stands in the way."""
        line = shelves.lines[self._cheapest(shelves, shelves.find(self.select))]
        return percent_of(line.unit_price_minor, self.bp) > line.unit_room_minor

    def _cheapest(self, shelves: Shelves, numbers: tuple[int, ...]) -> int:
        return min(numbers, key=lambda number: (shelves.lines[number].unit_price_minor, number))

    def words(self, currency: str) -> str:  # noqa: ARG002
        """The cheapest item free, or cheaper."""
        return "the cheapest item free" if self.bp == ALL_OF_IT else f"{_percent(self.bp)} off the cheapest item"


@ACTIONS.add
class BuyXGetY(GoodsAction):
    """Who buys `buy` units gets `get` more at `bp` basis points off, up to `max_sets` times.

    Sets are formed from the dearest units down. Without `get_select` both come from the same goods, and the cheapest
    `get` of each set are the lowered ones. With it, other goods are got: a unit that both name counts as bought.
    """

    kind: ClassVar[str] = "buy_x_get_y"
    classes: ClassVar[frozenset[DiscountClass]] = _PRODUCT

    buy: int = Field(ge=1, le=1_000)
    get: int = Field(ge=1, le=1_000)
    bp: int = Field(default=ALL_OF_IT, ge=1, le=ALL_OF_IT)
    max_sets: int | None = Field(default=None, ge=1, le=100_000)
    get_select: Selection | None = None
    """Which other goods are got."""

    @model_validator(mode="after")
    def _gets_others(self) -> Self:
        if self.get_select is not None and (self.select.everything or self.get_select == self.select):
            raise ValueError("with get_select, select names other goods, those that are bought")
        return self

    def grant(self, shelves: Shelves) -> Grant:
        """One bundle for each sort of set; equal sets go together."""
        sets = self._sets(shelves)
        return Grant(bundles=sets.bundles, too_few=sets.missing)

    def falls_short(self, shelves: Shelves) -> bool:
        """A floor stands in the way of one of the sets."""
        return self._sets(shelves).cut

    def _sets(self, shelves: Shelves) -> Sets:
        bought = shelves.find(self.select)
        got = None if self.get_select is None else shelves.find(self.get_select)
        return bundles_of(shelves.lines, bought, got, buy=self.buy, get=self.get, bp=self.bp, most=self.max_sets)

    def words(self, currency: str) -> str:  # noqa: ARG002
        """2 + 1 free."""
        return f"{self.buy} + {self.get} {'free' if self.bp == ALL_OF_IT else f'at {_percent(self.bp)} off'}"


def _percent(bp: int) -> str:
    whole, part = divmod(bp, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + " %" if part else f"{whole} %"
