"""Splitting amounts: exact sums, nothing for zero, nobody above their own."""

import itertools
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.core.money import allocate, amount_text, percent_of, unit_share

weights = st.lists(st.integers(0, 10**7), min_size=1, max_size=12)


@given(weights=weights, data=st.data())
def test_shares_sum_exactly_spare_zero_lines_and_never_exceed_their_line(
    weights: list[int], data: st.DataObject
) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    parts = allocate(total, weights)
    assert sum(parts) == total
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True) if whole)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [0, 100, 100, 100], [0, 34, 33, 33]),
        (1, [0, 0, 1], [0, 0, 1]),
        (1, [5_000, 5_000], [1, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (0, [0, 0], [0, 0]),
        (7, [7], [7]),
    ],
)
def test_the_remainder_goes_to_the_largest_fraction_never_to_a_free_line(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert allocate(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [-1]), (1, [0, 0]), (1, [])])
def test_what_cannot_be_split_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="alloc"):
        allocate(total, weights)


@given(total=st.integers(0, 10**9), quantity=st.integers(1, 40), data=st.data())
def test_units_of_a_line_sum_to_it_in_any_cuts(total: int, quantity: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, quantity), max_size=6)))
    edges = [0, *cuts, quantity]
    shares = [unit_share(total, quantity, a, b - a) for a, b in itertools.pairwise(edges)]
    assert sum(shares) == total
    each = [unit_share(total, quantity, n, 1) for n in range(quantity)]
    assert max(each) - min(each) <= 1


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 4), (3, 1), (2, -1)])
def test_units_outside_of_the_line_are_refused(first: int, count: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        unit_share(100, 3, first, count)


@given(minor=st.integers(-(10**12), 10**12), basis_points=st.integers(0, 20_000))
def test_a_percentage_is_rounded_half_away_from_zero(minor: int, basis_points: int) -> None:
    exact = Decimal(minor) * basis_points / 10_000
    assert percent_of(minor, basis_points) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (20_000, "INR", "₹200"),
        (10_000_050, "INR", "₹1,00,000.50"),
        (-5, "INR", "-₹0.05"),
        (0, "INR", "₹0"),
        (1_500, "JPY", "JPY 1,500"),
        (1_234_567, "BHD", "BHD 1,234.567"),
        (200, "GBP", "£2"),
    ],
)
def test_an_amount_reads_as_in_a_sentence(minor: int, currency: str, text: str) -> None:
    assert amount_text(minor, currency) == text
