"""When people give: fixed days, days by rule, and movable feasts from a dated table."""

from dataclasses import dataclass
from datetime import date, timedelta

OCCASIONS = {
    "birthday": "Birthday",
    "anniversary": "Anniversary",
    "wedding": "Wedding",
    "housewarming": "Housewarming",
    "diwali": "Diwali",
    "raksha_bandhan": "Raksha Bandhan",
    "holi": "Holi",
    "eid": "Eid al-Fitr",
    "christmas": "Christmas",
    "new_year": "New Year",
    "valentines_day": "Valentine's Day",
    "mothers_day": "Mother's Day",
    "fathers_day": "Father's Day",
    "teachers_day": "Teachers' Day",
    "friendship_day": "Friendship Day",
}

# Lunar feasts have no rule in the Gregorian calendar; their dates in India, by year.
_MOVABLE: dict[str, dict[int, date]] = {
    "diwali": {
        2022: date(2022, 10, 24), 2023: date(2023, 11, 12), 2024: date(2024, 11, 1), 2025: date(2025, 10, 20),
        2026: date(2026, 11, 8), 2027: date(2027, 10, 29), 2028: date(2028, 10, 17),
    },
    "raksha_bandhan": {
        2022: date(2022, 8, 11), 2023: date(2023, 8, 30), 2024: date(2024, 8, 19), 2025: date(2025, 8, 9),
        2026: date(2026, 8, 28), 2027: date(2027, 8, 17), 2028: date(2028, 8, 5),
    },
    "holi": {
        2022: date(2022, 3, 18), 2023: date(2023, 3, 8), 2024: date(2024, 3, 25), 2025: date(2025, 3, 14),
        2026: date(2026, 3, 4), 2027: date(2027, 3, 22), 2028: date(2028, 3, 11),
    },
    "eid": {
        2022: date(2022, 5, 3), 2023: date(2023, 4, 22), 2024: date(2024, 4, 11), 2025: date(2025, 3, 31),
        2026: date(2026, 3, 21), 2027: date(2027, 3, 10), 2028: date(2028, 2, 27),
    },
}  # fmt: skip
_FIXED = {"valentines_day": (2, 14), "teachers_day": (9, 5), "christmas": (12, 25), "new_year": (1, 1)}
# (month, weekday with Monday = 0, which one in the month)
_BY_RULE = {"mothers_day": (5, 6, 2), "fathers_day": (6, 6, 3), "friendship_day": (8, 6, 1)}

FIRST_YEAR, LAST_YEAR = min(_MOVABLE["diwali"]), max(_MOVABLE["diwali"])


@dataclass(frozen=True, slots=True, order=True)
class Feast:
    """A day on which many give."""

    day: date
    occasion: str


def feasts(first: date, last: date) -> list[Feast]:
    """Every feast from `first` to `last`, in order of day.

    Raises ValueError for years that the table of movable feasts does not reach.
    """
    if first.year < FIRST_YEAR or last.year > LAST_YEAR:
        raise ValueError(f"movable feasts are known for {FIRST_YEAR} to {LAST_YEAR} only")
    found = [
        Feast(day, occasion)
        for year in range(first.year, last.year + 1)
        for occasion, day in _of_year(year).items()
        if first <= day <= last
    ]
    return sorted(found)


def _of_year(year: int) -> dict[str, date]:
    days = {occasion: date(year, month, day) for occasion, (month, day) in _FIXED.items()}
    days |= {occasion: _nth_weekday(year, *rule) for occasion, rule in _BY_RULE.items()}
    return days | {occasion: by_year[year] for occasion, by_year in _MOVABLE.items()}


def _nth_weekday(year: int, month: int, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))


def yearly(day: date, year: int) -> date:
    """A birthday or anniversary in a year; 29 February is kept on the 28th where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
