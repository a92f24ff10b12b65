"""A parcel's way through the carrier's office, with everything that can go wrong between two computers."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.transactional.shipping.depot import Depot
from transactional.core.models import OutboxMessage, OutboxState
from transactional.orders.timeline import Audience, timeline
from transactional.shipping import parcels, reading, steps
from transactional.shipping.carrier import Unknown
from transactional.shipping.consigning import new_reference
from transactional.shipping.models import CallState, CarrierCall, ShipmentStatus
from transactional.shipping.tracking import RETURN_ARRIVED
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


@pytest.mark.slow
def test_staff_hear_once_of_goods_that_the_courier_brings_back(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 10)
    depot.tell_all()
    order_id = depot.parcel(parcel_id).order_id
    (line,) = depot.kit.lines(order_id)
    returned = depot.kit.run(
        lambda s: (
            parcels.create_return_parcel(s, shipment_id=parcel_id, units={line.id: 1}, cause="r", now=depot.kit.now).id
        )
    )
    depot.work()
    for _ in range(2):
        depot.advance(returned, 10)
        depot.tell_all()
    assert depot.status(returned) is ShipmentStatus.DELIVERED
    with depot.database.read() as session:
        messages = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == RETURN_ARRIVED)).all()
        entries = timeline(session, order_id, audience=Audience.STAFF)
    assert [message.payload["units"] for message in messages] == [{str(line.id): 1}]
    assert [entry.what for entry in entries if entry.kind == "return_parcel"][-1] == "delivered"
    assert [entry.what for entry in entries if entry.kind == "parcel"].count("delivered") == 1


def test_two_shops_of_one_account_say_different_ids(depot: Depot) -> None:
    parcel = depot.parcel(depot.pack(depot.order()))
    said = {new_reference(parcel) for _ in range(20)}
    assert len(said) == 20
    assert all(reference.isdigit() and len(reference) <= 50 for reference in said)


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


def test_an_unreadable_answer_is_no_success(depot: Depot) -> None:
    parcel = depot.parcel(depot.send())
    depot.standin.faults.arm(Fault.EMPTY, path_part="label")
    with pytest.raises(Unknown):
        depot.carrier.label(shipment_id=parcel.carrier_shipment_id or "")
