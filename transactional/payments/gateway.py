"""What the shop wants of a payment gateway: calls, typed answers and errors that say whether trying again is safe."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from transactional.payments.models import PaymentStatus, RefundStatus


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order at the gateway as it was at one moment; amounts in minor units."""

    order_id: str
    amount_minor: int
    amount_paid_minor: int
    currency: str
    receipt: str | None
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """A payment at the gateway as it was at one moment, perhaps long ago."""

    payment_id: str
    order_id: str | None
    amount_minor: int
    currency: str
    status: PaymentStatus
    method: str
    captured: bool
    """Meaningful only once the status is `refunded`: whether the money had been taken before."""
    refunded_minor: int
    fee_minor: int | None
    """Including its GST; None before the capture."""
    fee_tax_minor: int | None
    error_code: str | None
    error_description: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """A refund at the gateway as it was at one moment."""

    refund_id: str
    payment_id: str
    amount_minor: int
    currency: str
    status: RefundStatus
    created_at: datetime
    notes: dict[str, str] = field(default_factory=dict)


class GatewayError(Exception):
    """A call to the gateway did not give what it should."""


class Declined(GatewayError):
    """The gateway or the bank said no to this payment."""


class Invalid(GatewayError):
    """The request breaks one of the gateway's rules; repeating it changes nothing."""


class Conflict(GatewayError):
    """The idempotency key is in use for another, or a running, request."""


class RateLimited(GatewayError):
    """Too many requests; nothing was done."""


class Unavailable(GatewayError):
    """Nothing was done; trying again is safe."""


class Unknown(GatewayError):
    """Nobody knows whether it was done: read before repeating."""


class SignatureInvalid(GatewayError):
    """The signature does not belong to what it came with."""


class PaymentGateway(Protocol):
    """A gateway. Every call may raise the errors above; none may be made inside of a database transaction."""

    name: str
    key_id: str
    """The public half of the credentials, for the checkout widget."""

    def create_order(self, *, amount_minor: int, currency: str, receipt: str, notes: dict[str, str]) -> OrderSnapshot:
        """Ask for a payment. Not idempotent: after `Unknown` look the receipt up first."""
        ...

    def orders_by_receipt(self, receipt: str) -> list[OrderSnapshot]:
        """All orders with this receipt, oldest first."""
        ...

    def fetch_order(self, order_id: str) -> OrderSnapshot:
        """One order."""
        ...

    def order_payments(self, order_id: str) -> list[PaymentSnapshot]:
        """All attempts to pay an order, oldest first."""
        ...

    def fetch_payment(self, payment_id: str) -> PaymentSnapshot:
        """One payment."""
        ...

    def capture(self, payment_id: str, *, amount_minor: int, currency: str) -> PaymentSnapshot:
        """Take what was authorised."""
        ...

    def refund(self, payment_id: str, *, amount_minor: int, key: str, notes: dict[str, str]) -> RefundSnapshot:
        """Give money back; the same `key` (10 or more of `[A-Za-z0-9_-]`) with the same values does it once."""
        ...

    def fetch_refund(self, refund_id: str) -> RefundSnapshot:
        """One refund."""
        ...

    def payment_refunds(self, payment_id: str) -> list[RefundSnapshot]:
        """All refunds of a payment, oldest first."""
        ...

    def payments_created(self, since: datetime, until: datetime) -> Iterator[PaymentSnapshot]:
        """All payments that were created at the gateway in a time span, in any order; one may come twice."""
        ...

    def refunds_created(self, since: datetime, until: datetime) -> Iterator[RefundSnapshot]:
        """All refunds of a time span, likewise."""
        ...

    def verify_checkout(self, *, order_id: str, payment_id: str, signature: str) -> None:
        """Check what the browser brings back, against our stored order id. Raises SignatureInvalid."""
        ...

    def verify_webhook(self, body: bytes, signature: str | None) -> None:
        """Check the raw bytes of a webhook against every valid secret. Raises SignatureInvalid."""
        ...

    @property
    def accepts_webhooks(self) -> bool:
        """Whether a webhook secret is configured; without one nothing may be accepted."""
        ...
