"""Refunds: never more than was captured, sent under one key, posted once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.transactional.payments.till import Till, open_till
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.payments import cash, service
from transactional.payments.models import PaymentStatus, Refund, RefundStatus
from transactional.payments.refunds import gateway_key, refund_due
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import ApiRequest

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


@pytest.fixture
def slow_bank(database: Database, clock: ManualClock) -> Iterator[Till]:
    """A till whose bank leaves refunds pending."""
    opened = open_till(database, clock, config=StandInConfig(refund_outcome="pending"))
    with service.gateway_in_use(opened.gateway):
        yield opened


def test_a_partial_refund_is_sent_and_posted_once(till: Till) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.refund(order_id, 10_000, "key-1")
    payment = till.payments(order_id)[0]
    assert (payment.refunded_minor, payment.refund_pending_minor) == (0, 10_000)
    till.work()
    till.take_in(till.standin.deliveries.listing())
    payment = till.payments(order_id)[0]
    assert (payment.refunded_minor, payment.refund_pending_minor) == (10_000, 0)
    assert payment.status is PaymentStatus.CAPTURED
    assert [refund.status for refund in till.refunds(order_id)] == [RefundStatus.PROCESSED]
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


def test_refunds_are_bounded_by_what_was_captured(till: Till) -> None:
    order_id = till.buy()
    total = till.order(order_id).total_minor
    till.refund(order_id, total - 1, "key-1")
    with pytest.raises(service.RefundTooLarge, match="1 can be given back"):
        till.refund(order_id, 2, "key-2")
    till.refund(order_id, 1, "key-3")
    till.work()
    with pytest.raises(service.RefundTooLarge):
        till.refund(order_id, 1, "key-4")
    assert till.payments(order_id)[0].status is PaymentStatus.REFUNDED
    till.check_books()


def test_wrong_requests_are_refused(till: Till) -> None:
    order_id, unpaid = till.buy(), till.place()
    till.refund(order_id, 100, "key-1")
    with pytest.raises(IdempotencyMismatch):
        till.refund(order_id, 200, "key-1")
    with pytest.raises(InvalidInput):
        till.refund(order_id, 0, "key-2")
    with pytest.raises(service.RefundTooLarge):
        till.refund(unpaid, 100, "key-3")
    with pytest.raises(NotFound):
        till.refund(99_999, 100, "key-4")


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.HTML_502, Fault.RATE_LIMITED, Fault.SERVER_ERROR])
def test_an_unclear_answer_is_repeated_under_the_same_key(till: Till, fault: Fault) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.standin.faults.arm(fault, path_prefix="/v1/payments", times=2)
    till.work()
    assert till.refunds(order_id)[0].status is RefundStatus.PENDING
    till.clock.advance(timedelta(seconds=2))
    till.work()
    till.clock.advance(timedelta(seconds=4))
    till.work()
    refund = till.refunds(order_id)[0]
    assert refund.status is RefundStatus.PROCESSED
    assert len(till.gateway.payment_refunds(till.payments(order_id)[0].gateway_payment_id)) == 1
    keys = {record.idempotency_key for record in till.standin.requests() if record.path.endswith("/refund")}
    assert len(keys) == 1
    till.check_books()


@pytest.mark.slow
def test_the_webhook_may_overtake_the_answer(till: Till) -> None:
    order_id = till.buy()
    till.take_in(till.standin.deliveries.listing())
    till.refund(order_id, 10_000, "key-1")
    till.standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/payments")
    till.work()
    till.take_in(till.standin.deliveries.listing()[3:])
    refund = till.refunds(order_id)[0]
    assert (refund.status, refund.idempotency_key) == (RefundStatus.PROCESSED, "key-1")
    assert len(till.refunds(order_id)) == 1


def test_a_cancelled_order_gives_back_what_staff_have_not_given_back_before(till: Till) -> None:
    order_id, whole = till.buy(), till.buy()
    till.refund(order_id, 5_000, "goodwill")
    till.refund(whole, till.order(whole).total_minor, "all of it")
    for each in (order_id, whole):
        till.database.run(
            lambda session, each=each: orders.cancel(
                session, order_id=each, actor="test", reason="changed my mind", now=till.clock.now()
            ),
            actor="test",
        )
    till.work()
    for each in (order_id, whole):
        payment = till.payments(each)[0]
        assert (payment.status, payment.refunded_minor) == (PaymentStatus.REFUNDED, payment.captured_minor)
    assert len(till.refunds(order_id)) == 2
    assert len(till.refunds(whole)) == 1
    till.check_books()


def test_what_an_order_gave_up_waits_for_its_payment(till: Till) -> None:
    order_id = till.place()

    def give_up() -> None:
        with till.database.unit_of_work(actor="test") as session:
            refund_due(
                session, order_id=order_id, amount_minor=100, reason="x", idempotency_key="due", now=till.clock.now()
            )

    with pytest.raises(service.RefundTooLarge):
        give_up()
    till.verify(till.standin.pay(till.start(order_id)))
    give_up()
    give_up()
    assert [refund.amount_minor for refund in till.refunds(order_id)] == [100]


def test_a_refund_that_fails_can_be_ordered_again(slow_bank: Till) -> None:
    till = slow_bank
    order_id = till.buy()
    total = till.order(order_id).total_minor
    till.refund(order_id, total, "key-1")
    till.work()
    refund = till.refunds(order_id)[0]
    assert (refund.status, refund.gateway_refund_id is not None) == (RefundStatus.PENDING, True)
    till.standin.settle_refund(refund.gateway_refund_id or "", "failed")
    till.take_in(reversed(till.standin.deliveries.listing()))
    assert till.refunds(order_id)[0].status is RefundStatus.FAILED
    assert till.payments(order_id)[0].refund_pending_minor == 0
    till.refund(order_id, total, "key-2")
    till.work()
    till.standin.settle_refund(till.refunds(order_id)[1].gateway_refund_id or "", "processed")
    service.poll_open(till.database, till.gateway)
    assert till.payments(order_id)[0].status is PaymentStatus.REFUNDED
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


def test_a_refused_refund_fails_and_frees_its_amount(till: Till) -> None:
    order_id = till.buy()
    payment = till.payments(order_id)[0]
    # Somebody gives half of it back in the gateway's dashboard, which nobody tells us.
    half = payment.amount_minor // 2
    body = f'{{"amount": {half}}}'.encode()
    till.standin.handle(
        ApiRequest("POST", f"/v1/payments/{payment.gateway_payment_id}/refund", headers=AUTH, body=body)
    )
    till.refund(order_id, payment.amount_minor, "key-1")
    till.work()
    ours = till.refunds(order_id)[0]
    assert ours.status is RefundStatus.FAILED
    service.reconcile(till.database, till.gateway)
    assert [(refund.status, refund.amount_minor) for refund in till.refunds(order_id)[1:]] == [
        (RefundStatus.PROCESSED, half)
    ]
    assert service.reconcile(till.database, till.gateway).differences == []
    till.check_books()


def test_what_the_gateway_gave_back_by_itself_is_not_given_back_twice(till: Till) -> None:
    order_id = till.buy()
    payment = till.payments(order_id)[0]
    till.refund(order_id, payment.amount_minor, "key-1")
    till.standin.handle(ApiRequest("POST", f"/v1/payments/{payment.gateway_payment_id}/refund", headers=AUTH))
    till.work()
    refunds = till.refunds(order_id)
    assert [(refund.status, refund.amount_minor) for refund in refunds] == [
        (RefundStatus.PROCESSED, payment.amount_minor)
    ]
    assert till.payments(order_id)[0].status is PaymentStatus.REFUNDED
    till.check_books()


def test_cash_on_delivery_is_posted_and_paid_back_by_hand(till: Till) -> None:
    order_id = till.place(mode="on_delivery")
    till.deliver(order_id)
    till.work()
    total = till.order(order_id).total_minor
    assert till.balances() == {"cash": total, "customer_payments": -total}
    refund_id = till.refund(order_id, 5_000, "key-1")
    till.work()
    assert till.refunds(order_id)[0].status is RefundStatus.PENDING

    def confirm() -> None:
        till.database.run(
            lambda session: cash.confirm_cash_refund(session, refund_id=refund_id, now=till.clock.now()), actor="test"
        )

    confirm()
    with pytest.raises(Conflict, match="already"):
        confirm()
    assert till.balances() == {"cash": total - 5_000, "customer_payments": 5_000 - total}
    till.check_books()


def test_gateway_refunds_cannot_be_confirmed_by_hand(till: Till) -> None:
    order_id = till.buy()
    refund_id = till.refund(order_id, 5_000, "key-1")
    with pytest.raises(Conflict, match="gateway"), till.database.unit_of_work(actor="test") as session:
        cash.confirm_cash_refund(session, refund_id=refund_id, now=till.clock.now())
    with pytest.raises(NotFound), till.database.unit_of_work(actor="test") as session:
        cash.confirm_cash_refund(session, refund_id=99, now=till.clock.now())


def test_reconciliation_names_what_differs(till: Till) -> None:
    order_id = till.place()
    till.start(order_id)
    paid = till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
    assert service.reconcile(till.database, till.gateway).differences == []
    payment = till.payments(order_id)[0]
    assert payment.captured_minor
    with till.database.unit_of_work(actor="vandal") as session:
        session.get_one(service.Payment, payment.id).fee_minor = 1
    differences = service.reconcile(till.database, till.gateway).differences
    assert [(difference.kind, difference.ours_minor) for difference in differences] == [("fee", 1)]
    assert differences[0].gateway_payment_id == paid.payment_id


def test_a_refund_that_the_outbox_gave_up_is_sent_by_the_poller(till: Till) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/payments", times=10)
    for _ in range(10):
        till.work()
        till.clock.advance(timedelta(minutes=20))
    assert till.refunds(order_id)[0].status is RefundStatus.PENDING
    service.poll_open(till.database, till.gateway)
    assert till.refunds(order_id)[0].status is RefundStatus.PROCESSED
    assert len(till.gateway.payment_refunds(till.payments(order_id)[0].gateway_payment_id)) == 1
    till.check_books()


def test_our_key_for_other_money_is_another_key_at_the_gateway(till: Till) -> None:
    first, second = till.buy(), till.buy()
    keys = []
    for order_id in (first, second):
        payment = till.payments(order_id)[0]
        refund = Refund(payment_id=payment.id, order_id=order_id, idempotency_key="change:1")
        keys.append(gateway_key(refund, payment))
        assert keys[-1] == gateway_key(refund, payment), "a repetition is the same refund"
    assert keys[0] != keys[1]
