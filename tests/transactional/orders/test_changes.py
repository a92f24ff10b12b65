"""Change sets: prices frozen at the draft, differences settled before the order goes on, never a silent update."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.parallel import at_once, successes
from tests.support.trade import TradeKit
from tests.transactional.orders.desk import due, pay, refunds
from transactional.catalog import service as catalog
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound, OutOfStock
from transactional.orders import jobs, service
from transactional.orders.service import (
    AddedUnits,
    ChangeStatus,
    OrderChange,
    OrderStatus,
    PaidOutcome,
    WantedChange,
)
from transactional.orders.verification import verify_order


def propose(kit: TradeKit, order_id: int, *, staff: bool = False, **wanted: Any) -> OrderChange:
    """A draft."""
    return kit.run(
        lambda s: service.draft_change(
            s,
            order_id=order_id,
            wanted=WantedChange(**wanted),
            actor="test",
            reason="another wish",
            now=kit.now,
            may_unpack=staff,
        )
    )


def agree(kit: TradeKit, change: OrderChange) -> OrderChange:
    """The customer agrees."""
    return kit.run(lambda s: service.apply_change(s, change_id=change.id, actor="test", now=kit.now))


def drop(kit: TradeKit, change: OrderChange) -> OrderChange:
    """The customer does not."""
    return kit.run(lambda s: service.decline_change(s, change_id=change.id, actor="test", now=kit.now))


def assert_folds(kit: TradeKit, order_id: int) -> None:
    """The row is what the history says."""
    with kit.database.read() as session:
        assert verify_order(session, order_id) == []
    kit.assert_sound()


def test_a_dearer_change_waits_for_its_payment(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", price=10_001, stock=9), kit.variant("LAMP", price=50_000, stock=2, customisable=True)
    asha = kit.customer()
    order_id = kit.buy({cup: 3}, customer_id=asha)
    line = kit.lines(order_id)[0]
    before = kit.order(order_id)
    change = propose(kit, order_id, remove={line.id: 1}, add=[AddedUnits(lamp, 1, {"engraving": "मा"})])
    assert (change.status, change.difference_minor) == (ChangeStatus.DRAFT, 50_000 - 10_001)
    assert kit.order(order_id).status is OrderStatus.MODIFYING
    assert (kit.level(lamp), due(kit, order_id)) == ((2, 0), 0), "a draft promises nothing"

    assert agree(kit, change).status is ChangeStatus.AWAITING_PAYMENT
    assert kit.order(order_id).status is OrderStatus.AWAITING_EXTRA_PAYMENT
    assert (kit.level(lamp), due(kit, order_id)) == ((2, 1), 39_999)
    assert kit.lines(order_id)[0].cancelled_quantity == 0, "nothing happens before the money is here"

    assert pay(kit, order_id, 30_003) is PaidOutcome.ALREADY_PAID, "a second payment of the order is not this one"
    assert pay(kit, order_id, 39_999) is PaidOutcome.CONFIRMED
    assert pay(kit, order_id, 39_999) is PaidOutcome.ALREADY_PAID
    after, lines = kit.order(order_id), kit.lines(order_id)
    assert (after.status, after.total_minor - before.total_minor) == (OrderStatus.PAID, 50_000)
    assert [(found.sku, found.quantity, found.cancelled_quantity) for found in lines] == [("CUP", 3, 1), ("LAMP", 1, 0)]
    assert lines[1].customisation == {"engraving": "मा"}
    assert (kit.level(cup), kit.level(lamp), refunds(kit)) == ((9, 2), (2, 1), {})
    assert kit.points(asha).pending == 2 + 5, "the lamp earns, the cup that went does not"
    assert_folds(kit, order_id)


def test_a_cheaper_change_happens_at_once_and_the_difference_goes_back(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=40_000, stock=9), kit.variant("CARD", price=15_000, stock=9)
    order_id = kit.buy({cup: 2})
    change = agree(kit, propose(kit, order_id, remove={kit.lines(order_id)[0].id: 1}, add=[AddedUnits(card, 1)]))
    assert (change.status, kit.order(order_id).status) == (ChangeStatus.APPLIED, OrderStatus.PAID)
    assert refunds(kit) == {f"change:{change.id}": 25_000}
    assert (kit.level(cup), kit.level(card)) == ((9, 1), (9, 1))
    kit.deliver(order_id)
    assert_folds(kit, order_id)


def test_the_price_is_the_one_that_was_shown(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", stock=9), kit.variant("CARD", price=15_000, stock=9)
    order_id = kit.buy({cup: 1})
    change = propose(kit, order_id, add=[AddedUnits(card, 2)])
    kit.run(lambda s: catalog.set_price(s, variant_id=card, amount_minor=99_000, currency="INR", now=kit.now).id)
    agree(kit, change)
    assert due(kit, order_id) == 30_000


def test_a_business_keeps_its_tax_number_when_it_moves(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 1})
    place = kit.order(order_id).ship_to
    number, other = "27AAPFU0939F1ZV", "29AAPFU0939F1ZR"
    agree(kit, propose(kit, order_id, ship_to={**place, "line1": "7 Park Street", "gstin": number}))
    agree(kit, propose(kit, order_id, ship_to={**place, "line1": "8 Park Street"}))
    assert kit.order(order_id).ship_to == {**place, "line1": "8 Park Street", "gstin": number}
    agree(kit, propose(kit, order_id, ship_to={**place, "gstin": other}))
    assert kit.order(order_id).ship_to["gstin"] == other


def test_another_address_before_it_is_packed(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 1})
    old = kit.order(order_id).ship_to
    new = {**old, "line1": "7 Park Street", "city": "Yelahanka", "postal_code": "560064"}
    change = agree(kit, propose(kit, order_id, ship_to=new))
    order = kit.order(order_id)
    assert (order.ship_to, order.ship_city, order.status) == (new, "Yelahanka", OrderStatus.PAID)
    assert (change.ship_to_before, change.difference_minor) == (old, 0)
    with pytest.raises(InvalidInput, match="lacks city"):
        propose(kit, order_id, ship_to={**new, "city": " "})
    kit.run(lambda s: service.pack(s, order_id=order_id, actor="test", now=kit.now).id)
    with pytest.raises(IllegalTransition, match="address cannot change"):
        propose(kit, order_id, staff=True, ship_to=old)
    assert_folds(kit, order_id)


def test_a_packed_order_is_unpacked_by_staff_only(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0].id
    kit.run(lambda s: service.pack(s, order_id=order_id, actor="test", now=kit.now).id)
    with pytest.raises(IllegalTransition, match="ask the shop"):
        propose(kit, order_id, remove={line: 1})
    drop(kit, propose(kit, order_id, staff=True, remove={line: 1}))
    assert kit.order(order_id).status is OrderStatus.PAID, "it has to be packed anew"


def test_an_order_is_not_packed_or_left_while_a_change_is_open(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    change = propose(kit, order_id, remove={kit.lines(order_id)[0].id: 1})
    for to in (OrderStatus.PACKED, OrderStatus.PAID):

        def leave(session: Any, to: OrderStatus = to) -> None:
            service.transition(session, service.lock_order(session, order_id), to, actor="test", now=kit.now)

        with pytest.raises(IllegalTransition):
            kit.run(leave)
    with pytest.raises(IllegalTransition):
        propose(kit, order_id, remove={kit.lines(order_id)[0].id: 1})
    drop(kit, change)
    assert kit.order(order_id).status is OrderStatus.PAID
    for decide in (agree, drop):
        with pytest.raises(Conflict, match="declined and cannot be decided again"):
            decide(kit, change)


def test_a_change_that_is_not_paid_in_time_is_given_up(kit: TradeKit, clock: ManualClock) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", price=50_000, stock=1)
    order_id = kit.buy({cup: 1})
    agree(kit, propose(kit, order_id, add=[AddedUnits(lamp, 1)]))
    clock.advance(timedelta(minutes=30) - timedelta(seconds=1))
    assert jobs.expire_open_changes(kit.database) == 0
    clock.advance(timedelta(seconds=1))
    assert [jobs.expire_open_changes(kit.database) for _ in range(2)] == [1, 0]
    assert (kit.order(order_id).status, kit.level(lamp), due(kit, order_id)) == (OrderStatus.PAID, (1, 0), 0)
    assert pay(kit, order_id, 50_000) is PaidOutcome.ALREADY_PAID, "the late payment goes back"
    assert_folds(kit, order_id)


def test_a_forgotten_draft_does_not_keep_an_order(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    propose(kit, order_id, remove={kit.lines(order_id)[0].id: 1})
    clock.advance(timedelta(hours=24))
    assert jobs.expire_open_changes(kit.database) == 1
    assert kit.order(order_id).status is OrderStatus.PAID


def test_a_cancelled_order_takes_its_open_change_along(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", price=50_000, stock=1)
    order_id = kit.buy({cup: 1})
    change = agree(kit, propose(kit, order_id, add=[AddedUnits(lamp, 1)]))
    kit.run(lambda s: service.cancel(s, order_id=order_id, actor="test", reason="no", now=kit.now).id)
    with kit.database.read() as session:
        assert service.find_change(session, order_id, change.public_id).status is ChangeStatus.DECLINED
    assert (kit.level(cup), kit.level(lamp)) == ((9, 0), (1, 0))
    assert refunds(kit) == {f"cancel:{order_id}": kit.order(order_id).total_minor}
    assert_folds(kit, order_id)


def test_paid_at_the_door_a_change_needs_no_payment_first(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", price=50_000, stock=1)
    order_id = kit.buy({cup: 1}, pay=False, payment_mode="on_delivery")
    before = due(kit, order_id)
    agree(kit, propose(kit, order_id, add=[AddedUnits(lamp, 1)]))
    assert (kit.order(order_id).status, due(kit, order_id) - before) == (OrderStatus.AWAITING_PAYMENT, 50_000)
    kit.deliver(order_id)
    assert_folds(kit, order_id)


def test_bad_wishes_are_refused_and_leave_nothing(kit: TradeKit) -> None:
    cup, gone = kit.variant("CUP", stock=9), kit.variant("GONE", stock=1)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0].id
    wishes: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({}, InvalidInput, "adds or removes"),
        ({"remove": {line: 2}}, InvalidInput, "call the order off"),
        ({"remove": {line: 3}}, Conflict, "2 units"),
        ({"remove": {line: 0}}, InvalidInput, "at least one"),
        ({"remove": {999: 1}}, InvalidInput, "does not belong"),
        ({"add": [AddedUnits(999, 1)]}, Conflict, "not for sale"),
        ({"add": [AddedUnits(gone, 0)]}, InvalidInput, "at least one"),
    ]
    for wanted, error, match in wishes:
        with pytest.raises(error, match=match):
            propose(kit, order_id, **wanted)
        assert kit.order(order_id).status is OrderStatus.PAID
    with pytest.raises(NotFound):
        propose(kit, 404, remove={line: 1})
    with pytest.raises(OutOfStock):
        agree(kit, propose(kit, order_id, add=[AddedUnits(gone, 2)]))
    assert kit.level(gone) == (1, 0)
    kit.assert_sound()


def test_only_orders_that_were_not_sent_can_change(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    unpaid, sent = kit.buy({cup: 2}, pay=False), kit.buy({cup: 2})
    kit.ship(sent)
    for order_id in (unpaid, sent):
        with pytest.raises(IllegalTransition) as refused:
            propose(kit, order_id, remove={kit.lines(order_id)[0].id: 1})
        assert "modifying" not in refused.value.extra["allowed"]


def test_swapping_for_dearer_goods_keeps_a_coupons_minimum(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", price=40_000, stock=9), kit.variant("LAMP", price=50_000, stock=9)
    kit.coupon("MIN", percent_bp=1_000, min_spend_minor=80_000)
    order_id = kit.buy({cup: 2}, coupon="MIN")
    line = kit.lines(order_id)[0].id
    swap = propose(kit, order_id, remove={line: 1}, add=[AddedUnits(lamp, 1)])
    assert swap.difference_minor == 50_000 - 36_000
    drop(kit, swap)
    less = agree(kit, propose(kit, order_id, remove={line: 1}))
    assert less.difference_minor == -(36_000 - 4_000), "the discount on the kept cup is not earned any more"
    assert_folds(kit, order_id)


@pytest.mark.postgres
@pytest.mark.slow
def test_paid_cancelled_and_expired_at_once_the_change_ends_one_way(pg_kit: TradeKit, clock: ManualClock) -> None:
    cup, lamp = pg_kit.variant("CUP", stock=40), pg_kit.variant("LAMP", price=50_000, stock=40)
    orders = [pg_kit.buy({cup: 1}, email=f"b{n}@example.com") for n in range(6)]
    for order_id in orders:
        agree(pg_kit, propose(pg_kit, order_id, add=[AddedUnits(lamp, 1)]))
    clock.advance(timedelta(minutes=30))
    works: list[Any] = [lambda order_id=order_id: pay(pg_kit, order_id, 50_000) for order_id in orders]
    works += [lambda: jobs.expire_open_changes(pg_kit.database)] * 3
    outcomes = at_once(works)
    assert len(successes(outcomes)) == len(outcomes), outcomes
    taken = 0
    for order_id, outcome in zip(orders, outcomes, strict=False):
        applied = len(pg_kit.lines(order_id)) == 2
        assert applied == (outcome is PaidOutcome.CONFIRMED)
        taken += applied
        assert_folds(pg_kit, order_id)
    assert pg_kit.level(lamp) == (40, taken)


def test_what_waits_for_an_approval_cannot_slip_in_with_a_change(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    portrait = kit.variant("PORTRAIT", stock=9, customisable=True, needs_approval=True)
    order_id = kit.buy({cup: 2})
    with pytest.raises(Conflict, match="place an order of its own"):
        propose(kit, order_id, add=[AddedUnits(portrait, 1, {"photo": "asha.jpg"})])
    with pytest.raises(InvalidInput, match="CUP cannot be customised"):
        propose(kit, order_id, add=[AddedUnits(cup, 1, {"text": "hello"})])
    with pytest.raises(InvalidInput, match="NUL"):
        propose(kit, order_id, add=[AddedUnits(portrait, 1, {"text": "a\x00b"})])
    assert kit.order(order_id).status is OrderStatus.PAID, "nothing half-written"
    assert agree(kit, propose(kit, order_id, add=[AddedUnits(portrait, 1)])).difference_minor > 0
