"""What given offers take off a basket, unit by unit: product offers, then order offers, then shipping.

Nothing is chosen here but the sets of units that the given offers form. The solver prices its choice with this, and an
order's discount is recomputed with this, so the two cannot disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transactional.core.money import allocate, unit_share
from transactional.promotions.engine.admission import Entry
from transactional.promotions.engine.contest import Cell, Contest
from transactional.promotions.engine.effort import Effort
from transactional.promotions.engine.facts import Basket, DiscountClass, Line
from transactional.promotions.engine.outcome import Applied
from transactional.promotions.engine.packing import best_sets, by_line
from transactional.promotions.engine.rule import Base


@dataclass(frozen=True, slots=True)
class Steps:
    """Amounts taken off one sum, one after the other."""

    amounts: tuple[tuple[int, int], ...]
    """(rank, amount), without those that gave nothing."""

    @property
    def total_minor(self) -> int:
        """All of them."""
        return sum(amount for _, amount in self.amounts)


def contest_of(lines: Sequence[Line], entries: Iterable[Entry]) -> Contest:
    """The product offers among some entries, on the basket's lines."""
    return Contest(lines, [entry.goods for entry in entries if entry.goods is not None])


def product_cells(contest: Contest, effort: Effort) -> list[Cell]:
    """How the product offers treat every unit, with the best sets that they can form."""
    users = by_line(best_sets(contest, effort)) if contest.sets else {}
    return [cell for number in range(len(contest.lines)) for cell in contest.cells(number, users.get(number, ()))]


def take_off(entries: Iterable[Entry], *, initial_minor: int, left_minor: int, room_minor: int) -> Steps:
    """Order or shipping offers, by rank, each off what the ones before left; never more than `room_minor` in all."""
    amounts = []
    for entry in entries:
        base = initial_minor if entry.rule.base is Base.INITIAL else left_minor
        amount = min(entry.rule.on_sum.off(base), room_minor)
        if amount > 0:
            amounts.append((entry.rank, amount))
            left_minor -= amount
            room_minor -= amount
    return Steps(tuple(amounts))


def room_minor(lines: Iterable[Line]) -> int:
    """The most that may be taken off all goods."""
    return sum(line.unit_room_minor * line.quantity for line in lines)


def price(basket: Basket, lines: Sequence[Line], entries: Sequence[Entry], effort: Effort) -> list[Applied]:
    """What each entry gives, by rank; entries that give nothing beside the others are left out."""
    of_class = {wanted: [entry for entry in entries if entry.rule.discount_class is wanted] for wanted in DiscountClass}
    cells = product_cells(contest_of(lines, of_class[DiscountClass.PRODUCT]), effort)
    gone = sum(cell.amount_minor for cell in cells)
    gross = basket.gross_minor
    of_order = take_off(
        of_class[DiscountClass.ORDER],
        initial_minor=gross,
        left_minor=gross - gone,
        room_minor=room_minor(lines) - gone,
    )
    shipping = basket.shipping_minor or 0
    of_shipping = take_off(
        of_class[DiscountClass.SHIPPING], initial_minor=shipping, left_minor=shipping, room_minor=shipping
    )
    units = _units(lines, _with_order(lines, cells, of_order))
    sent = dict(of_shipping.amounts)
    return [
        _applied(entry, units.get(entry.rank, {}), sent.get(entry.rank, 0))
        for entry in entries
        if entry.rank in units or entry.rank in sent
    ]


def _applied(entry: Entry, units: dict[int, list[int]], shipping: int) -> Applied:
    return Applied(
        offer_id=entry.candidate.offer_id,
        version=entry.candidate.version,
        code=entry.candidate.code,
        discount_class=entry.rule.discount_class,
        amount_minor=sum(sum(amounts) for amounts in units.values()) + shipping,
        units={line_id: tuple(amounts) for line_id, amounts in units.items()},
        shipping_minor=shipping,
    )


def _with_order(lines: Sequence[Line], cells: Sequence[Cell], of_order: Steps) -> list[Cell]:
    """The cells with the order discounts on top, each split by what may still be taken off, so that floors hold."""
    rooms = [lines[cell.line].unit_room_minor * cell.units - cell.amount_minor for cell in cells]
    takers = [list(cell.takers) for cell in cells]
    for rank, amount in of_order.amounts:
        for number, share in enumerate(allocate(amount, rooms)):
            if share:
                takers[number].append((rank, share))
                rooms[number] -= share
    return [Cell(cell.line, cell.first, cell.units, tuple(taken)) for cell, taken in zip(cells, takers, strict=True)]


def _units(lines: Sequence[Line], cells: Sequence[Cell]) -> dict[int, dict[int, list[int]]]:
    """By rank and line id: what each unit bears.

    The running total of a cell is split evenly over its equal units, and an offer bears the difference that it makes:
    so no unit bears more than one minor unit more than another, and none goes below its floor.
    """
    units: dict[int, dict[int, list[int]]] = {}
    for cell in cells:
        line = lines[cell.line]
        gone = 0
        for rank, amount in cell.takers:
            amounts = units.setdefault(rank, {}).setdefault(line.line_id, [0] * line.quantity)
            for unit in range(cell.units):
                before = unit_share(gone, cell.units, unit, 1)
                amounts[cell.first + unit] += unit_share(gone + amount, cell.units, unit, 1) - before
            gone += amount
    return units
