"""The state function: every order, repetition and loss of reports ends in one state."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from tests.transactional.payments.till import Till, WebhookInbox, final_state
from transactional.core.errors import NotFound
from transactional.core.models import OutboxMessage
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus
from transactional.payments import inbox, service
from transactional.payments.models import InboxState, PaymentStatus, RefundStatus
from transactional.payments.verification import BadSignature, PaymentMismatch
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.faults import Fault


def test_a_purchase_by_browser(till: Till) -> None:
    order_id = till.place()
    checkout = till.standin.pay(till.start(order_id), method=Method.CARD)
    verification = till.verify(checkout)
    assert verification.payment is not None
    assert verification.payment.status is PaymentStatus.CAPTURED
    assert till.order(order_id).status is OrderStatus.PAID
    total = till.order(order_id).total_minor
    fee = verification.payment.fee_minor
    assert fee is not None
    assert till.balances() == {
        "customer_payments": -total,
        "gateway_clearing": total - fee,
        "gateway_fees": fee - verification.payment.fee_tax_minor,
        "gateway_fee_gst": verification.payment.fee_tax_minor,
    }
    till.verify(checkout)
    till.take_in(till.standin.deliveries.listing())
    assert till.captures() == 1
    till.check_books()


def test_an_authorised_payment_is_captured_at_once(till: Till) -> None:
    order_id = till.place()
    verification = till.verify(till.standin.pay(till.start(order_id), outcome=Outcome.AUTHORIZED))
    assert verification.payment is not None
    assert verification.payment.status is PaymentStatus.CAPTURED
    till.work()
    assert till.captures() == 1


def test_an_authorised_payment_heard_of_by_webhook_is_captured_by_the_worker(till: Till) -> None:
    order_id = till.place()
    till.standin.pay(till.start(order_id), outcome=Outcome.AUTHORIZED)
    till.standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/payments")
    till.take_in(till.standin.deliveries.listing()[:1])
    assert till.order(order_id).status is OrderStatus.PAID
    till.check_books()


def test_the_same_payment_under_a_new_event_id_changes_nothing(till: Till) -> None:
    order_id = till.place()
    till.standin.pay(till.start(order_id))
    till.take_in(till.standin.deliveries.listing())
    before = final_state(till, order_id)
    till.take_in([till.standin.deliveries.replay(number, new_event_id=True) for number in (1, 2, 3)])
    assert final_state(till, order_id) == before
    assert till.count(WebhookInbox) == 6


def test_a_second_payment_of_one_order_goes_back_whole(till: Till) -> None:
    order_id = till.place()
    gateway_order_id = till.start(order_id)
    till.verify(till.standin.pay(gateway_order_id, outcome=Outcome.CAPTURED))
    first = till.payments(order_id)[0]
    # A second capture on a paid order is not possible at the gateway; a report of one must still be handled.
    snapshot = till.gateway.fetch_payment(first.gateway_payment_id)
    other = replace(snapshot, payment_id="pay_" + "B" * 14)
    till.database.run(
        lambda session: service.apply_gateway_payment(session, snapshot=other, source="webhook", now=till.clock.now()),
        actor="test",
    )
    kept, twin = till.payments(order_id)
    assert (kept.captured_minor, kept.refund_pending_minor) == (kept.amount_minor, 0)
    assert (twin.captured_minor, twin.refund_pending_minor) == (twin.amount_minor, twin.amount_minor)
    assert till.order(order_id).status is OrderStatus.PAID
    till.check_books()


def test_of_two_authorised_payments_one_is_captured_and_the_other_lapses(till: Till) -> None:
    order_id = till.place()
    first, second = till.standin.pay_twice(till.start(order_id))
    till.verify(first)
    till.verify(second)
    till.work()
    assert sorted(payment.status for payment in till.payments(order_id)) == ["authorized", "captured"]
    till.clock.advance(timedelta(days=3))
    service.poll_open(till.database, till.gateway)
    assert sorted(payment.status for payment in till.payments(order_id)) == ["captured", "refunded"]
    assert till.captures() == 1
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


def late_authorisation(till: Till, *, stock_gone: bool) -> int:
    """A payment fails, its order expires, days later the bank authorises after all."""
    order_id = till.place(quantity=60)
    failed = till.standin.pay(till.start(order_id), outcome=Outcome.FAILED)
    till.clock.advance(timedelta(minutes=20))
    till.database.run(lambda session: orders.expire_unpaid(session, now=till.clock.now()), actor="test")
    assert till.order(order_id).status is OrderStatus.EXPIRED
    if stock_gone:
        till.buy(quantity=60)
    till.clock.advance(timedelta(days=2))
    till.standin.authorize_late(failed.payment_id)
    till.take_in(till.standin.deliveries.listing())
    return order_id


def test_a_late_payment_revives_its_order_while_the_goods_are_there(till: Till) -> None:
    order_id = late_authorisation(till, stock_gone=False)
    assert till.order(order_id).status is OrderStatus.PAID
    assert till.refunds(order_id) == []
    till.check_books()


def test_a_late_payment_goes_back_when_the_goods_are_gone(till: Till) -> None:
    order_id = late_authorisation(till, stock_gone=True)
    assert till.order(order_id).status is OrderStatus.CANCELLED
    assert [refund.status for refund in till.refunds(order_id)] == [RefundStatus.PROCESSED]
    assert [payment.status for payment in till.payments(order_id)] == [PaymentStatus.REFUNDED]
    till.take_in([till.standin.deliveries.replay(number, new_event_id=True) for number in range(1, 10)])
    assert len(till.refunds(order_id)) == 1
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


def test_a_cancelled_order_is_refunded_and_not_revived_by_late_events(till: Till) -> None:
    order_id = till.buy()
    total = till.order(order_id).total_minor
    till.database.run(
        lambda session: orders.cancel(
            session, order_id=order_id, actor="test", reason="changed my mind", now=till.clock.now()
        ),
        actor="test",
    )
    till.work()
    till.take_in(till.standin.deliveries.listing())
    assert till.order(order_id).status is OrderStatus.CANCELLED
    assert [(refund.status, refund.amount_minor) for refund in till.refunds(order_id)] == [
        (RefundStatus.PROCESSED, total)
    ]
    till.check_books()


def test_an_authorisation_of_a_cancelled_order_is_not_captured(till: Till) -> None:
    order_id = till.place()
    gateway_order_id = till.start(order_id)
    till.database.run(
        lambda session: orders.cancel(session, order_id=order_id, actor="test", reason="x", now=till.clock.now()),
        actor="test",
    )
    till.standin.pay(gateway_order_id, outcome=Outcome.AUTHORIZED)
    till.take_in(till.standin.deliveries.listing())
    assert [payment.status for payment in till.payments(order_id)] == [PaymentStatus.AUTHORIZED]
    till.clock.advance(timedelta(days=3))
    service.poll_open(till.database, till.gateway)
    assert [payment.status for payment in till.payments(order_id)] == [PaymentStatus.REFUNDED]
    assert till.captures() == 0


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "USD"}])
def test_another_amount_or_currency_is_quarantined(till: Till, change: dict) -> None:
    order_id = till.place()
    checkout = till.standin.pay(till.start(order_id))
    snapshot = replace(till.gateway.fetch_payment(checkout.payment_id), **change)
    applied = till.database.run(
        lambda session: service.apply_gateway_payment(
            session, snapshot=snapshot, source="webhook", now=till.clock.now()
        ),
        actor="test",
    )
    assert applied.effect is service.Effect.MISMATCH
    assert till.payments(order_id) == []
    assert till.captures() == 0
    assert till.order(order_id).status is OrderStatus.AWAITING_PAYMENT


def test_a_tampered_but_signed_event_is_quarantined(till: Till) -> None:
    order_id = till.place()
    till.standin.pay(till.start(order_id))
    captured = till.standin.deliveries.listing()[1]
    total = till.order(order_id).total_minor
    forged = captured.body.replace(str(total).encode(), str(total - 99).encode())
    till.database.run(
        lambda session: inbox.receive(session, raw=forged, event_id="evt_forged", now=till.clock.now()), actor="test"
    )
    till.work()
    with till.database.read() as session:
        row = session.get_one(WebhookInbox, 1)
    assert row.state is InboxState.QUARANTINED
    assert str(total - 99) in (row.note or "")
    assert till.captures() == 0


def test_an_event_of_an_unknown_order_waits_and_is_quarantined_after_ten_minutes(till: Till) -> None:
    foreign = till.gateway.create_order(amount_minor=50_000, currency="INR", receipt="somebody-else", notes={})
    till.standin.pay(foreign.order_id, outcome=Outcome.FAILED)
    till.take_in(till.standin.deliveries.listing())
    with till.database.read() as session:
        assert session.get_one(WebhookInbox, 1).state is InboxState.RECEIVED
    for _ in range(10):
        till.clock.advance(timedelta(minutes=2))
        till.work()
    with till.database.read() as session:
        row = session.get_one(WebhookInbox, 1)
    assert row.state is InboxState.QUARANTINED
    assert foreign.order_id in (row.note or "")


@pytest.mark.parametrize(
    "body",
    [
        b'{"event": "settlement.processed", "payload": {}}',
        b'{"event": 7}',
        b'{"payload": null}',
        b'{"event": "payment.captured\\u0000"}',
    ],
)
def test_events_that_concern_nothing_are_ignored(till: Till, body: bytes) -> None:
    till.database.run(
        lambda session: inbox.receive(session, raw=body, event_id=None, now=till.clock.now()), actor="test"
    )
    till.work()
    with till.database.read() as session:
        row = session.get_one(WebhookInbox, 1)
    assert row.state is InboxState.IGNORED
    assert len(row.event_id) == 64


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'"text"', b"[" * 200_000])
def test_a_body_that_is_no_object_is_refused(till: Till, body: bytes) -> None:
    with pytest.raises(inbox.NotJson), till.database.unit_of_work(actor="test") as session:
        inbox.receive(session, raw=body, event_id="evt", now=till.clock.now())
    assert till.count(WebhookInbox) == 0


def test_browser_claims_are_checked(till: Till) -> None:
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id))
    with pytest.raises(BadSignature):
        till.verify(replace(paid, signature="0" * 64))
    with pytest.raises(NotFound):
        till.verify(replace(paid, order_id="order_" + "A" * 14))
    assert till.payments(order_id) == []


def test_a_signed_payment_of_another_order_is_refused(till: Till) -> None:
    from transactional.payments_standin.events import checkout_signature

    cheap, dear = till.place(1), till.place(3)
    paid = till.standin.pay(till.start(cheap))
    dear_id = till.start(dear)
    signature = checkout_signature(dear_id, paid.payment_id, till.standin.config.key_secret)
    with pytest.raises(PaymentMismatch):
        till.verify(replace(paid, order_id=dear_id, signature=signature))
    assert till.order(dear).status is OrderStatus.AWAITING_PAYMENT


def test_a_gateway_that_does_not_answer_loses_nothing(till: Till) -> None:
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id))
    till.standin.faults.arm(Fault.HTML_502, method="GET", path_prefix="/v1/payments")
    assert till.verify(paid).payment is None
    service.poll_open(till.database, till.gateway)
    assert till.order(order_id).status is OrderStatus.PAID


def test_the_sweeper_processes_what_the_outbox_lost(till: Till) -> None:
    order_id = till.place()
    till.standin.pay(till.start(order_id))
    delivery = till.standin.deliveries.listing()[1]
    with till.database.unit_of_work(actor="test") as session:
        inbox.receive(session, raw=delivery.body, event_id=delivery.event_id, now=till.clock.now())
        session.execute(delete(OutboxMessage).where(OutboxMessage.topic == inbox.PROCESS_TOPIC))
    assert inbox.sweep(till.database) == 0
    till.clock.advance(timedelta(minutes=2))
    assert inbox.sweep(till.database) == 1
    assert till.order(order_id).status is OrderStatus.PAID
    assert inbox.sweep(till.database) == 0
