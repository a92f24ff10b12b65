"""Packing units of an order: nothing twice, every paisa once."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from tests.transactional.shipping.depot import BOX, Depot, open_depot
from transactional import wiring
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound, ShopError
from transactional.fulfilment import service
from transactional.orders import service as orders
from transactional.shipping.models import Shipment, ShipmentStatus


def line_of(depot: Depot, order_id: int) -> int:
    (line,) = depot.kit.lines(order_id)
    return line.id


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.sampled_from(["online", "on_delivery"]))
def test_parcels_share_the_order_s_money_exactly(depot: Depot, sizes: list[int], mode: str) -> None:
    order_id = depot.order(sum(sizes), mode=mode)
    line_id = line_of(depot, order_id)
    parcels = [depot.parcel(depot.pack(order_id, {line_id: size})) for size in sizes]
    order = depot.kit.order(order_id)
    charges = order.shipping_minor + order.wrap_minor
    assert sum(parcel.declared_minor for parcel in parcels) == order.total_minor - charges
    assert sum(parcel.cod_minor for parcel in parcels) == (order.total_minor if mode == "on_delivery" else 0)
    with pytest.raises(Conflict):
        depot.pack(order_id)


def test_units_are_packed_once(depot: Depot) -> None:
    order_id = depot.order(3)
    line_id = line_of(depot, order_id)
    depot.pack(order_id, {line_id: 2})
    with pytest.raises(Conflict, match="1 units of line"):
        depot.pack(order_id, {line_id: 2})
    with pytest.raises(InvalidInput, match="at least one"):
        depot.pack(order_id, {line_id: 0})
    with pytest.raises(InvalidInput, match="no line 999"):
        depot.pack(order_id, {999: 1})
    depot.pack(order_id)
    assert depot.kit.count(Shipment) == 2


def test_two_packers_at_once_pack_one_parcel(pg_kit: TradeKit, clock: ManualClock) -> None:
    wiring.wire()
    depot = open_depot(pg_kit, clock)
    order_id = depot.order(2)
    outcomes = at_once([lambda: depot.pack(order_id)] * 8)
    assert len(successes(outcomes)) == 1
    assert all(isinstance(failure, Conflict) for failure in failures(outcomes))
    assert depot.kit.count(Shipment) == 1


def test_units_that_were_called_off_are_not_packed(depot: Depot) -> None:
    order_id = depot.order(3)
    line_id = line_of(depot, order_id)
    depot.kit.run(
        lambda s: (
            orders.cancel_units(
                s, order_id=order_id, units={line_id: 1}, actor="test", reason="too many", now=depot.kit.now
            ).id
        )
    )
    with pytest.raises(Conflict, match="2 units"):
        depot.pack(order_id, {line_id: 3})
    parcel = depot.parcel(depot.pack(order_id))
    assert parcel.declared_minor == 66_666


def test_couriers_collect_what_is_due_after_a_part_was_called_off(depot: Depot) -> None:
    order_id = depot.order(3, mode="on_delivery")
    line_id = line_of(depot, order_id)
    first = depot.pack(order_id, {line_id: 1})
    depot.kit.run(
        lambda s: (
            orders.cancel_units(
                s, order_id=order_id, units={line_id: 1}, actor="test", reason="too many", now=depot.kit.now
            ).id
        )
    )
    second = depot.pack(order_id)
    with depot.database.read() as session:
        due = orders.amount_due(session, order_id)
    assert 0 < due < depot.kit.order(order_id).total_minor
    assert depot.parcel(first).cod_minor + depot.parcel(second).cod_minor == due


def test_units_that_left_by_hand_are_not_packed(depot: Depot) -> None:
    order_id = depot.order(2)
    depot.kit.run(lambda s: orders.ship(s, order_id=order_id, actor="test", now=depot.kit.now).id)
    with pytest.raises(Conflict):
        depot.pack(order_id)


@pytest.mark.parametrize("change", [{"postal_code": "350001"}, {"phone": ""}, {"country": "GB"}])
def test_an_address_that_no_carrier_takes_is_refused_at_once(depot: Depot, change: Mapping[str, str]) -> None:
    order_id = depot.order()

    def spoil(session: object) -> None:
        order = orders.lock_order(session, order_id)
        order.ship_to = {**order.ship_to, **change}

    depot.kit.run(spoil)
    with pytest.raises(ShopError, match=r"send to|needs the recipient's phone"):
        depot.pack(order_id)
    assert depot.kit.count(Shipment) == 0
    assert depot.parcel(depot.pack(order_id, carrier="own")).status is ShipmentStatus.CREATED


def test_without_the_buyer_s_number_the_courier_calls_the_shop(depot: Depot) -> None:
    order_id = depot.order()

    def forget_number(session: object) -> None:
        order = orders.lock_order(session, order_id)
        order.ship_to = {**order.ship_to, "phone": None}

    depot.kit.run(forget_number)
    parcel = depot.pack(order_id, contact_phone="+918041234567")
    assert depot.parcel(parcel).ship_to["phone"] == "+918041234567"


def test_an_order_that_does_not_exist(depot: Depot) -> None:
    with pytest.raises(NotFound):
        depot.kit.run(
            lambda s: (
                service.pack_parcel(
                    s, order_id=404, units=None, box=BOX, weight_grams=1, carrier="own", now=depot.kit.now
                ).id
            )
        )
