"""The reorder formulas."""

from math import sqrt
from statistics import mean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.suppliers.demand import Demand, orderable, safety_stock, service_factor, units_up

days = st.lists(st.integers(0, 10_000), min_size=2, max_size=120)


@given(days)
def test_mean_and_variance_are_those_of_the_days(sold: list[int]) -> None:
    demand = Demand.of(sold, days=len(sold))
    assert float(demand.over(1)) == pytest.approx(mean(sold))
    assert float(demand.variance) == pytest.approx(variance(sold))


def test_days_without_sales_count() -> None:
    assert Demand.of([6], days=3).over(10) == 20
    assert Demand.of([6], days=3).variance == 12


def test_nothing_seen_is_no_demand() -> None:
    nothing = Demand.of([], days=0)
    assert (nothing.over(30), nothing.variance) == (0, 0)
    assert Demand.of([5], days=1).variance == 0


@pytest.mark.parametrize(
    ("level", "factor"), [(5_000, 0.0), (9_000, 1.2816), (9_500, 1.6449), (9_750, 1.96), (9_900, 2.3263)]
)
def test_the_service_factor_is_that_of_the_tables(level: int, factor: float) -> None:
    assert service_factor(level) == pytest.approx(factor, abs=5e-5)


def test_safety_stock_of_a_known_case() -> None:
    """σ² = 12 a day, nine days, 95 %: 1.6449 · √12 · 3."""
    demand = Demand.of([6], days=3)
    assert safety_stock(demand, lead_time_days=9, service_level_bp=9_500) == pytest.approx(
        1.6449 * sqrt(12) * 3, rel=1e-4
    )


def test_steady_demand_and_low_service_levels_need_no_safety_stock() -> None:
    assert safety_stock(Demand.of([2] * 9, days=9), lead_time_days=9, service_level_bp=9_900) == 0
    assert safety_stock(Demand.of([6], days=3), lead_time_days=9, service_level_bp=100) == 0


@given(days, st.integers(0, 60), st.integers(1, 9_998))
def test_more_service_never_needs_less(sold: list[int], lead_time: int, level: int) -> None:
    demand = Demand.of(sold, days=len(sold))
    less = safety_stock(demand, lead_time_days=lead_time, service_level_bp=level)
    assert safety_stock(demand, lead_time_days=lead_time, service_level_bp=level + 1) >= less


def test_whole_units_are_not_rounded_up_by_the_last_bit_of_a_float() -> None:
    assert units_up(0.1 + 0.2 + 0.7) == 1
    assert units_up(3 * 1.1 - 0.3) == 3
    assert units_up(3.01) == 4


@given(st.integers(-1_000, 10_000), st.integers(1, 500), st.integers(1, 500))
def test_an_order_covers_the_need_in_whole_packs_and_no_pack_more(needed: int, pack: int, minimum: int) -> None:
    quantity = orderable(needed, pack_size=pack, minimum_quantity=minimum)
    if needed <= 0:
        assert quantity == 0
        return
    assert quantity % pack == 0
    assert max(needed, minimum) <= quantity < max(needed, minimum) + pack
