"""One order at the carrier and one number, whatever is lost, said twice or killed between two computers."""

from datetime import timedelta
from typing import Any

import pytest

from tests.transactional.shipping.depot import Depot
from transactional.shipping import calls, reading, steps, tidying, tracking
from transactional.shipping.models import Shipment
from transactional.shipping_standin.faults import Fault

FAULTS = [Fault.ANSWER_LOST, Fault.HTML_502, Fault.PHP_500, Fault.RATE_LIMITED, Fault.EMPTY, Fault.TOKEN_EXPIRED]
PATHS = [
    "/orders/create/adhoc",
    "/courier/assign/awb",
    "/courier/generate/pickup",
    "/courier/generate/label",
    "/manifests/generate",
]


def _prepare_reference(session: object, parcel_id: int) -> None:
    parcel: Shipment = tracking.lock_shipment(session, parcel_id)
    from transactional.shipping.consigning import new_reference

    parcel.reference = new_reference(parcel)


def _consignment(depot: Depot, parcel_id: int) -> object:
    from transactional.shipping.consigning import consignment_of

    with depot.database.read() as session:
        return consignment_of(session, reading.get_shipment(session, parcel_id))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_any_step_ships_twice(depot: Depot, fault: Fault) -> None:
    for place, path in enumerate(PATHS):
        depot.standin.faults.arm(fault, path_part=path, times=1 if place else 3)
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(hours=1))
    parcel = depot.parcel(parcel_id)
    assert parcel.manifest_url, (parcel.halted_reason, parcel.status)
    assert len(depot.live_orders()) == 1
    assert sum(order.parcel.awb is not None for order in depot.standin.books.orders()) == 1


@pytest.mark.parametrize("mode", ["existing", "second", "refuse"])
@pytest.mark.parametrize("times", [1, 3])
def test_the_same_order_shipped_twice_under_lost_answers_is_one_order_and_one_number(
    depot: Depot, mode: str, times: int
) -> None:
    depot.standin.switches.change({"duplicate_orders": mode})
    depot.standin.faults.arm(Fault.ANSWER_LOST, path_part="/orders/create/adhoc", times=times)
    depot.standin.faults.arm(Fault.HTML_502, method="GET", path_part="/orders", times=4 * times)
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(minutes=10))
    assert depot.parcel(parcel_id).manifest_url
    (order,) = depot.live_orders()
    assert order.parcel.awb == depot.parcel(parcel_id).tracking_number
    assert sum(each.parcel.awb is not None for each in depot.standin.books.orders()) == 1


def test_of_two_orders_the_later_is_called_off(depot: Depot) -> None:
    depot.standin.switches.change({"duplicate_orders": "second"})
    parcel_id = depot.pack(depot.order())
    depot.kit.run(lambda s: _prepare_reference(s, parcel_id))
    consignment = _consignment(depot, parcel_id)
    first = depot.carrier.create(consignment, look_first=False)
    second = depot.carrier.create(consignment, look_first=False)
    assert first.order_id != second.order_id
    assert depot.carrier.create(consignment, look_first=True).order_id == first.order_id
    assert [str(order.id) for order in depot.live_orders()] == [first.order_id]


def test_a_second_order_that_shows_itself_late_is_called_off(depot: Depot) -> None:
    depot.standin.switches.change({"duplicate_orders": "second", "list_lag_seconds": 600})
    depot.standin.faults.arm(Fault.ANSWER_LOST, path_part="/orders/create/adhoc")
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(minutes=5))
    parcel = depot.parcel(parcel_id)
    assert parcel.manifest_url
    assert len(depot.live_orders()) == 2, "the carrier's list has hidden the first"
    depot.clock.advance(timedelta(minutes=10))
    assert tidying.call_off_duplicates(depot.database, depot.carrier) == 1
    assert tidying.call_off_duplicates(depot.database, depot.carrier) == 0
    (order,) = depot.live_orders()
    assert order.parcel.awb == parcel.tracking_number
    assert sum(each.parcel.awb is not None for each in depot.standin.books.orders()) == 1


def test_the_id_of_a_cancelled_order_is_never_used_again(depot: Depot) -> None:
    parcel_id = depot.pack(depot.order())
    depot.kit.run(lambda s: _prepare_reference(s, parcel_id))
    burnt = depot.carrier.create(_consignment(depot, parcel_id), look_first=False)
    depot.carrier.cancel(burnt.order_id)
    depot.work(patience=timedelta(minutes=10))
    parcel = depot.parcel(parcel_id)
    assert parcel.manifest_url
    assert parcel.attempt == 2
    assert parcel.reference is not None
    assert parcel.reference[14:16] == "02", "day, parcel, attempt, chance"
    assert [order.channel_order_id for order in depot.live_orders()] == [parcel.reference]


def test_a_number_that_comes_later_is_waited_for(depot: Depot) -> None:
    depot.standin.switches.change({"awb": "asynchronous"})
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(minutes=5))
    assert depot.parcel(parcel_id).manifest_url
    assert len(depot.standin.requests(path_part="assign/awb")) == 1


def test_two_workers_do_not_take_the_same_step(any_depot: Depot) -> None:
    depot = any_depot
    parcel_id = depot.pack(depot.order())
    situation = depot.kit.run(lambda s: steps._prepare(s, depot.database, depot.carrier, parcel_id))
    assert situation is not None
    with pytest.raises(calls.Busy):
        steps.advance(depot.database, depot.carrier, shipment_id=parcel_id)
    depot.clock.advance(calls.LEASE)
    steps.advance(depot.database, depot.carrier, shipment_id=parcel_id)
    assert depot.parcel(parcel_id).manifest_url, "an intent left by a crash ends with its lease"
    assert len(depot.live_orders()) == 1


@pytest.mark.parametrize("step", [1, 2, 5])
def test_a_crash_between_call_and_posting_loses_nothing(
    depot: Depot, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    parcel_id = depot.pack(depot.order())
    post, done = steps._post, []

    def dying(*arguments: Any) -> steps.Following:
        done.append(1)
        if len(done) == step + 1:
            raise SystemExit("killed")
        return post(*arguments)

    monkeypatch.setattr(steps, "_post", dying)
    with pytest.raises(SystemExit):
        depot.work()
    monkeypatch.setattr(steps, "_post", post)
    depot.work(patience=timedelta(minutes=20))
    assert depot.parcel(parcel_id).manifest_url
    (order,) = depot.live_orders()
    assert order.parcel.awb == depot.parcel(parcel_id).tracking_number
