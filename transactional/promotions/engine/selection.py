"""Which goods a rule speaks of, and a basket that finds them without looking at every line for every rule."""

from collections.abc import Callable, Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from transactional.promotions.engine.facts import Basket, Line

Ids = frozenset[int]


class Selection(BaseModel):
    """Goods by product or by category (an ancestor counts). Left out: all goods."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_ids: Ids = Field(default=frozenset(), max_length=1_000)
    category_ids: Ids = Field(default=frozenset(), max_length=1_000)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        """An empty list is a slip that would give the offer on all goods; who means all goods names none."""
        if self.everything and self.model_fields_set:
            raise ValueError("names no goods; leave the list out for all goods")
        return self

    @property
    def everything(self) -> bool:
        """Whether it names nothing, and so means all goods."""
        return not self.product_ids and not self.category_ids

    def has(self, line: Line) -> bool:
        """Whether a line's goods are meant."""
        return (
            self.everything
            or line.product_id in self.product_ids
            or not self.category_ids.isdisjoint(line.category_ids)
        )


class Shelves:
    """A basket's lines by product and by category. Lines are numbered in the order of their ids."""

    def __init__(self, basket: Basket) -> None:
        self.lines: list[Line] = sorted(basket.lines, key=lambda line: line.line_id)
        self._every: tuple[int, ...] = tuple(range(len(self.lines)))
        self._by_product = _index(self.lines, lambda line: (line.product_id,))
        self._by_category = _index(self.lines, lambda line: line.category_ids)
        self.gross_minor: list[int] = [line.gross_minor for line in self.lines]
        self.room_minor: list[int] = [line.unit_room_minor * line.quantity for line in self.lines]
        """By line: what it costs, and the most that may be taken off it."""
        self._known: dict[tuple[Ids, Ids], tuple[int, ...]] = {}
        self._spend: dict[tuple[int, ...], int] = {}

    def find(self, selection: Selection) -> tuple[int, ...]:
        """Numbers of the lines that are meant, ascending."""
        if selection.everything:
            return self._every
        key = (selection.product_ids, selection.category_ids)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look_up(selection)
        return found

    def _look_up(self, selection: Selection) -> tuple[int, ...]:
        found: set[int] = set()
        for index, wanted in ((self._by_product, selection.product_ids), (self._by_category, selection.category_ids)):
            for key in wanted & index.keys():
                found.update(index[key])
        return tuple(sorted(found))

    def spend_minor(self, selection: Selection) -> int:
        """What the selected goods cost before every discount."""
        numbers = self.find(selection)
        found = self._spend.get(numbers)
        if found is None:
            found = self._spend[numbers] = sum(self.gross_minor[number] for number in numbers)
        return found

    def quantity(self, selection: Selection) -> int:
        """How many selected units there are."""
        return sum(self.lines[number].quantity for number in self.find(selection))


def _index(lines: list[Line], keys_of: Callable[[Line], Iterable[int]]) -> dict[int, list[int]]:
    index: dict[int, list[int]] = {}
    for number, line in enumerate(lines):
        for key in keys_of(line):
            index.setdefault(key, []).append(number)
    return index
