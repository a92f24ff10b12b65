"""Sets of units for "buy x, get y": formed from the dearest units down, equal sets at once.

From the dearest down means that one more unit never makes the sets worth less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transactional.core.money import percent_of
from transactional.promotions.engine.facts import Line
from transactional.promotions.engine.grants import Bundle, Part


@dataclass(frozen=True, slots=True)
class Sets:
    """The sets of an offer. `missing` units would make a first one; `cut` where a floor lowers what they save."""

    bundles: tuple[Bundle, ...]
    missing: int
    cut: bool


class _Pool:
    """Units not yet in a set, the dearest first, as (line number, units) runs."""

    def __init__(self, lines: Sequence[Line], numbers: Iterable[int]) -> None:
        dearest_first = sorted(numbers, key=lambda number: (-lines[number].unit_price_minor, number))
        self._runs = [(number, lines[number].quantity) for number in dearest_first]
        self.left = sum(units for _, units in self._runs)

    def front(self) -> int:
        """How many of the next units are of one line."""
        return self._runs[0][1]

    def take(self, count: int) -> list[tuple[int, int]]:
        """The next units, by line."""
        taken = []
        self.left -= count
        while count:
            number, units = self._runs.pop(0)
            now = min(units, count)
            taken.append((number, now))
            count -= now
            if units > now:
                self._runs.insert(0, (number, units - now))
        return taken


def bundles_of(
    lines: Sequence[Line],
    bought: Sequence[int],
    got: Sequence[int] | None,
    *,
    buy: int,
    get: int,
    bp: int,
    most: int | None,
) -> Sets:
    """The sets that the lines numbered `bought` and `got` give, `most` at most; `got` None: both are the same goods."""
    if got is None:
        pool = _Pool(lines, bought)
        missing = buy + get - pool.left
        found = _from_one_pool(pool, buy, get, most)
    else:
        buys, gets = _Pool(lines, bought), _Pool(lines, [number for number in got if number not in set(bought)])
        missing = max(0, buy - buys.left) + max(0, get - gets.left)
        found = _from_two_pools(buys, gets, buy, get, most)
    bundles = [_bundle(lines, full, lowered, bp) for full, lowered in found]
    cut = any(
        percent_of(lines[number].unit_price_minor * units, bp) > lines[number].unit_room_minor * units
        for _, lowered in found
        for number, units in lowered
    )
    return Sets(tuple(bundle for bundle in bundles if bundle.amount_minor), max(0, missing), cut)


_Units = list[tuple[int, int]]


def _from_one_pool(pool: _Pool, buy: int, get: int, most: int | None) -> list[tuple[_Units, _Units]]:
    found: list[tuple[_Units, _Units]] = []
    left = pool.left // (buy + get) if most is None else min(most, pool.left // (buy + get))
    while left:
        equal = max(1, min(left, pool.front() // (buy + get)))
        if equal > 1:
            number, units = pool.take(equal * (buy + get))[0]
            found.append(([(number, units * buy // (buy + get))], [(number, units * get // (buy + get))]))
        else:
            found.append((pool.take(buy), pool.take(get)))
        left -= equal
    return found


def _from_two_pools(buys: _Pool, gets: _Pool, buy: int, get: int, most: int | None) -> list[tuple[_Units, _Units]]:
    found: list[tuple[_Units, _Units]] = []
    left = min(buys.left // buy, gets.left // get)
    left = left if most is None else min(most, left)
    while left:
        equal = max(1, min(left, buys.front() // buy, gets.front() // get))
        found.append((buys.take(equal * buy), gets.take(equal * get)))
        left -= equal
    return found


def _bundle(lines: Sequence[Line], full: _Units, lowered: _Units, bp: int) -> Bundle:
    units: dict[int, tuple[int, int]] = {}
    for number, count in full:
        units[number] = (count, 0)
    for number, count in lowered:
        units[number] = (units.get(number, (0, 0))[0], count)
    return Bundle(tuple(_part(lines[number], number, *counts, bp) for number, counts in sorted(units.items())))


def _part(line: Line, number: int, full: int, lowered: int, bp: int) -> Part:
    amount = min(percent_of(line.unit_price_minor * lowered, bp), line.unit_room_minor * lowered)
    return Part(number, full, lowered, amount)
