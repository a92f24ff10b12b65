"""Parcels that are called off: before, while and after the carrier knows of them."""

from datetime import timedelta

import pytest

from tests.transactional.shipping.depot import Depot
from transactional.core import outbox
from transactional.orders import service as orders
from transactional.shipping import parcels
from transactional.shipping.models import ShipmentStatus
from transactional.shipping_standin.faults import Fault


def test_calling_off_before_the_carrier_knows_asks_nobody(depot: Depot) -> None:
    order_id = depot.order(2)
    parcel_id = depot.pack(order_id)
    depot.kit.run(lambda s: parcels.request_cancellation(s, shipment_id=parcel_id, actor="test", now=depot.kit.now).id)
    depot.work()
    assert depot.status(parcel_id) is ShipmentStatus.CANCELLED
    assert depot.standin.requests() == []
    assert depot.pack(order_id) != parcel_id, "the units can be packed anew"


@pytest.mark.parametrize("status", [200, 204])
def test_calling_off_is_asked_of_the_carrier(depot: Depot, status: int) -> None:
    depot.standin.switches.change({"cancel_status": status})
    parcel_id = depot.send()
    for _ in range(2):
        depot.kit.run(
            lambda s: parcels.request_cancellation(s, shipment_id=parcel_id, actor="test", now=depot.kit.now).id
        )
    depot.work()
    parcel = depot.parcel(parcel_id)
    assert (parcel.status, parcel.cost_minor) == (ShipmentStatus.CANCELLED, 0)
    assert depot.live_orders() == []
    assert depot.order_of(parcel_id).status == "packed"


def test_a_cancelled_order_calls_its_parcels_off(depot: Depot) -> None:
    parcel_id = depot.send()
    order_id = depot.parcel(parcel_id).order_id
    depot.kit.run(
        lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="changed my mind", now=depot.kit.now).id
    )
    depot.work()
    assert depot.status(parcel_id) is ShipmentStatus.CANCELLED
    assert depot.live_orders() == []


def test_an_order_cancelled_while_its_parcel_moves_is_looked_at(depot: Depot) -> None:
    parcel_id = depot.send()
    order_id = depot.parcel(parcel_id).order_id
    depot.advance(parcel_id, 2)
    depot.tell(depot.standin.webhooks.listing()[-1].body)
    outbox.drain(depot.database, limit=1)  # the scan is known, the order has not heard of it
    assert depot.status(parcel_id) is ShipmentStatus.PICKED_UP
    depot.kit.run(
        lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="changed my mind", now=depot.kit.now).id
    )
    depot.work()
    assert depot.parcel(parcel_id).halted_reason == "its order was cancelled while it was under way"
    assert depot.kit.order(order_id).status == "cancelled"
    depot.kit.assert_sound()


def test_a_cancellation_that_completes_later_is_waited_for(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.standin.switches.change({"cancellation": "later"})
    depot.kit.run(lambda s: parcels.request_cancellation(s, shipment_id=parcel_id, actor="test", now=depot.kit.now).id)
    depot.work()
    assert depot.status(parcel_id) is ShipmentStatus.PICKUP_SCHEDULED
    (order,) = depot.live_orders()
    depot.standin.aftercare.complete_cancellation(order)
    depot.work(patience=timedelta(minutes=5))
    assert depot.status(parcel_id) is ShipmentStatus.CANCELLED


def test_a_cancellation_that_comes_too_late_leaves_the_parcel_on_its_way(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id)  # out for pickup, which nobody has told us
    depot.kit.run(lambda s: parcels.request_cancellation(s, shipment_id=parcel_id, actor="test", now=depot.kit.now).id)
    depot.work()
    parcel = depot.parcel(parcel_id)
    assert "Cannot cancel order" in (parcel.halted_reason or "")
    assert parcel.cancel_requested_at is None
    depot.advance(parcel_id, 10)
    depot.tell_all()
    assert depot.status(parcel_id) is ShipmentStatus.DELIVERED


def test_calling_off_an_order_whose_creation_was_never_answered(depot: Depot) -> None:
    depot.standin.faults.arm(Fault.ANSWER_LOST, path_part="/orders/create/adhoc")
    depot.standin.faults.arm(Fault.HTML_502, method="GET", path_part="/orders", times=4)
    parcel_id = depot.pack(depot.order())
    outbox.drain(depot.database, limit=20)
    assert len(depot.live_orders()) == 1
    assert depot.parcel(parcel_id).carrier_order_id is None
    depot.kit.run(lambda s: parcels.request_cancellation(s, shipment_id=parcel_id, actor="test", now=depot.kit.now).id)
    depot.work(patience=timedelta(minutes=5))
    assert depot.status(parcel_id) is ShipmentStatus.CANCELLED
    assert depot.live_orders() == []
