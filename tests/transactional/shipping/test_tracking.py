"""Scans from webhooks and from polling: one timeline, and orders hear of it once."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.transactional.shipping.depot import Depot
from transactional.core.models import OutboxMessage
from transactional.orders.service import OrderStatus
from transactional.shipping import inbox, jobs, ndr, parcels, polling
from transactional.shipping.models import ShipmentEvent, ShipmentStatus, TrackingInbox, TrackingInboxState
from transactional.shipping.ndr import NdrAction
from transactional.shipping.tracking import DELIVERED, PICKED_UP, RETURNED
from transactional.shipping_standin.entities import Scan
from transactional.shipping_standin.faults import Fault

S = ShipmentStatus


def told(depot: Depot) -> list[str]:
    """The topics that orders have been told, in order."""
    with depot.database.read() as session:
        topics = session.scalars(select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()
    return [topic for topic in topics if topic in {PICKED_UP, DELIVERED, RETURNED}]


def test_a_parcel_s_way_by_webhooks(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 2)
    depot.tell_all()
    assert depot.status(parcel_id) is S.PICKED_UP
    assert depot.order_of(parcel_id).status is OrderStatus.SHIPPED
    on_its_way = depot.parcel(parcel_id)
    assert on_its_way.pickup_date is not None
    assert on_its_way.expected_delivery_at is not None
    assert on_its_way.expected_delivery_at.date() > on_its_way.pickup_date, "no courier promises the day it comes"
    depot.advance(parcel_id, 10)
    depot.tell_all()
    parcel = depot.parcel(parcel_id)
    assert parcel.status is S.DELIVERED
    assert parcel.delivered_at == depot.at_carrier(parcel_id).delivered_at
    assert parcel.cost_minor == parcel.quoted_minor
    assert depot.order_of(parcel_id).status is OrderStatus.DELIVERED
    assert told(depot) == [PICKED_UP, DELIVERED]
    assert depot.kit.level(depot.variant_id) == (99, 0)


def test_a_webhook_alone_delivers_nothing(depot: Depot) -> None:
    parcel_id = depot.send()
    forged = {
        "awb": depot.parcel(parcel_id).tracking_number,
        "shipment_status_id": 7,
        "current_timestamp": "15 01 2026 15:30:00",
        "scans": [{"date": "2026-01-15 15:30:00", "status": "DLVD", "sr-status": "7", "activity": "yes"}],
    }
    depot.tell(json.dumps(forged).encode())
    depot.work()
    assert depot.status(parcel_id) is S.PICKUP_SCHEDULED
    assert told(depot) == []
    assert len(depot.standin.requests(path_part="track/awbs")) == 1, "the carrier was asked"
    (claim,) = [event for event in depot.events(parcel_id) if event.status is S.DELIVERED]
    assert not claim.confirmed


def test_a_claim_is_confirmed_by_the_carrier_s_own_word(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 20)
    depot.standin.faults.arm(Fault.HTML_502, path_part="track/awbs", times=1)
    depot.tell(depot.standin.webhooks.listing()[-1].body)
    depot.work()
    assert depot.status(parcel_id) is S.OUT_FOR_DELIVERY, "the carrier could not be asked yet"
    depot.work(patience=timedelta(minutes=1))
    assert depot.status(parcel_id) is S.DELIVERED


@pytest.mark.parametrize(
    ("script", "status", "order_status"),
    [
        ("ndr", S.DELIVERED, OrderStatus.DELIVERED),
        ("rto", S.RTO_DELIVERED, OrderStatus.CANCELLED),
        ("pickup_trouble", S.DELIVERED, OrderStatus.DELIVERED),
    ],
)
def test_other_ways_by_polling_alone(
    depot: Depot, script: str, status: ShipmentStatus, order_status: OrderStatus
) -> None:
    parcel_id = depot.send(script=script)
    seen = []
    for _ in range(14):
        depot.advance(parcel_id)
        polling.poll_active(depot.database, depot.carrier)
        depot.work()
        seen.append(depot.status(parcel_id))
    assert seen[-1] is status
    assert depot.order_of(parcel_id).status is order_status
    end = RETURNED if order_status is OrderStatus.CANCELLED else DELIVERED
    assert told(depot) == [PICKED_UP, end]
    depot.kit.assert_sound()


def test_a_return_to_origin_costs_its_way_back(depot: Depot) -> None:
    parcel_id = depot.send(script="rto")
    depot.advance(parcel_id, 20)
    depot.tell_all()
    parcel = depot.parcel(parcel_id)
    assert parcel.status is S.RTO_DELIVERED
    assert (parcel.cost_minor or 0) > (parcel.quoted_minor or 0)
    assert depot.kit.level(depot.variant_id) == (100, 0), "what came home lies on the shelf again"


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_and_duplication_of_webhooks_gives_the_same_timeline(depot: Depot, data: st.DataObject) -> None:
    parcel_id = depot.send(script=data.draw(st.sampled_from(["normal", "ndr", "rto", "lost"])))
    depot.advance(parcel_id, 20)
    mine = depot.parcel(parcel_id).tracking_number or ""
    bodies = [each.body for each in depot.standin.webhooks.listing() if mine in each.body.decode()]
    indexes = st.lists(st.integers(0, len(bodies) - 1), min_size=1, max_size=2 * len(bodies))
    reached = []
    for index in [*data.draw(indexes), len(bodies) - 1]:
        depot.tell(bodies[index] + b" " * data.draw(st.integers(0, 2)))
        depot.work()
        reached.append(depot.status(parcel_id))
    parcel = depot.parcel(parcel_id)
    history = {scan.code for scan in depot.at_carrier(parcel_id).scans}
    assert {event.code for event in depot.events(parcel_id)} - {""} == history
    twin = {event.scan_key for event in depot.events(parcel_id)}
    depot.tell(json.dumps({**json.loads(bodies[-1]), "again": True}).encode())
    polling.confirm(depot.database, depot.carrier, shipment_id=parcel_id)
    depot.work()
    assert {event.scan_key for event in depot.events(parcel_id)} == twin
    assert depot.status(parcel_id) is parcel.status is reached[-1]


def test_scans_of_one_minute_of_tomorrow_and_of_unknown_codes(depot: Depot) -> None:
    parcel_id = depot.send()
    parcel = depot.at_carrier(parcel_id)
    now = depot.clock.now()
    for code in ("42", "18", "999", "NA"):
        depot.standin.journeys.add(parcel, Scan(now, code, None, f"X-{code}", "same minute", "hub"))
    depot.standin.journeys.add(parcel, Scan(now + timedelta(days=3), "7", None, "X", "from the future", "hub"))
    depot.tell_all()
    assert depot.status(parcel_id) is S.IN_TRANSIT
    assert {event.code for event in depot.events(parcel_id)} >= {"42", "18", "999", "NA"}
    assert all(event.activity != "from the future" for event in depot.events(parcel_id))


def test_a_late_older_scan_after_the_delivery_changes_nothing(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 20)
    depot.tell_all()
    earlier = depot.clock.now() - timedelta(hours=2)
    depot.standin.journeys.add(depot.at_carrier(parcel_id), Scan(earlier, "21", None, "LATE", "nobody home", "hub"))
    depot.tell_all()
    assert depot.status(parcel_id) is S.DELIVERED
    assert told(depot) == [PICKED_UP, DELIVERED]
    assert any(event.courier_status == "LATE" for event in depot.events(parcel_id)), "it is kept all the same"


NOBODYS = [b'{"awb": "x", "scans": []}', b"no json", b"[]", b"\xff\xfe", b'{"awb": null}', b'{"order_id": "1-2"}', b""]


def test_what_belongs_to_nobody_is_kept_and_ignored(depot: Depot) -> None:
    for body in [*NOBODYS, *NOBODYS]:
        depot.tell(body)
    depot.work()
    with depot.database.read() as session:
        rows = session.scalars(select(TrackingInbox)).all()
    assert [row.state for row in rows] == [TrackingInboxState.IGNORED] * len(NOBODYS)
    assert all(row.note for row in rows)


def test_a_webhook_without_a_number_is_found_by_the_carrier_s_order(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 2)
    body = json.loads(depot.standin.webhooks.listing()[-1].body)
    depot.tell(json.dumps({**body, "awb": None}).encode())
    depot.work()
    assert depot.status(parcel_id) is S.PICKED_UP


def test_webhooks_whose_message_got_lost_are_swept(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 2)
    depot.tell(depot.standin.webhooks.listing()[-1].body)
    depot.clock.advance(timedelta(minutes=2))
    assert inbox.sweep(depot.database) == 1
    assert inbox.sweep(depot.database) == 0
    assert depot.status(parcel_id) is S.PICKED_UP


def test_polling_asks_in_batches_and_leaves_finished_parcels_alone(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "BATCH", 2)
    sent = [depot.send() for _ in range(3)]
    depot.advance(sent[0], 20)
    polling.poll_active(depot.database, depot.carrier)
    assert len(depot.standin.requests(path_part="track/awbs")) == 2
    depot.standin.faults.arm(Fault.PHP_500, path_part="track/awbs", times=1)
    assert polling.poll_active(depot.database, depot.carrier) == 0, "no answer, nothing lost"
    assert polling.poll_active(depot.database, depot.carrier) == 2
    jobs.poll_parcels(depot.database)
    assert depot.status(sent[0]) is S.DELIVERED


def test_an_order_is_delivered_when_its_last_parcel_is(depot: Depot) -> None:
    order_id = depot.order(3)
    (line,) = depot.kit.lines(order_id)
    first, second = depot.pack(order_id, {line.id: 1}), depot.pack(order_id)
    depot.work()
    with pytest.raises(parcels.Conflict, match="every unit"):
        depot.pack(order_id)
    states = []
    for parcel_id, steps in ((first, 2), (second, 2), (first, 20), (second, 20)):
        depot.advance(parcel_id, steps)
        depot.tell_all()
        states.append(depot.kit.order(order_id).status)
    assert states == ["partially_shipped", "shipped", "partially_delivered", "delivered"]
    assert sum(depot.parcel(each).declared_minor for each in (first, second)) == 99_999


def test_instructions_for_an_undelivered_parcel(depot: Depot) -> None:
    parcel_id = depot.send(script="ndr")
    depot.advance(parcel_id, 8)
    depot.tell_all()
    assert depot.status(parcel_id) is S.UNDELIVERED

    def instruct(action: NdrAction) -> None:
        depot.kit.run(
            lambda s: (
                ndr.instruct(
                    s, shipment_id=parcel_id, action=action, comments="try again", more={}, now=depot.kit.now
                ).id
            )
        )

    instruct(NdrAction.RE_ATTEMPT)
    with pytest.raises(parcels.Conflict, match="already"):
        instruct(NdrAction.RE_ATTEMPT)
    depot.work()
    assert depot.at_carrier(parcel_id).ndr[-1]["action"] == "re-attempt"
    depot.advance(parcel_id)
    depot.tell_all()
    assert depot.status(parcel_id) is S.OUT_FOR_DELIVERY, "the one step back that is allowed"
    with pytest.raises(parcels.Conflict, match="nothing to be told"):
        instruct(NdrAction.RETURN)


def test_the_shop_s_own_parcels_are_noted_by_hand(depot: Depot) -> None:
    order_id = depot.order(2)
    parcel_id = depot.pack(order_id, carrier="own")
    depot.work()
    assert depot.standin.requests() == []

    def note(status: ShipmentStatus, **more: object) -> None:
        values = {"note": "", "at": depot.kit.now, "actor": "user:1", "now": depot.kit.now, **more}
        depot.kit.run(lambda s: parcels.note_by_hand(s, shipment_id=parcel_id, status=status, **values).id)

    note(S.PICKED_UP)
    depot.work()
    assert depot.kit.order(order_id).status is OrderStatus.SHIPPED
    with pytest.raises(parcels.InvalidInput, match="not happened yet"):
        note(S.DELIVERED, at=depot.kit.now + timedelta(minutes=1))
    note(S.DELIVERED)
    depot.work()
    assert depot.kit.order(order_id).status is OrderStatus.DELIVERED
    with pytest.raises(parcels.Conflict, match="delivered already"):
        note(S.LOST)


def test_a_delivery_for_review_waits_for_staff(depot: Depot) -> None:
    parcel_id = depot.send()
    depot.advance(parcel_id, 7)
    at = depot.clock.now()
    depot.standin.journeys.add(depot.at_carrier(parcel_id), Scan(at, "26", None, "FULFILLED", "elsewhere", "hub"))
    depot.tell_all()
    parcel = depot.parcel(parcel_id)
    assert (parcel.status, parcel.problem) == (S.OUT_FOR_DELIVERY, "fulfilled")
    depot.kit.run(
        lambda s: (
            parcels.note_by_hand(
                s, shipment_id=parcel_id, status=S.DELIVERED, note="called her", at=at, actor="user:1", now=at
            ).id
        )
    )
    depot.work()
    assert depot.order_of(parcel_id).status is OrderStatus.DELIVERED


def test_staff_does_not_overrule_the_carrier(depot: Depot) -> None:
    parcel_id = depot.send()
    with pytest.raises(parcels.Conflict, match="the carrier tells"):
        depot.kit.run(
            lambda s: (
                parcels.note_by_hand(
                    s,
                    shipment_id=parcel_id,
                    status=S.DELIVERED,
                    note="",
                    at=depot.kit.now,
                    actor="x",
                    now=depot.kit.now,
                ).id
            )
        )


def test_a_parcel_from_before_scans_were_kept_goes_on_from_where_it_stood(depot: Depot) -> None:
    order_id = depot.kit.buy({depot.variant_id: 1})
    depot.kit.ship(order_id)
    with depot.database.read() as session:
        assert session.scalar(select(func.count()).select_from(ShipmentEvent)) == 0
    depot.kit.run(lambda s: depot_deliver(s, order_id, depot))
    with depot.database.read() as session:
        statuses = session.scalars(select(ShipmentEvent.status).order_by(ShipmentEvent.id)).all()
    assert statuses == [S.PICKED_UP, S.DELIVERED]
    assert told(depot) == [], "the order knew it already"


def depot_deliver(session: object, order_id: int, depot: Depot) -> int:
    from transactional.orders import service as orders

    return orders.deliver(session, order_id=order_id, actor="test", now=depot.kit.now).id


def test_the_first_report_decides_nothing_on_postgres_either(any_depot: Depot) -> None:
    depot = any_depot
    parcel_id = depot.send()
    depot.advance(parcel_id, 20)
    for delivery in reversed(depot.standin.webhooks.listing()):
        depot.tell(delivery.body)
    depot.work()
    assert depot.status(parcel_id) is S.DELIVERED
    assert depot.order_of(parcel_id).status is OrderStatus.DELIVERED
    assert depot.parcel(parcel_id).shipped_at is not None
