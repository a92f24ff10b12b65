"""From cells to values: dates, numbers, identifiers."""
# ruff: noqa: DTZ001  the times of a file are a wall clock's and carry no zone

from datetime import datetime

import polars as pl
import pytest

from transactional.importing.parsing import parse
from transactional.importing.reading import COLUMNS

CELLS = {
    "invoice": "489434",
    "stock_code": "85048",
    "description": "CANDLE",
    "quantity": "12",
    "invoice_date": "2009-12-01 07:45:00",
    "price": "6.95",
    "customer_id": "13085",
    "country": "EIRE",
}


def parsed(*changes: dict[str, str | None], time_zone: str = "Europe/London") -> pl.DataFrame:
    records = [{"row_number": i, **CELLS, **change} for i, change in enumerate(changes, start=2)]
    schema = {"row_number": pl.Int64, **dict.fromkeys(COLUMNS, pl.String)}
    return parse(pl.DataFrame(records, schema=schema), time_zone=time_zone)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2009-12-01 07:45:00", datetime(2009, 12, 1, 7, 45)),
        ("2009-12-01 07:45:00.500000", datetime(2009, 12, 1, 7, 45, 0, 500_000)),
        ("2009-12-01T07:45:00", datetime(2009, 12, 1, 7, 45)),
        ("2009-12-01 07:45", datetime(2009, 12, 1, 7, 45)),
        ("2009-12-01", datetime(2009, 12, 1)),
        ("01/12/2009 07:45", datetime(2009, 12, 1, 7, 45)),
        ("1/12/2009 7:45", datetime(2009, 12, 1, 7, 45)),
        ("1/12/09 7:45", datetime(2009, 12, 1, 7, 45)),
        ("01-12-2009 07:45:59", datetime(2009, 12, 1, 7, 45, 59)),
        ("01.12.2009 07:45", datetime(2009, 12, 1, 7, 45)),
        (" 31/12/2010 20:01 ", datetime(2010, 12, 31, 20, 1)),
        ("2010-07-01 12:00:00", datetime(2010, 7, 1, 11, 0)),  # British summer time
        ("2010-07-01 12:00:00.000000+05:30", datetime(2010, 7, 1, 6, 30)),
    ],
)
def test_dates(text: str, moment: datetime) -> None:
    assert parsed({"invoice_date": text})["moment"].item() == moment


@pytest.mark.parametrize("text", ["", "soon", "2009-13-01 07:45:00", "31/02/2010 10:00", "2009-12-01 25:00:00", None])
def test_what_is_no_date(text: str | None) -> None:
    assert parsed({"invoice_date": text})["moment"].item() is None


def test_slashed_dates_are_day_first_unless_only_month_first_makes_sense_of_all() -> None:
    day_first = parsed({"invoice_date": "01/12/2010 08:26"}, {"invoice_date": "13/01/2011 09:00"})
    month_first = parsed({"invoice_date": "12/1/2010 8:26"}, {"invoice_date": "1/13/2011 9:00"})
    both = [datetime(2010, 12, 1, 8, 26), datetime(2011, 1, 13, 9, 0)]
    assert day_first["moment"].to_list() == month_first["moment"].to_list() == both
    neither = parsed({"invoice_date": "01/12/2010 08:26"}, {"invoice_date": "13/13/2011 09:00"})
    assert neither["moment"].to_list() == [datetime(2010, 12, 1, 8, 26), None]


def test_the_hour_that_the_clocks_skip_does_not_exist() -> None:
    assert parsed({"invoice_date": "2010-03-28 01:30:00"})["moment"].item() is None
    assert parsed({"invoice_date": "2010-10-31 01:30:00"})["moment"].item() == datetime(2010, 10, 31, 0, 30)


@pytest.mark.parametrize(
    ("quantity", "price", "minor"),
    [
        ("12", "6.95", 8340),
        ("-12", "6.95", -8340),
        ("1", "0.001", 0),
        ("5", "0.001", 1),  # half a penny, away from zero
        ("-5", "0.001", -1),
        ("3", "0.335", 101),  # 1.005, which a float would round down
        ("12.0", "1e1", 12000),
    ],
)
def test_a_line_is_rounded_once_half_away_from_zero(quantity: str, price: str, minor: int) -> None:
    assert parsed({"quantity": quantity, "price": price})["amount_minor"].item() == minor


@pytest.mark.parametrize("price", ["", "free", "£6.95", "6,95", "nan", "inf", "1e300", None])
def test_what_is_no_price(price: str | None) -> None:
    row = parsed({"price": price})
    assert row["price_micros"].item() is None
    assert row["amount_minor"].item() is None


@pytest.mark.parametrize("quantity", ["", "a dozen", "1.5", "99999999999999999999", None])
def test_what_is_no_quantity(quantity: str | None) -> None:
    assert parsed({"quantity": quantity})["units"].item() is None


def test_an_amount_beyond_all_bounds_is_no_price_rather_than_a_wrong_sum() -> None:
    assert parsed({"quantity": "999999999", "price": "999999999"})["price_micros"].item() is None


@pytest.mark.parametrize(
    ("cell", "identifier"),
    [("489434", "489434"), (" c489434 ", "C489434"), ("489434.0", "489434"), ("  ", None), ("9" * 33, None)],
)
def test_invoices(cell: str, identifier: str | None) -> None:
    assert parsed({"invoice": cell})["ref"].item() == identifier


def test_codes_and_customers() -> None:
    row = parsed({"stock_code": " 79323p", "customer_id": "13085.0", "description": "  A   B "})
    assert (row["code"].item(), row["customer"].item(), row["name"].item()) == ("79323P", "13085", "A B")
