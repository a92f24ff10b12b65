"""Events that cannot be taken in: they wait, go to quarantine, alert somebody once, and can be sent through again."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.payments.till import GatewayOrder, Till, WebhookInbox
from transactional.core.errors import Conflict, NotFound
from transactional.core.models import OutboxMessage
from transactional.orders.service import OrderStatus
from transactional.payments import inbox
from transactional.payments.models import InboxState
from transactional.payments.state import apply_gateway_payment
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.deliveries import Delivery


def receive(till: Till, body: bytes, event_id: str) -> int:
    till.database.run(
        lambda session: inbox.receive(session, raw=body, event_id=event_id, now=till.clock.now()), actor="test"
    )
    with till.database.read() as session:
        return session.scalars(select(WebhookInbox.id).where(WebhookInbox.event_id == event_id)).one()


def event(till: Till, inbox_id: int) -> WebhookInbox:
    with till.database.read() as session:
        return session.get_one(WebhookInbox, inbox_id)


def alerts(till: Till) -> list[str]:
    with till.database.read() as session:
        mails = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail.send")).all()
    return [mail.payload["body"] for mail in mails if mail.payload["key"].startswith("alert:")]


def captured(till: Till) -> Delivery:
    return next(each for each in till.standin.deliveries.listing() if each.event == "payment.captured")


def lost_request(till: Till) -> tuple[int, int]:
    """An order that was paid while the shop had lost the gateway's id of it; gives order and event."""
    order_id = till.place()
    gateway_order_id = till.start(order_id)
    till.standin.pay(gateway_order_id)
    with till.database.unit_of_work(actor="vandal") as session:
        session.scalars(select(GatewayOrder)).one().gateway_order_id = None
    inbox_id = receive(till, captured(till).body, "evt_early")
    till.work()
    return order_id, inbox_id


def wait(till: Till, minutes: int) -> None:
    for _ in range(minutes):
        till.clock.advance(timedelta(minutes=1))
        till.work()
        inbox.sweep(till.database)


def test_an_event_that_comes_before_its_order_is_known_is_applied_later(till: Till) -> None:
    order_id, inbox_id = lost_request(till)
    assert event(till, inbox_id).state is InboxState.RECEIVED
    till.start(order_id)  # the receipt finds the gateway's order again
    wait(till, 2)
    assert event(till, inbox_id).state is InboxState.PROCESSED
    assert till.order(order_id).status is OrderStatus.PAID
    assert alerts(till) == []


def test_an_event_in_quarantine_is_told_once_and_can_be_sent_through_again(till: Till) -> None:
    order_id, inbox_id = lost_request(till)
    wait(till, 12)
    row = event(till, inbox_id)
    assert row.state is InboxState.QUARANTINED
    assert "is not known" in (row.note or "")
    assert [row.event_id in body for body in alerts(till)] == [True]
    till.database.run(
        lambda session: inbox.requeue(session, inbox_id=inbox_id, actor="user:7", now=till.clock.now()), actor="user:7"
    )
    till.work()
    assert event(till, inbox_id).state is InboxState.QUARANTINED  # nothing has changed yet
    assert len(alerts(till)) == 2  # whoever sent it through is told that it did not help
    till.clock.advance(timedelta(seconds=1))
    with till.database.unit_of_work(actor="repair") as session:
        request = session.scalars(select(GatewayOrder)).one()
        request.gateway_order_id = json.loads(row.raw)["payload"]["payment"]["entity"]["order_id"]
    till.database.run(
        lambda session: inbox.requeue(session, inbox_id=inbox_id, actor="user:7", now=till.clock.now()), actor="user:7"
    )
    with pytest.raises(Conflict, match="not in quarantine"), till.database.unit_of_work(actor="test") as session:
        inbox.requeue(session, inbox_id=inbox_id, actor="user:7", now=till.clock.now())
    till.work()
    assert event(till, inbox_id).state is InboxState.PROCESSED
    assert till.order(order_id).status in {OrderStatus.PAID, OrderStatus.CANCELLED}
    assert till.captures() == 1
    with pytest.raises(NotFound), till.database.unit_of_work(actor="test") as session:
        inbox.requeue(session, inbox_id=999, actor="user:7", now=till.clock.now())


@pytest.mark.parametrize("change", [{"amount": 1}, {"currency": "USD"}])
def test_a_forger_who_knows_the_secret_posts_nothing(till: Till, change: dict) -> None:
    order_id = till.place()
    till.standin.pay(till.start(order_id))
    forged = till.standin.deliveries.tamper(captured(till).number, change, signed=True)
    till.take_in([forged])
    assert event(till, 1).state is InboxState.QUARANTINED
    assert (till.captures(), till.payments(order_id)) == (0, [])
    assert till.order(order_id).status is OrderStatus.AWAITING_PAYMENT
    assert len(alerts(till)) == 1
    # The same lie by another bearer is told no second time.
    till.take_in([till.standin.deliveries.replay(forged.number, new_event_id=True)])
    assert len(alerts(till)) == 1


def test_a_refund_over_another_amount_than_ordered_posts_nothing(till: Till) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.work()
    created = next(each for each in till.standin.deliveries.listing() if each.event == "refund.created")
    till.take_in([till.standin.deliveries.tamper(created.number, {"amount": 1}, signed=True)])
    assert event(till, 1).state is InboxState.QUARANTINED
    assert len(alerts(till)) == 1
    assert till.payments(order_id)[0].refunded_minor == 10_000
    till.check_books()


def test_a_malformed_event_is_told(till: Till) -> None:
    inbox_id = receive(till, b'{"event": "payment.captured", "payload": {}}', "evt_1")
    till.work()
    assert event(till, inbox_id).state is InboxState.QUARANTINED
    assert "no payment in the payload" in alerts(till)[0]


def test_one_failing_event_does_not_hold_up_the_others(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = till.place(1), till.place(1)
    bodies = []
    for order_id in (first, second):
        till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
        bodies.append([each.body for each in till.standin.deliveries.listing() if each.event == "order.paid"][-1])
    ids = [receive(till, body, f"evt_{number}") for number, body in enumerate(bodies)]
    poison = json.loads(bodies[0])["payload"]["payment"]["entity"]["id"]

    def failing(session: object, **values: object) -> object:
        if values["snapshot"].payment_id == poison:  # type: ignore[attr-defined]
            raise RuntimeError("a bug")
        return apply_gateway_payment(session, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "apply_gateway_payment", failing)
    till.clock.advance(timedelta(minutes=2))
    assert inbox.sweep(till.database) == 1
    assert [event(till, each).state for each in ids] == [InboxState.RECEIVED, InboxState.PROCESSED]
    till.clock.advance(timedelta(days=1))
    inbox.sweep(till.database)
    row = event(till, ids[0])
    assert (row.state, row.note) == (InboxState.QUARANTINED, "processing fails: RuntimeError")
    assert len(alerts(till)) == 1


@pytest.mark.slow
def test_staff_sees_and_requeues_events_over_http(till: Till, tmp_path: Path) -> None:
    client: TestClient = make_client(till.database, tmp_path)
    make_staff(till.database, "manager@example.com")
    register(till.database, "ravi@example.com")
    staff, shopper = log_in(client, "manager@example.com"), log_in(client, "ravi@example.com")
    ignored = receive(till, b'{"event": "payment.downtime.started", "payload": {}}', "evt_0")
    inbox_id = receive(till, b'{"event": "payment.captured", "payload": {}}', "evt_1")
    till.work()
    events = "/v1/staff/payments/events"
    assert client.get(events, headers=shopper).status_code == 403
    assert client.get(events).status_code == 401
    assert [each["id"] for each in client.get(events, headers=staff).json()["items"]] == [inbox_id, ignored]
    listed = client.get(events, params={"state": "quarantined"}, headers=staff).json()
    assert [(each["id"], each["note"]) for each in listed["items"]] == [
        (inbox_id, "malformed payment.captured: no payment in the payload")
    ]
    assert "raw" not in listed["items"][0]
    assert client.get(events, params={"state": "lost"}, headers=staff).status_code == 422
    one = client.get(f"{events}/{inbox_id}", headers=staff)
    assert json.loads(one.json()["raw"])["event"] == "payment.captured"
    assert client.get(f"{events}/999", headers=staff).status_code == 404
    assert client.post(f"{events}/{inbox_id}/requeue", headers=shopper).status_code == 403
    again = client.post(f"{events}/{inbox_id}/requeue", headers=staff).json()
    assert again["state"] == "received"
    assert again["requeued_by"].startswith("user:")
    assert client.post(f"{events}/{inbox_id}/requeue", headers=staff).status_code == 409
    assert client.post(f"{events}/{ignored}/requeue", headers=staff).status_code == 409
    till.work()
    assert client.get(f"{events}/{inbox_id}", headers=staff).json()["state"] == "quarantined"


@pytest.mark.slow
def test_staff_sees_runs_and_differences_over_http(till: Till, tmp_path: Path) -> None:
    from transactional.payments import service

    client: TestClient = make_client(till.database, tmp_path)
    make_staff(till.database, "manager@example.com")
    staff = log_in(client, "manager@example.com")
    order_id = till.buy()
    service.reconcile(till.database, till.gateway)
    payment_id = till.payments(order_id)[0].id
    for fee in (1, till.payments(order_id)[0].fee_minor):
        with till.database.unit_of_work(actor="vandal") as session:
            session.get_one(service.Payment, payment_id).fee_minor = fee
        till.clock.advance(timedelta(minutes=1))
        service.reconcile(till.database, till.gateway)
    runs = client.get("/v1/staff/payments/reconciliations", headers=staff).json()["items"]
    assert [run["differences_open"] for run in runs] == [0, 1, 0]
    differences = "/v1/staff/payments/differences"
    assert client.get(differences, headers=staff).json()["items"] == []
    closed = client.get(differences, params={"open_only": False}, headers=staff).json()["items"]
    assert [(each["kind"], each["ours_minor"], each["order_id"]) for each in closed] == [("fee", 1, order_id)]
    assert closed[0]["resolved_at"] is not None
    assert client.get(differences).status_code == 401
