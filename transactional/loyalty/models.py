"""Points: lots, append-only entries and the consumptions that tie every debit to its lots."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Json, Minor, UtcDateTime, enum_type
from transactional.loyalty.rule_models import (
    ActivationRule,
    DateRounding,
    LoyaltyCampaign,
    LoyaltyProgramme,
    LoyaltyTier,
    TierPolicy,
    Wallet,
)

__all__ = [
    "ActivationRule",
    "AdjustmentState",
    "DateRounding",
    "EntryKind",
    "LotState",
    "LoyaltyCampaign",
    "LoyaltyProgramme",
    "LoyaltyTier",
    "OrderLinePoints",
    "PeriodReason",
    "PointAdjustment",
    "PointBalance",
    "PointConsumption",
    "PointEntry",
    "PointLot",
    "PointShortfall",
    "TierPeriod",
    "TierPolicy",
    "Wallet",
]


class LotState(StrEnum):
    """The life of a lot of points."""

    PENDING = "pending"
    ACTIVE = "active"
    SPENT = "spent"
    EXPIRED = "expired"
    REVERSED = "reversed"


class EntryKind(StrEnum):
    """Why a balance changed.

    `earn`, `release` and `restore` add points, `hold`, `expire` and `reverse` take them, `adjust` does either.
    `activate` (pending becomes active) and `capture` (held becomes spent) move points between states: their `points`
    is 0. A `restore` without an order reinstates points that had expired.
    """

    EARN = "earn"
    ACTIVATE = "activate"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    EXPIRE = "expire"
    REVERSE = "reverse"
    RESTORE = "restore"
    ADJUST = "adjust"


class PointBalance(Base):
    """A cache of the ledger per customer, guarded by conditional writes and proved by a check.

    Points issued = active + pending − owed + held + spent + expired + reversed.
    """

    __tablename__ = "point_balances"
    __table_args__ = (
        CheckConstraint("active >= 0 AND pending >= 0 AND held >= 0 AND owed >= 0", name="signs"),
        CheckConstraint("owed_promotional BETWEEN 0 AND owed AND shortfall >= 0", name="debts"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), unique=True)
    active: Mapped[int] = mapped_column(BigInt, default=0)
    pending: Mapped[int] = mapped_column(BigInt, default=0)
    held: Mapped[int] = mapped_column(BigInt, default=0)
    owed: Mapped[int] = mapped_column(BigInt, default=0)
    """Points taken back that had been spent already, netted from future earnings."""
    owed_promotional: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """The part of `owed` that promotional points left behind."""
    spent: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """Paid for orders and not given back."""
    expired: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """Expired and not reinstated."""
    reversed: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """Taken back with what had earned them, covered or owed."""
    shortfall: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """Points of open shortfalls: what could not be taken back because the balance was at its floor."""


class PointLot(Base):
    """Points that came in together and expire together."""

    __tablename__ = "point_lots"
    __table_args__ = (
        CheckConstraint("amount > 0 AND remaining BETWEEN 0 AND amount", name="amounts"),
        Index("ix_point_lots_customer_id_state_expires_at", "customer_id", "state", "expires_at"),
        Index("ix_point_lots_state_available_at", "state", "available_at"),
        Index("ix_point_lots_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("loyalty_programmes.id"))
    wallet: Mapped[Wallet] = mapped_column(enum_type(Wallet), default=Wallet.EARNED, server_default=Wallet.EARNED)
    source: Mapped[str] = mapped_column(String(20))
    """order, restore, reinstatement, referral, campaign or adjustment."""
    reference: Mapped[str | None] = mapped_column(String(120), unique=True)
    """What the points were given for, where they were given by reference: once."""
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    restored_from_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("point_lots.id"), index=True)
    """For points given back on a return: the lot that they had been spent from."""
    state: Mapped[LotState] = mapped_column(enum_type(LotState))
    amount: Mapped[int] = mapped_column(BigInt)
    remaining: Mapped[int] = mapped_column(BigInt)
    multiplier_bp: Mapped[int] = mapped_column(default=10_000, server_default=text("10000"))
    """Tier and campaign together, in basis points of the plain rate."""
    terms: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """Why so many: rule version, base, tier and campaign with their multipliers, and what a cap took."""
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    available_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """NULL while the points wait for a delivery."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderLinePoints(Base):
    """The points of one order line, frozen when the order was paid. A unit's share is `core.money.unit_share`."""

    __tablename__ = "order_line_points"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("earned >= 0 AND spent >= 0 AND qualifying >= 0", name="signs"),
    )

    id: Mapped[IntPk]
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"), unique=True)
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    earned: Mapped[int] = mapped_column(BigInt)
    """Earned on the line's frozen net price, rounded down unit by unit."""
    qualifying: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """What the line counts for tiers: its points at the plain rate, before multipliers and caps."""
    spent: Mapped[int] = mapped_column(BigInt)
    """The line's part of the points that paid for the order."""
    earned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """NULL only for lines without points of the first releases."""


class PointEntry(Base):
    """One entry of the ledger; never changed. A customer's balance is the sum of `points`."""

    __tablename__ = "point_entries"
    __table_args__ = (
        Index("ix_point_entries_customer_id_id", "customer_id", "id"),
        Index("ix_point_entries_customer_id_qualifying_at", "customer_id", "qualifying_at"),
        CheckConstraint("qualifying = 0 OR qualifying_at IS NOT NULL", name="qualifying"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    lot_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("point_lots.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(enum_type(EntryKind))
    wallet: Mapped[Wallet | None] = mapped_column(enum_type(Wallet))
    """NULL where the entry may take from lots of both wallets; its consumptions tell."""
    points: Mapped[int] = mapped_column(BigInt)
    qualifying: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    """Signed: what the entry adds to the points that count for tiers."""
    qualifying_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the order earned them: a refund takes its points from the day on which they came."""
    actor: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PointConsumption(Base):
    """What a debit took from a lot; a release gives it back as a negative consumption of its own entry.

    A reversal that found its lot spent is covered later, by consumptions of the next lots that become active.
    """

    __tablename__ = "point_consumptions"
    __table_args__ = (UniqueConstraint("lot_id", "entry_id"),)

    id: Mapped[IntPk]
    lot_id: Mapped[int] = mapped_column(BigInt, ForeignKey("point_lots.id"))
    entry_id: Mapped[int] = mapped_column(BigInt, ForeignKey("point_entries.id"), index=True)
    amount: Mapped[int] = mapped_column(BigInt)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the lot paid (last, where it paid twice for one debt): not before the entry, and later for what was owed."""


class PointShortfall(Base):
    """Points that should have been taken back and were not, because the balance was at its floor: a receivable.

    Later earnings do not pay for it; staff settle it with the customer or write it off.
    """

    __tablename__ = "point_shortfalls"
    __table_args__ = (
        CheckConstraint("points > 0 AND value_minor >= 0", name="amounts"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed"),
        Index("ix_point_shortfalls_customer_id_closed_at", "customer_id", "closed_at"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    entry_id: Mapped[int] = mapped_column(BigInt, ForeignKey("point_entries.id"), unique=True)
    """The reversal that could not take everything."""
    lot_id: Mapped[int] = mapped_column(BigInt, ForeignKey("point_lots.id"), index=True)
    wallet: Mapped[Wallet] = mapped_column(enum_type(Wallet))
    points: Mapped[int] = mapped_column(BigInt)
    value_minor: Mapped[Minor]
    """What the points were worth when they could not be taken, in the shop's currency."""
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(String(64))
    closing_note: Mapped[str | None] = mapped_column(String(200))


class AdjustmentState(StrEnum):
    """The life of an adjustment by hand."""

    REQUESTED = "requested"
    """More points than the programme's limit: waits for a second person."""
    APPROVED = "approved"
    REFUSED = "refused"
    APPLIED = "applied"


class PointAdjustment(Base):
    """An adjustment by hand: who asked for it and why, who decided, and the entry that came of it."""

    __tablename__ = "point_adjustments"
    __table_args__ = (
        CheckConstraint("points <> 0", name="points"),
        CheckConstraint("length(reason) > 0", name="reason"),
        CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="second_person"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(state = 'applied') = (entry_id IS NOT NULL)", name="applied"),
        Index("ix_point_adjustments_state_id", "state", "id"),
        Index("ix_point_adjustments_customer_id_id", "customer_id", "id"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    points: Mapped[int] = mapped_column(BigInt)
    """Signed: given or taken."""
    wallet: Mapped[Wallet] = mapped_column(enum_type(Wallet))
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[AdjustmentState] = mapped_column(enum_type(AdjustmentState))
    asked_by: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    """NULL where no second person was needed."""
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_note: Mapped[str | None] = mapped_column(String(200))
    entry_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("point_entries.id"), unique=True)


class PeriodReason(StrEnum):
    """Why a period of a tier began."""

    START = "start"
    """The first points: everybody's tier."""
    UPGRADE = "upgrade"
    RENEWAL = "renewal"
    DOWNGRADE = "downgrade"


class TierPeriod(Base):
    """A customer's tier from one moment to the next: a cache of `tiers.compute_tier`, proved by a check."""

    __tablename__ = "loyalty_tier_periods"
    __table_args__ = (
        UniqueConstraint("customer_id", "starts_at"),
        Index("ix_loyalty_tier_periods_review_at", "review_at"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    rank: Mapped[int]
    tier: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The end of the period, before the grace; NULL for the tier that never ends."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the next period began; NULL for the present one."""
    review_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the job has to look again; NULL for periods that are over or never end."""
    reason: Mapped[PeriodReason] = mapped_column(enum_type(PeriodReason))
