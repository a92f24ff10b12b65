"""Product offers that compete for the units of a basket, and what each line saves once the sets are chosen.

The rules of the contest:
- A unit belongs to one set ("buy x, get y", the cheapest item, an all-or-nothing offer) at most.
- What is left of a line takes the one offer that saves it most, or all those together that combine with product
  offers, whichever is more. Equal savings: the offer that ranks first.
- On units of a set, only offers that combine with product offers come on top, and only where the set's offer does too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transactional.core.money import percent_of, unit_share
from transactional.promotions.engine.facts import Line
from transactional.promotions.engine.grants import Bundle, Part, Share

Takers = tuple[tuple[int, int], ...]
"""(rank, amount) of the offers on some units, in the order in which they are taken off."""


@dataclass(frozen=True, slots=True)
class GoodsOffer:
    """A product offer on this basket. `rank` is its place among all candidates; `stacks` where it combines with product
    offers; `of_initial` where percentages are taken of the undiscounted price."""

    rank: int
    shares: tuple[Share, ...]
    bundles: tuple[Bundle, ...]
    stacks: bool
    of_initial: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A set that may be taken: `index` is its place among the contest's sets."""

    index: int
    rank: int
    stacks: bool
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class Cell:
    """Units `first` … of a line that are treated alike."""

    line: int
    first: int
    units: int
    takers: Takers

    @property
    def amount_minor(self) -> int:
        """What they save."""
        return sum(amount for _, amount in self.takers)


@dataclass(frozen=True, slots=True)
class _LineShare:
    rank: int
    share: Share
    of_initial: bool


class Contest:
    """Some product offers on some lines. What it says of a line is worked out once."""

    def __init__(self, lines: Sequence[Line], offers: Iterable[GoodsOffer]) -> None:
        self.lines = lines
        self.sets: list[Taken] = []
        self._single: list[list[_LineShare]] = [[] for _ in lines]
        self._stacked: list[list[_LineShare]] = [[] for _ in lines]
        self._known: dict[tuple[int, tuple[int, ...]], tuple[int, tuple[Cell, ...]]] = {}
        for offer in sorted(offers, key=lambda offer: offer.rank):
            kept = self._stacked if offer.stacks else self._single
            for share in offer.shares:
                kept[share.line].append(_LineShare(offer.rank, share, offer.of_initial))
            for bundle in offer.bundles:
                self.sets.append(Taken(len(self.sets), offer.rank, offer.stacks, bundle))

    def stacked_on(self, line: int) -> int:
        """How many offers stack on a line."""
        return len(self._stacked[line])

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
        parts = [(one, _part(one.bundle, line)) for one in taken]
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
        best: Takers = ()
        best_minor = 0
        gross = self.lines[line].unit_price_minor * units
        for one in self._single[line]:
            amount = self._off(one, line, 0, units, gross)
            if amount > best_minor:
                best, best_minor = ((one.rank, amount),), amount
        stack = self._stack(line, 0, units, 0)
        stack_minor = sum(amount for _, amount in stack)
        if stack_minor > best_minor or (stack_minor == best_minor and stack < best):
            return stack
        return best

    def _stack(self, line: int, first: int, units: int, gone_minor: int) -> Takers:
        left = self.lines[line].unit_price_minor * units - gone_minor
        takers = []
        for one in self._stacked[line]:
            amount = self._off(one, line, first, units, left)
            if amount:
                takers.append((one.rank, amount))
                left -= amount
        return tuple(takers)

    def _off(self, one: _LineShare, number: int, first: int, units: int, left_minor: int) -> int:
        """What an offer takes off units of a line that cost `left_minor` together; never below their floor."""
        line = self.lines[number]
        base = line.unit_price_minor * units if one.of_initial else left_minor
        amount = percent_of(base, one.share.basis_points)
        if one.share.ceiling_minor is not None:
            amount = min(amount, unit_share(one.share.ceiling_minor, line.quantity, first, units))
        return max(0, min(amount, left_minor - (line.unit_price_minor - line.unit_room_minor) * units))


def alone_minor(lines: Sequence[Line], offer: GoodsOffer) -> int:
    """What an offer saves without any other: no combination lets it save more."""
    contest = Contest(lines, [offer])
    every_set = sum(bundle.amount_minor for bundle in offer.bundles)
    return every_set + sum(contest.line_minor(share.line) for share in offer.shares)


def _part(bundle: Bundle, line: int) -> Part:
    return next(part for part in bundle.parts if part.line == line)
