"""Numbers of Indian businesses and their check digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.trade import settings
from transactional.core.gstin import check_digit, checked_gstin

PUBLISHED = "27AAPFU0939F1ZV"


def test_a_published_number_passes_however_it_is_written() -> None:
    assert checked_gstin(" 27aapfu 0939f-1zv ") == PUBLISHED


@pytest.mark.parametrize(
    "wrong", ["", "27AAPFU0939F1Z", "27AAPFU0939F1ZVV", "2AAAPFU0939F1ZV", "27AAPFU0939F0ZV", "२७"]
)
def test_another_shape_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="shape"):
        checked_gstin(wrong)


@given(position=st.integers(0, 14), replacement=st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_never_passes(position: int, replacement: str) -> None:
    mistyped = PUBLISHED[:position] + replacement + PUBLISHED[position + 1 :]
    if mistyped == PUBLISHED:
        assert checked_gstin(mistyped) == PUBLISHED
    else:
        with pytest.raises(ValueError, match=r"shape|mistyped"):
            checked_gstin(mistyped)


def test_the_check_digit_closes_any_first_fourteen() -> None:
    first = "29ABCDE1234F1Z"
    assert checked_gstin(first + check_digit(first)) == first + check_digit(first)


def test_settings_refuse_a_mistyped_number_and_take_none() -> None:
    with pytest.raises(ValidationError, match="check digit should be V"):
        settings(seller_gstin=PUBLISHED[:-1] + "X")
    assert settings(seller_gstin="").seller_gstin is None
    assert settings(seller_gstin=PUBLISHED.lower()).seller_gstin == PUBLISHED
