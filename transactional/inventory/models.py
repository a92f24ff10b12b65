"""Stock: levels guarded by conditional writes, holds with expiry, and the append-only ledger of movements.

What changes the shelf is a movement; what is only promised is a hold, which keeps its beginning and its end. Both are
never rewritten, so on-hand and reserved stock of any past moment can be told from them.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime, enum_type


class MovementKind(StrEnum):
    """Why the shelf changed. Allocations and releases move nothing on the shelf: they are the holds."""

    RECEIPT = "receipt"
    SALE = "sale"
    CANCELLATION = "cancellation"
    """A sale that never reached its buyer came back."""
    RETURN = "return"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"
    """Half of a move between two locations; both halves name the transfer."""


class HoldState(StrEnum):
    """The life of a reservation."""

    LIVE = "live"
    FULFILLED = "fulfilled"
    RELEASED = "released"
    EXPIRED = "expired"


class ReorderPolicy(StrEnum):
    """When the shop thinks of buying more."""

    OFF = "off"
    FIXED = "fixed"
    """Up to the level's reorder point."""
    FORECAST = "forecast"
    """Up to the demand over the lead time and a safety stock."""


class Location(Base):
    """A place where stock lies. Orders are served from the active location with the lowest priority number first."""

    __tablename__ = "locations"

    id: Mapped[IntPk]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(300), default="", server_default="")
    city: Mapped[str] = mapped_column(String(120), default="", server_default="")
    postal_code: Mapped[str | None] = mapped_column(String(12))
    """The pincode that parcels are picked up from."""
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Nothing new is promised from a location that is not; what it holds still leaves."""
    priority: Mapped[int] = mapped_column(default=100, server_default="100")


class StockLevel(Base):
    """What lies at a location; `on_hand` = Σ movements and `reserved` = Σ live holds, kept by conditional writes.

    saleable = on_hand − reserved − threshold; a negative threshold allows back-orders up to that number. A variant that
    may be back-ordered is promised `backorder_limit` units beyond that, without limit where it is NULL.
    """

    __tablename__ = "stock_levels"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("backorder_limit >= 0", name="backorder_limit"),
        CheckConstraint("service_level_bp BETWEEN 1 AND 9999", name="service_level"),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    on_hand: Mapped[int] = mapped_column(BigInt, default=0)
    reserved: Mapped[int] = mapped_column(BigInt, default=0)
    threshold: Mapped[int] = mapped_column(BigInt, default=0)
    low_stock_level: Mapped[int] = mapped_column(BigInt, default=0)
    """An alert opens when fewer units than this are saleable; 0: never."""
    backorder_limit: Mapped[int | None] = mapped_column(BigInt)
    reorder_policy: Mapped[ReorderPolicy] = mapped_column(
        enum_type(ReorderPolicy), default=ReorderPolicy.OFF, server_default=ReorderPolicy.OFF.value
    )
    reorder_point: Mapped[int] = mapped_column(BigInt, default=0, server_default="0")
    service_level_bp: Mapped[int] = mapped_column(default=9_500, server_default="9500")
    """How often, in basis points, demand during the lead time is to be met from the shelf."""


class StockHold(Base):
    """Units promised to an order until it ships, is cancelled or its payment time runs out.

    Where only a part of a hold ends, that part becomes a row of its own with the same beginning.
    """

    __tablename__ = "stock_holds"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_holds_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    bundle_variant_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    """The bundle that was ordered, where this is one of its parts."""
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
    purchase_receipt_line_id: Mapped[int | None] = mapped_column(
        BigInt, ForeignKey("purchase_receipt_lines.id"), unique=True
    )
    transfer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("stock_transfers.id"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StockTransfer(Base):
    """Units that went from one location to another; two movements post it."""

    __tablename__ = "stock_transfers"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("from_location_id <> to_location_id", name="locations"),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    from_location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    to_location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    reason: Mapped[str] = mapped_column(String(200), default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StockAlert(Base):
    """One crossing of a level's low mark: opened when too few units are saleable, closed when there are enough again.

    At most one is open for a level.
    """

    __tablename__ = "stock_alerts"
    __table_args__ = (
        Index(
            "uq_stock_alerts_open",
            "variant_id",
            "location_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    low_stock_level: Mapped[int] = mapped_column(BigInt)
    saleable: Mapped[int] = mapped_column(BigInt)
    """As it was at the crossing."""
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BundleComponent(Base):
    """A part of a bundle (a hamper): so many units of the component go into one bundle.

    Only variants with the policy `bundle` have parts. The list is fixed once a bundle was ordered.
    """

    __tablename__ = "bundle_components"
    __table_args__ = (
        UniqueConstraint("bundle_variant_id", "component_variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("bundle_variant_id <> component_variant_id", name="component"),
    )

    id: Mapped[IntPk]
    bundle_variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    component_variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInt)
