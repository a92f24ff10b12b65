"""Which sets of units to take: the best choice in which no unit is in two of them.

Sets that share no line do not disturb each other. So the search decides on one set, taken or left; whatever then falls
into groups without a common line is searched group by group. A branch is given up where all that could still be gained
is no more than what has been found (branch and bound). When the effort is spent, the rest is chosen first come, first
served.
"""

from collections.abc import Iterable, Sequence

from transactional.promotions.engine.contest import Contest, Taken
from transactional.promotions.engine.effort import Effort

_LARGEST = 120
"""So many connected sets are beyond any search, and beyond the depth of calls that a search by recursion may have."""

Gain = tuple[int, list[Taken]]
"""What some sets add to those taken already, and these sets."""


def best_sets(contest: Contest, effort: Effort) -> list[Taken]:
    """The sets to take, in the order of the contest."""
    _, chosen = _Search(contest, effort).best()
    return sorted(chosen, key=_place)


def by_line(taken: Iterable[Taken]) -> dict[int, list[Taken]]:
    """The sets that use each line."""
    lines: dict[int, list[Taken]] = {}
    for one in taken:
        for line in one.parts:
            lines.setdefault(line, []).append(one)
    return lines


class _Search:
    """Keeps which sets are taken at the moment, and how many units of each line they leave."""

    def __init__(self, contest: Contest, effort: Effort) -> None:
        self._contest = contest
        self._effort = effort
        self._gains = contest.most_gained()
        self._taken: dict[int, tuple[Taken, ...]] = {}
        self._known: dict[tuple[tuple[int, ...], frozenset[int]], Gain] = {}
        self._room = {line: contest.lines[line].quantity for one in contest.sets for line in one.parts}

    def best(self) -> Gain:
        """The best choice of all sets."""
        return self._best_of([one for one in self._contest.sets if self._gains[one.index] > 0])

    def _best_of(self, sets: Sequence[Taken]) -> Gain:
        """The best addition out of `sets`, group by group."""
        total, chosen = 0, []
        for lines, group in _groups([one for one in sets if self._fits(one)]):
            gain, found = self._best_of_group(lines, group)
            total += gain
            chosen += found
        return total, chosen

    def _best_of_group(self, lines: Iterable[int], group: Sequence[Taken]) -> Gain:
        """The best addition out of connected sets; worked out once for the same sets beside the same neighbours."""
        beside = {user.index for line in lines for user in self._taken.get(line, ())}
        key = (tuple(one.index for one in group), frozenset(beside))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._decide(group)
        return found

    def _decide(self, group: Sequence[Taken]) -> Gain:
        if len(group) > _LARGEST:
            self._effort.give_up()
        if not self._effort.spend(len(group)):
            return self._first_come(group)
        if len(group) == 1:
            return self._try(group[0])
        pivot = _pivot(group)
        rest = [one for one in group if one is not pivot]
        gain = self._take(pivot)
        more, found = self._best_of(rest)
        self._give_back(pivot)
        with_pivot: Gain = (gain + more, [pivot, *found])
        if self._bound(rest) <= with_pivot[0]:
            return with_pivot
        without = self._best_of(rest)
        return with_pivot if with_pivot[0] > without[0] else without

    def _try(self, one: Taken) -> Gain:
        gain = self._take(one)
        self._give_back(one)
        return (gain, [one]) if gain > 0 else (0, [])

    def _first_come(self, group: Sequence[Taken]) -> Gain:
        """A legal choice without a search: the best for its number of units first, each that still fits and gains."""
        total = 0
        chosen: list[Taken] = []
        for one in sorted(group, key=lambda one: (-self._gains[one.index] // one.units, one.index)):
            if self._fits(one):
                gain = self._take(one)
                chosen.append(one)
                total += gain
                if gain <= 0:
                    self._give_back(chosen.pop())
                    total -= gain
        for one in chosen:
            self._give_back(one)
        return total, chosen

    def _fits(self, one: Taken) -> bool:
        return all(self._room[part.line] >= part.units for part in one.parts.values())

    def _take(self, one: Taken) -> int:
        """Take a set; gives what its lines save more than before."""
        gain = 0
        for part in one.parts.values():
            old = self._taken.get(part.line, ())
            new = tuple(sorted((*old, one), key=_place))
            gain += self._contest.line_minor(part.line, new) - self._contest.line_minor(part.line, old)
            self._taken[part.line] = new
            self._room[part.line] -= part.units
        return gain

    def _give_back(self, one: Taken) -> None:
        for part in one.parts.values():
            self._taken[part.line] = tuple(user for user in self._taken[part.line] if user is not one)
            self._room[part.line] += part.units

    def _bound(self, sets: Sequence[Taken]) -> int:
        """The most that `sets` can add: all their gains; or, for each free unit, its share in the best set using it."""
        together = 0
        share_on: dict[int, int] = {}
        for one in sets:
            gain = self._gains[one.index]
            together += gain
            share = gain * _SCALE // one.units + 1
            for line in one.parts:
                if share > share_on.get(line, 0):
                    share_on[line] = share
        by_unit = sum(self._room[line] * share for line, share in share_on.items())
        return min(together, by_unit // _SCALE + 1)


_SCALE = 1 << 16
"""Shares of a gain are counted in 65,536ths of a minor unit, rounded up."""


def _place(one: Taken) -> int:
    return one.index


def _pivot(group: Sequence[Taken]) -> Taken:
    """The set to decide on first: the middle one of those that tie the most lines together.

    The sets of an offer form a chain along the lines' prices; without its middle the chain falls into two.
    """
    widest = max(len(one.parts) for one in group)
    tying = [one for one in group if len(one.parts) == widest]
    return tying[len(tying) // 2]


def _groups(sets: Sequence[Taken]) -> list[tuple[set[int], list[Taken]]]:
    """Sets that are connected by common lines, with these lines; each group in the order of the contest."""
    groups: list[tuple[set[int], list[Taken]]] = []
    for one in sets:
        lines = set(one.parts)
        members = [one]
        apart = []
        for group in groups:
            if group[0].isdisjoint(lines):
                apart.append(group)
            else:
                lines |= group[0]
                members += group[1]
        groups = [*apart, (lines, members)]
    return [(lines, sorted(members, key=_place)) for lines, members in groups]
