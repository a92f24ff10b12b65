"""Calling off units: their frozen price, whatever happened to others; shipping and coupons by policy."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.models import OutboxMessage
from transactional.orders import service
from transactional.orders.service import ChangeKind, ChangeStatus, OrderRefundDecision, OrderStatus


def cancel_units(kit: TradeKit, order_id: int, units: Mapping[int, int], *, ours: bool = False) -> OrderRefundDecision:
    """Units are called off."""
    return kit.run(
        lambda s: service.cancel_units(
            s, order_id=order_id, units=units, actor="test", reason="fewer", now=kit.now, ours=ours
        )
    )


def take_back(kit: TradeKit, order_id: int, units: Mapping[int, int], cause: str, *, ours: bool = False) -> Any:
    """Delivered units return."""
    return kit.run(
        lambda s: (
            service.take_back(
                s, order_id=order_id, units=units, cause=cause, actor="t", reason="r", now=kit.now, ours=ours
            ).decision
        )
    )


def refunds(kit: TradeKit, order_id: int) -> list[int]:
    """What the till was told to pay back."""
    with kit.database.read() as session:
        messages = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == service.REFUND_DUE))
        return [payload["amount_minor"] for payload in messages if payload["order_id"] == order_id]


def test_a_part_is_called_off_and_the_rest_goes_on(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=10_001, stock=9), kit.variant("CARD", price=5_000, stock=9)
    order_id = kit.buy({cup: 3, card: 1})
    cups, _cards = kit.lines(order_id)
    decision = cancel_units(kit, order_id, {cups.id: 2})
    assert (decision.units_minor, decision.shipping_minor, decision.refund_minor) == (20_002, 0, 20_002)
    assert refunds(kit, order_id) == [20_002]
    assert kit.level(cup) == (9, 1)
    order, (after, _) = kit.order(order_id), kit.lines(order_id)
    assert (order.status, order.total_minor) == (OrderStatus.PAID, 35_003 + order.shipping_minor)
    assert (after.quantity, after.net_minor, after.cancelled_quantity, after.refunded_minor) == (3, 30_003, 2, 20_002)
    kit.ship(order_id)
    assert kit.order(order_id).status is OrderStatus.SHIPPED
    assert kit.level(cup) == (8, 0)
    kit.assert_sound()


@pytest.mark.slow
def test_it_is_a_change_set(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    order_id = kit.buy({cup: 3})
    line = kit.lines(order_id)[0]
    cancel_units(kit, order_id, {line.id: 1})
    with kit.database.read() as session:
        (change,) = service.changes_of(session, order_id)
        (part,) = service.change_lines_of(session, change.id)
    assert (change.kind, change.status, change.difference_minor) == (
        ChangeKind.CANCELLATION,
        ChangeStatus.APPLIED,
        -10_001,
    )
    assert (part.action, part.order_line_id, part.quantity, part.net_minor) == ("remove", line.id, 1, 10_001)


def test_the_last_unit_cancels_the_order_and_gives_shipping_back(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=10_001, stock=9), kit.variant("CARD", price=5_000, stock=9)
    order_id = kit.buy({cup: 1, card: 2})
    cups, cards = kit.lines(order_id)
    cancel_units(kit, order_id, {cards.id: 2})
    last = cancel_units(kit, order_id, {cups.id: 1})
    order = kit.order(order_id)
    assert (order.status, last.shipping_minor) == (OrderStatus.CANCELLED, order.shipping_minor)
    assert order.shipping_minor > 0
    assert sum(refunds(kit, order_id)) == order.total_minor
    assert kit.level(cup) == kit.level(card) == (9, 0)
    kit.assert_sound()


@pytest.mark.slow
def test_no_sequence_moves_a_discount_share(kit: TradeKit) -> None:
    """The trap of shops that prorate anew after each cancellation: the same units always refund the same."""
    variants = [kit.variant(f"V{price}", price=price, stock=90) for price in (0, 3_333, 9_999)]
    kit.coupon("ODD", percent_bp=777)
    for sequence in itertools.permutations([(0, 1), (0, 2), (1, 1), (2, 3)]):
        order_id = kit.buy(dict(zip(variants, (3, 1, 3), strict=True)), coupon="ODD")
        lines = kit.lines(order_id)
        given: dict[int, int] = {}
        for position, quantity in sequence:
            decision = cancel_units(kit, order_id, {lines[position].id: quantity})
            given[position] = given.get(position, 0) + decision.units_minor
        assert given == {position: line.net_minor for position, line in enumerate(lines)}
        assert sum(refunds(kit, order_id)) == kit.order(order_id).total_minor


def test_a_free_first_line_bears_no_discount_and_a_tiny_discount_is_not_lost(kit: TradeKit) -> None:
    free, one = kit.variant("FREE", price=0, stock=9), kit.variant("ONE", price=100, stock=9)
    kit.coupon("TINY", percent_bp=50)
    order_id = kit.buy({free: 2, one: 3}, coupon="TINY")
    nothing, paid = kit.lines(order_id)
    assert (nothing.order_discount_minor, nothing.net_minor) == (0, 0)
    assert paid.order_discount_minor == kit.order(order_id).discount_minor == 2
    assert cancel_units(kit, order_id, {nothing.id: 2}).refund_minor == 0
    assert [cancel_units(kit, order_id, {paid.id: 1}).units_minor for _ in range(3)] == [100, 99, 99]


def test_a_minimum_that_is_missed_withholds_the_discount_on_what_is_kept(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=40_000, stock=9), kit.variant("CARD", price=30_000, stock=9)
    kit.coupon("MIN", percent_bp=1_000, min_spend_minor=60_000)
    order_id = kit.buy({cup: 1, card: 1}, coupon="MIN")
    kit.deliver(order_id)
    cups, cards = kit.lines(order_id)
    first = take_back(kit, order_id, {cards.id: 1}, "return:1")
    assert (first.units_minor, first.coupon_withheld_minor, first.refund_minor) == (27_000, 4_000, 23_000)
    assert first.policy["coupon"]["min_spend_minor"] == 60_000
    second = take_back(kit, order_id, {cups.id: 1}, "return:2")
    assert (second.units_minor, second.coupon_withheld_minor, second.refund_minor) == (36_000, -4_000, 40_000)
    order = kit.order(order_id)
    assert first.refund_minor + second.refund_minor == order.total_minor - order.shipping_minor


def test_a_minimum_missed_by_the_shops_fault_costs_the_customer_nothing(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=40_000, stock=9), kit.variant("CARD", price=30_000, stock=9)
    kit.coupon("MIN", percent_bp=1_000, min_spend_minor=60_000)
    order_id = kit.buy({cup: 1, card: 1}, coupon="MIN")
    _cups, cards = kit.lines(order_id)
    decision = cancel_units(kit, order_id, {cards.id: 1}, ours=True)
    assert (decision.coupon_withheld_minor, decision.refund_minor) == (0, 27_000)
    assert "lies with the shop" in decision.policy["coupon"]["rule"]


def test_a_decision_outlives_the_rules_that_made_it(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=40_000, stock=9)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0]
    decision = cancel_units(kit, order_id, {line.id: 1})
    assert decision.policy["units"] == [{"order_line_id": line.id, "first": 0, "quantity": 1, "refund_minor": 40_000}]
    assert decision.policy["shipping"]["rule"] == "a part of the order is kept"


def test_what_was_sent_or_is_not_there_cannot_be_called_off(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id, other = kit.buy({cup: 2}), kit.buy({cup: 1})
    line, foreign = kit.lines(order_id)[0], kit.lines(other)[0]
    with pytest.raises(Conflict, match="2 units of CUP are left to cancel, not 3"):
        cancel_units(kit, order_id, {line.id: 3})
    with pytest.raises(InvalidInput, match="does not belong"):
        cancel_units(kit, order_id, {foreign.id: 1})
    for nothing in ({}, {line.id: 0}, {line.id: -1}):
        with pytest.raises(InvalidInput, match="at least one unit"):
            cancel_units(kit, order_id, nothing)
    with pytest.raises(NotFound):
        cancel_units(kit, 404, {line.id: 1})
    kit.ship(order_id)
    with pytest.raises(Conflict, match="0 units of CUP"):
        cancel_units(kit, order_id, {line.id: 1})
    assert refunds(kit, order_id) == []
    with kit.database.read() as session:
        assert service.changes_of(session, order_id) == []


def test_an_unpaid_order_is_called_off_as_a_whole(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2}, pay=False)
    line = kit.lines(order_id)[0]
    with pytest.raises(Conflict, match="not paid yet"):
        cancel_units(kit, order_id, {line.id: 1})
    kit.run(lambda s: service.cancel(s, order_id=order_id, actor="t", reason="no", now=kit.now).id)
    with pytest.raises(IllegalTransition) as refused:
        cancel_units(kit, order_id, {line.id: 1})
    assert refused.value.extra["from"] == "cancelled"
    assert refused.value.extra["allowed"] == []


def test_paid_at_the_door_less_is_collected(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    asha = kit.customer()
    kit.give_points(asha, 12)
    order_id = kit.buy({cup: 3}, customer_id=asha, pay=False, payment_mode="on_delivery", redeem_points=12)
    line = kit.lines(order_id)[0]
    gone = cancel_units(kit, order_id, {line.id: 1}).refund_minor
    with kit.database.read() as session:
        due = service.amount_due(session, order_id)
    assert due == kit.order(order_id).total_minor - gone
    kit.deliver(order_id)
    with kit.database.read() as session:
        (collected,) = session.scalars(
            select(OutboxMessage.payload).where(OutboxMessage.topic == service.COLLECTED)
        ).all()
        assert service.amount_due(session, order_id) == 0
    assert collected["amount_minor"] == due
    assert refunds(kit, order_id) == []
    assert kit.points(asha).active == 4, "a third of the points paid for the unit that was called off"
    kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_many_at_once_call_off_no_more_than_there_is(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", price=10_001, stock=20)
    order_id = pg_kit.buy({cup: 7})
    line = pg_kit.lines(order_id)[0]
    outcomes = at_once([lambda: cancel_units(pg_kit, order_id, {line.id: 1}).units_minor] * 12)
    assert sum(successes(outcomes)) == line.net_minor
    assert len(failures(outcomes)) == 5
    assert all(isinstance(error, Conflict) for error in failures(outcomes))
    assert sum(refunds(pg_kit, order_id)) == pg_kit.order(order_id).total_minor
    assert pg_kit.level(cup) == (20, 0)
    pg_kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_called_off_and_sent_at_once_each_unit_goes_one_way(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", price=10_001, stock=20)
    order_id = pg_kit.buy({cup: 6})
    line = pg_kit.lines(order_id)[0]
    pg_kit.run(lambda s: service.pack(s, order_id=order_id, actor="t", now=pg_kit.now).id)

    def ship() -> int:
        return pg_kit.run(
            lambda s: service.ship_parcel(s, order_id=order_id, units={line.id: 1}, actor="t", now=pg_kit.now).id
        )

    works: list[Any] = [ship] * 6 + [lambda: cancel_units(pg_kit, order_id, {line.id: 1}).id] * 6
    outcomes = at_once(works)
    assert len(successes(outcomes)) == 6
    after = pg_kit.lines(order_id)[0]
    assert after.shipped_quantity + after.cancelled_quantity == 6
    assert pg_kit.level(cup) == (20 - after.shipped_quantity, 0)
    pg_kit.assert_sound()
