"""Several parcels an order: what leaves, arrives or comes home, told by staff or by the carrier, in any order."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, failures
from tests.support.trade import TradeKit
from tests.transactional.orders.desk import refunds
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput
from transactional.core.models import OutboxMessage
from transactional.orders import events, service
from transactional.orders.models import OrderUnitMove
from transactional.orders.service import OrderChange, OrderStatus, UnitMove
from transactional.shipping import service as shipping


def pack(kit: TradeKit, order_id: int) -> None:
    """Packed."""
    kit.run(lambda s: service.pack(s, order_id=order_id, actor="test", now=kit.now).id)


def send(kit: TradeKit, order_id: int, units: Mapping[int, int]) -> OrderStatus:
    """A parcel leaves."""
    return kit.run(lambda s: service.ship_parcel(s, order_id=order_id, units=units, actor="t", now=kit.now).status)


def hand_over(kit: TradeKit, order_id: int, units: Mapping[int, int]) -> OrderStatus:
    """A parcel arrives."""
    return kit.run(lambda s: service.parcel_delivered(s, order_id=order_id, units=units, actor="t", now=kit.now).status)


def bring_home(kit: TradeKit, order_id: int, units: Mapping[int, int], **more: Any) -> OrderStatus:
    """A parcel comes back."""
    return kit.run(
        lambda s: service.parcel_came_back(s, order_id=order_id, units=units, actor="t", now=kit.now, **more).status
    )


def parcel(kit: TradeKit, order_id: int) -> int:
    """A parcel of the shipping domain."""
    return kit.run(
        lambda s: (
            shipping.create_shipment(
                s, order_id=order_id, carrier="Bluedart", tracking_number=None, weight_grams=1, now=kit.now
            ).id
        )
    )


def history(kit: TradeKit, order_id: int) -> list[str]:
    """The steps so far."""
    with kit.database.read() as session:
        return [step.to_status for step in service.status_history(session, order_id)]


def test_two_parcels_tell_where_the_order_stands(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", stock=9), kit.variant("CARD", stock=9)
    order_id = kit.buy({cup: 3, card: 1})
    cups, cards = (line.id for line in kit.lines(order_id))
    pack(kit, order_id)
    assert send(kit, order_id, {cups: 2}) is OrderStatus.PARTIALLY_SHIPPED
    assert (kit.level(cup), kit.level(card)) == ((7, 1), (9, 1))
    assert hand_over(kit, order_id, {cups: 1}) is OrderStatus.PARTIALLY_DELIVERED
    assert send(kit, order_id, {cups: 1, cards: 1}) is OrderStatus.PARTIALLY_DELIVERED
    assert (kit.level(cup), kit.level(card)) == ((6, 0), (8, 0))
    assert kit.order(order_id).delivered_at is None
    assert hand_over(kit, order_id, {cups: 2, cards: 1}) is OrderStatus.DELIVERED
    assert kit.order(order_id).delivered_at == kit.now
    kit.assert_sound()


def cash_order(kit: TradeKit) -> tuple[int, int, int]:
    """A packed order over two cups and a card that is paid at the door; its id and those of its lines."""
    lines = {kit.variant("CUP", price=40_000, stock=9): 2, kit.variant("CARD", price=30_000, stock=9): 1}
    order_id = kit.buy(lines, pay=False, payment_mode="on_delivery")
    cups, cards = (line.id for line in kit.lines(order_id))
    pack(kit, order_id)
    return order_id, cups, cards


def collected(kit: TradeKit) -> list[int]:
    """What couriers took at the door."""
    with kit.database.read() as session:
        found = session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == service.COLLECTED))
        return [payload["amount_minor"] for payload in found]


@pytest.mark.parametrize("arrives_first", [True, False])
def test_what_was_never_paid_at_the_door_is_not_paid_back(kit: TradeKit, arrives_first: bool) -> None:
    order_id, cups, cards = cash_order(kit)
    total = kit.order(order_id).total_minor
    send(kit, order_id, {cups: 2})
    send(kit, order_id, {cards: 1})
    steps = [lambda: hand_over(kit, order_id, {cups: 2}), lambda: bring_home(kit, order_id, {cards: 1})]
    for step in steps if arrives_first else reversed(steps):
        step()
    assert kit.order(order_id).status is OrderStatus.DELIVERED
    assert (collected(kit), refunds(kit)) == ([total - 30_000], {})
    kit.assert_sound()


def test_units_called_off_after_the_others_arrived_were_never_paid(kit: TradeKit) -> None:
    order_id, cups, cards = cash_order(kit)
    total = kit.order(order_id).total_minor
    send(kit, order_id, {cups: 2})
    hand_over(kit, order_id, {cups: 2})
    kit.run(
        lambda s: service.cancel_units(s, order_id=order_id, units={cards: 1}, actor="t", reason="r", now=kit.now).id
    )
    assert kit.order(order_id).status is OrderStatus.DELIVERED
    assert (collected(kit), refunds(kit)) == ([total - 30_000], {})


def test_units_in_a_carriers_parcel_do_not_leave_by_hand(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 3})
    line = kit.lines(order_id)[0].id
    pack(kit, order_id)

    def box_up(session: Session) -> int:
        address = {
            "recipient": "Asha Rao",
            "phone": "9812345678",
            "line1": "12 MG Road",
            "city": "Pune",
            "postal_code": "411001",
            "country": "IN",
        }
        contents = [shipping.Contents(line, 2, "CUP", "A cup", 200_000)]
        boxed = shipping.NewParcel(
            order_id=order_id,
            customer_id=None,
            ship_to=address,
            email="asha@example.com",
            currency="INR",
            contents=contents,
            weight_grams=500,
            box=shipping.Box(100, 100, 100),
            cod=False,
        )
        return shipping.create_parcel(session, parcel=boxed, carrier="shiprocket", now=kit.now).id

    def leave(units: Mapping[int, int] | None = None) -> OrderStatus:
        return kit.run(lambda s: service.ship(s, order_id=order_id, units=units, actor="t", now=kit.now).status)

    kit.run(box_up)
    with pytest.raises(Conflict, match="lies in a parcel"):
        leave({line: 2})
    assert leave() is OrderStatus.PARTIALLY_SHIPPED, "the cup that is in no parcel"
    assert kit.lines(order_id)[0].shipped_quantity == 1
    with pytest.raises(Conflict, match="lies in a parcel"):
        leave()
    with pytest.raises(Conflict, match="lies in a parcel"):
        kit.run(
            lambda s: service.cancel_units(s, order_id=order_id, units={line: 1}, actor="t", reason="r", now=kit.now)
        )
    assert kit.lines(order_id)[0].cancelled_quantity == 0, "the courier would carry what was paid back"
    kit.assert_sound()


def test_the_rest_is_called_off_while_a_parcel_travels(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 3})
    line = kit.lines(order_id)[0].id
    pack(kit, order_id)
    send(kit, order_id, {line: 1})
    kit.run(
        lambda s: service.cancel_units(s, order_id=order_id, units={line: 2}, actor="t", reason="r", now=kit.now).id
    )
    assert kit.order(order_id).status is OrderStatus.SHIPPED
    assert hand_over(kit, order_id, {line: 1}) is OrderStatus.DELIVERED
    assert kit.level(cup) == (8, 0)


def test_an_order_of_which_everything_comes_home_is_cancelled(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    order_id = kit.buy({cup: 3})
    line = kit.lines(order_id)[0].id
    pack(kit, order_id)
    send(kit, order_id, {line: 1})
    send(kit, order_id, {line: 2})
    assert bring_home(kit, order_id, {line: 1}) is OrderStatus.SHIPPED
    assert bring_home(kit, order_id, {line: 2}) is OrderStatus.CANCELLED
    order = kit.order(order_id)
    assert sum(refunds(kit).values()) == 30_003 == order.total_minor - order.shipping_minor
    assert kit.level(cup) == (9, 0)
    assert order.cancelled_at == kit.now
    kit.assert_sound()


def test_a_parcel_that_the_carrier_lost_is_not_shelved_and_shipping_goes_back(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    order_id = kit.buy({cup: 1})
    kit.ship(order_id)
    bring_home(kit, order_id, {kit.lines(order_id)[0].id: 1}, restock=False, ours=True, reason="lost on the way")
    assert sum(refunds(kit).values()) == kit.order(order_id).total_minor
    assert kit.level(cup) == (8, 0)


def test_a_refused_parcel_paid_at_the_door_costs_nobody(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.give_points(asha, 10)
    kit.coupon("ONCE", usage_limit=1)
    order_id = kit.buy(
        {cup: 2}, customer_id=asha, pay=False, payment_mode="on_delivery", redeem_points=10, coupon="ONCE"
    )
    kit.ship(order_id)
    assert bring_home(kit, order_id, {kit.lines(order_id)[0].id: 2}) is OrderStatus.CANCELLED
    assert refunds(kit) == {}
    assert kit.count(OutboxMessage, OutboxMessage.topic == service.COLLECTED) == 0
    with kit.database.read() as session:
        assert service.given_back_minor(session, order_id) == kit.order(order_id).total_minor  # shipping as well
        assert service.amount_due(session, order_id) == 0
    assert (kit.points(asha).active, kit.points(asha).held, kit.coupon_uses("ONCE")) == (10, 0, 0)
    kit.assert_sound()


def test_more_than_there_is_cannot_move(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0].id
    with pytest.raises(IllegalTransition, match="is paid"):
        send(kit, order_id, {line: 1})
    pack(kit, order_id)
    with pytest.raises(Conflict, match="2 units of CUP are left to send, not 3"):
        send(kit, order_id, {line: 3})
    with pytest.raises(InvalidInput):
        send(kit, order_id, {})
    with pytest.raises(Conflict, match="0 units of CUP are left to deliver"):
        hand_over(kit, order_id, {line: 1})
    send(kit, order_id, {line: 1})
    with pytest.raises(Conflict, match="1 units of CUP are left to take back"):
        bring_home(kit, order_id, {line: 2})
    assert kit.level(cup) == (8, 1)


@pytest.mark.slow
def test_the_carriers_news_count_once_in_any_order(kit: TradeKit) -> None:
    """Each permutation and repetition of what the carrier says about two parcels ends in one state."""
    cup = kit.variant("CUP", stock=500)
    handlers = {
        "up": events.parcel_picked_up,
        "there": events.parcel_delivered,
    }
    ends = set()
    for order_of_news in itertools.permutations([("up", 0), ("there", 0), ("up", 1), ("there", 1)]):
        order_id = kit.buy({cup: 3})
        line = kit.lines(order_id)[0].id
        parcels = [(parcel(kit, order_id), 1), (parcel(kit, order_id), 2)]
        for what, number in [*order_of_news, *order_of_news]:
            shipment_id, units = parcels[number]
            payload = {"shipment_id": shipment_id, "order_id": order_id, "units": {str(line): units}}
            handlers[what](kit.database, payload)
        after = kit.lines(order_id)[0]
        ends.add((kit.order(order_id).status, after.shipped_quantity, after.delivered_quantity))
        assert set(history(kit, order_id)[-1:]) == {"delivered"}
    assert ends == {(OrderStatus.DELIVERED, 3, 3)}
    assert kit.level(cup) == (500 - 24 * 3, 0)
    assert kit.count(OrderUnitMove) == 24 * 4
    kit.assert_sound()


def test_a_return_that_overtakes_the_pickup_makes_up_for_it(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    order_id = kit.buy({cup: 1})
    line, shipment_id = kit.lines(order_id)[0].id, parcel(kit, order_id)
    payload = {"shipment_id": shipment_id, "order_id": order_id, "units": {str(line): 1}}
    for handle in (events.parcel_returned, events.parcel_picked_up, events.parcel_returned):
        handle(kit.database, payload)
    assert history(kit, order_id)[-3:] == ["packed", "shipped", "cancelled"]
    assert refunds(kit) == {f"parcel:{shipment_id}": 10_001}
    assert kit.level(cup) == (9, 0)


def test_what_staff_told_first_is_not_counted_again(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    kit.deliver(order_id)
    line, shipment_id = kit.lines(order_id)[0].id, parcel(kit, order_id)
    payload = {"shipment_id": shipment_id, "order_id": order_id, "units": {str(line): 2}}
    for handle in (events.parcel_picked_up, events.parcel_delivered, events.parcel_returned):
        handle(kit.database, payload)
    assert kit.order(order_id).status is OrderStatus.DELIVERED
    assert kit.level(cup) == (7, 0)


def test_what_has_left_cannot_be_changed_any_more(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", price=50_000, stock=1)
    order_id = kit.buy({cup: 2})
    line, shipment_id = kit.lines(order_id)[0].id, parcel(kit, order_id)

    def want_more(session: Session) -> OrderChange:
        wanted = service.WantedChange(add=[service.AddedUnits(lamp, 1)])
        change = service.draft_change(session, order_id=order_id, wanted=wanted, actor="t", reason="", now=kit.now)
        return service.apply_change(session, change_id=change.id, actor="t", now=kit.now)

    change = kit.run(want_more)
    assert kit.order(order_id).status is OrderStatus.AWAITING_EXTRA_PAYMENT
    payload = {"shipment_id": shipment_id, "order_id": order_id, "units": {str(line): 2}}
    events.parcel_picked_up(kit.database, payload)
    assert kit.order(order_id).status is OrderStatus.SHIPPED
    assert (kit.level(cup), kit.level(lamp)) == ((7, 0), (1, 0))
    with kit.database.read() as session:
        assert service.find_change(session, order_id, change.public_id).status is service.ChangeStatus.DECLINED
    assert kit.pay(order_id) is service.PaidOutcome.ALREADY_PAID, "a payment that comes too late goes back"


@pytest.mark.postgres
@pytest.mark.slow
def test_the_same_news_many_times_at_once_count_once(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", price=10_001, stock=20)
    order_id = pg_kit.buy({cup: 4})
    line, shipment_id = pg_kit.lines(order_id)[0].id, parcel(pg_kit, order_id)
    payload = {"shipment_id": shipment_id, "order_id": order_id, "units": {str(line): 4}}
    works: list[Any] = [lambda: events.parcel_picked_up(pg_kit.database, payload)] * 4
    works += [lambda: events.parcel_delivered(pg_kit.database, payload)] * 4
    assert failures(at_once(works)) == []
    after = pg_kit.lines(order_id)[0]
    assert (after.shipped_quantity, after.delivered_quantity) == (4, 4)
    assert pg_kit.order(order_id).status is OrderStatus.DELIVERED
    assert pg_kit.count(OrderUnitMove, OrderUnitMove.kind == UnitMove.SHIPPED) == 1
    assert pg_kit.level(cup) == (16, 0)
    pg_kit.assert_sound()
