"""Stock: levels guarded by conditional writes, holds with expiry, and the append-only ledger of movements."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime, enum_type


class MovementKind(StrEnum):
    """Why stock changed."""

    RECEIPT = "receipt"
    SALE = "sale"
    RETURN = "return"
    ADJUSTMENT = "adjustment"


class HoldState(StrEnum):
    """The life of a reservation."""

    LIVE = "live"
    FULFILLED = "fulfilled"
    RELEASED = "released"
    EXPIRED = "expired"


class Location(Base):
    """A place where stock lies."""

    __tablename__ = "locations"

    id: Mapped[IntPk]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class StockLevel(Base):
    """What lies at a location; `on_hand` = Σ movements and `reserved` = Σ live holds, kept by conditional writes.

    saleable = on_hand − reserved − threshold; a negative threshold allows back-orders up to that number.
    """

    __tablename__ = "stock_levels"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        CheckConstraint("reserved >= 0", name="reserved"),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    on_hand: Mapped[int] = mapped_column(BigInt, default=0)
    reserved: Mapped[int] = mapped_column(BigInt, default=0)
    threshold: Mapped[int] = mapped_column(BigInt, default=0)
    low_stock_level: Mapped[int] = mapped_column(BigInt, default=0)


class StockHold(Base):
    """Units promised to an order until it ships, is cancelled or its payment time runs out."""

    __tablename__ = "stock_holds"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_holds_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInt)
    state: Mapped[HoldState] = mapped_column(enum_type(HoldState), default=HoldState.LIVE)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """NULL once the order is paid: it no longer expires."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StockMovement(Base):
    """One entry of the stock ledger; never changed, never deleted."""

    __tablename__ = "stock_movements"
    __table_args__ = (CheckConstraint("quantity <> 0", name="quantity"),)

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"), index=True)
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    kind: Mapped[MovementKind] = mapped_column(enum_type(MovementKind))
    quantity: Mapped[int] = mapped_column(BigInt)
    """Signed: positive into the shelf, negative out of it."""
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"))
    return_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("return_lines.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
