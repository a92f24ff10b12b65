"""What goes back beside the units' own price: the rules alone, over all figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.orders.models import UnitMove
from transactional.orders.policy import coupon_withheld, shipping_refund

amounts = st.integers(0, 10**6)


@pytest.mark.slow
@given(
    kind=st.sampled_from([UnitMove.CANCELLED, UnitMove.CAME_BACK, UnitMove.RETURNED]),
    charged=amounts,
    kept=st.booleans(),
    sent=st.booleans(),
    paid=st.booleans(),
    ours=st.booleans(),
)
def test_shipping_goes_back_whole_or_not_at_all(
    kind: UnitMove, charged: int, kept: bool, sent: bool, paid: bool, ours: bool
) -> None:
    ruling = shipping_refund(
        kind, charged_minor=charged, nothing_kept=not kept, anything_sent=sent, nothing_paid=not paid, ours=ours
    )
    assert ruling.amount_minor in (0, charged)
    assert ruling.rule
    if kept:
        assert ruling.amount_minor == 0
    elif ours or not paid or (kind is UnitMove.CANCELLED and not sent):
        assert ruling.amount_minor == charged


@given(
    steps=st.lists(st.tuples(st.integers(1, 50_000), st.integers(0, 9), st.booleans()), min_size=1, max_size=8),
    minimum=amounts,
)
def test_withholding_never_exceeds_a_refund_and_ends_at_nothing(
    steps: list[tuple[int, int, bool]], minimum: int
) -> None:
    """A full return in any steps: the refunds are never negative and sum to what was paid."""
    gross = [price for price, _, _ in steps]
    discounts = [price * percent // 10 for price, percent, _ in steps]
    withheld = paid_back = 0
    for number, (_, _, ours) in enumerate(steps, start=1):
        units = gross[number - 1] - discounts[number - 1]
        ruling = coupon_withheld(
            min_spend_minor=minimum,
            kept_gross_minor=sum(gross[number:]),
            kept_discount_minor=sum(discounts[number:]),
            withheld_before_minor=withheld,
            units_minor=units,
            ours=ours,
        )
        withheld += ruling.amount_minor
        assert 0 <= withheld <= sum(discounts[number:])
        assert units - ruling.amount_minor >= 0
        assert ruling.rule
        paid_back += units - ruling.amount_minor
    assert withheld == 0
    assert paid_back == sum(gross) - sum(discounts)


def test_a_minimum_that_is_still_met_withholds_nothing() -> None:
    ruling = coupon_withheld(
        min_spend_minor=60_000,
        kept_gross_minor=60_000,
        kept_discount_minor=6_000,
        withheld_before_minor=0,
        units_minor=10_000,
        ours=False,
    )
    assert (ruling.amount_minor, ruling.rule) == (0, "the kept units earn their discount")
