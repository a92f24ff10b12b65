"""The carrier's loose types, read exactly."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.shipping import parsing, scalars
from transactional.shipping.carrier import Pending, Refused, Unknown
from transactional.shipping_standin.loose import Loosener


@given(st.integers(0, 10**13))
def test_every_paise_amount_survives_the_round_trip(paise: int) -> None:
    travelled = json.loads(json.dumps({"sub_total": scalars.rupees(paise)}))["sub_total"]
    assert scalars.paise(travelled) == paise
    assert scalars.paise(str(travelled)) == paise
    assert scalars.paise(f"{Decimal(paise) / 100:,.2f}") == paise


@given(st.integers(1, 10**8))
def test_every_weight_survives_the_round_trip(grams: int) -> None:
    assert scalars.grams(json.loads(json.dumps(scalars.kilograms(grams)))) == grams


@pytest.mark.parametrize(
    "written",
    [
        "2023-05-19 11:59:16",
        "19 05 2023 11:59:16",
        {"date": "2023-05-19 11:59:16.000000", "timezone_type": 3, "timezone": "Asia/Kolkata"},
        "2023-05-19T11:59:16",
    ],
)
def test_times_are_indian_and_become_utc(written: object) -> None:
    assert scalars.moment(written) == datetime(2023, 5, 19, 6, 29, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("31 Jul 2019, 03:03 PM", datetime(2019, 7, 31, 9, 33, tzinfo=UTC)),
        ("21 Sep 2022 05:25 PM", datetime(2022, 9, 21, 11, 55, tzinfo=UTC)),
        ("28th Aug 2018 07:11 PM", datetime(2018, 8, 28, 13, 41, tzinfo=UTC)),
        ("1st Jan 2026 12:00 AM", datetime(2025, 12, 31, 18, 30, tzinfo=UTC)),
        ("Jul 01, 2024", datetime(2024, 6, 30, 18, 30, tzinfo=UTC)),
        ("2024-07-01", datetime(2024, 6, 30, 18, 30, tzinfo=UTC)),
    ],
)
def test_the_other_forms(written: str, expected: datetime) -> None:
    assert scalars.moment(written) == expected


@pytest.mark.parametrize("nothing", [None, "", "NA", "0000-00-00 00:00:00", "soon", {}, {"date": None}, [], True])
def test_the_many_words_for_no_time(nothing: object) -> None:
    assert scalars.moment(nothing) is None


def test_a_day_is_india_s() -> None:
    assert scalars.day("2026-01-16 00:30:00") == date(2026, 1, 16)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(54, 54), ("54", 54), (54.0, 54), ("4.00", 4), ("-3", -3), ("4.5", None), ("x", None), (None, None), (True, None)],
)
def test_whole_numbers(value: object, expected: int | None) -> None:
    assert scalars.integer(value) == expected


def test_numbers_of_all_sorts() -> None:
    assert scalars.decimal("-291539.83") == Decimal("-291539.83")
    assert scalars.decimal("1,234.50") == Decimal("1234.50")
    assert scalars.decimal("NaN") is None
    assert scalars.identifier(16.0) == "16"
    assert scalars.identifier(0) is None
    assert scalars.identifier("SR-1") == "SR-1"
    assert [scalars.flag(value) for value in (1, "1", True, "true", 0, "0", False, None, "NA")] == [True] * 4 + [
        False
    ] * 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_no_answer_makes_a_reader_crash(answer: object) -> None:
    parsing.offers_from(answer)
    parsing.order_from(answer)
    parsing.tracking_from("1", answer)
    parsing.discrepancies_from(answer)
    for reader in (parsing.created_from, parsing.awb_from, parsing.pickup_from):
        with pytest.raises((Unknown, Refused)):
            reader(answer)


@given(st.integers(0, 10**6))
def test_loose_types_are_read_alike(seed: int) -> None:
    strict = {
        "order_id": 16, "shipment_id": 17, "status_code": 1, "awb_code": None, "courier_name": None,
        "courier_company_id": None,
    }  # fmt: skip
    loose = Loosener(seed).spoil(strict)
    created = parsing.created_from(loose)
    assert (created.order_id, created.shipment_id, created.status_code, created.awb) == ("16", "17", 1, None)


def test_answers_to_an_assignment() -> None:
    with pytest.raises(Pending):
        parsing.awb_from({"success": True, "message": "We are processing your request"})
    with pytest.raises(Refused, match="wallet"):
        parsing.awb_from({"awb_assign_status": "0", "message": "recharge your wallet"})
    with pytest.raises(Unknown):
        parsing.awb_from({"awb_assign_status": 1, "response": {"data": {"awb_code": ""}}})
