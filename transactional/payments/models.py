"""Payments: gateway orders, payments, refunds, the double-entry ledger and the inbox of webhooks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Minor, UtcDateTime, enum_type


class PaymentStatus(StrEnum):
    """The life of one payment at the gateway; `failed` may still become `authorized` (late authorisation)."""

    CREATED = "created"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    REFUNDED = "refunded"
    FAILED = "failed"


class RefundStatus(StrEnum):
    """The life of one refund."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


class InboxState(StrEnum):
    """What became of a webhook."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class GatewayOrder(Base):
    """Our request for payment at the gateway. The row is written before the gateway is called."""

    __tablename__ = "gateway_orders"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    gateway: Mapped[str] = mapped_column(String(16))
    receipt: Mapped[str] = mapped_column(String(40), unique=True)
    gateway_order_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Payment(Base):
    """One payment; a capture is posted at most once, whoever reports it."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("gateway", "gateway_payment_id"),
        CheckConstraint(
            "refunded_minor >= 0 AND refund_pending_minor >= 0"
            " AND refunded_minor + refund_pending_minor <= captured_minor",
            name="refunds",
        ),
        CheckConstraint("captured_minor IN (0, amount_minor)", name="captured"),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    gateway_order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("gateway_orders.id"), index=True)
    gateway: Mapped[str] = mapped_column(String(16))
    gateway_payment_id: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(16))
    status: Mapped[PaymentStatus] = mapped_column(enum_type(PaymentStatus))
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    captured_minor: Mapped[Minor] = mapped_column(default=0)
    refunded_minor: Mapped[Minor] = mapped_column(default=0)
    refund_pending_minor: Mapped[Minor] = mapped_column(default=0)
    fee_minor: Mapped[int | None] = mapped_column(BigInt)
    """The gateway's fee including its GST."""
    fee_tax_minor: Mapped[int | None] = mapped_column(BigInt)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_description: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    authorized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    captured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Refund(Base):
    """Money on its way back: first this row with its own key, then the gateway's call, then the posting."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_refunds_status_created_at", "status", "created_at"),
    )

    id: Mapped[IntPk]
    payment_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("payments.id"), index=True)
    """NULL for a stand-alone refund of an imported history."""
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    return_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("returns.id"))
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    gateway_refund_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    status: Mapped[RefundStatus] = mapped_column(enum_type(RefundStatus))
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LedgerTransaction(Base):
    """A set of postings that sum to zero; `business_key` makes it unrepeatable (`capture:pay_…`, `refund:rfnd_…`)."""

    __tablename__ = "ledger_transactions"

    id: Mapped[IntPk]
    kind: Mapped[str] = mapped_column(String(20))
    business_key: Mapped[str] = mapped_column(String(100), unique=True)
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LedgerPosting(Base):
    """A signed amount on an account: debits positive, credits negative."""

    __tablename__ = "ledger_postings"
    __table_args__ = (CheckConstraint("amount_minor <> 0", name="amount"),)

    id: Mapped[IntPk]
    transaction_id: Mapped[int] = mapped_column(BigInt, ForeignKey("ledger_transactions.id"), index=True)
    account: Mapped[str] = mapped_column(String(40))
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]


class WebhookInbox(Base):
    """A webhook as it came, stored before anything is done about it."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        Index("ix_webhook_inbox_state", "state", "received_at"),
        {"info": {"journal": False}},
    )

    id: Mapped[IntPk]
    source: Mapped[str] = mapped_column(String(16))
    event_id: Mapped[str] = mapped_column(String(80))
    event_type: Mapped[str] = mapped_column(String(64))
    raw: Mapped[str] = mapped_column(Text)
    state: Mapped[InboxState] = mapped_column(enum_type(InboxState), default=InboxState.RECEIVED)
    note: Mapped[str | None] = mapped_column(String(300))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
