"""The chaos behaviours, over the control API as anybody's test would use them."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient

from transactional.core.clock import ManualClock
from transactional.payments_standin.app import create_app
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import DeliveryState
from transactional.payments_standin.events import sign
from transactional.payments_standin.gateway import Gateway

AUTH = ("rzp_test_local", "local-stand-in-secret")
HOOK, SECRET = "http://shop/v1/webhooks/razorpay", "webhook-secret"


class Desk:
    """The gateway over HTTP, and a receiver that takes every event."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.http = TestClient(create_app(gateway))
        self.received: list[tuple[str, dict]] = []
        gateway.deliveries.set_sender(self._take)
        self.control("PUT", "webhook", url=HOOK, secret=SECRET)

    def _take(self, _url: str, body: bytes, headers: dict) -> int:
        self.received.append((headers["X-Razorpay-Event-Id"], json.loads(body)))
        return 200

    def control(self, verb: str, path: str, /, expect: int | None = None, **body: object) -> object:
        answer = self.http.request(verb, f"/_control/{path}", json=body)
        assert answer.status_code == expect if expect else answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def api(self, method: str, path: str, status: int = 200, **body: object) -> dict:
        answer = self.http.request(method, f"/v1/{path}", json=body or None, auth=AUTH)
        assert answer.status_code == status, answer.text
        return answer.json()

    def order(self, **more: object) -> str:
        return self.api("POST", "orders", amount=50_000, currency="INR", **more)["id"]

    def pay(self, order_id: str, **how: object) -> str:
        return self.control("POST", f"orders/{order_id}/pay", **how)["razorpay_payment_id"]

    def status(self, payment_id: str) -> str:
        return self.api("GET", f"payments/{payment_id}")["status"]

    def advance(self, **by: int) -> None:
        self.control("POST", "clock", by=timedelta(**by).total_seconds())

    def deliver(self) -> list[str]:
        before = len(self.received)
        self.gateway.deliveries.deliver_due()
        return [event["event"] for _, event in self.received[before:]]


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    return Desk(Gateway(clock=clock))


# --- events: 1 to 5, 12, 15 -----------------------------------------------------------------------------------------


def test_events_come_twice_under_one_id_or_another(desk: Desk) -> None:
    desk.pay(desk.order(), outcome="failed")
    desk.control("POST", "deliveries/1/replay")
    desk.control("PATCH", "switches", replay_keeps_event_id=False)
    desk.control("POST", "deliveries/1/replay")
    desk.control("POST", "deliveries/1/replay", new_event_id=False)
    assert desk.deliver() == ["payment.failed"] * 4
    first, second, third, fourth = (event_id for event_id, _ in desk.received)
    assert first == second == fourth != third


def test_events_are_held_released_in_an_order_and_dropped(desk: Desk) -> None:
    desk.control("POST", "deliveries/hold")
    desk.pay(desk.order())
    assert desk.deliver() == []
    desk.control("POST", "deliveries/drop", numbers=[2])
    desk.control("POST", "deliveries/release", expect=404, numbers=[2])
    desk.control("POST", "deliveries/release", numbers=[3, 1])
    assert desk.deliver() == ["order.paid", "payment.authorized"]
    assert [each["state"] for each in desk.control("GET", "deliveries")] == ["delivered", "dropped", "delivered"]
    desk.control("POST", "deliveries/drop", expect=404, numbers=[9])


def test_events_are_delayed_beyond_the_stock_hold(desk: Desk) -> None:
    desk.pay(desk.order())
    desk.control("POST", "deliveries/delay", by=1800, numbers=[2])
    assert desk.deliver() == ["payment.authorized", "order.paid"]
    desk.advance(minutes=29)
    assert desk.deliver() == []
    desk.advance(minutes=1)
    assert desk.deliver() == ["payment.captured"]


def test_after_a_rotation_old_events_keep_the_old_signature(desk: Desk) -> None:
    order_id = desk.order()
    desk.pay(order_id, outcome="failed")
    desk.control("PUT", "webhook", url=HOOK, secret="new-secret")
    desk.pay(order_id, outcome="failed")
    desk.control("POST", "deliveries/1/replay")
    secrets = [SECRET, "new-secret", SECRET]
    for delivery, secret in zip(desk.control("GET", "deliveries"), secrets, strict=True):
        assert delivery["signature"] == sign(delivery["body"].encode(), secret)


def test_tampered_events_are_signed_or_not(desk: Desk) -> None:
    desk.pay(desk.order())
    desk.control("POST", "deliveries/2/tamper", changes={"amount": 1})
    desk.control("POST", "deliveries/2/tamper", changes={"currency": "USD"}, signed=False)
    *_, forged, clumsy = desk.control("GET", "deliveries")
    assert json.loads(forged["body"])["payload"]["payment"]["entity"]["amount"] == 1
    assert json.loads(clumsy["body"])["payload"]["payment"]["entity"]["currency"] == "USD"
    assert forged["signature"] == sign(forged["body"].encode(), SECRET)
    assert clumsy["signature"] != sign(clumsy["body"].encode(), SECRET)
    assert len({each["event_id"] for each in desk.control("GET", "deliveries")}) == 5


# --- banks and time: 6, 13, 14, 16 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "steps"),
    [
        (60, {30: "created", 60: "captured"}),
        (660, {599: "created", 600: "failed", 659: "failed", 660: "captured"}),
        (2 * 86_400, {600: "failed", 86_400: "failed", 2 * 86_400: "captured"}),
        (3 * 86_400, {600: "failed", 3 * 86_400: "failed", 4 * 86_400: "failed"}),
    ],
)
def test_a_bank_that_answers_in_its_own_time(desk: Desk, delay: int, steps: dict[int, str]) -> None:
    payment_id = desk.pay(desk.order(), delay=delay)
    passed = 0
    for moment, status in steps.items():
        desk.advance(seconds=moment - passed)
        passed = moment
        assert desk.status(payment_id) == status, moment


def test_a_verdict_that_was_due_while_nobody_looked_is_told_in_its_order(desk: Desk) -> None:
    payment_id = desk.pay(desk.order(), delay=7200)
    desk.advance(days=1)
    assert desk.status(payment_id) == "captured"
    assert desk.deliver() == ["payment.failed", "payment.authorized", "payment.captured", "order.paid"]


def test_a_delayed_no_is_no_news_after_the_time_out(desk: Desk) -> None:
    payment_id = desk.pay(desk.order(), outcome="failed", delay=3600)
    desk.advance(hours=2)
    assert desk.status(payment_id) == "failed"
    assert desk.deliver() == ["payment.failed"]


def test_the_late_window_is_three_days_or_five(desk: Desk) -> None:
    payment_id = desk.pay(desk.order(), outcome="failed")
    desk.advance(days=4)
    desk.control("POST", f"payments/{payment_id}/authorize-late", expect=409)
    desk.control("PATCH", "switches", late_window=5 * 86_400)
    desk.control("POST", f"payments/{payment_id}/authorize-late")
    assert desk.status(payment_id) == "authorized"


def test_an_order_has_its_own_time_to_capture(desk: Desk) -> None:
    options = {"automatic_expiry_period": 60, "manual_expiry_period": 120, "refund_speed": "optimum"}
    early, late = (desk.order(payment={"capture": "automatic", "capture_options": options}) for _ in range(2))
    first = desk.pay(early, outcome="failed")
    second = desk.pay(late, outcome="failed")
    desk.advance(minutes=59)
    desk.control("POST", f"payments/{first}/authorize-late")
    assert desk.status(first) == "captured"
    desk.advance(minutes=2)
    desk.control("POST", f"payments/{second}/authorize-late")
    assert desk.status(second) == "authorized"
    desk.advance(minutes=58)
    assert desk.status(second) == "authorized"
    desk.advance(minutes=1)
    assert desk.status(second) == "refunded"


@pytest.mark.parametrize("minutes", [11, 4321, "60", True])
def test_times_to_capture_are_bounded(desk: Desk, minutes: object) -> None:
    terms = {"capture": "automatic", "capture_options": {"manual_expiry_period": minutes}}
    desk.api("POST", "orders", 400, amount=50_000, currency="INR", payment=terms)


def test_a_pending_refund_fails(desk: Desk) -> None:
    desk.control("PATCH", "switches", refund_outcome="pending")
    payment_id = desk.pay(desk.order())
    refund = desk.api("POST", f"payments/{payment_id}/refund", amount=20_000)
    assert refund["status"] == "pending"
    desk.control("POST", f"refunds/{refund['id']}/settle", status="failed")
    assert desk.api("GET", f"refunds/{refund['id']}")["status"] == "failed"
    assert desk.api("GET", f"payments/{payment_id}")["amount_refunded"] == 0
    assert desk.deliver()[-2:] == ["refund.created", "refund.failed"]


def test_partial_refunds_never_exceed_the_capture(desk: Desk) -> None:
    payment_id = desk.pay(desk.order())
    desk.api("POST", f"payments/{payment_id}/refund", amount=30_000)
    refused = desk.api("POST", f"payments/{payment_id}/refund", 400, amount=20_001)
    assert refused["error"]["description"] == "The refund amount provided is greater than amount captured."
    desk.api("POST", f"payments/{payment_id}/refund", amount=20_000)
    refused = desk.api("POST", f"payments/{payment_id}/refund", 400, amount=1)
    assert refused["error"]["description"] == "The payment has been fully refunded already."


@pytest.mark.parametrize("captured", [False, True])
def test_two_payments_of_one_order(desk: Desk, captured: bool) -> None:
    order_id = desk.order()
    both = desk.control("POST", f"orders/{order_id}/pay-twice", captured=captured)
    statuses = [desk.status(each["razorpay_payment_id"]) for each in both]
    assert statuses == ["captured" if captured else "authorized"] * 2
    desk.advance(days=3)
    assert desk.status(both[1]["razorpay_payment_id"]) == ("captured" if captured else "refunded")


def test_time_runs_forward_only(desk: Desk) -> None:
    before = desk.control("GET", "clock")["now"]
    desk.control("POST", "clock", expect=409, by=-1)
    assert desk.control("GET", "clock")["now"] == before


def test_unknown_switches_are_refused(desk: Desk) -> None:
    desk.control("PATCH", "switches", expect=422, key_secret="mine now")
    with pytest.raises(ValueError, match="no such switch: key_secret"):
        StandInConfig().change({"key_secret": "mine now"})


# --- the network: 7 to 11, 17 -----------------------------------------------------------------------------------------


def test_faults_strike_by_path_for_so_many_calls(desk: Desk) -> None:
    payment_id = desk.pay(desk.order(), outcome="authorized")
    desk.control("POST", "faults", fault="answer_lost", path_prefix="/v1/payments/*/capture")
    assert desk.api("GET", f"payments/{payment_id}")["status"] == "authorized"
    lost = desk.http.post(f"/v1/payments/{payment_id}/capture", json={"amount": 50_000, "currency": "INR"}, auth=AUTH)
    assert (lost.status_code, lost.headers["content-type"]) == (504, "text/html; charset=utf-8")
    assert desk.status(payment_id) == "captured"
    desk.control("POST", "faults", fault="html_502", method="*", times=2)
    assert desk.http.get("/v1/orders", auth=AUTH).text.startswith("<html>")
    assert desk.http.post("/v1/orders", auth=AUTH).status_code == 502
    assert desk.http.get("/v1/orders", auth=AUTH).status_code == 200
    desk.control("POST", "faults", fault="server_error", times=9)
    desk.control("DELETE", "faults")
    desk.order()


def test_an_answer_that_is_cut_off_did_its_work(desk: Desk) -> None:
    desk.control("POST", "faults", fault="unreadable")
    answer = desk.http.post("/v1/orders", json={"amount": 50_000, "currency": "INR"}, auth=AUTH)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()
    assert desk.api("GET", "orders")["count"] == 1


@pytest.mark.parametrize(("body", "start"), [("json", b"{"), ("html", b"<html>"), ("empty", b"")])
def test_too_many_requests_in_every_dress(desk: Desk, body: str, start: bytes) -> None:
    desk.control("PATCH", "switches", rate_limit_body=body)
    desk.control("POST", "faults", fault="rate_limited", method="GET")
    answer = desk.http.get("/v1/orders", auth=AUTH)
    assert answer.status_code == 429
    assert answer.content.startswith(start)


class SlowReceiver(BaseHTTPRequestHandler):
    """Takes its time with the first event."""

    heard: list[str]
    pause: threading.Event

    def do_POST(self) -> None:
        """Read, wait if it is the first, answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(self.headers["X-Razorpay-Event-Id"])
        if len(self.heard) == 1:
            self.pause.wait(5)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_receiver() -> Iterator[tuple[str, type[SlowReceiver]]]:
    handler = type("Handler", (SlowReceiver,), {"heard": [], "pause": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", handler
    handler.pause.set()
    server.shutdown()
    server.server_close()


def test_a_slow_receiver_gets_the_event_again(
    clock: ManualClock, slow_receiver: tuple[str, type[SlowReceiver]]
) -> None:
    url, handler = slow_receiver
    gateway = Gateway(StandInConfig(receiver_patience=timedelta(milliseconds=100)), clock=clock)
    gateway.deliveries.set_webhook(url, SECRET)
    body = TestClient(create_app(gateway)).post("/v1/orders", json={"amount": 100, "currency": "INR"}, auth=AUTH)
    gateway.pay(body.json()["id"], outcome=None, vpa="failure@razorpay")
    began = time.monotonic()
    assert gateway.deliveries.deliver_due() == 0
    assert time.monotonic() - began < 4
    gateway.advance(timedelta(seconds=10))
    assert gateway.deliveries.deliver_due() == 1
    assert len(handler.heard) == 2
    assert len(set(handler.heard)) == 1
    assert gateway.deliveries.listing()[0].statuses == [0, 200]


def test_a_webhook_that_fails_for_a_day_is_switched_off(desk: Desk) -> None:
    desk.gateway.deliveries.set_sender(lambda *_: 500)
    desk.pay(desk.order(), outcome="failed")
    for _ in range(40):
        desk.gateway.deliveries.deliver_due()
        desk.advance(hours=1)
    assert desk.control("GET", "webhooks") == [{"url": HOOK, "active": False}]
    assert desk.gateway.deliveries.listing()[0].state is DeliveryState.GIVEN_UP
    desk.pay(desk.order(), outcome="failed")
    assert len(desk.control("GET", "deliveries")) == 1


# --- 18: the oddities -------------------------------------------------------------------------------------------------


def test_every_oddity_is_seen(desk: Desk) -> None:
    desk.control("PATCH", "switches", instant_refunds=False)
    contacts = set()
    for method in ("card", "upi", "netbanking", "wallet") * 5:
        payment_id = desk.pay(desk.order(), method=method)
        contacts.add(desk.api("GET", f"payments/{payment_id}")["contact"])
    refund = desk.http.post(f"/v1/payments/{payment_id}/refund", json={"speed": "optimum"}, auth=AUTH)
    assert refund.text.count('"receipt"') == 2
    desk.deliver()
    events = [event for _, event in desk.received]

    def entities(name: str, kind: str = "payment") -> list[dict]:
        return [event["payload"][kind]["entity"] for event in events if event["event"] == name]

    assert contacts == {"+919000090000", "9000090000"}
    assert all(entity["notes"] == [] for entity in entities("payment.captured"))
    cards = [entity for entity in entities("payment.authorized") if entity["method"] == "card"]
    assert {(entity["status"], entity["captured"], entity["error_code"]) for entity in cards} == {
        ("authorized", True, "")
    }
    assert all("acquirer_data" not in entity and "error_step" not in entity for entity in entities("order.paid"))
    assert {"offer_id" in order for order in entities("order.paid", "order")} == {True, False}
    assert {"base_amount" in entity for entity in entities("payment.captured")} == {True, False}
    assert entities("refund.created", "refund")[0]["status"] == "processed"
    changed = next(event for event in events if event["event"] == "refund.speed_changed")
    assert changed["payload"]["created_at"] == changed["created_at"]
    assert entities("refund.processed", "refund")[0]["speed_processed"] == "normal"
    bodies = [each["body"] for each in desk.control("GET", "deliveries")]
    assert len({json.dumps(json.loads(body)) == body for body in bodies}) <= 2
    assert any(json.dumps(json.loads(body), sort_keys=True) != body for body in bodies)


def test_speeds_show_always_if_switched_so(desk: Desk) -> None:
    payment_id = desk.pay(desk.order())
    assert "speed_requested" not in desk.api("POST", f"payments/{payment_id}/refund", amount=100)
    desk.control("PATCH", "switches", speed_fields_always=True)
    assert desk.api("POST", f"payments/{payment_id}/refund", amount=100)["speed_requested"] == "normal"


def test_every_request_is_recorded(desk: Desk) -> None:
    desk.order()
    desk.api("GET", "orders")
    recorded = desk.control("GET", "requests")
    assert [(each["method"], each["path"], each["status"]) for each in recorded] == [
        ("POST", "/v1/orders", 200),
        ("GET", "/v1/orders", 200),
    ]
    assert "secret" not in json.dumps(recorded)
