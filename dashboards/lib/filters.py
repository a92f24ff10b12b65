"""Filters live in the URL: a page's state is its address."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

T = TypeVar("T", bound=str)

Grain = Literal["day", "week", "month"]
Comparison = Literal["none", "previous period", "previous year"]

_PRESETS = ("30 days", "90 days", "12 months", "all", "custom")
_GRAINS: tuple[Grain, ...] = ("day", "week", "month")
_COMPARISONS: tuple[Comparison, ...] = ("previous period", "previous year", "none")
_WEEKS_IN_YEAR = 52


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both included, in the shop's zone."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    def previous(self, comparison: Comparison) -> "Period | None":
        """The period to compare with: the one before of the same length, or 52 weeks earlier (weekdays match)."""
        if comparison == "previous period":
            return Period(self.start - timedelta(days=self.days), self.start - timedelta(days=1))
        if comparison == "previous year":
            shift = timedelta(weeks=_WEEKS_IN_YEAR)
            return Period(self.start - shift, self.end - shift)
        return None


@dataclass(frozen=True, slots=True)
class TimeFilter:
    """What the analyst chose."""

    period: Period
    grain: Grain
    comparison: Comparison

    def compared(self, *, first_day: date) -> Period | None:
        """The period to compare with, where the history covers all of it: nine days are no base for a year."""
        before = self.period.previous(self.comparison)
        return before if before is not None and before.start >= first_day else None


def preset_period(preset: str, first: date, last: date) -> Period:
    """The days that a preset means, ending with the last day of data; clipped to where data begin."""
    lengths = {"30 days": 30, "90 days": 90, "12 months": 365}
    if preset not in lengths:
        return Period(first, last)
    return Period(max(first, last - timedelta(days=lengths[preset] - 1)), last)


def default_grain(period: Period) -> Grain:
    """A grain that gives a readable number of points."""
    if period.days <= 45:
        return "day"
    return "week" if period.days <= 200 else "month"


def time_filter(first: date, last: date) -> TimeFilter:
    """The bar above the charts; each choice lives in the URL."""
    columns = st.columns([6, 3, 5])
    preset = _choice(columns[0], "Period", "period", _PRESETS, "12 months")
    period = _custom(first, last) if preset == "custom" else preset_period(preset, first, last)
    grain = _choice(columns[1], "Grain", "grain", _GRAINS, default_grain(period))
    comparison = _choice(columns[2], "Compare with", "compare", _COMPARISONS, "previous period")
    return TimeFilter(period=period, grain=grain, comparison=comparison)


def _choice(column: DeltaGenerator, label: str, key: str, options: tuple[T, ...], default: T) -> T:
    chosen = column.segmented_control(
        label, options, default=default, key=key, required=True, selection_mode="single", bind="query-params"
    )
    return default if chosen is None else chosen


def _custom(first: date, last: date) -> Period:
    picked = st.date_input(
        "From – to", value=(first, last), min_value=first, max_value=last, key="days", bind="query-params"
    )
    if not isinstance(picked, tuple) or len(picked) != 2:
        st.info("Choose the last day as well.")
        st.stop()
    return Period(picked[0], picked[1])
