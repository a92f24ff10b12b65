"""Commission: lots that wait, are approved, paid or taken back; append-only entries; payouts that never change."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Minor, UtcDateTime, enum_type


class CommissionState(StrEnum):
    """The life of a lot."""

    PENDING = "pending"
    """Waits for the end of the return window."""
    APPROVED = "approved"
    PAID = "paid"
    OFFSET = "offset"
    """All that was left of it pays for commission that was taken back after it had been paid out."""
    REVERSED = "reversed"


class CommissionKind(StrEnum):
    """Why an affiliate's commission changed."""

    EARN = "earn"
    APPROVE = "approve"
    REVERSE = "reverse"
    OFFSET = "offset"
    """An approved lot pays for a reversal that found its own lot paid out."""
    PAY = "pay"


class CommissionBalance(Base):
    """A cache of an affiliate's ledger in one currency, locked by whoever writes it and proved by a check.

    What can be paid out = approved − reversed − paid, never below zero.
    """

    __tablename__ = "commission_balances"
    __table_args__ = (
        UniqueConstraint("affiliate_id", "currency"),
        CheckConstraint("approved_minor - reversed_minor - paid_minor >= 0", name="payable"),
        CheckConstraint(
            "pending_minor >= 0 AND approved_minor >= 0 AND reversed_minor >= 0 AND paid_minor >= 0"
            " AND owed_minor >= 0",
            name="signs",
        ),
    )

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    currency: Mapped[Currency]
    pending_minor: Mapped[Minor] = mapped_column(default=0)
    approved_minor: Mapped[Minor] = mapped_column(default=0)
    """Everything that was ever approved."""
    reversed_minor: Mapped[Minor] = mapped_column(default=0)
    """Of what was approved: taken back, from the lot itself or from another one."""
    paid_minor: Mapped[Minor] = mapped_column(default=0)
    owed_minor: Mapped[Minor] = mapped_column(default=0)
    """Taken back after it had been paid out; the next approved commission pays for it."""

    @property
    def payable_minor(self) -> int:
        """What a payout would pay now."""
        return self.approved_minor - self.reversed_minor - self.paid_minor


class CommissionLot(Base):
    """The commission of one order line: the sum over its units, each rounded down on its frozen net price.

    amount = remaining + paid + offset + reversed − clawed; Σ clawed − Σ offset of an affiliate is what they owe.
    """

    __tablename__ = "commission_lots"
    __table_args__ = (
        CheckConstraint(
            "amount_minor = remaining_minor + paid_minor + offset_minor + reversed_minor - clawed_minor", name="sum"
        ),
        CheckConstraint(
            "remaining_minor >= 0 AND paid_minor >= 0 AND offset_minor >= 0 AND clawed_minor >= 0", name="signs"
        ),
        CheckConstraint("reversed_minor BETWEEN clawed_minor AND amount_minor", name="reversed"),
        CheckConstraint("amount_minor > 0 AND quantity > 0", name="amount"),
        CheckConstraint("rate_bp BETWEEN 1 AND 10000", name="rate"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        Index("ix_commission_lots_affiliate_id_state", "affiliate_id", "state"),
        Index("ix_commission_lots_state_approvable_at", "state", "approvable_at"),
    )

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    attribution_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_attributions.id"), index=True)
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"), unique=True)
    version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programme_versions.id"))
    """Whose rate it is."""
    rate_bp: Mapped[int]
    currency: Mapped[Currency]
    quantity: Mapped[int] = mapped_column(BigInt)
    net_minor: Mapped[Minor]
    """The line's frozen net price."""
    state: Mapped[CommissionState] = mapped_column(enum_type(CommissionState))
    amount_minor: Mapped[Minor]
    remaining_minor: Mapped[Minor]
    """Neither paid nor taken away."""
    paid_minor: Mapped[Minor] = mapped_column(default=0)
    offset_minor: Mapped[Minor] = mapped_column(default=0)
    """What it paid for reversals of other lots."""
    reversed_minor: Mapped[Minor] = mapped_column(default=0)
    clawed_minor: Mapped[Minor] = mapped_column(default=0)
    """The part of `reversed_minor` that the lot no longer had."""
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approvable_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The end of the return window; NULL until the order is delivered."""
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the facts of the lot and the attribution's hash (`receipts.lot_facts`): the last link of a receipt."""


class CommissionEntry(Base):
    """One entry of the ledger; never changed. An affiliate's balance is the sum of each signed column."""

    __tablename__ = "commission_entries"
    __table_args__ = (
        UniqueConstraint("lot_id", "covers_id"),
        CheckConstraint("pending_minor <> 0 OR payable_minor <> 0 OR owed_minor <> 0", name="amount"),
        CheckConstraint("(kind = 'offset') = (covers_id IS NOT NULL)", name="covers"),
        CheckConstraint("(kind = 'pay') = (payout_id IS NOT NULL)", name="payout"),
        Index("ix_commission_entries_affiliate_id_id", "affiliate_id", "id"),
    )

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    lot_id: Mapped[int] = mapped_column(BigInt, ForeignKey("commission_lots.id"))
    kind: Mapped[CommissionKind] = mapped_column(enum_type(CommissionKind))
    currency: Mapped[Currency]
    pending_minor: Mapped[Minor] = mapped_column(default=0)
    payable_minor: Mapped[Minor] = mapped_column(default=0)
    owed_minor: Mapped[Minor] = mapped_column(default=0)
    covers_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("commission_entries.id"), index=True)
    """The reversal that an offset pays for."""
    payout_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("affiliate_payouts.id"), index=True)
    actor: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PayoutBatch(Base):
    """Everything that was paid out at one time; never changed."""

    __tablename__ = "payout_batches"
    __table_args__ = (
        CheckConstraint("total_minor > 0 AND payouts > 0 AND lots > 0", name="amounts"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programmes.id"), index=True)
    currency: Mapped[Currency]
    total_minor: Mapped[Minor]
    payouts: Mapped[int]
    lots: Mapped[int]
    note: Mapped[str] = mapped_column(String(200), default="")
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the batch's CSV export, which therefore is the same for ever."""


class AffiliatePayout(Base):
    """One affiliate's part of a batch, and where it was paid; never changed."""

    __tablename__ = "affiliate_payouts"
    __table_args__ = (
        UniqueConstraint("batch_id", "affiliate_id"),
        CheckConstraint("amount_minor > 0", name="amount"),
        {"info": {"journal_redact": ("pay_to",)}},
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    batch_id: Mapped[int] = mapped_column(BigInt, ForeignKey("payout_batches.id"))
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"), index=True)
    amount_minor: Mapped[Minor]
    full_name: Mapped[str] = mapped_column(String(200))
    pay_to: Mapped[str] = mapped_column(String(120))
    """As the affiliate's record had it."""


class PayoutLot(Base):
    """A lot in a payout: each lot is paid at most once."""

    __tablename__ = "payout_lots"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)

    id: Mapped[IntPk]
    payout_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_payouts.id"), index=True)
    lot_id: Mapped[int] = mapped_column(BigInt, ForeignKey("commission_lots.id"), unique=True)
    amount_minor: Mapped[Minor]
