"""Parcels and their charge."""

import pytest

from tests.support.trade import TradeKit, settings
from transactional.core.errors import Conflict
from transactional.orders import service as orders
from transactional.orders.models import OrderStatus
from transactional.shipping import service
from transactional.shipping.service import ShipmentStatus


@pytest.mark.parametrize(("merchandise", "charge"), [(0, 9_900), (149_899, 9_900), (149_900, 0), (10**9, 0)])
def test_the_charge_is_flat_below_the_threshold(merchandise: int, charge: int) -> None:
    assert service.quote(merchandise_minor=merchandise, settings=settings()).amount_minor == charge


def test_the_quote_names_its_rule() -> None:
    config = settings(shipping_flat_minor=5, shipping_free_from_minor=10)
    assert service.quote(merchandise_minor=9, settings=config).rule == "flat below 10 minor units"
    assert service.quote(merchandise_minor=10, settings=config).rule == "free from 10 minor units"


def test_a_parcel_follows_its_order(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=2)
    order_id = kit.buy({cup: 1})
    kit.ship(order_id)
    with kit.database.read() as session:
        (parcel,) = service.shipments_of(session, order_id)
    assert (parcel.status, parcel.shipped_at, parcel.delivered_at) == (ShipmentStatus.PICKED_UP, kit.now, None)
    kit.run(lambda s: orders.deliver(s, order_id=order_id, actor="test", now=kit.now).id)
    assert kit.run(lambda s: service.mark_delivered(s, order_id=order_id, now=kit.now)) == 0
    with kit.database.read() as session:
        (parcel,) = service.shipments_of(session, order_id)
    assert (parcel.status, parcel.delivered_at) == (ShipmentStatus.DELIVERED, kit.now)


def test_a_tracking_number_belongs_to_one_parcel(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=2)
    first, second = kit.buy({cup: 1}), kit.buy({cup: 1})

    def send(order_id: int) -> None:
        kit.run(lambda s: orders.pack(s, order_id=order_id, actor="test", now=kit.now).id)
        kit.run(lambda s: orders.ship(s, order_id=order_id, actor="test", tracking_number="BD1", now=kit.now).id)

    send(first)
    with pytest.raises(Conflict, match="BD1 belongs to another parcel"):
        send(second)
    assert kit.order(second).status is OrderStatus.PACKED
    assert kit.level(cup) == (1, 1), "the refused parcel sold nothing"
    kit.assert_sound()
