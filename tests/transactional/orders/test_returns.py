"""Units that come back: their frozen refund, whatever happens to the others."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import unit_share
from transactional.orders import service


def register(kit: TradeKit, line_id: int, quantity: int) -> service.ReturnedUnits:
    """Count units as returned."""
    return kit.run(lambda s: service.register_return(s, order_line_id=line_id, quantity=quantity, now=kit.now))


@given(st.data())
def test_any_sequence_of_partial_returns_sums_to_the_line(data: st.DataObject) -> None:
    quantity = data.draw(st.integers(1, 30))
    net = data.draw(st.integers(0, 10**7))
    first, refunds = 0, []
    while first < quantity:
        count = data.draw(st.integers(1, quantity - first))
        refunds.append(unit_share(net, quantity, first, count))
        first += count
    assert sum(refunds) == net
    assert all(refund >= 0 for refund in refunds)


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prices=st.tuples(st.integers(1, 99_999), st.integers(1, 99_999)), percent=st.integers(1, 9_999))
def test_a_full_return_in_parts_refunds_what_was_paid_for_the_goods(
    kit: TradeKit, prices: tuple[int, int], percent: int
) -> None:
    tag = f"{prices[0]}-{prices[1]}-{percent}"
    cup = kit.variant(f"CUP-{tag}", price=prices[0], stock=9)
    card = kit.variant(f"CARD-{tag}", price=prices[1], stock=9)
    kit.coupon(f"X-{tag}", percent_bp=percent)
    order_id = kit.buy({cup: 3, card: 2}, coupon=f"X-{tag}")
    kit.deliver(order_id)
    order, (cups, cards) = kit.order(order_id), kit.lines(order_id)
    refunds = [register(kit, line, n).refund_minor for line, n in [(cups.id, 1), (cards.id, 2), (cups.id, 2)]]
    assert sum(refunds) == order.total_minor - order.shipping_minor


def test_a_units_refund_does_not_depend_on_other_lines(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=10_001, stock=9), kit.variant("CARD", price=5_000, stock=9)
    refunds = []
    for others_first in (True, False):
        order_id = kit.buy({cup: 3, card: 1})
        kit.deliver(order_id)
        cups, cards = kit.lines(order_id)
        if others_first:
            register(kit, cards.id, 1)
        refunds.append(register(kit, cups.id, 1).refund_minor)
    assert refunds[0] == refunds[1]


def test_the_answer_names_the_units(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 4})
    kit.deliver(order_id)
    line = kit.lines(order_id)[0]
    first, second = register(kit, line.id, 1), register(kit, line.id, 2)
    assert (first.first, first.count, second.first, second.count) == (0, 1, 1, 2)
    after = kit.lines(order_id)[0]
    assert (after.returned_quantity, after.refunded_minor) == (3, first.refund_minor + second.refund_minor)


def test_impossible_returns_are_refused(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0]
    with pytest.raises(Conflict, match="nothing of it can come back"):
        register(kit, line.id, 1)
    kit.deliver(order_id)
    with pytest.raises(InvalidInput):
        register(kit, line.id, 0)
    with pytest.raises(NotFound):
        register(kit, 999, 1)
    with pytest.raises(Conflict, match="2 units of CUP are left"):
        register(kit, line.id, 3)
    register(kit, line.id, 2)
    with pytest.raises(Conflict, match="0 units"):
        register(kit, line.id, 1)


def test_only_the_last_unit_frees_a_code_whose_policy_allows_it(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", stock=9), kit.variant("CARD", stock=9)
    kit.coupon("AGAIN", frees_on_full_refund=True)
    order_id = kit.buy({cup: 1, card: 2}, coupon="AGAIN")
    kit.deliver(order_id)
    cups, cards = kit.lines(order_id)
    register(kit, cups.id, 1)
    register(kit, cards.id, 1)
    assert kit.coupon_uses("AGAIN") == 1
    register(kit, cards.id, 1)
    assert kit.coupon_uses("AGAIN") == 0
    kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_parallel_returns_never_exceed_the_line(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", price=10_001, stock=9)
    order_id = pg_kit.buy({cup: 7})
    pg_kit.deliver(order_id)
    line = pg_kit.lines(order_id)[0]
    outcomes = at_once([lambda: register(pg_kit, line.id, 1)] * 12)
    units = successes(outcomes)
    assert sorted(unit.first for unit in units) == list(range(7))
    assert sum(unit.refund_minor for unit in units) == line.net_minor
    assert {type(error) for error in failures(outcomes)} == {Conflict}
