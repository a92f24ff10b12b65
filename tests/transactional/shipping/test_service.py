"""Parcels and their charge."""

import pytest

from tests.support.trade import TradeKit
from transactional.core.errors import Conflict
from transactional.orders import service as orders
from transactional.orders.models import OrderStatus
from transactional.shipping import service
from transactional.shipping.service import ShipmentStatus


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
