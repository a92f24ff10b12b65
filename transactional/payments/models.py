"""Payments: gateway orders, payments, refunds, the double-entry ledger and the inbox of webhooks."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
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


class RequestPurpose(StrEnum):
    """What a request for payment is for."""

    ORDER = "order"
    """The order as it was placed."""
    EXTRA = "extra"
    """What a change of a paid order added to it."""


class RunState(StrEnum):
    """How far a reconciliation is."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    """The gateway did not answer to the end: what was found until then stands."""


class Figure(StrEnum):
    """What is compared between our books and the gateway's."""

    CAPTURED = "captured"
    REFUNDED = "refunded"
    """Of a payment: everything that went or is going back."""
    FEE = "fee"
    """With its GST."""
    FEE_TAX = "fee_tax"
    NET = "net"
    """Captured less refunded less fee."""
    REFUND = "refund"
    """One refund's amount, zero where it failed or is not known."""


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
    purpose: Mapped[RequestPurpose] = mapped_column(
        enum_type(RequestPurpose), default=RequestPurpose.ORDER, server_default=RequestPurpose.ORDER.value
    )
    approval_sha256: Mapped[str | None] = mapped_column(String(64))
    """The approved content that is paid for; NULL where the order needed no approval."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """With the approval; nobody is given this request to pay afterwards."""
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
    requeued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When somebody last sent it through again."""
    requeued_by: Mapped[str | None] = mapped_column(String(64))


class ReconciliationRun(Base):
    """One comparison of our books with the gateway's, over the payments and refunds of a time span."""

    __tablename__ = "reconciliation_runs"
    __table_args__ = (CheckConstraint("window_start < window_end", name="window"),)

    id: Mapped[IntPk]
    gateway: Mapped[str] = mapped_column(String(16))
    window_start: Mapped[datetime] = mapped_column(UtcDateTime)
    window_end: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[RunState] = mapped_column(enum_type(RunState), default=RunState.RUNNING)
    payments_compared: Mapped[int] = mapped_column(default=0)
    refunds_compared: Mapped[int] = mapped_column(default=0)
    differences_open: Mapped[int] = mapped_column(default=0)
    """Differences of this gateway that nobody could explain when the run ended, older ones included."""
    error: Mapped[str | None] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReconciliationTotal(Base):
    """A run's sum of one figure over all compared payments, on either side."""

    __tablename__ = "reconciliation_totals"
    __table_args__ = (UniqueConstraint("run_id", "currency", "figure"),)

    id: Mapped[IntPk]
    run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("reconciliation_runs.id"))
    currency: Mapped[Currency]
    figure: Mapped[Figure] = mapped_column(enum_type(Figure))
    ours_minor: Mapped[Minor]
    theirs_minor: Mapped[Minor]


class GatewayDifference(Base):
    """One figure of one payment or refund that the two sides see differently; open until a run finds them agreed."""

    __tablename__ = "gateway_differences"
    __table_args__ = (
        # One open row a fact: runs that find it again only move `last_run_id`.
        Index(
            "uq_gateway_differences_open",
            "gateway",
            "kind",
            "reference",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("reconciliation_runs.id"), index=True)
    """The run that found it first."""
    last_run_id: Mapped[int] = mapped_column(BigInt, ForeignKey("reconciliation_runs.id"))
    """The latest run that found it."""
    gateway: Mapped[str] = mapped_column(String(16))
    kind: Mapped[Figure] = mapped_column(enum_type(Figure))
    reference: Mapped[str] = mapped_column(String(64))
    """The gateway's id of the refund where one refund differs, else of the payment."""
    gateway_payment_id: Mapped[str] = mapped_column(String(64))
    gateway_refund_id: Mapped[str | None] = mapped_column(String(64))
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    """NULL where the payment belongs to no order of ours."""
    currency: Mapped[Currency]
    ours_minor: Mapped[Minor]
    theirs_minor: Mapped[Minor]
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
