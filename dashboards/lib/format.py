"""Figures as people write them."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_SYMBOLS = {"INR": "₹", "GBP": "£", "EUR": "€", "USD": "$"}


def group_indian(whole: int) -> str:
    """Digits grouped the Indian way: 1,23,45,678."""
    digits = str(abs(whole))
    head, tail = digits[:-3], digits[-3:]
    pairs: list[str] = []
    while head:
        pairs.insert(0, head[-2:])
        head = head[:-2]
    return ("-" if whole < 0 else "") + ",".join([*pairs, tail])


def money(amount: Decimal | float | None, currency: str) -> str:
    """An amount with its symbol and two decimals; lakhs and crores are grouped for rupees."""
    if amount is None:
        return "–"
    exact = Decimal(str(amount)).quantize(Decimal("0.01"))
    sign = "-" if exact < 0 else ""
    whole, cents = divmod(abs(exact) * 100, 100)
    grouped = group_indian(int(whole)) if currency == "INR" else f"{int(whole):,}"
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{grouped}.{int(cents):02d}"


def count(number: int | None) -> str:
    """A whole number with thousands separators."""
    return "–" if number is None else f"{number:,}"


def percent(rate: float | None) -> str:
    """A rate of 0..1 as a percentage."""
    return "–" if rate is None else f"{rate:.1%}"


def change(now: Decimal | float | None, before: Decimal | float | None) -> str | None:
    """The relative change; None where there is nothing to compare with."""
    if now is None or before is None or before == 0:
        return None
    return f"{float(now) / float(before) - 1:+.1%}"


def moment(at: datetime, time_zone: str) -> str:
    """A UTC moment in the shop's zone."""
    zone = ZoneInfo(time_zone)
    return at.replace(tzinfo=at.tzinfo or ZoneInfo("UTC")).astimezone(zone).strftime("%d %b %Y, %H:%M %Z")
