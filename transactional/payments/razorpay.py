"""Razorpay through its own Python client; nothing of the client leaks out of this file."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, TypeVar

import razorpay
from pydantic import SecretStr
from razorpay.errors import SignatureVerificationError
from requests.adapters import BaseAdapter

from transactional.core.clock import Clock, SystemClock
from transactional.payments import parsing
from transactional.payments.gateway import (
    OrderSnapshot,
    PaymentSnapshot,
    RateLimited,
    RefundSnapshot,
    SignatureInvalid,
    Unknown,
)
from transactional.payments.http import GatewaySession
from transactional.settings import Settings, WebhookSecret

T = TypeVar("T")

_CONNECT_SECONDS = 5.0
_PAGE = 100
"""The most that the gateway lists at once."""
_PATIENCE = (1.0, 2.0, 4.0, 8.0)
"""Pauses in seconds when a listing is asked to slow down."""


_CLIENT_VERSION = version("razorpay")


class _Client(razorpay.Client):  # type: ignore[misc]  # the library has no types
    """The library's client, which would read its own version from the disk at every call."""

    def _get_version(self) -> str:
        return _CLIENT_VERSION


class RazorpayGateway:
    """The gateway's adapter. Safe to share between threads: each gets a client of its own."""

    name = "razorpay"

    def __init__(
        self,
        *,
        key_id: str,
        key_secret: SecretStr,
        webhook_secrets: Sequence[WebhookSecret] = (),
        base_url: str = "https://api.razorpay.com",
        timeout_seconds: float = 10.0,
        adapter: Callable[[], BaseAdapter] | None = None,
        name: str = name,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`adapter` makes the transport of each thread's session, the network when None.

        `name` stands on every row that is paid through it; another one keeps a made-up history apart.
        """
        self.name = name
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self.key_id = key_id
        self._key_secret = key_secret
        self._webhook_secrets = tuple(webhook_secrets)
        self._base_url = base_url.rstrip("/")
        self._timeout = (min(_CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        self._adapter = adapter
        self._local = threading.local()

    @classmethod
    def from_settings(
        cls, settings: Settings, *, adapter: Callable[[], BaseAdapter] | None = None
    ) -> "RazorpayGateway":
        """With the shop's credentials and time-outs."""
        return cls(
            key_id=settings.razorpay_key_id,
            key_secret=settings.razorpay_key_secret,
            webhook_secrets=settings.razorpay_webhook_secrets,
            base_url=settings.razorpay_base_url,
            timeout_seconds=settings.razorpay_timeout_seconds,
            adapter=adapter,
        )

    def __repr__(self) -> str:
        return f"RazorpayGateway(key_id={self.key_id!r}, base_url={self._base_url!r})"

    @property
    def accepts_webhooks(self) -> bool:
        """Whether there is a secret to check webhooks against."""
        return bool(self._live_secrets())

    def _live_secrets(self) -> list[SecretStr]:
        now = self._clock.now()
        return [each.secret for each in self._webhook_secrets if each.until is None or now < each.until]

    # --- calls -------------------------------------------------------------------------------------------------

    def create_order(self, *, amount_minor: int, currency: str, receipt: str, notes: dict[str, str]) -> OrderSnapshot:
        """Ask for a payment, to be captured by the gateway at once."""
        data = {
            "amount": amount_minor,
            "currency": currency,
            "receipt": receipt,
            "notes": dict(notes),
        }
        return parsed(parsing.order_from, self.client.order.create(data))

    def orders_by_receipt(self, receipt: str) -> list[OrderSnapshot]:
        """All orders with this receipt, oldest first."""
        return _parsed_all(parsing.order_from, self.client.order.all({"receipt": receipt, "count": _PAGE}))

    def fetch_order(self, order_id: str) -> OrderSnapshot:
        """One order."""
        return parsed(parsing.order_from, self.client.order.fetch(order_id))

    def order_payments(self, order_id: str) -> list[PaymentSnapshot]:
        """All attempts to pay an order, oldest first."""
        return _parsed_all(parsing.payment_from, self.client.order.payments(order_id))

    def fetch_payment(self, payment_id: str) -> PaymentSnapshot:
        """One payment."""
        return parsed(parsing.payment_from, self.client.payment.fetch(payment_id))

    def capture(self, payment_id: str, *, amount_minor: int, currency: str) -> PaymentSnapshot:
        """Take what was authorised. The dictionary is ours: the client writes into its default argument."""
        data = {"currency": currency}
        return parsed(parsing.payment_from, self.client.payment.capture(payment_id, amount_minor, data))

    def refund(self, payment_id: str, *, amount_minor: int, key: str, notes: dict[str, str]) -> RefundSnapshot:
        """Give money back under an idempotency key. The headers are fresh: the client writes into them."""
        data = {"amount": amount_minor, "notes": dict(notes)}
        headers = {"X-Refund-Idempotency": key}
        return parsed(parsing.refund_from, self.client.payment.refund(payment_id, data, headers=headers))

    def fetch_refund(self, refund_id: str) -> RefundSnapshot:
        """One refund."""
        return parsed(parsing.refund_from, self.client.refund.fetch(refund_id))

    def payment_refunds(self, payment_id: str) -> list[RefundSnapshot]:
        """All refunds of a payment, oldest first."""
        listing = self.client.payment.fetch_multiple_refund(payment_id, {"count": _PAGE})
        return _parsed_all(parsing.refund_from, listing)

    def payments_created(self, since: datetime, until: datetime) -> Iterator[PaymentSnapshot]:
        """All payments of a time span, both ends included, page by page. May raise in the middle."""
        return self._listed(self.client.payment.all, parsing.payment_from, since, until)

    def refunds_created(self, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        """All refunds of a time span."""
        return self._listed(self.client.refund.all, parsing.refund_from, since, until)

    def _listed(
        self, call: Callable[[dict[str, int]], Any], parse: Callable[[Any], T], since: datetime, until: datetime
    ) -> Iterator[T]:
        """The newest come first: what is added meanwhile shifts the pages, which may repeat but never hide an item."""
        window = {"from": int(since.timestamp()), "to": int(until.timestamp()), "count": _PAGE}
        skip = 0
        while True:
            items = _parsed_all(parse, self._patiently(call, window | {"skip": skip}))
            yield from items
            if len(items) < _PAGE:
                return
            skip += len(items)

    def _patiently(self, call: Callable[[dict[str, int]], Any], query: dict[str, int]) -> Any:
        """A reading call, repeated after growing pauses with jitter when the gateway asks for patience."""
        for pause in _PATIENCE:
            try:
                return call(dict(query))
            except RateLimited:
                self._sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
        return call(dict(query))

    # --- signatures --------------------------------------------------------------------------------------------

    def verify_checkout(self, *, order_id: str, payment_id: str, signature: str) -> None:
        """Check what the browser brings back. Raises SignatureInvalid."""
        parameters = {
            "razorpay_order_id": order_id,
            "razorpay_payment_id": payment_id,
            "razorpay_signature": signature,
        }
        checked(lambda: self.client.utility.verify_payment_signature(parameters))

    def verify_webhook(self, body: bytes, signature: str | None) -> None:
        """Check raw bytes against every valid secret. Raises SignatureInvalid.

        All secrets are tried even after a match, so that the time tells nothing.
        """
        if not signature:
            raise SignatureInvalid("the signature is missing")
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SignatureInvalid("the body is not UTF-8") from error
        results = [self._matches(text, signature, secret) for secret in self._live_secrets()]
        if not any(results):
            raise SignatureInvalid("the signature does not match")

    def _matches(self, text: str, signature: str, secret: SecretStr) -> bool:
        verify = self.client.utility.verify_webhook_signature
        try:
            checked(lambda: verify(text, signature, secret.get_secret_value()))
        except SignatureInvalid:
            return False
        return True

    @property
    def client(self) -> Any:
        """This thread's client: it holds one HTTP session, which threads must not share."""
        client = getattr(self._local, "client", None)
        if client is None:
            adapter = self._adapter() if self._adapter else None
            session = GatewaySession(base_url=self._base_url, timeout=self._timeout, adapter=adapter)
            auth = (self.key_id, self._key_secret.get_secret_value())
            client = _Client(session=session, auth=auth, base_url=self._base_url)
            self._local.client = client
        return client


def checked(verify: Callable[[], bool]) -> None:
    """Run one of the client's verifiers; strange characters make it raise TypeError or UnicodeError."""
    try:
        verify()
    except (SignatureVerificationError, TypeError, UnicodeError) as error:
        raise SignatureInvalid("the signature does not match") from error


def parsed(parse: Callable[[dict[str, Any]], T], answer: Any) -> T:
    """A typed answer. The client gives the text "{}" for an empty one."""
    try:
        if not isinstance(answer, dict):
            raise parsing.Malformed("an empty answer")
        return parse(answer)
    except parsing.Malformed as error:
        raise Unknown(f"the payment gateway's answer cannot be read: {error}") from error


def _parsed_all(parse: Callable[[Any], T], answer: Any) -> list[T]:
    return parsed(lambda collection: [parse(item) for item in parsing.items_of(collection)], answer)
