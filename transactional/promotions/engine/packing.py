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
        chosen += _Search(contest, group, gains, effort).best
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
    it. Where the set lets others stack on top, its units keep what stacks on them.
    """
    gain = one.bundle.amount_minor
    for part in one.bundle.parts:
        units = contest.lines[part.line].quantity
        lost = contest.line_minor(part.line)
        if one.stacks:
            lost -= contest.stack_minor(part.line)
        rounding = 0
        if one.stacks or part.units < units:
            rounding = (units + 1) * (1 + contest.stacked_on(part.line))
        gain -= lost * part.units // units - rounding
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
        self._users: dict[int, list[Taken]] = {part.line: [] for one in group for part in one.bundle.parts}
        self._room = {line: contest.lines[line].quantity for line in self._users}
        self._minor = sum(contest.line_minor(line) for line in self._users)
        self._chosen: list[Taken] = []
        self._densities = {one.index: _per_unit(gains[one.index], one) for one in group}
        self._best_minor = self._minor
        self.best: list[Taken] = []
        self._explore(sorted(group, key=lambda one: (-self._densities[one.index], one.index)))

    def _explore(self, open_sets: Sequence[Taken]) -> None:
        """Every choice that adds some of `open_sets` to those chosen already."""
        if not self._effort.spend():
            return
        if self._minor > self._best_minor:
            self.best, self._best_minor = list(self._chosen), self._minor
        fitting = [one for one in open_sets if self._fits(one)]
        if not fitting or self._minor + self._bound(fitting) <= self._best_minor:
            return
        first, rest = fitting[0], fitting[1:]
        self._take(first)
        self._explore(rest)
        self._give_back(first)
        self._explore(rest)

    def _fits(self, one: Taken) -> bool:
        room = self._room
        return all(room[part.line] >= part.units for part in one.bundle.parts)

    def _take(self, one: Taken) -> None:
        self._chosen.append(one)
        for part in one.bundle.parts:
            users = self._users[part.line]
            self._set_users(part.line, sorted([*users, one], key=lambda user: user.index))
            self._room[part.line] -= part.units

    def _give_back(self, one: Taken) -> None:
        self._chosen.remove(one)
        for part in one.bundle.parts:
            self._set_users(part.line, [user for user in self._users[part.line] if user is not one])
            self._room[part.line] += part.units

    def _set_users(self, line: int, users: list[Taken]) -> None:
        self._minor += self._contest.line_minor(line, users) - self._contest.line_minor(line, self._users[line])
        self._users[line] = users

    def _bound(self, fitting: Sequence[Taken]) -> int:
        """The most that `fitting` can add: all their gains; or each free unit's share in the best set that uses it."""
        together = 0
        best_on: dict[int, int] = {}
        for one in fitting:
            together += self._gains[one.index]
            density = self._densities[one.index]
            for part in one.bundle.parts:
                if density > best_on.get(part.line, 0):
                    best_on[part.line] = density
        by_unit = sum(self._room[line] * density for line, density in best_on.items())
        return min(together, by_unit // _SCALE + 1)


_SCALE = 1 << 16


def _per_unit(gain: int, one: Taken) -> int:
    """A set's gain for each unit that it uses, in 65,536ths of a minor unit, rounded up."""
    units = sum(part.units for part in one.bundle.parts)
    return gain * _SCALE // units + 1
