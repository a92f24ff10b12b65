"""The best offers of one class, where some of them say how many may apply together ("maximum per class")."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transactional.promotions.engine.effort import Effort

Ranks = tuple[int, ...]
Worth = Callable[[Ranks], int]
"""What some offers (ascending ranks) save together. One more offer never makes it less, nor does it add more than it
saves alone."""


@dataclass(frozen=True, slots=True)
class Member:
    """An offer of the class: `alone_minor` is what it saves without others, `most` its maximum per class."""

    rank: int
    alone_minor: int
    most: int | None


def best_choice(members: Sequence[Member], worth: Worth, effort: Effort) -> Ranks:
    """The members that save most together, with no more of them than each one allows.

    For each stated maximum: those that allow so many, and of them the best so many. Without a maximum all apply.
    """
    best: Ranks = ()
    best_minor = 0
    for most in [None, *sorted({member.most for member in members if member.most is not None})]:
        allowed = [member for member in members if member.most is None or (most is not None and member.most >= most)]
        if most is None or len(allowed) <= most:
            found = tuple(sorted(member.rank for member in allowed))
        else:
            found = _best_so_many(allowed, most, worth, effort)
        found_minor = worth(found)
        if found_minor > best_minor or (found_minor == best_minor and found < best):
            best, best_minor = found, found_minor
    return best


def _best_so_many(members: Sequence[Member], most: int, worth: Worth, effort: Effort) -> Ranks:
    """Branch and bound, from those that save most alone; the bound adds what the next best save alone."""
    order = sorted(members, key=lambda member: (-member.alone_minor, member.rank))
    best: Ranks = tuple(sorted(member.rank for member in order[:most]))
    best_minor = worth(best)

    def explore(place: int, chosen: Ranks) -> None:
        nonlocal best, best_minor
        if not effort.spend(len(members)):
            return
        minor = worth(chosen)
        if minor > best_minor:
            best, best_minor = chosen, minor
        free = most - len(chosen)
        hoped = sum(member.alone_minor for member in order[place : place + free])
        if hoped == 0 or minor + hoped <= best_minor:
            return
        explore(place + 1, tuple(sorted((*chosen, order[place].rank))))
        explore(place + 1, chosen)

    explore(0, ())
    return best
