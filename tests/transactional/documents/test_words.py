"""Amounts in words and in groups, the Indian way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.core.money import grouped
from transactional.documents.words import amount_in_words, number_in_words


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (0, "INR", "Rupees zero only"),
        (1, "INR", "Rupees zero and paisa one only"),
        (100, "INR", "Rupee one only"),
        (1_50, "INR", "Rupee one and paise fifty only"),
        (21_00, "INR", "Rupees twenty-one only"),
        (100_00, "INR", "Rupees one hundred only"),
        (1_00_000_00, "INR", "Rupees one lakh only"),
        (
            12_34_56_789_05,
            "INR",
            "Rupees twelve crore thirty-four lakh fifty-six thousand seven hundred eighty-nine and paise five only",
        ),
        (1_00_00_000_00 * 1_00_000, "INR", "Rupees one lakh crore only"),
        (2_50, "GBP", "Pounds two and pence fifty only"),
        (5, "JPY", "JPY five only"),
        (1_005, "KWD", "KWD one and 5/1000 only"),
    ],
)
def test_words(minor: int, currency: str, words: str) -> None:
    assert amount_in_words(minor, currency) == words


def test_a_negative_number_has_no_words() -> None:
    with pytest.raises(ValueError, match="negative"):
        number_in_words(-1)


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_different_numbers_have_different_words(one: int, other: int) -> None:
    assert (number_in_words(one) == number_in_words(other)) == (one == other)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, "INR", "0.00"),
        (99_999, "INR", "999.99"),
        (1_00_000, "INR", "1,000.00"),
        (12_34_56_789_05, "INR", "12,34,56,789.05"),
        (-1_00_000_00, "INR", "-1,00,000.00"),
        (123_456_789, "GBP", "1,234,567.89"),
        (1_234_567, "JPY", "1,234,567"),
        (1_234_567, "KWD", "1,234.567"),
    ],
)
def test_groups(minor: int, currency: str, text: str) -> None:
    assert grouped(minor, currency) == text


@given(st.integers(0, 10**15))
def test_groups_lose_no_digit(minor: int) -> None:
    text = grouped(minor, "INR")
    assert int(text.replace(",", "").replace(".", "")) == minor
    head, *rest = text.partition(".")[0].split(",")
    assert 1 <= len(head) <= 3
    assert all(len(group) == 2 for group in rest[:-1])
