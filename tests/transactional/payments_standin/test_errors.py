"""The table of refusals: status, code, words and the field at fault."""

import json

import pytest

from transactional.core.clock import ManualClock
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import ApiRequest, Gateway

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}
ORDER = {"amount": 50_000, "currency": "INR"}


@pytest.fixture
def gateway(clock: ManualClock) -> Gateway:
    return Gateway(clock=clock)


def ask(
    gateway: Gateway, method: str, path: str, body: object = None, *, key: str | None = None
) -> tuple[int, dict[str, object]]:
    headers = AUTH | ({"x-refund-idempotency": key} if key else {})
    raw = json.dumps(body).encode() if body is not None else b""
    answer = gateway.handle(ApiRequest(method, path, headers=headers, body=raw))
    return answer.status, json.loads(answer.body)


def error(gateway: Gateway, method: str, path: str, body: object = None, **more: str) -> tuple[int, dict[str, object]]:
    status, answer = ask(gateway, method, path, body, **more)
    return status, answer["error"]  # type: ignore[return-value]


def paid(gateway: Gateway, outcome: Outcome = Outcome.CAPTURED) -> str:
    return gateway.pay(str(ask(gateway, "POST", "/v1/orders", ORDER)[1]["id"]), outcome=outcome).payment_id


def test_an_amount_too_small(gateway: Gateway) -> None:
    assert error(gateway, "POST", "/v1/orders", {**ORDER, "amount": 99}) == (
        400,
        {
            "code": "BAD_REQUEST_ERROR",
            "description": "The amount must be at least INR 1.00",
            "source": "business",
            "step": "payment_initiation",
            "reason": "input_validation_failed",
            "metadata": {},
            "field": "amount",
        },
    )


def test_generic_errors_say_na_and_name_no_field(gateway: Gateway) -> None:
    assert error(gateway, "GET", "/v1/payments/pay_" + "A" * 14) == (
        400,
        {
            "code": "BAD_REQUEST_ERROR",
            "description": "The id provided does not exist",
            "source": "NA",
            "step": "NA",
            "reason": "NA",
            "metadata": {},
        },
    )


@pytest.mark.parametrize(
    ("method", "path", "description"),
    [
        ("GET", "/v1/payments/pay_x", "pay_x is not a valid id."),
        ("GET", "/v1/nothing", "The requested URL was not found on the server."),
        ("DELETE", "/v1/orders", "The requested URL was not found on the server."),
        ("PUT", "/v1/payments/pay_x/capture", "The requested URL was not found on the server."),
        ("GET", "/v1/subscriptions/sub_" + "A" * 14, "The id provided does not exist"),
    ],
)
def test_paths_and_ids(gateway: Gateway, method: str, path: str, description: str) -> None:
    status, found = error(gateway, method, path)
    assert (status, found["description"]) == (400, description)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/orders"),
        ("PATCH", "/v1/orders/{order}"),
        ("PATCH", "/v1/payments/{payment}"),
        ("POST", "/v1/payments/{payment}/capture"),
        ("POST", "/v1/payments/{payment}/refund"),
        ("POST", "/v1/refunds"),
        ("POST", "/v1/plans"),
        ("POST", "/v1/subscriptions"),
    ],
)
def test_unknown_fields_are_refused_everywhere(gateway: Gateway, method: str, path: str) -> None:
    payment = paid(gateway)
    order = str(ask(gateway, "GET", f"/v1/payments/{payment}")[1]["order_id"])
    body: dict[str, object] = {"colour": "red", "size": 3}
    if path == "/v1/refunds":
        body["payment_id"] = payment
    status, found = error(gateway, method, path.format(order=order, payment=payment), body)
    assert (status, found["description"]) == (400, "colour, size is/are not required and should not be sent")


@pytest.mark.parametrize("body", ["[1]", '"text"', "{", "7"])
def test_bodies_must_be_objects(gateway: Gateway, body: str) -> None:
    answer = gateway.handle(ApiRequest("POST", "/v1/orders", headers=AUTH, body=body.encode()))
    assert answer.status == 400


def test_capture(gateway: Gateway) -> None:
    payment = paid(gateway, Outcome.AUTHORIZED)
    path = f"/v1/payments/{payment}/capture"
    assert error(gateway, "POST", path, {"amount": 49_999, "currency": "INR"})[1]["description"] == (
        "Capture amount must be equal to the amount authorized."
    )
    ask(gateway, "POST", path, {"amount": 50_000, "currency": "INR"})
    status, found = error(gateway, "POST", path, {"amount": 50_000, "currency": "INR"})
    assert (status, found["description"]) == (
        400,
        "Your payment has been declined as the order is already paid. Please initiate the payment with a new order.",
    )
    assert found["metadata"] == {
        "payment_id": payment,
        "order_id": ask(gateway, "GET", f"/v1/payments/{payment}")[1]["order_id"],
    }


def test_refund_keys(gateway: Gateway) -> None:
    path = f"/v1/payments/{paid(gateway)}/refund"
    first = ask(gateway, "POST", path, {"amount": 100}, key="refund-0001")
    assert ask(gateway, "POST", path, {"amount": 100}, key="refund-0001") == first
    status, found = error(gateway, "POST", path, {"amount": 101}, key="refund-0001")
    assert (status, found["description"]) == (
        409,
        "Different request with the same idempotency key has already been processed.",
    )
    gateway.faults.arm(Fault.KEY_IN_PROGRESS)
    status, found = error(gateway, "POST", path, {"amount": 100}, key="refund-0001")
    assert (status, found["description"]) == (
        409,
        "Another request with the same idempotency key is still in progress.",
    )
    gateway.faults.arm(Fault.SERVER_ERROR)
    status, found = error(gateway, "POST", path, {"amount": 100}, key="refund-0001")
    assert (status, found["code"], found["description"]) == (
        500,
        "SERVER_ERROR",
        "Internal server error - Failed to fetch idempotency record",
    )


def test_the_unconfirmed_is_switchable(gateway: Gateway) -> None:
    gateway.change({"bare_errors": True, "authentication_status": 400, "unique_receipts": True})
    assert error(gateway, "GET", "/v1/nothing")[1] == {
        "code": "BAD_REQUEST_ERROR",
        "description": "The requested URL was not found on the server.",
    }
    assert gateway.handle(ApiRequest("GET", "/v1/orders")).status == 400
    ask(gateway, "POST", "/v1/orders", {**ORDER, "receipt": "R-1"})
    assert error(gateway, "POST", "/v1/orders", {**ORDER, "receipt": "R-1"})[0] == 400


def test_secrets_are_no_part_of_the_configurations_text() -> None:
    assert "stand-in-secret" not in repr(StandInConfig())
