"""Webhooks: signed raw bytes, delivered at least once, held, dropped, replayed, repeated for a day."""

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
import razorpay
import requests

from transactional.core.clock import ManualClock
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import DeliveryState
from transactional.payments_standin.gateway import ApiRequest, Gateway
from transactional.payments_standin.server import running

SECRET = "webhook-secret"
AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


class Receiver:
    """Takes events and answers as told."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.status is None:
            raise requests.exceptions.ReadTimeout
        self.bodies.append(body)
        self.headers.append(headers)
        return self.status

    @property
    def events(self) -> list[str]:
        return [json.loads(body)["event"] for body in self.bodies]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def gateway(clock: ManualClock, receiver: Receiver) -> Gateway:
    gateway = Gateway(clock=clock, sender=receiver)
    gateway.deliveries.set_webhook("http://shop/v1/webhooks/razorpay", SECRET)
    return gateway


def order_id(gateway: Gateway) -> str:
    answer = gateway.handle(
        ApiRequest("POST", "/v1/orders", headers=AUTH, body=b'{"amount": 50000, "currency": "INR"}')
    )
    return json.loads(answer.body)["id"]


def test_one_capture_fires_three_signed_events(gateway: Gateway, receiver: Receiver) -> None:
    gateway.pay(order_id(gateway), method=Method.CARD)
    assert receiver.events == []
    assert gateway.deliveries.deliver_due() == 3
    assert receiver.events == ["payment.authorized", "payment.captured", "order.paid"]
    client = razorpay.Client(auth=("id", "secret"))
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        assert client.utility.verify_webhook_signature(body.decode(), headers["X-Razorpay-Signature"], SECRET)
    assert len({headers["X-Razorpay-Event-Id"] for headers in receiver.headers}) == 3
    authorized, _, order_paid = (json.loads(body) for body in receiver.bodies)
    entity = authorized["payload"]["payment"]["entity"]
    assert (entity["status"], entity["captured"], entity["notes"]) == ("authorized", True, [])
    assert "acquirer_data" not in order_paid["payload"]["payment"]["entity"]
    assert order_paid["payload"]["order"]["entity"]["status"] == "paid"


def test_events_show_the_entity_at_event_time(gateway: Gateway, receiver: Receiver) -> None:
    gateway.deliveries.hold()
    gateway.pay(order_id(gateway), method=Method.UPI)
    gateway.deliveries.release([3, 1])
    gateway.deliveries.deliver_due()
    assert receiver.events == ["order.paid", "payment.authorized"]
    assert json.loads(receiver.bodies[1])["payload"]["payment"]["entity"]["status"] == "authorized"
    assert [delivery.state for delivery in gateway.deliveries.listing()] == [
        DeliveryState.DELIVERED,
        DeliveryState.HELD,
        DeliveryState.DELIVERED,
    ]


def test_dropped_events_never_arrive_and_replays_keep_or_change_their_id(gateway: Gateway, receiver: Receiver) -> None:
    gateway.pay(order_id(gateway), outcome=Outcome.FAILED)
    gateway.deliveries.drop([1])
    assert gateway.deliveries.deliver_due() == 0
    gateway.deliveries.replay(1)
    gateway.deliveries.replay(1, new_event_id=True)
    assert gateway.deliveries.deliver_due() == 2
    ids = [headers["X-Razorpay-Event-Id"] for headers in receiver.headers]
    assert ids[0] == gateway.deliveries.listing()[0].event_id != ids[1]
    assert receiver.bodies[0] == receiver.bodies[1]


@pytest.mark.parametrize("status", [500, 302, None])
def test_what_is_not_taken_comes_again_with_growing_pauses(
    gateway: Gateway, receiver: Receiver, clock: ManualClock, status: int | None
) -> None:
    receiver.status = status
    gateway.pay(order_id(gateway), outcome=Outcome.FAILED)
    assert gateway.deliveries.deliver_due() == 0
    assert gateway.deliveries.deliver_due() == 0
    receiver.status = 200
    clock.advance(timedelta(seconds=9))
    assert gateway.deliveries.deliver_due() == 0
    clock.advance(timedelta(seconds=1))
    assert gateway.deliveries.deliver_due() == 1


def test_after_a_day_of_failures_the_webhook_is_disabled(
    gateway: Gateway, receiver: Receiver, clock: ManualClock
) -> None:
    receiver.status = 503
    gateway.pay(order_id(gateway), outcome=Outcome.FAILED)
    for _ in range(40):
        gateway.deliveries.deliver_due()
        clock.advance(timedelta(hours=1))
    delivery = gateway.deliveries.listing()[0]
    assert delivery.state is DeliveryState.GIVEN_UP
    assert not gateway.deliveries.webhooks()[0].active
    gateway.pay(order_id(gateway), outcome=Outcome.FAILED)
    assert len(gateway.deliveries.listing()) == 1


def test_repetitions_keep_the_secret_of_their_time(gateway: Gateway, receiver: Receiver, clock: ManualClock) -> None:
    receiver.status = 500
    gateway.pay(order_id(gateway), outcome=Outcome.FAILED)
    gateway.deliveries.deliver_due()
    gateway.deliveries.set_webhook("http://shop/v1/webhooks/razorpay", "new-secret")
    receiver.status = 200
    clock.advance(timedelta(minutes=1))
    gateway.deliveries.deliver_due()
    client = razorpay.Client(auth=("id", "secret"))
    signature = receiver.headers[-1]["X-Razorpay-Signature"]
    assert client.utility.verify_webhook_signature(receiver.bodies[-1].decode(), signature, SECRET)


def test_the_control_api_over_http(clock: ManualClock) -> None:
    received: list[bytes] = []

    def receive(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        received.append(body)
        return 200

    gateway = Gateway(StandInConfig(refund_outcome="pending"), clock=clock, sender=receive)
    with running(gateway) as server, requests.Session() as http:
        http.trust_env = False

        def control(verb: str, path: str, **body: object) -> requests.Response:
            return http.request(verb, f"{server.url}/_control{path}", json=body or None, timeout=5)

        assert control("GET", "/health").json()["status"] == "ok"
        assert control("PUT", "/webhook", url="http://shop/hook", secret="s").json()["active"] is True
        assert "secret" not in control("GET", "/webhooks").text
        control("POST", "/deliveries/hold")
        order = order_id(gateway)
        checkout = control("POST", f"/orders/{order}/pay", outcome="captured", method="wallet").json()
        assert set(checkout) == {"razorpay_order_id", "razorpay_payment_id", "razorpay_signature"}
        assert [d["state"] for d in control("GET", "/deliveries").json()] == ["held"] * 3
        assert control("POST", "/deliveries/release", numbers=[9]).status_code == 404
        assert len(control("POST", "/deliveries/release", numbers=[2, 1]).json()) == 2
        assert control("POST", "/deliveries/3/replay", new_event_id=True).status_code == 200
        assert control("POST", f"/orders/{order}/pay", outcome="captured").status_code == 400
        assert control("POST", f"/orders/order_{'x' * 14}/pay", method="upi").status_code == 400
        assert (
            control("POST", f"/payments/{checkout['razorpay_payment_id']}/authorize-late", capture=True).status_code
            == 409
        )
        assert control("POST", "/faults", fault="html_502").status_code == 204
        auth = (gateway.config.key_id, gateway.config.key_secret)
        broken = http.post(f"{server.url}/v1/orders", json={}, auth=auth, timeout=5)
        assert (broken.status_code, broken.headers["content-type"].split(";")[0]) == (502, "text/html")
        assert control("GET", "/requests").json()[-1]["status"] == 502
    gateway.deliveries.deliver_due()
    assert len(received) == 3
