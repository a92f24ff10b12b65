"""The state function: every order, repetition and loss of reports ends in one state."""

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from tests.transactional.payments.till import Till, WebhookInbox
from transactional.core.errors import NotFound
from transactional.core.models import OutboxMessage
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus
from transactional.payments import inbox, service
from transactional.payments.models import InboxState, PaymentStatus, RefundStatus
from transactional.payments.verification import BadSignature, PaymentMismatch
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.deliveries import Delivery
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import ApiRequest

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


def final_state(till: Till, order_id: int) -> tuple:
    """Everything that must not depend on the order of events; row ids and times may."""
    payments = sorted(
        (p.gateway_payment_id, p.status, p.captured_minor, p.refunded_minor, p.refund_pending_minor, p.fee_minor)
        for p in till.payments(order_id)
    )
    refunds = sorted((r.gateway_refund_id, r.status, r.amount_minor) for r in till.refunds(order_id))
    return till.order(order_id).status, payments, refunds, sorted(till.balances().items()), till.captures()


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


def events_of_a_purchase_with_refund(till: Till, order_id: int) -> list[Delivery]:
    """A failed attempt, a card payment that is captured, a partial refund ordered at the gateway."""
    gateway_order_id = till.start(order_id)
    till.standin.pay(gateway_order_id, outcome=Outcome.FAILED)
    paid = till.standin.pay(gateway_order_id, method=Method.CARD, outcome=Outcome.CAPTURED)
    till.standin.handle(
        ApiRequest("POST", f"/v1/payments/{paid.payment_id}/refund", headers=AUTH, body=b'{"amount": 20000}')
    )
    return till.standin.deliveries.listing()


@dataclass(frozen=True)
class Purchase:
    """A shop just before the events of a purchase arrive, and the events."""

    till: Till
    shop: Path
    before: Path
    order_id: int
    events: Sequence[Delivery]

    def after(self, positions: Sequence[int], *, reconcile: bool = False) -> tuple:
        """The final state when the events at these positions arrive one after the other."""
        # The engine stays, only its file goes back: a new engine would compile every statement anew.
        self.till.database.engine.dispose()
        shutil.copy(self.before, self.shop)
        self.till.take_in(self.events[position] for position in positions)
        if reconcile:
            assert service.reconcile(self.till.database, self.till.gateway).differences == []
        self.till.check_books()
        return final_state(self.till, self.order_id)

    @cached_property
    def expected(self) -> tuple:
        """The state after the events in the order in which they happened."""
        return self.after(range(len(self.events)))


@pytest.fixture
def purchase(till: Till, tmp_path: Path) -> Purchase:
    order_id = till.place()
    events = events_of_a_purchase_with_refund(till, order_id)
    till.database.engine.dispose()  # the last connection to close writes the WAL back into the file
    shop, before = tmp_path / "shop.db", tmp_path / "before.db"
    shutil.copy(shop, before)
    return Purchase(till, shop, before, order_id, events)


def test_the_events_in_their_order(purchase: Purchase) -> None:
    assert [event.event for event in purchase.events] == [
        "payment.failed",
        "payment.authorized",
        "payment.captured",
        "order.paid",
        "refund.created",
        "refund.processed",
    ]
    status, payments, refunds, balances, captures = purchase.after(range(6))
    assert status is OrderStatus.PAID
    assert [payment[1:4] for payment in payments] == [
        (PaymentStatus.FAILED, 0, 0),
        (PaymentStatus.CAPTURED, 109_899, 20_000),
    ] or [payment[1:4] for payment in payments] == [
        (PaymentStatus.CAPTURED, 109_899, 20_000),
        (PaymentStatus.FAILED, 0, 0),
    ]
    assert [refund[1:] for refund in refunds] == [(RefundStatus.PROCESSED, 20_000)]
    assert dict(balances)["customer_payments"] == -89_899
    assert captures == 1


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(6)),
    repeated=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 11)), max_size=4),
)
def test_permuted_and_repeated_events_end_in_one_state(
    purchase: Purchase, order: list[int], repeated: list[tuple[int, int]]
) -> None:
    sequence = list(order)
    for event, place in repeated:
        sequence.insert(place, event)
    assert purchase.after(sequence) == purchase.expected


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(heard=st.permutations(range(6)).flatmap(lambda order: st.integers(0, 5).map(lambda count: order[:count])))
def test_lost_events_are_made_good_by_the_reconciler(purchase: Purchase, heard: list[int]) -> None:
    assert purchase.after(heard, reconcile=True) == purchase.expected


@pytest.mark.slow
def test_all_permutations_end_in_one_state(purchase: Purchase) -> None:
    # The failed attempt comes first: it touches a row of its own, and 120 sequences are enough of an answer.
    for order in itertools.permutations(range(1, 6)):
        assert purchase.after([0, *order]) == purchase.expected, order


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
    forged = captured.body.replace(b"109899", b"109800")
    till.database.run(
        lambda session: inbox.receive(session, raw=forged, event_id="evt_forged", now=till.clock.now()), actor="test"
    )
    till.work()
    with till.database.read() as session:
        row = session.get_one(WebhookInbox, 1)
    assert row.state is InboxState.QUARANTINED
    assert "109800" in (row.note or "")
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
