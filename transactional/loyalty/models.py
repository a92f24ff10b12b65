"""Points: lots, append-only entries and the consumptions that tie every debit to its lots."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Minor, UtcDateTime, enum_type


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
    is 0.
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


class LoyaltyProgramme(Base):
    """One version of the rules; a lot remembers the version that it was earned under."""

    __tablename__ = "loyalty_programmes"
    __table_args__ = (
        CheckConstraint("earn_per_unit_minor > 0 AND value_per_point_minor > 0", name="rates"),
        CheckConstraint("max_share_bp BETWEEN 0 AND 10000", name="share"),
    )

    id: Mapped[IntPk]
    version: Mapped[int] = mapped_column(unique=True)
    earn_per_unit_minor: Mapped[Minor]
    """One point for so many minor units of a unit's frozen net price."""
    value_per_point_minor: Mapped[Minor]
    min_redeem_points: Mapped[int] = mapped_column(default=1)
    max_share_bp: Mapped[int] = mapped_column(default=10000)
    """The largest part of an order's merchandise that points may pay, in basis points."""
    activation_days: Mapped[int] = mapped_column(default=14)
    """Points wait out the return window."""
    expiry_days: Mapped[int] = mapped_column(default=365)
    restore_grace_days: Mapped[int] = mapped_column(default=30)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)


class PointBalance(Base):
    """A cache of the ledger per customer, guarded by conditional writes and rebuilt by a check."""

    __tablename__ = "point_balances"
    __table_args__ = (CheckConstraint("active >= 0 AND pending >= 0 AND held >= 0 AND owed >= 0", name="signs"),)

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), unique=True)
    active: Mapped[int] = mapped_column(BigInt, default=0)
    pending: Mapped[int] = mapped_column(BigInt, default=0)
    held: Mapped[int] = mapped_column(BigInt, default=0)
    owed: Mapped[int] = mapped_column(BigInt, default=0)
    """Points taken back that had been spent already, netted from future earnings."""


class PointLot(Base):
    """Points that came in together and expire together."""

    __tablename__ = "point_lots"
    __table_args__ = (
        CheckConstraint("amount > 0 AND remaining BETWEEN 0 AND amount", name="amounts"),
        Index("ix_point_lots_customer_id_state_expires_at", "customer_id", "state", "expires_at"),
        Index("ix_point_lots_state_available_at", "state", "available_at"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("loyalty_programmes.id"))
    source: Mapped[str] = mapped_column(String(20))
    """order, restore, referral, campaign or adjustment."""
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    restored_from_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("point_lots.id"), index=True)
    """For points given back on a return: the lot that they had been spent from."""
    state: Mapped[LotState] = mapped_column(enum_type(LotState))
    amount: Mapped[int] = mapped_column(BigInt)
    remaining: Mapped[int] = mapped_column(BigInt)
    earned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    available_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderLinePoints(Base):
    """The points of one order line, frozen when the order was paid. A unit's share is `core.money.unit_share`."""

    __tablename__ = "order_line_points"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("earned >= 0 AND spent >= 0", name="signs"),
    )

    id: Mapped[IntPk]
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"), unique=True)
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    earned: Mapped[int] = mapped_column(BigInt)
    """Earned on the line's frozen net price, rounded down unit by unit."""
    spent: Mapped[int] = mapped_column(BigInt)
    """The line's part of the points that paid for the order."""


class PointEntry(Base):
    """One entry of the ledger; never changed. A customer's balance is the sum of `points`."""

    __tablename__ = "point_entries"
    __table_args__ = (Index("ix_point_entries_customer_id_id", "customer_id", "id"),)

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"))
    lot_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("point_lots.id"))
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(enum_type(EntryKind))
    points: Mapped[int] = mapped_column(BigInt)
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
