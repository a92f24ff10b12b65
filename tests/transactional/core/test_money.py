"""Splitting amounts: exact sums, nothing for zero, nobody above their own."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.core.money import allocate, unit_share

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
