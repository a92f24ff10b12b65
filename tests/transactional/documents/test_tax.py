"""The split of contained tax: exact for every amount, rate and sequence of credits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.core.money import contained_tax
from transactional.documents.models import SupplyKind
from transactional.documents.tax import STANDARD_RATES_BP, Part, portion, rate_of, split

amounts = st.integers(0, 10**12)
rates = st.one_of(st.sampled_from(STANDARD_RATES_BP), st.integers(0, 10_000))
supplies = st.sampled_from(SupplyKind)


@given(amounts, rates, supplies)
def test_taxable_value_and_taxes_sum_to_the_amount(amount: int, rate: int, supply: SupplyKind) -> None:
    part = split(amount, contained_tax(amount, rate), supply)
    assert part.taxable_minor + part.cgst_minor + part.sgst_minor + part.igst_minor == amount
    assert min(part.taxable_minor, part.cgst_minor, part.sgst_minor, part.igst_minor) >= 0


@given(amounts, rates)
def test_within_a_state_the_odd_paisa_is_the_central_taxs(amount: int, rate: int) -> None:
    tax = contained_tax(amount, rate)
    part = split(amount, tax, SupplyKind.INTRA)
    assert part.igst_minor == 0
    assert part.cgst_minor - part.sgst_minor == tax % 2


@given(amounts, rates, st.sampled_from([SupplyKind.INTER, SupplyKind.EXPORT]))
def test_across_a_border_there_is_one_tax(amount: int, rate: int, supply: SupplyKind) -> None:
    part = split(amount, contained_tax(amount, rate), supply)
    assert (part.cgst_minor, part.sgst_minor) == (0, 0)
    assert part.igst_minor == contained_tax(amount, rate)


@given(st.integers(0, 10**9), rates, supplies, st.lists(st.integers(0, 10**9), max_size=12))
def test_any_sequence_of_credits_gives_back_exactly_the_line(
    amount: int, rate: int, supply: SupplyKind, cuts: list[int]
) -> None:
    whole = split(amount, contained_tax(amount, rate), supply)
    left, taken = whole, []
    for cut in [*cuts, amount]:
        part = portion(left, min(cut, left.amount_minor))
        assert min(part.taxable_minor, part.cgst_minor, part.sgst_minor, part.igst_minor) >= 0
        left = left.without(part)
        assert min(left.taxable_minor, left.cgst_minor, left.sgst_minor, left.igst_minor) >= 0
        taken.append(part)
    assert left == Part(0)
    for tax in ("amount_minor", "cgst_minor", "sgst_minor", "igst_minor"):
        assert sum(getattr(part, tax) for part in taken) == getattr(whole, tax)


@given(st.integers(1, 10**6), st.sampled_from([500, 1_800, 2_800]), st.integers(1, 10**6))
def test_a_credit_bears_tax_in_proportion(amount: int, rate: int, cut: int) -> None:
    cut = min(cut, amount)
    part = portion(split(amount, contained_tax(amount, rate), SupplyKind.INTRA), cut)
    assert abs(part.tax_minor - contained_tax(cut, rate)) <= 2
    assert abs(part.cgst_minor - part.sgst_minor) <= 1


@pytest.mark.parametrize("amount", [-1, 101])
def test_more_than_is_left_cannot_be_taken(amount: int) -> None:
    with pytest.raises(ValueError, match="left"):
        portion(Part(100), amount)


@given(amounts, rates)
def test_the_rate_found_reckons_the_frozen_tax_again(amount: int, rate: int) -> None:
    tax = contained_tax(amount, rate)
    assert contained_tax(amount, rate_of(amount, tax, listed_bp=rate)) == tax


@pytest.mark.parametrize("rate", STANDARD_RATES_BP)
def test_a_rate_that_changed_since_is_recognised(rate: int) -> None:
    amount = 1_234_567
    assert rate_of(amount, contained_tax(amount, rate), listed_bp=777) == rate


def test_an_unheard_of_rate_is_reckoned_from_the_amounts() -> None:
    amount = 10_000_000
    assert rate_of(amount, contained_tax(amount, 1_337), listed_bp=1_800) == 1_337
    assert rate_of(1, 1, listed_bp=0) == 10_000
