"""Product offers that compete for the units of a basket, and what each line saves once the sets are chosen.

The rules of the contest:
- A unit belongs to one set ("buy x, get y", the cheapest item, an all-or-nothing offer) at most.
- What is left of a line takes the one offer that saves it most, or all those together that combine with product
  offers, whichever is more. Equal savings: the offer that ranks first.
- On units of a set, only offers that combine with product offers come on top, and only where the set's offer does too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from transactional.core.money import percent_of, unit_share
from transactional.promotions.engine.facts import Line
from transactional.promotions.engine.grants import Bundle, Part, Share

Takers = tuple[tuple[int, int], ...]
"""(rank, amount) of the offers on some units, in the order in which they are taken off."""


class LineShare(NamedTuple):
    """A share of a line as an offer of `rank` gives it; `whole_minor` is what it takes off the undiscounted line."""

    rank: int
    share: Share
    of_initial: bool
    whole_minor: int


@dataclass(frozen=True, slots=True)
class GoodsOffer:
    """A product offer on this basket. `stacks` where it combines with product offers."""

    rank: int
    shares: tuple[LineShare, ...]
    bundles: tuple[Bundle, ...]
    stacks: bool

    @property
    def alone_minor(self) -> int:
        """What it saves without any other: no combination lets it save more."""
        return sum(share.whole_minor for share in self.shares) + sum(bundle.amount_minor for bundle in self.bundles)


@dataclass(frozen=True, slots=True)
class Taken:
    """A set that may be taken: `index` is its place among the contest's sets, `parts` what it uses, by line."""

    index: int
    rank: int
    stacks: bool
    parts: Mapping[int, Part]
    units: int
    """All that it uses."""


class Cell(NamedTuple):
    """Units `first` … of a line that are treated alike."""

    line: int
    first: int
    units: int
    takers: Takers

    @property
    def amount_minor(self) -> int:
        """What they save."""
        return sum(amount for _, amount in self.takers)


_MANY = 12
"""Lines of more units are judged in proportion."""


class Contest:
    """Some product offers on some lines. What it says of a line is worked out once."""

    def __init__(self, lines: Sequence[Line], offers: Iterable[GoodsOffer]) -> None:
        self.lines = lines
        self.sets: list[Taken] = []
        self._single: list[list[LineShare]] = [[] for _ in lines]
        self._stacked: list[list[LineShare]] = [[] for _ in lines]
        self._gains: list[int] | None = None
        self._free: dict[tuple[int, int], Takers] = {}
        self._known: dict[tuple[int, tuple[int, ...]], tuple[int, tuple[Cell, ...]]] = {}
        for offer in sorted(offers, key=lambda offer: offer.rank):
            kept = self._stacked if offer.stacks else self._single
            for share in offer.shares:
                kept[share.share.line].append(share)
            for bundle in offer.bundles:
                parts = {part.line: part for part in bundle.parts}
                units = sum(part.units for part in bundle.parts)
                self.sets.append(Taken(len(self.sets), offer.rank, offer.stacks, parts, units))
        for shares in self._single:
            shares.sort(key=lambda one: (-one.whole_minor, one.rank))

    def bound_minor(self) -> int:
        """An upper bound of what all lines save together, whichever sets are chosen."""
        lines = sum(self.line_minor(number) for number in range(len(self.lines)))
        return lines + sum(gain for gain in self.most_gained() if gain > 0)

    def most_gained(self) -> list[int]:
        """By set: an upper bound of what it adds to any choice of sets that it fits."""
        if self._gains is None:
            self._gains = [sum(self._most_of(one.stacks, part) for part in one.parts.values()) for one in self.sets]
        return self._gains

    def _most_of(self, stacks: bool, part: Part) -> int:
        """What the units of a part save in the set, less the least that they save on the free part of the line."""
        most = part.amount_minor - self._least_lost(part.line, part.units)
        if stacks:
            most += sum(amount for _, amount in self._stack(part.line, 0, part.full, 0))
            most += sum(amount for _, amount in self._stack(part.line, 0, part.lowered, part.amount_minor))
            most += self._rounding(part.line)
        return most

    def _least_lost(self, line: int, units: int) -> int:
        """The least that a line saves less when `units` of its free ones go, however many are free."""
        quantity = self.lines[line].quantity
        if quantity > _MANY:
            return max(0, self._free_minor(line, quantity) * units // quantity - self._rounding(line))
        return min(
            self._free_minor(line, free) - self._free_minor(line, free - units) for free in range(units, quantity + 1)
        )

    def _rounding(self, line: int) -> int:
        """A saving is proportional to the units but for this: one minor unit a unit for each offer."""
        return (self.lines[line].quantity + 1) * (1 + len(self._stacked[line]))

    def _free_minor(self, line: int, units: int) -> int:
        return sum(amount for _, amount in self._best_on_free(line, units)) if units else 0

    def line_minor(self, line: int, taken: Sequence[Taken] = ()) -> int:
        """What a line saves beside the sets in `taken` that use it, theirs included."""
        return self._look(line, taken)[0]

    def cells(self, line: int, taken: Sequence[Taken] = ()) -> tuple[Cell, ...]:
        """How the line's units are treated: the free ones first, then the sets' in their order."""
        return self._look(line, taken)[1]

    def _look(self, line: int, taken: Sequence[Taken]) -> tuple[int, tuple[Cell, ...]]:
        key = (line, tuple(one.index for one in taken))
        found = self._known.get(key)
        if found is None:
            cells = self._treat(line, taken)
            found = self._known[key] = (sum(cell.amount_minor for cell in cells), cells)
        return found

    def _treat(self, line: int, taken: Sequence[Taken]) -> tuple[Cell, ...]:
        parts = [(one, one.parts[line]) for one in taken]
        first = self.lines[line].quantity - sum(part.units for _, part in parts)
        cells = [Cell(line, 0, first, self._best_on_free(line, first))] if first else []
        for one, part in parts:
            for units, amount in ((part.full, 0), (part.lowered, part.amount_minor)):
                if units:
                    own: Takers = ((one.rank, amount),) if amount else ()
                    on_top = self._stack(line, first, units, amount) if one.stacks else ()
                    cells.append(Cell(line, first, units, own + on_top))
                    first += units
        return tuple(cells)

    def _best_on_free(self, line: int, units: int) -> Takers:
        found = self._free.get((line, units))
        if found is None:
            found = self._free[line, units] = self._compare(line, units)
        return found

    def _compare(self, line: int, units: int) -> Takers:
        single = self._best_single(line, units)
        stack = self._stack(line, 0, units, 0)
        less = sum(amount for _, amount in stack) - sum(amount for _, amount in single)
        return stack if less > 0 or (less == 0 and stack < single) else single

    def _best_single(self, line: int, units: int) -> Takers:
        """The offer that takes most off the first `units` of a line. The best for the whole line comes first; another
        can be better for a part of it by rounding only, at most one minor unit a unit."""
        best: Takers = ()
        best_minor = 0
        quantity = self.lines[line].quantity
        for one in self._single[line]:
            if one.whole_minor * units // quantity + units + 1 < best_minor:
                break
            whole = units == quantity
            amount = one.whole_minor if whole else off_units(self.lines[line], one, 0, units)
            if amount > best_minor or (amount == best_minor and best and one.rank < best[0][0]):
                best, best_minor = ((one.rank, amount),), amount
        return best

    def _stack(self, line: int, first: int, units: int, gone_minor: int) -> Takers:
        takers = []
        for one in self._stacked[line]:
            amount = off_units(self.lines[line], one, first, units, gone_minor)
            if amount:
                takers.append((one.rank, amount))
                gone_minor += amount
        return tuple(takers)


def off_units(line: Line, one: LineShare, first: int, units: int, gone_minor: int = 0) -> int:
    """What an offer takes off `units` of a line, of which `gone_minor` is off already; never below their floor."""
    gross = line.unit_price_minor * units
    amount = percent_of(gross if one.of_initial else gross - gone_minor, one.share.basis_points)
    if one.share.ceiling_minor is not None:
        amount = min(amount, unit_share(one.share.ceiling_minor, line.quantity, first, units))
    return max(0, min(amount, line.unit_room_minor * units - gone_minor))
