"""The gateway as a whole: a plain object that answers API requests, whatever carried them."""

import base64
import binascii
import hmac
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from transactional.core.clock import Clock, SystemClock
from transactional.payments_standin.api import Api
from transactional.payments_standin.bank import Bank, Checkout, Method, Outcome
from transactional.payments_standin.billing import Billing
from transactional.payments_standin.books import Books
from transactional.payments_standin.clock import ShiftedClock
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import Deliveries, Sender
from transactional.payments_standin.entities import Json
from transactional.payments_standin.events import EventPublisher
from transactional.payments_standin.faults import Fault, Faults, answer_instead, cut_off
from transactional.payments_standin.ids import IdGenerator
from transactional.payments_standin.memory import Memory, dump, into_books
from transactional.payments_standin.refunds import settle_refund
from transactional.payments_standin.refusals import AUTHENTICATION_FAILED, WRONG_KEY, Refusal
from transactional.payments_standin.wire import ApiRequest, ApiResponse, refused

_REMEMBERED_REQUESTS = 10_000

__all__ = ["AnswerLost", "ApiRequest", "ApiResponse", "Gateway", "RecordedRequest"]


class AnswerLost(Exception):
    """The work was done; the answer must not reach the caller."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What was asked and how it was answered, for assertions; the credentials are left out."""

    at: datetime
    method: str
    path: str
    idempotency_key: str | None
    body: str
    status: int


class Gateway:
    """Razorpay on a desk: `handle` is its API, the other methods are what its control API offers. Thread-safe."""

    def __init__(
        self,
        config: StandInConfig | None = None,
        *,
        clock: Clock | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.config = config or StandInConfig()
        self.clock = ShiftedClock(clock or SystemClock())
        self.version = 0
        """Grows with every change; whoever keeps the books need not write the same twice."""
        self._starts = 0
        self._ids = ids = IdGenerator(self.config.seed)
        self.deliveries = Deliveries(self.config, self.clock, ids, sender)
        self.faults = Faults()
        self._lock = threading.RLock()
        self._requests: deque[RecordedRequest] = deque(maxlen=_REMEMBERED_REQUESTS)
        events = EventPublisher(self.config, ids, self.deliveries.enqueue, self.deliveries.has_receivers)
        self._books = Books(self.config, self.clock, ids, events)
        self._bank = Bank(self._books)
        self._billing = Billing(self._books)
        self._api = Api(self._books)

    # --- the API -----------------------------------------------------------------------------------------------

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request. Raises AnswerLost when a fault says that the answer gets lost after the work."""
        fault = self.faults.strike(request.method, request.path)
        if fault is not None and not fault.after_the_work:
            response = answer_instead(fault, self.config)
        else:
            with self._at_work(changing=request.method != "GET"):
                response = self._answer(request)
        self._record(request, response)
        if fault is Fault.ANSWER_LOST:
            raise AnswerLost
        return cut_off(response) if fault is Fault.UNREADABLE else response

    def _answer(self, request: ApiRequest) -> ApiResponse:
        try:
            self._authenticate(request.headers.get("authorization"))
            return ApiResponse(200, self._encode(self._api.answer(request)))
        except Refusal as refusal:
            return refused(refusal, bare=self.config.bare_errors)

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
                idempotency_key=request.refund_key,
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
        delay: timedelta = timedelta(0),
    ) -> Checkout:
        """A shopper pays an order; see `Bank.pay`."""
        with self._at_work():
            return self._bank.pay(
                order_id, method=method, outcome=outcome, vpa=vpa, email=email, contact=contact, delay=delay
            )

    def pay_twice(self, order_id: str, *, captured: bool = False) -> tuple[Checkout, Checkout]:
        """A shopper pays one order in two windows; see `Bank.pay_twice`."""
        with self._at_work():
            return self._bank.pay_twice(order_id, captured=captured)

    def authorize_late(self, payment_id: str, *, capture: bool | None = None) -> Checkout:
        """A bank answers late; see `Bank.authorize_late`."""
        with self._at_work():
            return self._bank.authorize_late(payment_id, capture=capture)

    def settle_refund(self, refund_id: str, status: str) -> Json:
        """The bank's last word (`processed` or `failed`) on a pending refund; ValueError when it has spoken."""
        with self._at_work():
            refund = self._books.refund(refund_id)
            settle_refund(self._books, refund, status)
            return refund.render()

    def authorize_subscription(self, subscription_id: str) -> Json:
        """A customer agrees to a subscription; see `Billing.authorize`."""
        with self._at_work():
            return self._billing.authorize(subscription_id)

    def decide_charges(self, subscription_id: str, outcomes: list[bool]) -> None:
        """Whether the next charges of a subscription succeed, retries included."""
        with self._at_work():
            self._billing.decide_next(subscription_id, outcomes)

    def recover_subscription(self, subscription_id: str) -> Json:
        """A new card; see `Billing.recover`."""
        with self._at_work():
            return self._billing.recover(subscription_id)

    def change(self, changes: dict[str, Any]) -> None:
        """Turn switches; see `StandInConfig.change`."""
        with self._lock:
            self.config.change(changes)

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and let everything happen that falls due; ValueError for a step back."""
        with self._at_work():
            moment = self.clock.advance(by)
            self._settle_time()
        self.deliveries.queued.set()
        return moment

    def settle_time(self) -> None:
        """Let everything happen that is due by the clock."""
        with self._lock:
            self._settle_time()

    @contextmanager
    def _at_work(self, *, changing: bool = True) -> Iterator[None]:
        """One at a time, and everything that is due comes first."""
        with self._lock:
            self._settle_time()
            self.version += changing
            yield

    # --- beyond a restart --------------------------------------------------------------------------------------

    def remember(self) -> bytes:
        """Everything that a restart must not forget; see `memory`."""
        with self._lock:
            return dump(self._books, starts=self._starts, clock_shift=self.clock.shift)

    def recall(self, memory: Memory) -> None:
        """Go on where a gateway stopped that remembered this; before the first request, and with ids of its own."""
        with self._lock:
            self._starts = memory.starts + 1
            if memory.starts:
                self._ids.start_over(memory.starts)
            into_books(memory, self._books)
            self.clock.advance(memory.clock_shift)
            self._bank.resume()
            self.version += 1

    def _settle_time(self) -> None:
        self._bank.settle_time()
        self._billing.settle_time()
