"""The best saving by trying everything: every subset of the offers, and for each every choice of its sets.

It shares with the engine what a single offer gives on a basket (its grant) and nothing of how offers meet.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from tests.transactional.promotions.engine.drawing import NOW
from transactional.core.money import percent_of, unit_share
from transactional.promotions.engine import Base, Basket, Candidate, DiscountClass, Line, Shopper
from transactional.promotions.engine.admission import Entry, admit, ranked
from transactional.promotions.engine.facts import Moment
from transactional.promotions.engine.grants import Bundle, Share
from transactional.promotions.engine.selection import Shelves


def best_saving(basket: Basket, candidates: Sequence[Candidate]) -> int:
    """The most that a legal combination saves."""
    shelves = Shelves(basket)
    entries = admit(Moment(basket, Shopper(), NOW), shelves, ranked(candidates)).entries
    return max(_saving(basket, shelves.lines, subset) for subset in _subsets(entries) if _legal(subset))


def _subsets(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    for size in range(len(entries) + 1):
        for subset in combinations(entries, size):
            yield list(subset)


def _legal(subset: list[Entry]) -> bool:
    if len(subset) > 1 and any(entry.rule.exclusive for entry in subset):
        return False
    if not all(_agree(one, other) for one, other in combinations(subset, 2)):
        return False
    for own in DiscountClass:
        members = [entry.rule for entry in subset if entry.rule.discount_class is own]
        if any(member.max_per_class is not None and len(members) > member.max_per_class for member in members):
            return False
    return True


def _agree(one: Entry, other: Entry) -> bool:
    """Product offers may stand beside each other; whether they meet on a unit is another question."""
    mine, theirs = one.rule.discount_class, other.rule.discount_class
    if mine is theirs is DiscountClass.PRODUCT:
        return True
    return theirs in one.rule.combines_with and mine in other.rule.combines_with


def _saving(basket: Basket, lines: Sequence[Line], subset: list[Entry]) -> int:
    goods = _best_goods(lines, [entry for entry in subset if entry.rule.discount_class is DiscountClass.PRODUCT])
    gross = basket.gross_minor
    room = sum(line.unit_room_minor * line.quantity for line in lines) - goods
    order = _one_after_the_other(subset, DiscountClass.ORDER, gross, gross - goods, room)
    shipping = basket.shipping_minor or 0
    return goods + order + _one_after_the_other(subset, DiscountClass.SHIPPING, shipping, shipping, shipping)


def _one_after_the_other(subset: list[Entry], own: DiscountClass, initial: int, left: int, room: int) -> int:
    total = 0
    for entry in subset:
        if entry.rule.discount_class is own:
            base = initial if entry.rule.base is Base.INITIAL else left - total
            total += min(entry.rule.action.off(base), room - total)
    return total


def _best_goods(lines: Sequence[Line], entries: list[Entry]) -> int:
    sets = [(entry, bundle) for entry in entries if entry.goods is not None for bundle in entry.goods.bundles]
    best = 0
    for size in range(len(sets) + 1):
        for chosen in combinations(sets, size):
            if _fits(lines, [bundle for _, bundle in chosen]):
                best = max(best, _goods(lines, entries, list(chosen)))
    return best


def _fits(lines: Sequence[Line], bundles: list[Bundle]) -> bool:
    used = [0] * len(lines)
    for bundle in bundles:
        for part in bundle.parts:
            used[part.line] += part.units
    return all(used[number] <= line.quantity for number, line in enumerate(lines))


def _goods(lines: Sequence[Line], entries: list[Entry], chosen: list[tuple[Entry, Bundle]]) -> int:
    """Line by line: the units of the sets, then the rest with its single best offer or with all that stack."""
    total = 0
    stacking = [entry for entry in entries if DiscountClass.PRODUCT in entry.rule.combines_with]
    for number, line in enumerate(lines):
        parts = [(entry, part) for entry, bundle in chosen for part in bundle.parts if part.line == number]
        free = line.quantity - sum(part.units for _, part in parts)
        options = [_stack(line, number, [entry], 0, free, 0) for entry in entries if entry not in stacking]
        total += max([*options, _stack(line, number, stacking, 0, free, 0)])
        first = free
        for entry, part in parts:
            on_top = stacking if entry in stacking else []
            total += _stack(line, number, on_top, first, part.full, 0)
            total += part.amount_minor
            total += _stack(line, number, on_top, first + part.full, part.lowered, part.amount_minor)
            first += part.units
    return total


def _stack(line: Line, number: int, entries: list[Entry], first: int, units: int, gone: int) -> int:
    """What the shares of `entries` take off units from `first` on, one after the other, above `gone`."""
    total = 0
    for entry in entries:
        share = _share_of(entry, number)
        if share is not None and units:
            initial = line.unit_price_minor * units
            base = initial if entry.rule.base is Base.INITIAL else initial - gone - total
            wanted = percent_of(base, share.basis_points)
            if share.ceiling_minor is not None:
                wanted = min(wanted, unit_share(share.ceiling_minor, line.quantity, first, units))
            total += max(0, min(wanted, line.unit_room_minor * units - gone - total))
    return total


def _share_of(entry: Entry, number: int) -> Share | None:
    shares = [one.share for one in entry.goods.shares] if entry.goods is not None else []
    return next((share for share in shares if share.line == number), None)
