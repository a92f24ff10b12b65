"""Figures as people write them, and exports that a spreadsheet cannot be tricked with."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from dashboards.lib.export import to_csv
from dashboards.lib.filters import Period, TimeFilter, default_grain, preset_period
from dashboards.lib.format import change, money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("123456.7"), "INR", "₹1,23,456.70"),
        (Decimal("12345678.00"), "INR", "₹1,23,45,678.00"),
        (Decimal(999), "INR", "₹999.00"),
        (Decimal("-1234.5"), "GBP", "-£1,234.50"),
        (Decimal(0), "XYZ", "XYZ 0.00"),
        (None, "INR", "–"),
    ],
)
def test_money_is_grouped_as_its_readers_group_it(amount: Decimal | None, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_a_change_against_nothing_is_not_infinite() -> None:
    assert change(Decimal(5), Decimal(0)) is None
    assert change(Decimal(5), None) is None
    assert change(Decimal(3), Decimal(2)) == "+50.0%"


def test_cells_that_a_spreadsheet_would_run_are_neutralised() -> None:
    table = pl.DataFrame({"name": ["=HYPERLINK(1)", "+1", "-2", "@x", "राखी ₹"], "amount": [-1, 2, 3, 4, 5]})
    lines = to_csv(table).decode("utf-8-sig").splitlines()
    assert lines[1].startswith("'=") or lines[1].startswith("\"'=")
    assert lines[2:5] == ["'+1,2", "'-2,3", "'@x,4"]
    assert lines[5] == "राखी ₹,5"
    assert ",-1" in lines[1]


def test_the_compared_year_keeps_the_weekday() -> None:
    period = Period(date(2026, 1, 5), date(2026, 1, 11))
    earlier = period.previous("previous year")
    assert earlier is not None
    assert earlier.start.weekday() == period.start.weekday()
    assert earlier.days == period.days


def test_the_previous_period_ends_the_day_before() -> None:
    earlier = Period(date(2026, 3, 1), date(2026, 3, 31)).previous("previous period")
    assert earlier == Period(date(2026, 1, 29), date(2026, 2, 28))


def test_a_preset_never_reaches_before_the_data() -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 20)
    assert preset_period("90 days", first, last) == Period(first, last)
    assert default_grain(Period(first, last)) == "day"


def test_a_period_that_the_history_covers_in_part_is_no_base_for_a_comparison() -> None:
    chosen = TimeFilter(Period(date(2026, 3, 1), date(2026, 3, 31)), "month", "previous period")
    assert chosen.compared(first_day=date(2026, 1, 29)) == Period(date(2026, 1, 29), date(2026, 2, 28))
    assert chosen.compared(first_day=date(2026, 1, 30)) is None
