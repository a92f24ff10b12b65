"""The stand-in's own clock, which can be moved, and the carrier's many ways to write what it shows."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from transactional.core.clock import Clock

INDIA = ZoneInfo("Asia/Kolkata")


class VirtualClock:
    """Another clock, plus whatever it was moved by."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._moved = timedelta()

    def now(self) -> datetime:
        """The virtual moment, in UTC."""
        return self._base.now() + self._moved

    def advance(self, by: timedelta) -> datetime:
        """Move forward; gives the new moment."""
        self._moved += by
        return self.now()


def local(at: datetime) -> datetime:
    """India's wall clock."""
    return at.astimezone(INDIA)


def stamp(at: datetime) -> str:
    """`2023-05-19 11:59:16`: scans, orders."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S")


def spaced(at: datetime) -> str:
    """`23 05 2023 11:43:52`: the webhook's own time."""
    return local(at).strftime("%d %m %Y %H:%M:%S")


def american(at: datetime) -> str:
    """`Jul 01, 2024`: expected days of delivery."""
    return local(at).strftime("%b %d, %Y")


def with_comma(at: datetime) -> str:
    """`31 Jul 2019, 03:03 PM`: lists of orders."""
    return local(at).strftime("%d %b %Y, %I:%M %p")


def without_comma(at: datetime) -> str:
    """`21 Sep 2022 05:25 PM`: pickup appointments."""
    return local(at).strftime("%d %b %Y %I:%M %p")


def ordinal(at: datetime) -> str:
    """`28th Aug 2018 07:11 PM`: single orders."""
    day = local(at).day
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix} " + local(at).strftime("%b %Y %I:%M %p")


def php(at: datetime) -> dict[str, object]:
    """A date object as PHP dumps it."""
    return {"date": local(at).strftime("%Y-%m-%d %H:%M:%S.%f"), "timezone_type": 3, "timezone": "Asia/Kolkata"}
