"""The unmodified client library against the stand-in: in-process and over HTTP."""

import json
import time
from collections.abc import Iterator

import pytest
import razorpay
import requests

from transactional.core.clock import ManualClock
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.server import running
from transactional.payments_standin.transport import InProcessAdapter

BASE = "http://razorpay.local"
ORDER = {"amount": 50_000, "currency": "INR", "receipt": "MLT-1001-1", "notes": {}}


@pytest.fixture
def gateway(clock: ManualClock) -> Gateway:
    return Gateway(StandInConfig(), clock=clock)


@pytest.fixture(params=["in-process", "http"])
def client(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[razorpay.Client]:
    auth = (gateway.config.key_id, gateway.config.key_secret)
    if request.param == "in-process":
        session = requests.Session()
        session.mount(BASE, InProcessAdapter(gateway))
        yield razorpay.Client(session=session, auth=auth, base_url=BASE)
    else:
        with running(gateway) as server:
            session = requests.Session()
            session.trust_env = False
            yield razorpay.Client(session=session, auth=auth, base_url=server.url)


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(razorpay.errors.BadRequestError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_order_payment_capture_refund(client: razorpay.Client, gateway: Gateway) -> None:
    order = client.order.create(ORDER)
    assert order["id"].startswith("order_")
    assert len(order["id"]) == len("order_") + 14
    assert order["notes"] == []
    assert order["status"] == "created"

    checkout = gateway.pay(order["id"], method=Method.CARD, outcome=Outcome.AUTHORIZED).render()
    assert client.utility.verify_payment_signature(checkout)
    payment = client.payment.fetch(checkout["razorpay_payment_id"])
    assert (payment["status"], payment["fee"]) == ("authorized", None)

    captured = client.payment.capture(payment["id"], 50_000, {"currency": "INR"})
    assert captured["status"] == "captured"
    assert captured["captured"] is True
    assert (captured["fee"], captured["tax"]) == (1_180, 180)
    assert client.order.fetch(order["id"])["status"] == "paid"

    refund = client.payment.refund(payment["id"], {"amount": 20_000}, headers={"X-Refund-Idempotency": "refund-0001"})
    assert refund["status"] == "processed"
    assert client.payment.fetch(payment["id"])["refund_status"] == "partial"
    assert client.payment.fetch_multiple_refund(payment["id"])["count"] == 1
    assert client.payment.fetch_refund_id(payment["id"], refund["id"])["id"] == refund["id"]
    assert client.refund.fetch(refund["id"])["amount"] == 20_000
    rest = client.refund.create({"payment_id": payment["id"]})
    assert rest["amount"] == 30_000
    assert client.payment.fetch(payment["id"])["status"] == "refunded"
    assert client.order.fetch(order["id"])["status"] == "paid"
    assert client.refund.all()["count"] == 2


def test_orders_are_found_by_receipt_and_notes_edited(client: razorpay.Client) -> None:
    first = client.order.create(ORDER)
    second = client.order.create(ORDER)
    client.order.create({**ORDER, "receipt": "other"})
    assert [item["id"] for item in client.order.all({"receipt": "MLT-1001-1"})["items"]] == [second["id"], first["id"]]
    assert client.order.all({"count": 1, "skip": 2})["items"][0]["id"] == first["id"]
    assert client.order.edit(first["id"], {"notes": {"gift": "Geschenk für Zoë"}})["notes"]["gift"].endswith("Zoë")
    assert refused(client.order.edit, first["id"], {"amount": 1}) == (
        "amount is/are not required and should not be sent"
    )


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"amount": 99}, "The amount must be at least INR 1.00"),
        ({"amount": 100.5}, "The amount must be an integer."),
        ({"amount": True}, "The amount must be an integer."),
        ({"amount": "50000"}, "The amount must be an integer."),
        ({"currency": "rupees"}, "The selected currency is invalid."),
        ({"currency": "KWD", "amount": 1_001}, "The amount in KWD must have 0 as its last digit."),
        ({"receipt": "x" * 41}, "The receipt may not be greater than 40 characters."),
        ({"colour": "red"}, "colour is/are not required and should not be sent"),
        ({"notes": {str(i): "x" for i in range(16)}}, "Number of fields in notes should be less than or equal to 15."),
        ({"notes": {"long": "x" * 257}}, "Notes may not be greater than 256 characters."),
    ],
)
def test_orders_are_refused_in_the_gateways_words(client: razorpay.Client, change: dict, description: str) -> None:
    assert refused(client.order.create, {**ORDER, **change}) == description


def test_ids_are_checked_for_shape_and_existence(client: razorpay.Client) -> None:
    assert refused(client.payment.fetch, "pay_short") == "pay_short is not a valid id."
    assert refused(client.payment.fetch, "pay_" + "A" * 14) == "The id provided does not exist"
    assert refused(client.payment.fetch, "order_" + "A" * 14) == f"order_{'A' * 14} is not a valid id."
    assert refused(client.payment.fetchDownTime) == "downtimes is not a valid id."
    assert refused(client.order.viewRtoReview, "order_x") == "The requested URL was not found on the server."


def test_capture_is_exact_and_happens_once(client: razorpay.Client, gateway: Gateway) -> None:
    order = client.order.create(ORDER)
    first, second = (checkout.payment_id for checkout in gateway.pay_twice(order["id"]))
    assert refused(client.payment.capture, first, 49_999, {}) == (
        "Capture amount must be equal to the amount authorized."
    )
    client.payment.capture(first, 50_000, {})
    assert "already paid" in refused(client.payment.capture, first, 50_000, {})
    assert "already paid" in refused(client.payment.capture, second, 50_000, {})


def test_refunds_never_exceed_the_capture(client: razorpay.Client, gateway: Gateway) -> None:
    order = client.order.create(ORDER)
    payment_id = gateway.pay(order["id"]).payment_id
    client.payment.refund(payment_id, {"amount": 30_000})
    assert refused(client.payment.refund, payment_id, {"amount": 20_001}) == (
        "The refund amount provided is greater than amount captured."
    )
    client.payment.refund(payment_id, {})
    assert refused(client.payment.refund, payment_id, {}) == "The payment has been fully refunded already."


def test_a_refund_key_answers_once(client: razorpay.Client, gateway: Gateway) -> None:
    payment_id = gateway.pay(client.order.create(ORDER)["id"]).payment_id

    def refund(amount: int, key: str) -> dict:
        return client.payment.refund(payment_id, {"amount": amount}, headers={"X-Refund-Idempotency": key})

    assert refund(1_000, "the-same-key")["id"] == refund(1_000, "the-same-key")["id"]
    assert refused(refund, 2_000, "the-same-key").startswith("Different request with the same idempotency key")
    assert "at least 10 characters" in refused(refund, 1_000, "short")


def test_wrong_credentials_and_misspelled_scheme_are_refused(gateway: Gateway) -> None:
    with running(gateway) as server:
        good = requests.Request("GET", server.url, auth=(gateway.config.key_id, gateway.config.key_secret)).prepare()
        token = good.headers["Authorization"].removeprefix("Basic ")
        url = f"{server.url}/v1/orders"
        for header in (f"BASIC {token}", f"basic {token}", f'Basic "{token}"', "Basic", "Basic Zm9vOmJhcg=="):
            answer = requests.get(url, headers={"Authorization": header}, timeout=5)
            assert answer.status_code == 401, header
            assert answer.json()["error"]["code"] == "BAD_REQUEST_ERROR"
        assert requests.get(url, timeout=5).status_code == 401
        assert requests.get(url, headers={"Authorization": f"Basic {token}"}, timeout=5).status_code == 200


def test_upi_ids_decide_by_themselves(client: razorpay.Client, gateway: Gateway) -> None:
    order = client.order.create(ORDER)
    failed = gateway.pay(order["id"], vpa="failure@razorpay").render()
    assert failed["error"]["metadata"] == {
        "payment_id": failed["razorpay_payment_id"],
        "order_id": order["id"],
    }
    assert client.payment.fetch(failed["razorpay_payment_id"])["status"] == "failed"
    assert client.order.fetch(order["id"])["status"] == "attempted"
    paid = gateway.pay(order["id"], vpa="success@razorpay")
    assert client.payment.fetch(paid.payment_id)["status"] == "captured"
    assert [item["id"] for item in client.order.payments(order["id"])["items"]] == [
        paid.payment_id,
        failed["razorpay_payment_id"],
    ]


def test_manual_capture_stops_at_authorized(client: razorpay.Client, gateway: Gateway) -> None:
    order = client.order.create({**ORDER, "payment": {"capture": "manual"}})
    assert client.payment.fetch(gateway.pay(order["id"]).payment_id)["status"] == "authorized"


def test_the_refund_answer_repeats_a_key_as_the_real_one_does(client: razorpay.Client, gateway: Gateway) -> None:
    payment_id = gateway.pay(client.order.create(ORDER)["id"]).payment_id
    refund = client.payment.refund(payment_id, {"amount": 500, "receipt": "R-1"})
    assert refund["receipt"] == "R-1"


def test_ids_repeat_by_seed() -> None:
    def ids(seed: int) -> list[str]:
        session = requests.Session()
        gateway = Gateway(StandInConfig(seed=seed))
        session.mount(BASE, InProcessAdapter(gateway))
        auth = (gateway.config.key_id, gateway.config.key_secret)
        client = razorpay.Client(session=session, auth=auth, base_url=BASE)
        return [client.order.create(ORDER)["id"] for _ in range(3)]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)


def test_in_process_answers_are_fast(gateway: Gateway) -> None:
    session = requests.Session()
    session.trust_env = False
    session.mount(BASE, InProcessAdapter(gateway))
    client = razorpay.Client(session=session, auth=(gateway.config.key_id, gateway.config.key_secret), base_url=BASE)
    started = time.perf_counter()
    for _ in range(300):
        client.order.create(ORDER)
    assert time.perf_counter() - started < 3.0


def test_requests_are_recorded_without_credentials(client: razorpay.Client, gateway: Gateway) -> None:
    client.order.create(ORDER)
    record = gateway.requests()[-1]
    assert (record.method, record.path, record.status) == ("POST", "/v1/orders", 200)
    assert json.loads(record.body)["receipt"] == "MLT-1001-1"
    assert gateway.config.key_secret not in repr(record)
    assert gateway.config.key_secret not in repr(gateway.config)
