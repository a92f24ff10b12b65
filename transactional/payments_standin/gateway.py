"""The gateway as a whole: a plain object that answers API requests, whatever carried them."""

import base64
import binascii
import hmac
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from transactional.core.clock import Clock, SystemClock
from transactional.payments_standin.bank import Bank, Checkout, Method, Outcome
from transactional.payments_standin.books import Books
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import Deliveries, Sender, send_over_http
from transactional.payments_standin.entities import Json
from transactional.payments_standin.events import EventPublisher
from transactional.payments_standin.faults import Fault, Faults
from transactional.payments_standin.ids import IdGenerator
from transactional.payments_standin.orders import OrderDesk
from transactional.payments_standin.payments import PaymentDesk
from transactional.payments_standin.refunds import RefundDesk, settle_refund
from transactional.payments_standin.refusals import (
    AUTHENTICATION_FAILED,
    UNKNOWN_URL,
    WRONG_KEY,
    Refusal,
)

_REMEMBERED_REQUESTS = 10_000
_HTML_PAGE = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class AnswerLost(Exception):
    """The work was done; the answer must not reach the caller."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request, free of any HTTP library. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What was asked and how it was answered, for assertions; the credentials are left out."""

    at: datetime
    method: str
    path: str
    idempotency_key: str | None
    body: str
    status: int


Answer = Callable[[ApiRequest, re.Match[str]], Json]


class Gateway:
    """Razorpay on a desk: `handle` is its API, the other methods are what its control API offers. Thread-safe."""

    def __init__(
        self,
        config: StandInConfig | None = None,
        *,
        clock: Clock | None = None,
        sender: Sender = send_over_http,
    ) -> None:
        self.config = config or StandInConfig()
        self.clock = clock or SystemClock()
        ids = IdGenerator(self.config.seed)
        self.deliveries = Deliveries(self.clock, ids, sender)
        self.faults = Faults()
        self._lock = threading.RLock()
        self._requests: deque[RecordedRequest] = deque(maxlen=_REMEMBERED_REQUESTS)
        events = EventPublisher(self.config, ids, self.deliveries.enqueue, self.deliveries.has_receivers)
        self._books = Books(self.config, self.clock, ids, events)
        self._bank = Bank(self._books)
        self._routes = _routes(OrderDesk(self._books), PaymentDesk(self._books), RefundDesk(self._books))

    # --- the API -----------------------------------------------------------------------------------------------

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request. Raises AnswerLost when a fault says that the answer gets lost after the work."""
        fault = self.faults.strike(request.method, request.path)
        response = _FAULTY_ANSWERS.get(fault) if fault else None
        if response is None:
            with self._lock:
                self._bank.settle_time()
                response = self._answer(request)
        self._record(request, response)
        if fault is Fault.ANSWER_LOST:
            raise AnswerLost
        return response

    def _answer(self, request: ApiRequest) -> ApiResponse:
        try:
            self._authenticate(request.headers.get("authorization"))
            for method, pattern, answer in self._routes:
                match = pattern.fullmatch(request.path) if method == request.method else None
                if match is not None:
                    return ApiResponse(200, self._encode(answer(request, match)))
            raise Refusal(UNKNOWN_URL)
        except Refusal as refusal:
            return _refused(refusal)

    def _authenticate(self, header: str | None) -> None:
        """HTTP Basic, spelled exactly so."""
        status = self.config.authentication_status
        if header is None or not header.startswith("Basic "):
            raise Refusal(AUTHENTICATION_FAILED, status=status)
        try:
            given = base64.b64decode(header.removeprefix("Basic "), validate=True)
        except binascii.Error:
            raise Refusal(AUTHENTICATION_FAILED, status=status) from None
        expected = f"{self.config.key_id}:{self.config.key_secret}".encode()
        if not hmac.compare_digest(given, expected):
            raise Refusal(WRONG_KEY, status=status)

    def _encode(self, entity: Json) -> bytes:
        encoded = json.dumps(entity).encode()
        if self.config.oddities and entity.get("entity") == "refund":
            # Seen in a real answer: the same key twice. A reader must take the last.
            return b'{"receipt": null, ' + encoded[1:]
        return encoded

    def _record(self, request: ApiRequest, response: ApiResponse) -> None:
        self._requests.append(
            RecordedRequest(
                at=self.clock.now(),
                method=request.method,
                path=request.path,
                idempotency_key=request.headers.get("x-refund-idempotency"),
                body=request.body.decode("utf-8", "replace"),
                status=response.status,
            )
        )

    # --- the control API ---------------------------------------------------------------------------------------

    def requests(self) -> list[RecordedRequest]:
        """The latest requests, oldest first."""
        return list(self._requests)

    def pay(
        self,
        order_id: str,
        *,
        method: Method = Method.UPI,
        outcome: Outcome | None = None,
        vpa: str = "success@razorpay",
        email: str = "shopper@example.com",
        contact: str = "+919000090000",
    ) -> Checkout:
        """A shopper pays an order; see `Bank.pay`."""
        with self._lock:
            self._bank.settle_time()
            return self._bank.pay(order_id, method=method, outcome=outcome, vpa=vpa, email=email, contact=contact)

    def pay_twice(self, order_id: str) -> tuple[Checkout, Checkout]:
        """A shopper pays one order in two windows; see `Bank.pay_twice`."""
        with self._lock:
            return self._bank.pay_twice(order_id)

    def authorize_late(self, payment_id: str, *, capture: bool = False) -> Checkout:
        """A bank answers late; see `Bank.authorize_late`."""
        with self._lock:
            self._bank.settle_time()
            return self._bank.authorize_late(payment_id, capture=capture)

    def settle_refund(self, refund_id: str, status: str) -> Json:
        """The bank's last word (`processed` or `failed`) on a pending refund; ValueError when it has spoken."""
        with self._lock:
            refund = self._books.refund(refund_id)
            settle_refund(self._books, refund, status)
            return refund.render()

    def settle_time(self) -> None:
        """Let everything happen that is due by the clock."""
        with self._lock:
            self._bank.settle_time()


def _routes(orders: OrderDesk, payments: PaymentDesk, refunds: RefundDesk) -> list[tuple[str, re.Pattern[str], Answer]]:
    """The API's paths, most used first."""
    table: list[tuple[str, str, Answer]] = [
        ("POST", r"/v1/orders", lambda request, _: orders.create(_body(request))),
        ("GET", r"/v1/payments/([^/]+)", lambda _, match: payments.fetch(match[1])),
        ("POST", r"/v1/payments/([^/]+)/capture", lambda r, match: payments.capture(match[1], _body(r))),
        ("POST", r"/v1/payments/([^/]+)/refund", lambda r, match: refunds.create(match[1], _body(r), _key(r))),
        ("GET", r"/v1/orders/([^/]+)/payments", lambda _, match: orders.payments(match[1])),
        ("GET", r"/v1/orders/([^/]+)", lambda _, match: orders.fetch(match[1])),
        ("PATCH", r"/v1/orders/([^/]+)", lambda r, match: orders.edit(match[1], _body(r))),
        ("GET", r"/v1/orders", lambda request, _: orders.listing(request.query)),
        ("PATCH", r"/v1/payments/([^/]+)", lambda r, match: payments.edit(match[1], _body(r))),
        ("GET", r"/v1/payments", lambda request, _: payments.listing(request.query)),
        ("GET", r"/v1/payments/([^/]+)/refunds", lambda r, match: refunds.of_payment(match[1], r.query)),
        ("GET", r"/v1/payments/([^/]+)/refunds/([^/]+)", lambda _, match: refunds.of_payment_one(match[1], match[2])),
        ("POST", r"/v1/refunds", lambda request, _: refunds.create_by_body(_body(request), _key(request))),
        ("GET", r"/v1/refunds", lambda request, _: refunds.listing(request.query)),
        ("GET", r"/v1/refunds/([^/]+)", lambda _, match: refunds.fetch(match[1])),
        ("PATCH", r"/v1/refunds/([^/]+)", lambda r, match: refunds.edit(match[1], _body(r))),
    ]
    return [(method, re.compile(pattern), answer) for method, pattern, answer in table]


def _body(request: ApiRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise Refusal("The request body is not valid JSON.") from None
    # The SDK sends an empty list where it has nothing to say.
    if body == []:
        return {}
    if not isinstance(body, dict):
        raise Refusal("The request body must be an object.")
    return body


def _key(request: ApiRequest) -> str | None:
    return request.headers.get("x-refund-idempotency")


def _refused(refusal: Refusal) -> ApiResponse:
    return ApiResponse(refusal.status, json.dumps(refusal.body()).encode())


_FAULTY_ANSWERS: dict[Fault, ApiResponse] = {
    Fault.HTML_502: ApiResponse(502, _HTML_PAGE, "text/html"),
    Fault.RATE_LIMITED: _refused(Refusal("Request failed. Please try after sometime.", status=429)),
    Fault.SERVER_ERROR: _refused(
        Refusal("Internal server error - Failed to fetch idempotency record", status=500, code="SERVER_ERROR")
    ),
}
