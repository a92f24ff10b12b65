"""The adapter on the real client: typed answers, error classes that say whether repeating is safe, signatures."""

import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from transactional.core.clock import ManualClock
from transactional.payments.gateway import (
    Conflict,
    Declined,
    GatewayError,
    Invalid,
    RateLimited,
    SignatureInvalid,
    Unavailable,
    Unknown,
)
from transactional.payments.models import PaymentStatus, RefundStatus
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.events import sign
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.server import running
from transactional.payments_standin.transport import InProcessAdapter
from transactional.settings import Settings, WebhookSecret

SECRETS = [SecretStr("old-secret"), SecretStr("new-secret")]


def adapter_for(gateway: Gateway, *, base_url: str | None = None) -> RazorpayGateway:
    return RazorpayGateway(
        key_id=gateway.config.key_id,
        key_secret=SecretStr(gateway.config.key_secret),
        webhook_secrets=[WebhookSecret(secret=secret) for secret in SECRETS],
        base_url=base_url or "http://razorpay.local",
        timeout_seconds=2,
        adapter=None if base_url else lambda: InProcessAdapter(gateway),
    )


@pytest.fixture
def standin(clock: ManualClock) -> Gateway:
    return Gateway(clock=clock)


@pytest.fixture
def razorpay(standin: Gateway) -> RazorpayGateway:
    return adapter_for(standin)


def new_order(razorpay: RazorpayGateway, receipt: str = "MLT-1-1") -> str:
    return razorpay.create_order(amount_minor=50_000, currency="INR", receipt=receipt, notes={}).order_id


def test_typed_answers(razorpay: RazorpayGateway, standin: Gateway, clock: ManualClock) -> None:
    order = razorpay.create_order(amount_minor=50_000, currency="INR", receipt="MLT-1-1", notes={"order": "MLT-1"})
    assert (order.amount_minor, order.currency, order.receipt, order.status) == (50_000, "INR", "MLT-1-1", "created")
    assert order.created_at == clock.now()
    checkout = standin.pay(order.order_id, outcome=Outcome.AUTHORIZED)
    authorized = razorpay.fetch_payment(checkout.payment_id)
    assert (authorized.status, authorized.fee_minor) == (PaymentStatus.AUTHORIZED, None)
    captured = razorpay.capture(checkout.payment_id, amount_minor=50_000, currency="INR")
    assert (captured.status, captured.fee_minor, captured.fee_tax_minor) == (PaymentStatus.CAPTURED, 1_180, 180)
    refund = razorpay.refund(checkout.payment_id, amount_minor=50_000, key="refund-key-1", notes={"refund": "1"})
    assert (refund.status, refund.notes) == (RefundStatus.PROCESSED, {"refund": "1"})
    assert razorpay.fetch_refund(refund.refund_id) == refund
    assert razorpay.payment_refunds(checkout.payment_id) == [refund]
    assert razorpay.order_payments(order.order_id)[0].refunded_minor == 50_000
    assert razorpay.fetch_order(order.order_id).status == "paid"


def test_orders_of_a_receipt_come_oldest_first(razorpay: RazorpayGateway) -> None:
    ids = [new_order(razorpay) for _ in range(3)]
    assert [order.order_id for order in razorpay.orders_by_receipt("MLT-1-1")] == ids
    assert razorpay.orders_by_receipt("MLT-none") == []


def test_capturing_twice_does_not_carry_amounts_over(razorpay: RazorpayGateway, standin: Gateway) -> None:
    # The client's capture writes the amount into its own default argument.
    for amount in (50_000, 70_000):
        order = razorpay.create_order(amount_minor=amount, currency="INR", receipt=f"R-{amount}", notes={})
        payment_id = standin.pay(order.order_id, outcome=Outcome.AUTHORIZED).payment_id
        assert razorpay.capture(payment_id, amount_minor=amount, currency="INR").amount_minor == amount


@pytest.mark.parametrize("transport", ["in-process", "http"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.ANSWER_LOST, Unknown),
        (Fault.UNREADABLE, Unknown),
        (Fault.HTML_502, Unknown),
        (Fault.RATE_LIMITED, RateLimited),
        (Fault.KEY_IN_PROGRESS, Conflict),
        (Fault.SERVER_ERROR, Unknown),
    ],
)
def test_faults_become_error_classes(
    standin: Gateway, transport: str, fault: Fault, error: type[GatewayError], capsys: pytest.CaptureFixture[str]
) -> None:
    standin.faults.arm(fault, path_prefix="/v1/orders")
    if transport == "http":
        with running(standin) as server, pytest.raises(error):
            new_order(adapter_for(standin, base_url=server.url))
    else:
        with pytest.raises(error):
            new_order(adapter_for(standin))
    assert capsys.readouterr().out == ""  # the client prints what it does not understand


@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_too_many_requests_are_told_from_refusals_whatever_they_look_like(
    razorpay: RazorpayGateway, standin: Gateway, body: str
) -> None:
    standin.change({"rate_limit_body": body})
    standin.faults.arm(Fault.RATE_LIMITED, method="GET")
    with pytest.raises(RateLimited):
        razorpay.fetch_payment("pay_" + "A" * 14)


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("bare", [True, False])
def test_wrong_credentials_are_invalid(standin: Gateway, status: int, bare: bool) -> None:
    standin.change({"authentication_status": status, "bare_errors": bare})
    stranger = RazorpayGateway(
        key_id="rzp_test_other",
        key_secret=SecretStr("wrong"),
        base_url="http://razorpay.local",
        adapter=lambda: InProcessAdapter(standin),
    )
    with pytest.raises(Invalid, match="api key"):
        new_order(stranger)


def test_refusals_become_error_classes(razorpay: RazorpayGateway, standin: Gateway) -> None:
    with pytest.raises(Invalid, match=r"at least INR 1\.00"):
        razorpay.create_order(amount_minor=99, currency="INR", receipt="R", notes={})
    with pytest.raises(Invalid, match="does not exist"):
        razorpay.fetch_payment("pay_" + "A" * 14)
    payment_id = standin.pay(new_order(razorpay)).payment_id
    razorpay.refund(payment_id, amount_minor=100, key="refund-key-1", notes={})
    with pytest.raises(Conflict, match="idempotency key"):
        razorpay.refund(payment_id, amount_minor=200, key="refund-key-1", notes={})


def test_a_bank_that_says_no_is_a_decline() -> None:
    from transactional.payments.http import _refusal

    body = {"error": {"code": "BAD_REQUEST_ERROR", "description": "declined by the bank", "source": "bank"}}
    assert isinstance(_refusal(400, body), Declined)
    assert isinstance(_refusal(400, {"error": None}), Invalid)


def test_nobody_listens_is_unavailable_and_silence_is_unknown() -> None:
    gateway = Gateway(StandInConfig())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = adapter_for(gateway, base_url=f"http://127.0.0.1:{port}")
        silent._timeout = (0.2, 0.2)
        with pytest.raises(Unknown):
            new_order(silent)
    with pytest.raises(Unavailable):
        new_order(adapter_for(gateway, base_url=f"http://127.0.0.1:{port}"))


def test_a_lost_refund_answer_is_repeated_with_the_same_key(razorpay: RazorpayGateway, standin: Gateway) -> None:
    payment_id = standin.pay(new_order(razorpay)).payment_id
    standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/payments")
    with pytest.raises(Unknown):
        razorpay.refund(payment_id, amount_minor=20_000, key="refund-key-1", notes={})
    razorpay.refund(payment_id, amount_minor=20_000, key="refund-key-1", notes={})
    assert len(razorpay.payment_refunds(payment_id)) == 1


def test_checkout_signatures(razorpay: RazorpayGateway, standin: Gateway) -> None:
    order_id = new_order(razorpay)
    checkout = standin.pay(order_id)
    signature = checkout.signature
    assert signature is not None
    razorpay.verify_checkout(order_id=order_id, payment_id=checkout.payment_id, signature=signature)
    flipped = f"{int(signature[0], 16) ^ 1:x}{signature[1:]}"
    for order, payment, given in [
        (order_id, checkout.payment_id, flipped),
        (order_id, checkout.payment_id, ""),
        (order_id, checkout.payment_id, "żółć"),
        (order_id, checkout.payment_id, signature.upper()),
        (order_id, "pay_" + "A" * 14, signature),
        ("order_" + "A" * 14, checkout.payment_id, signature),
        (order_id, "pay_\ud800", signature),
    ]:
        with pytest.raises(SignatureInvalid):
            razorpay.verify_checkout(order_id=order, payment_id=payment, signature=given)


def test_webhook_signatures_under_every_secret_over_raw_bytes(razorpay: RazorpayGateway) -> None:
    body = '{"event": "payment.captured",  "note":"₹500"}'.encode()
    for secret in SECRETS:
        razorpay.verify_webhook(body, sign(body, secret.get_secret_value()))
    good = sign(body, "new-secret")
    for bit in range(8):
        with pytest.raises(SignatureInvalid):
            razorpay.verify_webhook(bytes([body[0] ^ (1 << bit)]) + body[1:], good)
    for signature in (None, "", "₹", "0" * 64, sign(body, "local-stand-in-secret")):
        with pytest.raises(SignatureInvalid):
            razorpay.verify_webhook(body, signature)
    with pytest.raises(SignatureInvalid):
        razorpay.verify_webhook(b"\xff\xfe", sign(b"\xff\xfe", "new-secret"))


def test_an_old_secret_counts_until_its_end(standin: Gateway, clock: ManualClock) -> None:
    end = clock.now() + timedelta(hours=24)
    razorpay = RazorpayGateway(
        key_id="id",
        key_secret=SecretStr("secret"),
        webhook_secrets=[WebhookSecret(secret=SecretStr("old-secret"), until=end)],
        clock=clock,
    )
    body = b'{"event": "payment.captured"}'
    razorpay.verify_webhook(body, sign(body, "old-secret"))
    clock.advance(timedelta(hours=24))
    assert not razorpay.accepts_webhooks
    with pytest.raises(SignatureInvalid):
        razorpay.verify_webhook(body, sign(body, "old-secret"))


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    value = '["new", {"secret": "old", "until": "2026-02-01T00:00:00+05:30"}]'
    monkeypatch.setenv("MLT_RAZORPAY_WEBHOOK_SECRETS", value)
    new, old = Settings().razorpay_webhook_secrets
    assert (new.secret.get_secret_value(), new.until) == ("new", None)
    assert old.until == datetime(2026, 1, 31, 18, 30, tzinfo=UTC)
    assert "old" not in repr(old)
    for broken in ('[{"secret": "x", "until": "2026-02-01T00:00:00"}]', '[""]', '[{"until": null}]'):
        monkeypatch.setenv("MLT_RAZORPAY_WEBHOOK_SECRETS", broken)
        with pytest.raises(ValidationError):
            Settings()


def test_listings_come_whole_and_in_a_window(razorpay: RazorpayGateway, standin: Gateway, clock: ManualClock) -> None:
    begin = clock.now()
    for number in range(205):
        standin.pay(new_order(razorpay, f"R-{number}"))
    assert len({each.payment_id for each in razorpay.payments_created(begin, begin)}) == 205
    later = begin + timedelta(seconds=1)
    assert list(razorpay.payments_created(later, later)) == []
    assert list(razorpay.refunds_created(begin, later)) == []


def test_without_secrets_no_webhook_is_accepted(standin: Gateway) -> None:
    bare = RazorpayGateway(key_id="id", key_secret=SecretStr("secret"))
    assert not bare.accepts_webhooks
    with pytest.raises(SignatureInvalid):
        bare.verify_webhook(b"{}", sign(b"{}", ""))


def test_every_thread_has_a_client_of_its_own(razorpay: RazorpayGateway) -> None:
    clients = [razorpay.client, razorpay.client]
    thread = threading.Thread(target=lambda: clients.append(razorpay.client))
    thread.start()
    thread.join()
    assert clients[0] is clients[1]
    assert clients[2] is not clients[0]


def test_secrets_stay_out_of_repr_and_errors(standin: Gateway, razorpay: RazorpayGateway) -> None:
    wrong = RazorpayGateway(
        key_id="id",
        key_secret=SecretStr("very-secret"),
        base_url="http://razorpay.local",
        adapter=lambda: InProcessAdapter(standin),
    )
    with pytest.raises(GatewayError) as caught:
        new_order(wrong)
    assert "very-secret" not in repr(caught.value) + repr(wrong)


def test_parsing_tolerates_what_the_gateway_sends() -> None:
    from transactional.payments.parsing import Malformed, items_of, payment_from

    entity = {
        "id": "pay_1",
        "amount": "50000",
        "currency": "INR",
        "status": "captured",
        "captured": "1",
        "notes": [],
        "created_at": 1_700_000_000,
        "error_code": "",
    }
    payment = payment_from(entity)
    assert (payment.amount_minor, payment.captured, payment.error_code, payment.order_id) == (50_000, True, None, None)
    assert payment.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    for broken in (
        {"amount": None},
        {"amount": True},
        {"amount": "many"},
        {"status": "lost"},
        {"id": 7},
        {"created_at": 10**20},
    ):
        with pytest.raises(Malformed):
            payment_from({**entity, **broken})
    with pytest.raises(Malformed):
        items_of({"items": "none"})
