"""The combination that saves most.

Two offers of different classes stand together where each names the other's class. So there are eight families, by which
of the three classes take part, and within a family the classes choose almost freely: product offers first, because the
more they save, the more all save together (no order discount grows by more than the price it is taken of falls); then
order offers on what is left; then shipping. An exclusive offer is a combination of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from transactional.promotions.engine.admission import Entry
from transactional.promotions.engine.choosing import Member, Ranks, best_choice
from transactional.promotions.engine.contest import Contest
from transactional.promotions.engine.effort import Effort
from transactional.promotions.engine.facts import Basket, DiscountClass, Line
from transactional.promotions.engine.pricing import contest_of, product_cells, room_minor, take_off

Classes = frozenset[DiscountClass]


@dataclass(frozen=True, slots=True)
class Choice:
    """Offers that each give something, and what they save together."""

    ranks: Ranks
    minor: int


NONE = Choice((), 0)


class Combiner:
    """Finds the best combinations of some entries on a basket."""

    def __init__(self, basket: Basket, lines: Sequence[Line], entries: Sequence[Entry], effort: Effort) -> None:
        self._lines = lines
        self._effort = effort
        self._entries = {entry.rank: entry for entry in entries}
        self._of_class = {
            own: [entry for entry in entries if entry.rule.discount_class is own and not entry.rule.exclusive]
            for own in DiscountClass
        }
        self._gross = basket.gross_minor
        self._room = room_minor(lines)
        self._shipping = basket.shipping_minor or 0
        self._contests: dict[Ranks, Contest] = {}
        self._goods_known: dict[Ranks, Choice] = {}

    def best(self) -> list[Choice]:
        """The combinations of which none saves more; several where they save the same."""
        choices = {NONE}
        for entry in self._entries.values():
            if entry.rule.exclusive:
                choices.add(Choice((entry.rank,), entry.alone_minor))
        most = max(choice.minor for choice in choices)
        for family in product((True, False), repeat=3):
            classes = frozenset(one for one, there in zip(DiscountClass, family, strict=True) if there)
            if self._hoped_of_family(classes) >= most:
                choices.add(self._best_of_family(classes))
                most = max(choice.minor for choice in choices)
        return sorted((choice for choice in choices if choice.minor == most), key=lambda choice: choice.ranks)

    def _best_of_family(self, classes: Classes) -> Choice:
        goods = self._best_goods(self._allowed(DiscountClass.PRODUCT, classes))
        order = self._best_order(self._allowed(DiscountClass.ORDER, classes), goods.minor)
        shipping = self._best_shipping(self._allowed(DiscountClass.SHIPPING, classes))
        return Choice(
            tuple(sorted(goods.ranks + order.ranks + shipping.ranks)), goods.minor + order.minor + shipping.minor
        )

    def _hoped_of_family(self, classes: Classes) -> int:
        """An upper bound of what the family saves, without searching it."""
        goods = self._contest(_ranks(self._allowed(DiscountClass.PRODUCT, classes))).bound_minor()
        sums = [_hoped(self._allowed(own, classes), own) for own in (DiscountClass.ORDER, DiscountClass.SHIPPING)]
        return goods + sum(sums)

    def _allowed(self, own: DiscountClass, classes: Classes) -> list[Entry]:
        """The offers of a class that may stand beside every other class of the family."""
        if own not in classes:
            return []
        others = classes - {own}
        return [entry for entry in self._of_class[own] if others <= entry.rule.combines_with]

    def _best_goods(self, entries: Sequence[Entry]) -> Choice:
        ranks = best_choice(_members(entries), lambda ranks: self._goods(ranks).minor, self._effort)
        return self._goods(ranks)

    def _goods(self, ranks: Ranks) -> Choice:
        known = self._goods_known.get(ranks)
        if known is None:
            cells = product_cells(self._contest(ranks), self._effort)
            giving = {rank for cell in cells for rank, _ in cell.takers}
            known = Choice(tuple(sorted(giving)), sum(cell.amount_minor for cell in cells))
            self._goods_known[ranks] = known
        return known

    def _contest(self, ranks: Ranks) -> Contest:
        known = self._contests.get(ranks)
        if known is None:
            known = self._contests[ranks] = contest_of(self._lines, [self._entries[rank] for rank in ranks])
        return known

    def _best_order(self, entries: Sequence[Entry], gone_minor: int) -> Choice:
        return self._best_of_sum(
            entries,
            DiscountClass.ORDER,
            initial_minor=self._gross,
            left_minor=self._gross - gone_minor,
            room_minor=self._room - gone_minor,
        )

    def _best_shipping(self, entries: Sequence[Entry]) -> Choice:
        return self._best_of_sum(
            entries,
            DiscountClass.SHIPPING,
            initial_minor=self._shipping,
            left_minor=self._shipping,
            room_minor=self._shipping,
        )

    def _best_of_sum(
        self, entries: Sequence[Entry], own: DiscountClass, *, initial_minor: int, left_minor: int, room_minor: int
    ) -> Choice:
        """One offer alone, or several that all combine with their own class."""

        def taken(ranks: Ranks) -> Choice:
            steps = take_off(
                [self._entries[rank] for rank in ranks],
                initial_minor=initial_minor,
                left_minor=left_minor,
                room_minor=room_minor,
            )
            return Choice(tuple(rank for rank, _ in steps.amounts), steps.total_minor)

        joint = [entry for entry in entries if own in entry.rule.combines_with]
        chosen = best_choice(_members(joint), lambda ranks: taken(ranks).minor, self._effort)
        singles = [(entry.rank,) for entry in entries if own not in entry.rule.combines_with]
        return min((taken(ranks) for ranks in [chosen, *singles]), key=lambda choice: (-choice.minor, choice.ranks))


def _members(entries: Sequence[Entry]) -> list[Member]:
    return [Member(entry.rank, entry.alone_minor, entry.rule.max_per_class) for entry in entries]


def _ranks(entries: Sequence[Entry]) -> Ranks:
    return tuple(entry.rank for entry in entries)


def _hoped(entries: Sequence[Entry], own: DiscountClass) -> int:
    """The most that offers on one sum save: all that combine with their class together, or the best one alone."""
    together = sum(entry.alone_minor for entry in entries if own in entry.rule.combines_with)
    return max([together, *(entry.alone_minor for entry in entries)])
