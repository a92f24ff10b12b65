"""The tariff that an Indian shop starts with: zones by the beginning of the postal code, rates by zone.

Zones as couriers draw them, seen from Bengaluru: `local` is the city, `regional` the state, `metro` the other big
cities, `special` the mountains, the north-east and the islands, `national` the rest. A shop that sends
from elsewhere moves the local and regional prefixes by its own routes. Prefixes follow India Post's circles, so a code
of a circle that does not exist (35…, 54…, 86…) belongs to no zone. Nor do the codes of the Army Postal Service (90…
to 99…): they exist, but the army's own post offices hand over there and no courier does. A shop that sends by India
Post gives the prefix `9` a zone.
"""

COUNTRY = "IN"
CURRENCY = "INR"

_LOCAL = ("560",)
_REGIONAL = ("56", "57", "58", "59")
_METRO = ("110", "380", "400", "411", "500", "600", "700")
_SPECIAL = ("17", "18", "19", "68255", "737", "744", "78", "79")
_NATIONAL_CIRCLES = ((11, 16), (20, 28), (30, 34), (36, 39), (40, 49), (50, 53), (60, 64), (67, 69), (70, 77), (80, 85))

PREFIXES: dict[str, str] = {
    **{str(circle): "national" for first, last in _NATIONAL_CIRCLES for circle in range(first, last + 1)},
    **dict.fromkeys(_REGIONAL, "regional"),
    **dict.fromkeys(_METRO, "metro"),
    **dict.fromkeys(_SPECIAL, "special"),
    **dict.fromkeys(_LOCAL, "local"),
}
"""Prefix → zone; the longest match decides."""

SLAB_GRAMS = 500
RATES: dict[str, tuple[int, int, int]] = {
    "local": (9_900, 2_000, 149_900),
    "regional": (10_900, 2_500, 149_900),
    "metro": (11_900, 3_000, 149_900),
    "national": (12_900, 3_500, 149_900),
    "special": (17_900, 5_500, 249_900),
}
"""Zone → paise for the first slab, for each further slab, merchandise value from which it is free."""
