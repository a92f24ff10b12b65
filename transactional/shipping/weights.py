"""Weights: what couriers bill for is neither what the scale says nor the size alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from transactional.core.errors import InvalidInput

VOLUMETRIC_DIVISOR = 5_000
"""Cubic centimetres a kilogram, as Indian couriers count; in millimetres and grams the number is the same."""


@dataclass(frozen=True, slots=True)
class Box:
    """The outer size of a parcel, in millimetres."""

    length_mm: int
    width_mm: int
    height_mm: int

    def __post_init__(self) -> None:
        if min(self.length_mm, self.width_mm, self.height_mm) <= 0:
            raise InvalidInput("every side of a box is longer than zero", field="box")

    @property
    def volumetric_grams(self) -> int:
        """Length × width × height over 5,000, rounded up to the gram."""
        volume = self.length_mm * self.width_mm * self.height_mm
        return -(-volume // VOLUMETRIC_DIVISOR)


def chargeable(dead_grams: int, box: Box | None) -> int:
    """The larger of dead and volumetric weight, in grams. Raises InvalidInput for a weight of zero or less."""
    if dead_grams <= 0:
        raise InvalidInput("a parcel weighs more than zero grams", field="weight_grams")
    return max(dead_grams, box.volumetric_grams) if box else dead_grams


def slabs(grams: int, slab_grams: int) -> int:
    """How many slabs a weight fills, the last one counted whole."""
    return -(-grams // slab_grams)


def weigh(units: Iterable[tuple[int, int]], *, default_grams: int) -> int:
    """The weight of (grams each, quantity) pairs; an article whose weight nobody recorded counts `default_grams`."""
    return sum((each or default_grams) * quantity for each, quantity in units)
