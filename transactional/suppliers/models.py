"""Suppliers and their goods, procurement orders with their receipts, and what the shop needs by when.

Costs are in minor units of the row's currency, quantities in units of the shop's own variant (not in packs).
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, Minor, UtcDateTime, enum_type


class PurchaseStatus(StrEnum):
    """Where a procurement order stands; the transition table is in `suppliers.ordering`."""

    DRAFT = "draft"
    PLACED = "placed"
    """Sent to the supplier."""
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PurchaseOrigin(StrEnum):
    """Who drew the order up."""

    MANUAL = "manual"
    REORDER = "reorder"
    """The reorder job. A supplier has at most one such draft a currency and location."""


class RequirementSource(StrEnum):
    """Why something is needed."""

    ORDER = "order"
    FORECAST = "forecast"
    MANUAL = "manual"


class RequirementState(StrEnum):
    """The life of a requirement."""

    OPEN = "open"
    COVERED = "covered"
    """A line of a procurement order brings it."""
    MET = "met"
    CANCELLED = "cancelled"


class Supplier(Base):
    """Somebody the shop buys from. Whoever writes procurement of a supplier locks this row first."""

    __tablename__ = "suppliers"
    __table_args__ = (CheckConstraint("over_delivery_bp BETWEEN 0 AND 10000", name="over_delivery"),)

    id: Mapped[IntPk]
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    phone: Mapped[str | None] = mapped_column(String(32))
    over_delivery_bp: Mapped[int] = mapped_column(default=0)
    """How much more than ordered is taken, in basis points of the ordered quantity."""
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SupplierProduct(Base):
    """A supplier's article, which stands for one variant of the shop."""

    __tablename__ = "supplier_products"
    __table_args__ = (
        UniqueConstraint("supplier_id", "supplier_sku"),
        CheckConstraint("pack_size > 0", name="pack_size"),
        CheckConstraint("minimum_quantity > 0", name="minimum_quantity"),
        CheckConstraint("cost_minor >= 0", name="cost"),
        CheckConstraint("lead_time_days >= 0", name="lead_time"),
    )

    id: Mapped[IntPk]
    supplier_id: Mapped[int] = mapped_column(BigInt, ForeignKey("suppliers.id"))
    supplier_sku: Mapped[str] = mapped_column(String(64))
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"), index=True)
    pack_size: Mapped[int] = mapped_column(BigInt, default=1)
    """Units in a pack; only whole packs are sold."""
    minimum_quantity: Mapped[int] = mapped_column(BigInt, default=1)
    cost_minor: Mapped[Minor]
    """Of one unit today; an order fixes it when it is placed."""
    currency: Mapped[Currency]
    lead_time_days: Mapped[int]
    is_preferred: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SupplierFeed(Base):
    """One stock feed as it was taken in; never changed."""

    __tablename__ = "supplier_feeds"

    id: Mapped[IntPk]
    supplier_id: Mapped[int] = mapped_column(BigInt, ForeignKey("suppliers.id"), index=True)
    content_sha256: Mapped[str] = mapped_column(String(64))
    items: Mapped[int] = mapped_column(BigInt)
    applied: Mapped[int] = mapped_column(BigInt)
    outdated: Mapped[int] = mapped_column(BigInt)
    """Items that were not newer than what the shop knew."""
    unknown: Mapped[int] = mapped_column(BigInt)
    """Items that the shop does not buy."""
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SupplierStock(Base):
    """What a supplier last said to have of an article; `as_of` is the supplier's time and only ever grows."""

    __tablename__ = "supplier_stock"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    id: Mapped[IntPk]
    supplier_product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("supplier_products.id"), unique=True)
    feed_id: Mapped[int] = mapped_column(BigInt, ForeignKey("supplier_feeds.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    as_of: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PurchaseOrder(Base):
    """A procurement order with one supplier, in one currency, for one location."""

    __tablename__ = "purchase_orders"
    __table_args__ = (
        Index("ix_purchase_orders_supplier_id_id", "supplier_id", "id"),
        Index(
            "uq_purchase_orders_reorder_draft",
            "supplier_id",
            "location_id",
            "currency",
            unique=True,
            sqlite_where=text("status = 'draft' AND origin = 'reorder'"),
            postgresql_where=text("status = 'draft' AND origin = 'reorder'"),
        ),
    )

    id: Mapped[IntPk]
    purchase_number: Mapped[str] = mapped_column(String(32), unique=True)
    supplier_id: Mapped[int] = mapped_column(BigInt, ForeignKey("suppliers.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    currency: Mapped[Currency]
    status: Mapped[PurchaseStatus] = mapped_column(enum_type(PurchaseStatus), default=PurchaseStatus.DRAFT)
    origin: Mapped[PurchaseOrigin] = mapped_column(enum_type(PurchaseOrigin), default=PurchaseOrigin.MANUAL)
    note: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Placement and the longest lead time of its lines."""
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closing_reason: Mapped[str | None] = mapped_column(String(200))


class PurchaseOrderLine(Base):
    """An article that is ordered. Outstanding = quantity − received − damaged − short, never below 0."""

    __tablename__ = "purchase_order_lines"
    __table_args__ = (
        UniqueConstraint("purchase_order_id", "supplier_product_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("received_quantity >= 0 AND damaged_quantity >= 0 AND short_quantity >= 0", name="counts"),
        CheckConstraint("received_quantity + damaged_quantity <= quantity + tolerance", name="received"),
    )

    id: Mapped[IntPk]
    purchase_order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("purchase_orders.id"))
    supplier_product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("supplier_products.id"))
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInt)
    unit_cost_minor: Mapped[int | None] = mapped_column(BigInt)
    """NULL in a draft: the price is fixed when the order is placed."""
    tolerance: Mapped[int] = mapped_column(BigInt, default=0)
    """Units that may come beyond `quantity`; fixed when the order is placed."""
    received_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    """Good units that came."""
    damaged_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    """Units that came and are not fit for sale."""
    short_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    """Units that will not come any more."""
    is_edited: Mapped[bool] = mapped_column(default=False)
    """Somebody set the quantity by hand: the reorder job leaves the line alone."""
    inputs: Mapped[Json] = mapped_column(default=dict)
    """What the reorder formula was given and what it gave; empty where a person drew the line up."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PurchaseReceipt(Base):
    """A delivery that came for an order; never changed. The key makes it one, however often it is reported."""

    __tablename__ = "purchase_receipts"
    __table_args__ = (UniqueConstraint("purchase_order_id", "key"),)

    id: Mapped[IntPk]
    purchase_order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("purchase_orders.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    key: Mapped[str] = mapped_column(String(128))
    delivery_note: Mapped[str] = mapped_column(String(120), default="")
    received_by: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PurchaseReceiptLine(Base):
    """What came of one order line; its good units are exactly one stock movement."""

    __tablename__ = "purchase_receipt_lines"
    __table_args__ = (
        UniqueConstraint("purchase_receipt_id", "purchase_order_line_id"),
        CheckConstraint("quantity >= 0 AND damaged_quantity >= 0 AND short_quantity >= 0", name="counts"),
        CheckConstraint("quantity + damaged_quantity + short_quantity > 0", name="something"),
    )

    id: Mapped[IntPk]
    purchase_receipt_id: Mapped[int] = mapped_column(BigInt, ForeignKey("purchase_receipts.id"))
    purchase_order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("purchase_order_lines.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInt)
    damaged_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    short_quantity: Mapped[int] = mapped_column(BigInt, default=0)


class StockRequirement(Base):
    """Units that the shop needs by a day, for an order, by the forecast or because somebody said so."""

    __tablename__ = "stock_requirements"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_requirements_state_needed_by", "state", "needed_by"),
        Index(
            "uq_stock_requirements_order",
            "order_id",
            "variant_id",
            "location_id",
            unique=True,
            sqlite_where=text("source = 'order'"),
            postgresql_where=text("source = 'order'"),
        ),
        Index(
            "uq_stock_requirements_forecast",
            "purchase_order_line_id",
            unique=True,
            sqlite_where=text("source = 'forecast'"),
            postgresql_where=text("source = 'forecast'"),
        ),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    location_id: Mapped[int] = mapped_column(BigInt, ForeignKey("locations.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    source: Mapped[RequirementSource] = mapped_column(enum_type(RequirementSource))
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"))
    needed_by: Mapped[date] = mapped_column(Date)
    state: Mapped[RequirementState] = mapped_column(enum_type(RequirementState), default=RequirementState.OPEN)
    purchase_order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("purchase_order_lines.id"))
    """The line that brings it."""
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
