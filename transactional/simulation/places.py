"""Where parcels go: towns of India in every tariff zone, from the shop's own city to the mountains and the islands."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Place:
    """A town with one of its pincodes. `weight`: how many shoppers live there, against the others."""

    city: str
    state: str
    postal_code: str
    weight: float
    is_remote: bool = False
    """Couriers need long, come seldom and give up soon."""


PLACES = (
    Place("Bengaluru", "Karnataka", "560034", 14),
    Place("Mysuru", "Karnataka", "570001", 3),
    Place("Hubballi", "Karnataka", "580020", 2),
    Place("Mumbai", "Maharashtra", "400050", 14),
    Place("Delhi", "Delhi", "110024", 13),
    Place("Hyderabad", "Telangana", "500081", 9),
    Place("Chennai", "Tamil Nadu", "600017", 8),
    Place("Pune", "Maharashtra", "411004", 8),
    Place("Kolkata", "West Bengal", "700019", 7),
    Place("Ahmedabad", "Gujarat", "380015", 5),
    Place("Jaipur", "Rajasthan", "302001", 4),
    Place("Kochi", "Kerala", "682016", 3),
    Place("Lucknow", "Uttar Pradesh", "226001", 3),
    Place("Indore", "Madhya Pradesh", "452001", 2),
    Place("Nagpur", "Maharashtra", "440010", 2),
    Place("Patna", "Bihar", "800001", 2),
    Place("Chandigarh", "Chandigarh", "160017", 2),
    Place("Visakhapatnam", "Andhra Pradesh", "530003", 2),
    Place("Guwahati", "Assam", "781005", 1.6, is_remote=True),
    Place("Shimla", "Himachal Pradesh", "171001", 0.8, is_remote=True),
    Place("Srinagar", "Jammu and Kashmir", "190001", 0.8, is_remote=True),
    Place("Shillong", "Meghalaya", "793001", 0.6, is_remote=True),
    Place("Gangtok", "Sikkim", "737101", 0.5, is_remote=True),
    Place("Port Blair", "Andaman and Nicobar Islands", "744101", 0.4, is_remote=True),
)
_WEIGHTS = [place.weight for place in PLACES]
_REMOTE = frozenset(place.postal_code for place in PLACES if place.is_remote)


def draw_place(rng: Random) -> Place:
    """A town, large ones more often."""
    (place,) = rng.choices(PLACES, weights=_WEIGHTS)
    return place


def is_remote(postal_code: str) -> bool:
    """Whether couriers have a hard time with a pincode."""
    return postal_code in _REMOTE
