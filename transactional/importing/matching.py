"""Which earlier purchases a return belongs to.

A return takes units from the customer's earlier lines of the same product: first lines sold at the price that is
credited, the latest first, then the others, the latest first. A line takes at most the units and the money that it
still has; what fits nowhere stands alone.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from transactional.core.money import unit_share


@dataclass(slots=True)
class Purchase:
    """An order line that can still be returned. `refundable_minor` is what of its net amount is left."""

    order_line_id: int
    order_id: int
    customer: str
    code: str
    placed_at: datetime
    price_micros: int
    returnable: int
    refundable_minor: int


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A row of a credit invoice: so many units of a product for so much money, both positive."""

    row: int
    invoice: str
    customer: str | None
    code: str
    moment: datetime
    price_micros: int
    units: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ReturnPart:
    """Units of one return row that go to one purchase, or to none."""

    row: ReturnRow
    purchase: Purchase | None
    units: int
    amount_minor: int


def match_returns(returns: Iterable[ReturnRow], purchases: Iterable[Purchase]) -> list[ReturnPart]:
    """Split every return over the purchases; units and money of the parts sum to the row's. Uses the purchases up."""
    shelf: dict[tuple[str, str], list[Purchase]] = defaultdict(list)
    for purchase in purchases:
        shelf[purchase.customer, purchase.code].append(purchase)
    for lines in shelf.values():
        lines.sort(key=lambda line: (line.placed_at, line.order_line_id))
    ordered = sorted(returns, key=lambda row: (row.moment, row.row))
    return [part for row in ordered for part in _split(row, shelf)]


def _split(row: ReturnRow, shelf: dict[tuple[str, str], list[Purchase]]) -> Iterator[ReturnPart]:
    done = 0
    for purchase in _candidates(row, shelf):
        count = _fitting_units(row, done, purchase)
        if not count:
            continue
        amount = unit_share(row.amount_minor, row.units, done, count)
        purchase.returnable -= count
        purchase.refundable_minor -= amount
        yield ReturnPart(row, purchase, count, amount)
        done += count
        if done == row.units:
            return
    rest = row.units - done
    yield ReturnPart(row, None, rest, unit_share(row.amount_minor, row.units, done, rest))


def _candidates(row: ReturnRow, shelf: dict[tuple[str, str], list[Purchase]]) -> Iterator[Purchase]:
    if row.customer is None:
        return
    lines = shelf.get((row.customer, row.code), [])
    earlier = lines[: bisect_right(lines, row.moment, key=lambda line: line.placed_at)]
    yield from (line for line in reversed(earlier) if line.price_micros == row.price_micros)
    yield from (line for line in reversed(earlier) if line.price_micros != row.price_micros)


def _fitting_units(row: ReturnRow, done: int, purchase: Purchase) -> int:
    """The most units from `done` on whose money the purchase can still give back."""
    most = min(row.units - done, purchase.returnable)
    fits = range(1, most + 1)
    money = purchase.refundable_minor
    return bisect_right(fits, money, key=lambda count: unit_share(row.amount_minor, row.units, done, count))
