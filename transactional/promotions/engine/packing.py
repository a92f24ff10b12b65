"""Which sets of units to take: the best choice in which no unit is in two of them.

Sets that share no line do not disturb each other, so each group of connected sets is searched by itself, by branch and
bound. The bound: taking a set adds at most what it saves, less what its units save without it.
"""

from collections.abc import Sequence

from transactional.promotions.engine.contest import Contest, Taken
from transactional.promotions.engine.effort import Effort


def best_sets(contest: Contest, effort: Effort) -> list[Taken]:
    """The sets to take, in the order of the contest."""
    gains = {one.index: _most_gained(contest, one) for one in contest.sets}
    worthwhile = [one for one in contest.sets if gains[one.index] > 0]
    chosen: list[Taken] = []
    for group in _groups(worthwhile):
        search = _Search(contest, group, gains, effort)
        search.explore(0, [])
        chosen += search.best
    return sorted(chosen, key=lambda one: one.index)


def by_line(taken: Sequence[Taken]) -> dict[int, list[Taken]]:
    """The sets that use each line."""
    lines: dict[int, list[Taken]] = {}
    for one in taken:
        for part in one.bundle.parts:
            lines.setdefault(part.line, []).append(one)
    return lines


def _most_gained(contest: Contest, one: Taken) -> int:
    """An upper bound of what the set adds to any choice that it fits.

    A line's saving is proportional to its free units but for rounding: at most one minor unit a unit for each offer on
    it. Where the set lets others stack on top, its units lose nothing for certain.
    """
    gain = one.bundle.amount_minor
    for part in one.bundle.parts:
        units = contest.lines[part.line].quantity
        rounding = (units + 1) * (1 + contest.stacked_on(part.line))
        if one.stacks:
            gain += rounding
        elif part.units == units:
            gain -= contest.line_minor(part.line)
        else:
            gain -= max(0, contest.line_minor(part.line) * part.units // units - rounding)
    return gain


def _groups(sets: Sequence[Taken]) -> list[list[Taken]]:
    """Sets that are connected by common lines."""
    groups: list[tuple[set[int], list[Taken]]] = []
    for one in sets:
        lines = {part.line for part in one.bundle.parts}
        members = [one]
        apart = []
        for group_lines, group in groups:
            if group_lines.isdisjoint(lines):
                apart.append((group_lines, group))
            else:
                lines |= group_lines
                members = group + members
        groups = [*apart, (lines, members)]
    return [members for _, members in groups]


class _Search:
    """Branch and bound over one group of sets, the most promising first."""

    def __init__(self, contest: Contest, group: Sequence[Taken], gains: dict[int, int], effort: Effort) -> None:
        self._contest = contest
        self._gains = gains
        self._effort = effort
        self._order = sorted(group, key=lambda one: (-gains[one.index], one.index))
        self._lines = sorted(by_line(group))
        self._room = {line: contest.lines[line].quantity for line in self._lines}
        self.best: list[Taken] = []
        self._best_minor = self._worth([])

    def explore(self, place: int, chosen: list[Taken]) -> None:
        """Every choice that takes `chosen` of the sets before `place`."""
        if not self._effort.spend():
            return
        worth = self._worth(chosen)
        if worth > self._best_minor:
            self.best, self._best_minor = list(chosen), worth
        fitting = [one for one in self._order[place:] if self._fits(one)]
        if not fitting or worth + self._bound(fitting) <= self._best_minor:
            return
        place = self._order.index(fitting[0], place)
        self._use(fitting[0], 1)
        self.explore(place + 1, [*chosen, fitting[0]])
        self._use(fitting[0], -1)
        self.explore(place + 1, chosen)

    def _worth(self, chosen: Sequence[Taken]) -> int:
        users = by_line(sorted(chosen, key=lambda one: one.index))
        return sum(self._contest.line_minor(line, users.get(line, ())) for line in self._lines)

    def _fits(self, one: Taken) -> bool:
        return all(self._room[part.line] >= part.units for part in one.bundle.parts)

    def _use(self, one: Taken, times: int) -> None:
        for part in one.bundle.parts:
            self._room[part.line] -= times * part.units

    def _bound(self, fitting: Sequence[Taken]) -> int:
        return sum(self._gains[one.index] for one in fitting)
