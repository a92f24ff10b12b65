"""When people give: fixed days, days that follow a rule, and feasts of the Hindu calendar by a dated table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_SUNDAY = 6

# As kept in India; the lunisolar calendar has no short formula, so the days are listed.
DIWALI = {
    2018: (11, 7),
    2019: (10, 27),
    2020: (11, 14),
    2021: (11, 4),
    2022: (10, 24),
    2023: (11, 12),
    2024: (10, 31),
    2025: (10, 20),
    2026: (11, 8),
    2027: (10, 29),
    2028: (10, 17),
    2029: (11, 5),
    2030: (10, 26),
}
RAKSHA_BANDHAN = {
    2018: (8, 26),
    2019: (8, 15),
    2020: (8, 3),
    2021: (8, 22),
    2022: (8, 11),
    2023: (8, 30),
    2024: (8, 19),
    2025: (8, 9),
    2026: (8, 28),
    2027: (8, 17),
    2028: (8, 5),
    2029: (8, 23),
    2030: (8, 13),
}


@dataclass(frozen=True, slots=True)
class Feast:
    """A day on which many people give. `reach` is the share of shoppers who keep it."""

    occasion: str
    day: date
    reach: float


def mothers_day(year: int) -> date:
    """The second Sunday of May."""
    first = date(year, 5, 1)
    return first + timedelta(days=(_SUNDAY - first.weekday()) % 7 + 7)


def feasts_between(first: date, last: date) -> list[Feast]:
    """Every feast from `first` to `last`, by day. A year outside of the table has no Diwali and no Raksha Bandhan."""
    found = (feast for year in range(first.year, last.year + 1) for feast in _of_year(year))
    return sorted((f for f in found if first <= f.day <= last), key=lambda f: (f.day, f.occasion))


def _of_year(year: int) -> Iterator[Feast]:
    yield Feast("valentine", date(year, 2, 14), 0.35)
    yield Feast("mothers-day", mothers_day(year), 0.35)
    yield Feast("christmas", date(year, 12, 25), 0.25)
    if year in DIWALI:
        yield Feast("diwali", date(year, *DIWALI[year]), 0.75)
    if year in RAKSHA_BANDHAN:
        yield Feast("rakhi", date(year, *RAKSHA_BANDHAN[year]), 0.55)
