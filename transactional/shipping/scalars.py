"""Tolerant readers for the carrier's loose types: numbers as text, text as numbers, seven ways to write a date.

Rupees become paise and kilograms grams here, once, by exact decimal; nothing else in the shop converts them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

INDIA = ZoneInfo("Asia/Kolkata")
_EMPTY = {"", "NA", "N/A", "null", "None", "0000-00-00", "0000-00-00 00:00:00"}
_FORMS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d %m %Y %H:%M:%S",
    "%b %d, %Y",
    "%d %b %Y, %I:%M %p",
    "%d %b %Y %I:%M %p",
    "%Y-%m-%d",
)
_ORDINAL = re.compile(r"^(\d{1,2})(st|nd|rd|th)\b")
_FRACTION = re.compile(r"(\d{2}:\d{2}:\d{2})\.\d+$")
_TRUE = {"1", "true", "yes", "y"}


def text(value: Any) -> str | None:
    """A text; None for the carrier's many words for nothing."""
    if value is None or isinstance(value, bool | Mapping | list):
        return None
    said = str(value).strip()
    return None if said in _EMPTY else said


def decimal(value: Any) -> Decimal | None:
    """A number, however written: 54, "0.30", "1,234.50", "-291539.83"."""
    said = text(value)
    if said is None:
        return None
    try:
        number = Decimal(said.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def integer(value: Any) -> int | None:
    """A whole number, also written "5", 5.0 or "4.00"; None for anything else."""
    number = decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def identifier(value: Any) -> str | None:
    """An id as text: numbers lose a decimal point that the carrier's PHP has put there; 0 is none."""
    number = integer(value)
    if number is not None:
        return str(number) if number > 0 else None
    return text(value)


def flag(value: Any) -> bool:
    """A truth value: true, 1, "1", "yes"; everything else is false."""
    return value is True or (not isinstance(value, bool) and (text(value) or "").lower() in _TRUE)


def paise(value: Any) -> int | None:
    """Rupees as the carrier writes them, in paise."""
    number = decimal(value)
    return None if number is None else int((number * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def rupees(minor: int) -> float | int:
    """Paise as a JSON number of rupees; whole rupees without a fraction.

    JSON has no other number: the shortest text of the nearest double shows the two decimals exactly below 2^53 paise.
    """
    whole, rest = divmod(minor, 100)
    return whole if rest == 0 else float(Decimal(minor).scaleb(-2))


def grams(value: Any) -> int | None:
    """Kilograms as the carrier writes them, in grams."""
    number = decimal(value)
    return None if number is None else int((number * 1_000).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def kilograms(weight_grams: int) -> float:
    """Grams as a JSON number of kilograms with three decimals."""
    return float(Decimal(weight_grams).scaleb(-3))


def centimetres(millimetres: int) -> float:
    """Millimetres as a JSON number of centimetres with one decimal."""
    return float(Decimal(millimetres).scaleb(-1))


def moment(value: Any) -> datetime | None:
    """A time in any of the carrier's forms, local to India, in UTC; None for the forms of nothing.

    A date without a time is midnight there. Unreadable forms count as nothing: the raw text is kept elsewhere.
    """
    if isinstance(value, Mapping):
        return moment(value.get("date"))
    said = text(value)
    if said is None:
        return None
    plain = _FRACTION.sub(r"\1", _ORDINAL.sub(r"\1", said))
    for form in _FORMS:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=INDIA).astimezone(UTC)
        except ValueError:
            continue
    return None


def day(value: Any) -> date | None:
    """The Indian calendar day of a time in any of the carrier's forms."""
    at = moment(value)
    return None if at is None else at.astimezone(INDIA).date()
