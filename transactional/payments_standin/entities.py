"""What the gateway keeps: orders, payments, refunds, and how each looks on the wire."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

Notes = dict[str, str]
Json = dict[str, Any]


def render_notes(notes: Notes) -> Notes | list[str]:
    """Empty notes come back as a list, as PHP writes an empty array."""
    return dict(notes) if notes else []


@dataclass(slots=True)
class OrderEntity:
    """A request for payment. `paid` is final, also after refunds. Amounts in the smallest unit, times in seconds."""

    id: str
    amount: int
    currency: str
    receipt: str | None
    notes: Notes
    created_at: int
    automatic_capture: bool = True
    automatic_expiry: timedelta | None = None
    """A payment authorised within this of its creation is captured by the gateway, a later one is not."""
    manual_expiry: timedelta | None = None
    """A payment not captured within this of its creation is given back."""
    status: str = "created"
    attempts: int = 0
    amount_paid: int = 0

    def render(self) -> Json:
        """The entity on the wire."""
        return {
            "id": self.id,
            "entity": "order",
            "amount": self.amount,
            "amount_paid": self.amount_paid,
            "amount_due": self.amount - self.amount_paid,
            "currency": self.currency,
            "receipt": self.receipt,
            "offer_id": None,
            "status": self.status,
            "attempts": self.attempts,
            "notes": render_notes(self.notes),
            "created_at": self.created_at,
        }


@dataclass(frozen=True, slots=True)
class PaymentFailure:
    """Why a payment failed, in the gateway's five fields."""

    code: str = "BAD_REQUEST_ERROR"
    description: str = "Your payment was not successful as it was declined by the bank."
    source: str = "bank"
    step: str = "payment_authorization"
    reason: str = "payment_failed"


BANK_SILENT = PaymentFailure(
    code="GATEWAY_ERROR",
    description="Payment was not completed on time.",
    source="customer",
    step="payment_authentication",
    reason="payment_timed_out",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank will say, and when (unix seconds)."""

    outcome: str
    due_at: int


@dataclass(slots=True)
class PaymentEntity:
    """One attempt to pay an order."""

    id: str
    order_id: str
    amount: int
    currency: str
    method: str
    email: str
    contact: str
    notes: Notes
    created_at: int
    instrument: Json
    """The fields of the method: `card`, `vpa` and `upi`, `bank` or `wallet`."""
    acquirer_data: dict[str, str | None]
    status: str = "created"
    captured: bool = False
    amount_refunded: int = 0
    fee: int | None = None
    tax: int | None = None
    authorized_at: int | None = None
    failure: PaymentFailure | None = None
    verdict: Verdict | None = None
    invoice_id: str | None = None

    @property
    def refund_status(self) -> str | None:
        """How much of it went back: None, `partial` or `full`."""
        if self.amount_refunded == 0:
            return None
        return "full" if self.amount_refunded == self.amount else "partial"

    def render(self) -> Json:
        """The entity on the wire."""
        failure = self.failure
        return {
            "id": self.id,
            "entity": "payment",
            "amount": self.amount,
            "currency": self.currency,
            "status": self.status,
            "order_id": self.order_id,
            "invoice_id": self.invoice_id,
            "international": False,
            "method": self.method,
            "amount_refunded": self.amount_refunded,
            "refund_status": self.refund_status,
            "captured": self.captured,
            "description": None,
            "card_id": None,
            "bank": None,
            "wallet": None,
            "vpa": None,
            **self.instrument,
            "email": self.email,
            "contact": self.contact,
            "customer_id": None,
            "token_id": None,
            "notes": render_notes(self.notes),
            "fee": self.fee,
            "tax": self.tax,
            "error_code": failure.code if failure else None,
            "error_description": failure.description if failure else None,
            "error_source": failure.source if failure else None,
            "error_step": failure.step if failure else None,
            "error_reason": failure.reason if failure else None,
            "acquirer_data": dict(self.acquirer_data),
            "created_at": self.created_at,
        }


@dataclass(slots=True)
class RefundEntity:
    """Money on its way back to the payer."""

    id: str
    payment_id: str
    amount: int
    currency: str
    receipt: str | None
    notes: Notes
    created_at: int
    status: str
    speed: str | None = None
    speed_processed: str | None = None
    shows_speed: bool = False
    arn: str | None = None

    def render(self) -> Json:
        """The entity on the wire; whether it shows its speed is a switch, unless one was asked for."""
        entity: Json = {
            "id": self.id,
            "entity": "refund",
            "amount": self.amount,
            "currency": self.currency,
            "payment_id": self.payment_id,
            "notes": render_notes(self.notes),
            "receipt": self.receipt,
            "acquirer_data": {"arn": self.arn},
            "created_at": self.created_at,
            "batch_id": None,
            "status": self.status,
        }
        if self.shows_speed or self.speed is not None:
            entity |= {"speed_processed": self.speed_processed, "speed_requested": self.speed or "normal"}
        return entity


@dataclass(slots=True)
class Page:
    """A part of a collection."""

    items: list[Json] = field(default_factory=list)

    def render(self) -> Json:
        """The collection on the wire."""
        return {"entity": "collection", "count": len(self.items), "items": self.items}
