"""Payments over HTTP, from the started payment to the webhook's door."""

import json
import random
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.payments.till import SECRET, Till, WebhookInbox
from transactional.core.models import OutboxMessage
from transactional.core.rawbody import MAX_WEBHOOK_BYTES
from transactional.orders.service import OrderStatus
from transactional.payments import service
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.deliveries import Delivery
from transactional.payments_standin.events import sign
from transactional.payments_standin.faults import Fault

HOOK = "/v1/webhooks/razorpay"


@pytest.fixture
def client(till: Till, tmp_path: Path) -> TestClient:
    return make_client(till.database, tmp_path)


@pytest.fixture
def asha(client: TestClient) -> dict[str, str]:
    return log_in(client)


def keyed(headers: dict[str, str], key: str = "0f8fad5b-d9cb-469f-a165-70867728950e") -> dict[str, str]:
    return {**headers, "Idempotency-Key": key}


def start(client: TestClient, till: Till, headers: dict[str, str], order_id: int, key: str = "k" * 36) -> dict:
    answer = client.post(f"/v1/orders/{till.order(order_id).order_number}/payments", headers=keyed(headers, key))
    assert answer.status_code == 201, answer.text
    return answer.json()


def hook(client: TestClient, delivery: Delivery, **changes: str) -> object:
    return client.post(HOOK, content=delivery.body, headers={**delivery.headers, **changes})


def test_a_purchase_over_http(client: TestClient, till: Till, asha: dict[str, str]) -> None:
    order_id = till.place()
    started = start(client, till, asha, order_id)
    assert started == {
        "gateway": "razorpay",
        "key_id": "rzp_test_local",
        "gateway_order_id": started["gateway_order_id"],
        "amount_minor": till.order(order_id).total_minor,
        "currency": "INR",
        "expires_at": None,
    }
    assert start(client, till, asha, order_id, "another key of 36 characters at lea") == started
    checkout = till.standin.pay(started["gateway_order_id"]).render()
    for _ in range(2):
        answer = client.post("/v1/payments/verify", json=checkout)
        assert answer.json() == {
            "order_number": till.order(order_id).order_number,
            "order_status": "paid",
            "payment_status": "captured",
        }
    for delivery in till.standin.deliveries.listing():
        assert hook(client, delivery).json() == {"new": True}
        assert hook(client, delivery).json() == {"new": False}
    till.work()
    assert till.captures() == 1
    till.check_books()


def test_only_the_customer_can_start_a_payment(client: TestClient, till: Till, asha: dict[str, str]) -> None:
    register(till.database, "ravi@example.com")
    path = f"/v1/orders/{till.order(till.place()).order_number}/payments"
    for headers in ({}, log_in(client, "ravi@example.com")):
        assert client.post(path, headers=keyed(headers)).status_code == 404
    assert client.post("/v1/orders/MLT-2026-999999/payments", headers=keyed(asha)).status_code == 404
    assert client.post(path, headers=asha).status_code == 422


def test_customers_see_where_their_money_stands(client: TestClient, till: Till, asha: dict[str, str]) -> None:
    register(till.database, "ravi@example.com")
    order_id = till.place()
    order = till.order(order_id)
    path, total = f"/v1/orders/{order.order_number}/payments", order.total_minor
    waiting = client.get(path, headers=asha).json()
    assert (waiting["due_minor"], waiting["paid_minor"], waiting["attempts"]) == (total, 0, [])
    gateway_order_id = till.start(order_id)
    till.standin.pay(gateway_order_id, outcome=Outcome.FAILED)
    till.take_in(till.standin.deliveries.listing())
    till.verify(till.standin.pay(gateway_order_id))
    till.refund(order_id, 10_000, "key-1")
    paid = client.get(path, headers=asha).json()
    figures = {name: paid[name] for name in ("due_minor", "paid_minor", "refunded_minor", "refund_pending_minor")}
    assert list(figures.values()) == [0, total, 0, 10_000]
    assert [(each["status"], each["error_description"] is None) for each in paid["attempts"]] == [
        ("failed", False),
        ("captured", True),
    ]
    assert [(each["status"], each["amount_minor"]) for each in paid["refunds"]] == [("pending", 10_000)]
    for headers in ({}, log_in(client, "ravi@example.com")):
        assert client.get(path, headers=headers).status_code == 404
    assert client.get(f"/v1/orders/{order.public_id}/payments").status_code == 404


def test_orders_that_cannot_be_paid_answer_409_and_a_silent_gateway_503(
    client: TestClient, till: Till, asha: dict[str, str]
) -> None:
    paid = till.order(till.buy()).order_number
    refused = client.post(f"/v1/orders/{paid}/payments", headers=keyed(asha))
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (409, "order-not-payable")
    open_order = till.order(till.place()).order_number
    till.standin.faults.arm(Fault.HTML_502, path_prefix="/v1/orders", times=2)
    silent = client.post(f"/v1/orders/{open_order}/payments", headers=keyed(asha, "k" * 36))
    assert (silent.status_code, silent.headers["retry-after"]) == (503, "1")
    assert client.post(f"/v1/orders/{open_order}/payments", headers=keyed(asha, "k" * 36)).status_code == 201


def test_forged_claims_of_the_browser_are_refused(client: TestClient, till: Till) -> None:
    order_id = till.place()
    checkout = till.standin.pay(till.start(order_id)).render()
    for change, status in (
        ({"razorpay_signature": "0" * 64}, 400),
        ({"razorpay_signature": "ż" * 64}, 400),
        ({"razorpay_order_id": "order_" + "A" * 14}, 404),
        ({"razorpay_signature": ""}, 422),
        ({"amount": 1}, 422),
    ):
        answer = client.post("/v1/payments/verify", json={**checkout, **change})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert till.payments(order_id) == []
    assert till.order(order_id).status is OrderStatus.AWAITING_PAYMENT


@pytest.mark.slow
def test_a_flipped_bit_in_body_or_signature_leaves_no_row(client: TestClient, till: Till) -> None:
    till.standin.pay(till.start(till.place()))
    messages = till.count(OutboxMessage)
    delivery = till.standin.deliveries.listing()[1]
    dice = random.Random(7)
    for _ in range(40):
        body = bytearray(delivery.body)
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
        answer = client.post(HOOK, content=bytes(body), headers=delivery.headers)
        assert answer.status_code == 400
        position = dice.randrange(64)
        flipped = f"{int(delivery.signature[position], 16) ^ (1 << dice.randrange(4)):x}"
        signature = delivery.signature[:position] + flipped + delivery.signature[position + 1 :]
        answer = hook(client, delivery, **{"X-Razorpay-Signature": signature})
        assert answer.status_code == 400
    without = {name: value for name, value in delivery.headers.items() if name != "X-Razorpay-Signature"}
    assert client.post(HOOK, content=delivery.body, headers=without).status_code == 400
    for signature in (b"", "é".encode("latin-1"), delivery.signature.upper().encode()):
        headers = [*((name.encode(), value.encode()) for name, value in without.items())]
        headers.append((b"X-Razorpay-Signature", signature))
        assert client.post(HOOK, content=delivery.body, headers=headers).status_code == 400
    assert till.count(WebhookInbox) == 0
    assert till.count(OutboxMessage) == messages


def test_the_row_and_its_job_are_written_together(client: TestClient, till: Till) -> None:
    till.standin.pay(till.start(till.place()), outcome=Outcome.FAILED)
    before = till.count(OutboxMessage)
    assert hook(client, till.standin.deliveries.listing()[0]).status_code == 200
    assert (till.count(WebhookInbox), till.count(OutboxMessage)) == (1, before + 1)


def test_without_an_event_id_the_body_identifies_the_event(client: TestClient, till: Till) -> None:
    body = b'{"event": "payment.downtime.started", "payload": {}}'
    headers = {"X-Razorpay-Signature": sign(body, SECRET)}
    assert client.post(HOOK, content=body, headers=headers).json() == {"new": True}
    assert client.post(HOOK, content=body, headers=headers).json() == {"new": False}


def test_bodies_are_bounded_and_must_be_json_objects(client: TestClient, till: Till) -> None:
    big = b'{"pad": "' + b"x" * MAX_WEBHOOK_BYTES + b'"}'
    assert client.post(HOOK, content=big, headers={"X-Razorpay-Signature": sign(big, SECRET)}).status_code == 413
    at_limit = b'{"event": "x", "pad": "'
    at_limit += b"x" * (MAX_WEBHOOK_BYTES - len(at_limit) - 2) + b'"}'
    signed = {"X-Razorpay-Signature": sign(at_limit, SECRET)}
    assert client.post(HOOK, content=at_limit, headers=signed).status_code == 200
    for body in (b"", b"[]", b"\xff", b"{"):
        answer = client.post(HOOK, content=body, headers={"X-Razorpay-Signature": sign(body, SECRET)})
        assert answer.status_code == 400
    assert till.count(WebhookInbox) == 1


def test_without_a_secret_webhooks_are_not_accepted(client: TestClient, till: Till) -> None:
    bare = RazorpayGateway(key_id="id", key_secret=SecretStr("secret"))
    body = json.dumps({"event": "payment.captured"}).encode()
    with service.gateway_in_use(bare):
        answer = client.post(HOOK, content=body, headers={"X-Razorpay-Signature": sign(body, "")})
    assert answer.status_code == 503
    assert till.count(WebhookInbox) == 0


def test_staff_see_and_refund_payments(client: TestClient, till: Till, asha: dict[str, str]) -> None:
    order_id = till.buy()
    number = till.order(order_id).order_number
    make_staff(till.database, "manager@example.com")
    staff = log_in(client, "manager@example.com")
    refunds = f"/v1/staff/orders/{number}/refunds"
    body = {"amount_minor": 10_000, "reason": "One lamp arrived broken"}
    assert client.post(refunds, json=body, headers=keyed(asha)).status_code == 403
    assert client.post(refunds, json=body, headers=keyed({})).status_code == 401
    first = client.post(refunds, json=body, headers=keyed(staff))
    assert (first.status_code, first.json()["status"]) == (201, "pending")
    assert client.post(refunds, json=body, headers=keyed(staff)).json() == first.json()
    too_much = client.post(refunds, json={**body, "amount_minor": 10**9}, headers=keyed(staff, "other key, 16 chars"))
    assert (too_much.status_code, too_much.json()["type"].rpartition(":")[2]) == (409, "refund-too-large")
    assert too_much.json()["refundable_minor"] == till.order(order_id).total_minor - 10_000
    till.work()
    view = client.get(f"/v1/staff/orders/{number}/payments", headers=staff).json()
    assert [payment["refunded_minor"] for payment in view["payments"]] == [10_000]
    assert [refund["status"] for refund in view["refunds"]] == ["processed"]
    assert client.get(f"/v1/staff/orders/{number}/payments", headers=asha).status_code == 403
    assert client.get("/v1/staff/orders/MLT-0/payments", headers=staff).status_code == 404


def test_staff_confirm_refunds_in_cash(client: TestClient, till: Till) -> None:
    make_staff(till.database, "manager@example.com")
    staff = log_in(client, "manager@example.com")
    order_id = till.place(mode="on_delivery")
    till.deliver(order_id)
    till.work()
    refund_id = till.refund(order_id, 5_000, "by hand")
    assert client.post(f"/v1/staff/refunds/{refund_id}/confirm", headers=staff).json()["status"] == "processed"
    assert client.post(f"/v1/staff/refunds/{refund_id}/confirm", headers=staff).status_code == 409
    assert client.post("/v1/staff/refunds/99/confirm", headers=staff).status_code == 404
