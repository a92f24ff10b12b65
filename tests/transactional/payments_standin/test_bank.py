"""What time does to payments, and banks that answer late."""

from datetime import timedelta

import pytest

from transactional.core.clock import ManualClock
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import ApiRequest, Gateway
from transactional.payments_standin.refusals import Refusal

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


def call(gateway: Gateway, method: str, path: str, body: bytes = b"") -> dict:
    import json

    answer = gateway.handle(ApiRequest(method, path, headers=AUTH, body=body))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def order_id(gateway: Gateway) -> str:
    return call(gateway, "POST", "/v1/orders", b'{"amount": 50000, "currency": "INR"}')["id"]


def payment(gateway: Gateway, payment_id: str) -> dict:
    return call(gateway, "GET", f"/v1/payments/{payment_id}")


@pytest.fixture
def gateway(clock: ManualClock) -> Gateway:
    return Gateway(clock=clock)


def test_a_silent_bank_fails_after_ten_minutes_and_may_answer_within_three_days(
    gateway: Gateway, clock: ManualClock
) -> None:
    silent = gateway.pay(order_id(gateway), outcome=Outcome.SILENT).payment_id
    clock.advance(timedelta(minutes=9, seconds=59))
    assert payment(gateway, silent)["status"] == "created"
    clock.advance(timedelta(seconds=1))
    failed = payment(gateway, silent)
    assert (failed["status"], failed["error_reason"]) == ("failed", "payment_timed_out")
    clock.advance(timedelta(days=2))
    gateway.authorize_late(silent)
    late = payment(gateway, silent)
    assert (late["status"], late["error_code"]) == ("authorized", None)


def test_after_the_late_window_nothing_is_authorized(gateway: Gateway, clock: ManualClock) -> None:
    silent = gateway.pay(order_id(gateway), outcome=Outcome.SILENT).payment_id
    clock.advance(timedelta(days=3))
    with pytest.raises(ValueError, match="too old"):
        gateway.authorize_late(silent)


def test_what_nobody_captures_is_given_back_after_three_days(gateway: Gateway, clock: ManualClock) -> None:
    paid = gateway.pay(order_id(gateway), outcome=Outcome.AUTHORIZED).payment_id
    clock.advance(timedelta(days=3))
    given_back = payment(gateway, paid)
    assert (given_back["status"], given_back["captured"], given_back["refund_status"]) == ("refunded", False, "full")


@pytest.mark.parametrize(("gives_back", "status"), [(True, "refunded"), (False, "authorized")])
def test_a_late_payment_of_a_paid_order(clock: ManualClock, gives_back: bool, status: str) -> None:
    gateway = Gateway(StandInConfig(refunds_late_duplicates=gives_back), clock=clock)
    order = order_id(gateway)
    late = gateway.pay(order, outcome=Outcome.FAILED).payment_id
    gateway.pay(order, outcome=Outcome.CAPTURED)
    gateway.authorize_late(late)
    assert payment(gateway, late)["status"] == status


def test_a_paid_order_takes_no_new_payment(gateway: Gateway) -> None:
    order = order_id(gateway)
    gateway.pay(order)
    with pytest.raises(Refusal, match="already paid"):
        gateway.pay(order)


def test_a_pending_refund_that_fails_gives_the_money_back_to_the_shop(clock: ManualClock) -> None:
    gateway = Gateway(StandInConfig(refund_outcome="pending"), clock=clock)
    paid = gateway.pay(order_id(gateway)).payment_id
    refund = call(gateway, "POST", f"/v1/payments/{paid}/refund")
    assert (refund["status"], payment(gateway, paid)["status"]) == ("pending", "refunded")
    gateway.settle_refund(refund["id"], "failed")
    assert (payment(gateway, paid)["status"], payment(gateway, paid)["amount_refunded"]) == ("captured", 0)
    with pytest.raises(ValueError, match="already"):
        gateway.settle_refund(refund["id"], "processed")


def test_refunds_of_old_payments_fail(gateway: Gateway, clock: ManualClock) -> None:
    paid = gateway.pay(order_id(gateway)).payment_id
    clock.advance(timedelta(days=181))
    assert call(gateway, "POST", f"/v1/payments/{paid}/refund")["status"] == "failed"
