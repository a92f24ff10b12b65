"""A parcel's way through the carrier's office, with everything that can go wrong between two computers."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.transactional.shipping.depot import Depot
from transactional.core import outbox
from transactional.core.models import OutboxMessage, OutboxState
from transactional.orders import service as orders
from transactional.shipping import calls, parcels, reading, steps, tidying, tracking
from transactional.shipping.carrier import Unknown
from transactional.shipping.models import CallState, CarrierCall, Shipment, ShipmentStatus
from transactional.shipping_standin.faults import Fault


def test_a_parcel_gets_courier_number_pickup_label_and_manifest(depot: Depot) -> None:
    parcel_id = depot.send(2)
    parcel = depot.parcel(parcel_id)
    assert parcel.status is ShipmentStatus.PICKUP_SCHEDULED
    assert parcel.tracking_number
    assert parcel.label_url
    assert parcel.manifest_url
    assert parcel.pickup_date == date(2026, 1, 16)
    assert (parcel.declared_minor, parcel.cod_minor) == (66_666, 0)
    assert parcel.chargeable_grams == 600
    assert parcel.quoted_minor is not None
    with depot.database.read() as session:
        made = reading.calls_of(session, parcel_id)
    assert [call.step for call in made] == ["choose", "create", "assign", "pickup", "label", "manifest"]
    assert {call.state for call in made} == {CallState.DONE}
    assert made[2].foreign_ids == {"awb": parcel.tracking_number}
    assert made[1].request["reference"] == parcel.reference
    assert parcel.reference is not None
    assert parcel.reference.isdigit()


def test_what_the_carrier_gets_is_exact(depot: Depot) -> None:
    depot.send(3)
    (order,) = depot.live_orders()
    body = order.body
    assert (body["sub_total"], body["weight"], body["length"]) == (999.99, 0.4, 20.0)
    assert sum(round(item["selling_price"] * 100) * item["units"] for item in body["order_items"]) == 99_999
    assert body["payment_method"] == "Prepaid"
    assert body["billing_phone"] == "9812345678"
    assert body["billing_email"] == "guest@example.com"


def test_an_order_paid_at_the_door_lets_the_courier_collect_what_is_due(depot: Depot) -> None:
    parcel_id = depot.send(mode="on_delivery")
    order = depot.order_of(parcel_id)
    assert depot.parcel(parcel_id).cod_minor == order.total_minor
    (at_carrier,) = depot.live_orders()
    assert at_carrier.body["payment_method"] == "COD"
    assert at_carrier.body["sub_total"] == 333.33
    assert round((at_carrier.body["sub_total"] + at_carrier.body["shipping_charges"]) * 100) == order.total_minor


FAULTS = [Fault.ANSWER_LOST, Fault.HTML_502, Fault.PHP_500, Fault.RATE_LIMITED, Fault.EMPTY, Fault.TOKEN_EXPIRED]
PATHS = [
    "/orders/create/adhoc",
    "/courier/assign/awb",
    "/courier/generate/pickup",
    "/courier/generate/label",
    "/manifests/generate",
]


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
    assert parcel.reference.endswith("02")
    assert [order.channel_order_id for order in depot.live_orders()] == [parcel.reference]


def test_a_number_that_comes_later_is_waited_for(depot: Depot) -> None:
    depot.standin.switches.change({"awb": "asynchronous"})
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(minutes=5))
    assert depot.parcel(parcel_id).manifest_url
    assert len(depot.standin.requests(path_part="assign/awb")) == 1


def test_an_empty_wallet_halts_the_parcel_until_staff_says_go_on(depot: Depot) -> None:
    depot.standin.switches.change({"awb": "fails"})
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(minutes=5))
    assert depot.parcel(parcel_id).halted_reason == "assign: Please recharge your wallet. Insufficient balance."
    assert len(depot.standin.requests(path_part="assign/awb")) == 1, "a refusal is not repeated"
    depot.standin.switches.change({"awb": "immediate"})
    depot.kit.run(lambda s: parcels.retry(s, shipment_id=parcel_id, now=depot.kit.now).id)
    depot.work()
    assert depot.parcel(parcel_id).manifest_url


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("none", "choose: no courier goes there"),
        ("hyperlocal", "choose: no courier goes there"),
        ("all_blocked", "choose: no courier may be taken"),
    ],
)
def test_without_a_courier_the_parcel_waits(depot: Depot, mode: str, reason: str) -> None:
    depot.standin.switches.change({"couriers": mode})
    parcel_id = depot.pack(depot.order())
    depot.work()
    assert (depot.parcel(parcel_id).halted_reason or "").startswith(reason)
    assert depot.live_orders() == []


def test_nobody_collects_at_the_door(depot: Depot) -> None:
    depot.standin.switches.change({"couriers": "no_cod"})
    parcel_id = depot.pack(depot.order(mode="on_delivery"))
    depot.work()
    assert depot.parcel(parcel_id).halted_reason == "choose: no courier goes there"


def test_empty_addresses_of_papers_are_no_papers(depot: Depot) -> None:
    depot.standin.faults.arm(Fault.EMPTY_URLS, path_part="label", times=1)
    depot.standin.faults.arm(Fault.EMPTY_URLS, path_part="manifests", times=2)
    parcel_id = depot.pack(depot.order())
    depot.work()
    assert depot.parcel(parcel_id).label_url is None
    depot.work(patience=timedelta(minutes=5))
    parcel = depot.parcel(parcel_id)
    assert parcel.label_url
    assert parcel.manifest_url


def test_paise_that_the_carrier_refuses_are_declared_as_whole_rupees(depot: Depot) -> None:
    depot.standin.switches.change({"accepts_paise": False})
    parcel_id = depot.send()
    (order,) = depot.live_orders()
    assert order.body["sub_total"] == 334
    assert depot.parcel(parcel_id).declared_minor == 33_333


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

    def dying(*arguments: object) -> None:
        done.append(1)
        if len(done) == step + 1:
            raise SystemExit("killed")
        post(*arguments)

    monkeypatch.setattr(steps, "_post", dying)
    with pytest.raises(SystemExit):
        depot.work()
    monkeypatch.setattr(steps, "_post", post)
    depot.work(patience=timedelta(minutes=20))
    assert depot.parcel(parcel_id).manifest_url
    (order,) = depot.live_orders()
    assert order.parcel.awb == depot.parcel(parcel_id).tracking_number


def test_a_number_that_another_parcel_has_is_for_a_person_to_look_at(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = depot.parcel(depot.send())
    assert first.tracking_number is not None
    monkeypatch.setattr(depot.standin.books, "awb", lambda: first.tracking_number)
    parcel_id = depot.pack(depot.order())
    depot.work()
    assert "belongs to another parcel" in (depot.parcel(parcel_id).halted_reason or "")
    assert depot.parcel(parcel_id).tracking_number is None


def test_a_message_that_comes_again_changes_nothing(depot: Depot) -> None:
    parcel_id = depot.send()
    before = len(depot.standin.requests())
    for _ in range(3):
        steps.advance(depot.database, depot.carrier, shipment_id=parcel_id)
    assert len(depot.standin.requests()) == before


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


def test_the_day_of_the_pickup_can_be_chosen_until_it_is_booked(depot: Depot) -> None:
    parcel_id = depot.pack(depot.order())
    sunday = date(2026, 1, 18)
    depot.kit.run(lambda s: parcels.set_pickup_date(s, shipment_id=parcel_id, on=sunday, now=depot.kit.now).id)
    depot.work()
    assert depot.parcel(parcel_id).pickup_date == date(2026, 1, 19), "Sundays move to Monday"
    with pytest.raises(parcels.Conflict):
        depot.kit.run(lambda s: parcels.set_pickup_date(s, shipment_id=parcel_id, on=sunday, now=depot.kit.now).id)


def test_a_pickup_asked_for_twice_is_one_pickup(depot: Depot) -> None:
    parcel_id = depot.send()
    parcel = depot.parcel(parcel_id)
    assert parcel.carrier_order_id is not None
    assert parcel.carrier_shipment_id is not None
    booked = depot.carrier.pickup(
        order_id=parcel.carrier_order_id, shipment_id=parcel.carrier_shipment_id, on=None, look_first=False
    )
    assert booked.pickup_date == parcel.pickup_date


def test_a_reassignment_within_a_day_is_refused(depot: Depot) -> None:
    parcel = depot.parcel(depot.send())
    ids = {"order_id": parcel.carrier_order_id or "", "shipment_id": parcel.carrier_shipment_id or ""}
    with pytest.raises(Exception, match="Cannot reassign courier"):
        depot.carrier.assign(**ids, courier_id=33, look_first=True, reassign=True)
    depot.clock.advance(timedelta(days=1))
    assert depot.carrier.assign(**ids, courier_id=33, look_first=True, reassign=True).courier_name == "Blue Dart Air"


def test_goods_are_fetched_back_from_the_customer(depot: Depot) -> None:
    parcel_id = depot.send(2)
    depot.advance(parcel_id, 10)
    depot.tell_all()
    (line,) = depot.kit.lines(depot.parcel(parcel_id).order_id)

    def fetch(quantity: int) -> int:
        return depot.kit.run(
            lambda s: (
                parcels.create_return_parcel(
                    s, shipment_id=parcel_id, units={line.id: quantity}, cause=f"r{quantity}", now=depot.kit.now
                ).id
            )
        )

    returned = fetch(1)
    depot.work()
    back = depot.parcel(returned)
    assert back.pickup_token is not None, back.halted_reason
    (order,) = [order for order in depot.live_orders() if order.is_return]
    assert (order.body["pickup_pincode"], order.body["shipping_pincode"]) == ("560001", "560001")
    with pytest.raises(parcels.Conflict, match="1 units of order line"):
        fetch(2)


def test_only_delivered_goods_are_fetched(depot: Depot) -> None:
    parcel_id = depot.send()
    with pytest.raises(parcels.Conflict, match="delivered"):
        depot.kit.run(
            lambda s: (
                parcels.create_return_parcel(s, shipment_id=parcel_id, units={1: 1}, cause="x", now=depot.kit.now).id
            )
        )


def test_what_the_carrier_bills_for_heavier_parcels_is_noted(depot: Depot) -> None:
    from transactional.shipping import polling

    depot.standin.switches.change({"overweight_grams": 700})
    parcel_id = depot.send()
    assert polling.note_discrepancies(depot.database, depot.carrier) == 1
    assert polling.note_discrepancies(depot.database, depot.carrier) == 0
    parcel = depot.parcel(parcel_id)
    assert (parcel.charged_grams, parcel.cost_minor) == (1_300, (parcel.quoted_minor or 0) * 2)


def test_messages_that_are_given_up_are_taken_up_again(depot: Depot) -> None:
    from transactional.shipping import jobs

    depot.standin.faults.arm(Fault.RATE_LIMITED, path_part="/courier/assign/awb", times=10)
    parcel_id = depot.pack(depot.order())
    depot.work(patience=timedelta(hours=2))
    with depot.database.read() as session:
        states = session.scalars(select(OutboxMessage.state).where(OutboxMessage.topic == parcels.ADVANCE)).all()
    assert states == [OutboxState.FAILED]
    jobs.resume_parcels(depot.database)
    depot.work()
    assert depot.parcel(parcel_id).manifest_url


def test_calls_hold_no_secret(depot: Depot) -> None:
    depot.send()
    with depot.database.read() as session:
        rows = session.scalars(select(CarrierCall)).all()
        told = json.dumps([[row.request, row.answer] for row in rows])
    assert depot.standin.account.password not in told
    assert "eyJ" not in told


def _prepare_reference(session: object, parcel_id: int) -> None:
    parcel: Shipment = tracking.lock_shipment(session, parcel_id)
    from transactional.shipping.consigning import reference_for

    parcel.reference = reference_for(parcel)


def _consignment(depot: Depot, parcel_id: int) -> object:
    from transactional.shipping.consigning import consignment_of

    with depot.database.read() as session:
        return consignment_of(session, reading.get_shipment(session, parcel_id))


def test_an_unreadable_answer_is_no_success(depot: Depot) -> None:
    parcel = depot.parcel(depot.send())
    depot.standin.faults.arm(Fault.EMPTY, path_part="label")
    with pytest.raises(Unknown):
        depot.carrier.label(shipment_id=parcel.carrier_shipment_id or "")
