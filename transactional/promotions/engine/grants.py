"""What an offer gives on goods, before it meets the other offers: shares of whole lines, and sets of units."""

from dataclasses import dataclass
from typing import NamedTuple


class Share(NamedTuple):
    """`basis_points` off a line, at most `ceiling_minor` for the whole line. A fixed amount is 100 % with a ceiling."""

    line: int
    basis_points: int
    ceiling_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a set uses of one line: `full` units stay at their price, `lowered` ones share `amount_minor`."""

    line: int
    full: int
    lowered: int
    amount_minor: int

    @property
    def units(self) -> int:
        """All units that the set uses of this line."""
        return self.full + self.lowered


@dataclass(frozen=True, slots=True)
class Bundle:
    """Units that an offer takes together or not at all."""

    parts: tuple[Part, ...]

    @property
    def amount_minor(self) -> int:
        """What it saves."""
        return sum(part.amount_minor for part in self.parts)


@dataclass(frozen=True, slots=True)
class Grant:
    """An offer on one basket. `too_few` units are missing before it gives anything."""

    shares: tuple[Share, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    too_few: int = 0
