"""What the actors of the simulation know of the shop they trade in."""

from dataclasses import dataclass
from datetime import datetime

from transactional.simulation.circle import Circle
from transactional.simulation.temptation import Temptation


@dataclass(frozen=True, slots=True)
class Shelf:
    """Ids that the simulation needs again and again."""

    variants: dict[str, int]
    """Variant id by SKU."""
    products: dict[str, int]
    categories: dict[str, int]
    weights: dict[str, int]
    """Grams by SKU."""
    made_to_order: frozenset[str]
    """SKUs that may be sold before they are there."""
    zones: dict[str, str]
    """Tariff zone by pincode."""
    location_id: int
    staff_user_id: int
    admin_user_id: int
    coupons: dict[str, tuple[datetime, datetime]]
    """Codes of feasts and months, and when they can be used."""
    temptation: Temptation
    """The offer that is an experiment."""
    circle: Circle
    """Who brings whom."""
