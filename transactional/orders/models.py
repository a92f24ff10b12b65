"""Orders: what was bought at which frozen price, and every step of their life."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, JsonType, Minor, UtcDateTime, enum_type


class OrderStatus(StrEnum):
    """Where an order stands; the transition table is in `orders.transitions`."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    PACKED = "packed"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    PARTIALLY_DELIVERED = "partially_delivered"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    MODIFYING = "modifying"
    AWAITING_EXTRA_PAYMENT = "awaiting_extra_payment"


class PaymentMode(StrEnum):
    """How the shopper pays."""

    ONLINE = "online"
    ON_DELIVERY = "on_delivery"
    EXTERNAL = "external"
    """Paid outside of this shop: imported histories."""


class UnitMove(StrEnum):
    """What can happen to units of an order after it was placed."""

    CANCELLED = "cancelled"
    """They never leave: called off before they were sent."""
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CAME_BACK = "came_back"
    """A parcel that could not be delivered came home."""
    RETURNED = "returned"
    """The customer had them and sent them back."""


class Order(Base):
    """An order with its frozen sums, all in minor units of `currency`.

    total = gross − discount − points_discount + shipping + wrap + (0 if tax is included, else tax).
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "total_minor = gross_minor - discount_minor - points_discount_minor + shipping_minor + wrap_minor"
            " + CASE WHEN tax_included THEN 0 ELSE tax_minor END",
            name="total",
        ),
        CheckConstraint("discount_minor >= 0 AND points_discount_minor >= 0", name="discounts"),
        Index("ix_orders_customer_id_id", "customer_id", "id"),
        Index("ix_orders_status_expires_at", "status", "expires_at"),
        Index("ix_orders_source_external_ref", "source", "external_ref", unique=True),
        Index("ix_orders_identity_key", "identity_key"),
        Index("ix_orders_phone", "phone"),
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_number: Mapped[str] = mapped_column(String(32), unique=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    cart_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("carts.id"), unique=True)
    email: Mapped[str | None] = mapped_column(String(320))
    identity_key: Mapped[str | None] = mapped_column(String(320))
    """The buyer's un-aliased e-mail: one person's orders are found by it, with or without an account."""
    phone: Mapped[str | None] = mapped_column(String(20))
    """The buyer's own, normalised; the recipient's stands in the address."""
    status: Mapped[OrderStatus] = mapped_column(enum_type(OrderStatus))
    payment_mode: Mapped[PaymentMode] = mapped_column(enum_type(PaymentMode), default=PaymentMode.ONLINE)
    channel: Mapped[str] = mapped_column(String(16), default="web")
    is_test: Mapped[bool] = mapped_column(default=False)
    currency: Mapped[Currency]
    gross_minor: Mapped[Minor]
    discount_minor: Mapped[Minor] = mapped_column(default=0)
    points_redeemed: Mapped[int] = mapped_column(BigInt, default=0)
    points_discount_minor: Mapped[Minor] = mapped_column(default=0)
    shipping_minor: Mapped[Minor] = mapped_column(default=0)
    wrap_minor: Mapped[Minor] = mapped_column(default=0)
    tax_minor: Mapped[Minor] = mapped_column(default=0)
    tax_included: Mapped[bool] = mapped_column(default=True)
    total_minor: Mapped[Minor]
    original_currency: Mapped[str | None] = mapped_column(String(3))
    original_total_minor: Mapped[int | None] = mapped_column(BigInt)
    """Set where an imported order was converted into the shop's base currency."""
    coupon_code: Mapped[str | None] = mapped_column(String(40))
    price_trace: Mapped[Json] = mapped_column(default=dict)
    """Which rule gave which minor unit on which line, and why others did not."""
    ship_to: Mapped[Json] = mapped_column(default=dict)
    """The address as it was: recipient, phone, line1, line2, city, state, postal_code, country."""
    ship_country: Mapped[str | None] = mapped_column(String(64))
    ship_city: Mapped[str | None] = mapped_column(String(120))
    occasion: Mapped[str | None] = mapped_column(String(40))
    gift_message: Mapped[str | None] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(32), default="shop")
    external_ref: Mapped[str | None] = mapped_column(String(64))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last parcel of the order as it was bought had arrived; never moved by what is sent later."""
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderLine(Base):
    """One line, frozen at placement. A unit's share of each sum is `core.money.unit_share` of the line's.

    net = gross − line discount − share of the order discount − share of the points discount.

    The sums and the quantity never change; what became of the units is counted beside them, and each count is the sum
    of the line's `order_unit_moves`. Units are given back in the order of their number: cancelled, come back and
    returned together are the first ones, so that any sequence of them gives back exactly the line's sums.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name="returned"),
        CheckConstraint(
            "cancelled_quantity >= 0 AND came_back_quantity >= 0"
            " AND returned_quantity + cancelled_quantity + came_back_quantity <= quantity",
            name="given_back",
        ),
        CheckConstraint("shipped_quantity >= 0 AND shipped_quantity + cancelled_quantity <= quantity", name="shipped"),
        CheckConstraint(
            "delivered_quantity >= 0 AND delivered_quantity + came_back_quantity <= shipped_quantity",
            name="delivered",
        ),
        CheckConstraint(
            "net_minor = gross_minor - line_discount_minor - order_discount_minor - points_discount_minor",
            name="net",
        ),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    sku: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int] = mapped_column(BigInt)
    unit_price_minor: Mapped[Minor]
    unit_price_micros: Mapped[int | None] = mapped_column(BigInt)
    """Millionths of the major unit, where the price is finer than the minor unit (imported histories)."""
    gross_minor: Mapped[Minor]
    line_discount_minor: Mapped[Minor] = mapped_column(default=0)
    order_discount_minor: Mapped[Minor] = mapped_column(default=0)
    points_discount_minor: Mapped[Minor] = mapped_column(default=0)
    tax_minor: Mapped[Minor] = mapped_column(default=0)
    net_minor: Mapped[Minor]
    cancelled_quantity: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    shipped_quantity: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    delivered_quantity: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    came_back_quantity: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    returned_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    refunded_minor: Mapped[Minor] = mapped_column(default=0)
    """The frozen price of the units given back: refunded, or no longer due where nothing was paid."""
    customisation: Mapped[Json] = mapped_column(default=dict)

    @property
    def given_back_quantity(self) -> int:
        """Units whose price was given back, whatever the reason: the numbers 0 … n - 1 of the line."""
        return self.cancelled_quantity + self.came_back_quantity + self.returned_quantity

    @property
    def unshipped_quantity(self) -> int:
        """Units that still have to leave."""
        return self.quantity - self.cancelled_quantity - self.shipped_quantity

    @property
    def under_way_quantity(self) -> int:
        """Units that left and have not arrived anywhere."""
        return self.shipped_quantity - self.delivered_quantity - self.came_back_quantity


class OrderStatusChange(Base):
    """One step of an order's life; never changed."""

    __tablename__ = "order_status_changes"

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(200))
    stamps: Mapped[dict[str, Any] | None] = mapped_column(JsonType)
    """The columns of the order that the step set besides its status. NULL where a history was taken in as it was."""
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderUnitMove(Base):
    """Something happened to units of a line; append-only. The line's counts are the sums of its moves."""

    __tablename__ = "order_unit_moves"
    __table_args__ = (
        UniqueConstraint("shipment_id", "kind", "order_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("refund_minor >= 0", name="refund"),
        CheckConstraint("(first_unit IS NULL) = (kind IN ('shipped', 'delivered'))", name="first_unit"),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"))
    kind: Mapped[UnitMove] = mapped_column(enum_type(UnitMove))
    quantity: Mapped[int] = mapped_column(BigInt)
    first_unit: Mapped[int | None] = mapped_column(BigInt)
    """The number of the first of these units, where their price is given back."""
    refund_minor: Mapped[Minor] = mapped_column(default=0)
    """The frozen price of exactly these units."""
    shipment_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("shipments.id"))
    """The parcel; it moves a line's units at most once in each way."""
    actor: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(200))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderApproval(Base):
    """The customer agreed to what will be made for them; it is paid for only while this is alive.

    Alive: not voided and not expired. An order has at most one that is not voided.
    """

    __tablename__ = "order_approvals"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("length(content_sha256) = 64", name="content"),
        Index(
            "uq_order_approvals_live",
            "order_id",
            unique=True,
            sqlite_where=text("voided_at IS NULL"),
            postgresql_where=text("voided_at IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    content_sha256: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the customisations of all lines, as the customer saw them."""
    amount_minor: Mapped[Minor]
    approved_by: Mapped[str] = mapped_column(String(64))
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided_by: Mapped[str | None] = mapped_column(String(64))
    void_reason: Mapped[str | None] = mapped_column(String(200))


class OrderRefundDecision(Base):
    """What was given back for units that were cancelled, came back or were returned, and by which policy; append-only.

    refund = units + shipping − coupon withheld. A negative `coupon_withheld_minor` pays out what was withheld before.
    """

    __tablename__ = "order_refund_decisions"
    __table_args__ = (
        CheckConstraint("refund_minor = units_minor + shipping_minor - coupon_withheld_minor", name="refund"),
        CheckConstraint("units_minor >= 0 AND shipping_minor >= 0 AND refund_minor >= 0", name="amounts"),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    cause: Mapped[str] = mapped_column(String(80), unique=True)
    """`cancel:12`, `change:7`, `parcel:31`, `return:5`: each is decided once."""
    kind: Mapped[UnitMove] = mapped_column(enum_type(UnitMove))
    units_minor: Mapped[Minor]
    shipping_minor: Mapped[Minor] = mapped_column(default=0)
    coupon_withheld_minor: Mapped[Minor] = mapped_column(default=0)
    refund_minor: Mapped[Minor]
    currency: Mapped[Currency]
    policy: Mapped[Json] = mapped_column(default=dict)
    """The rules as they stood: which one gave which amount, and why."""
    actor: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderDifference(Base):
    """An order whose row is not what its history says. Somebody must look; the check itself mends nothing."""

    __tablename__ = "order_differences"
    __table_args__ = (
        Index(
            "uq_order_differences_open",
            "order_id",
            "field",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    field: Mapped[str] = mapped_column(String(80))
    expected: Mapped[str] = mapped_column(String(300))
    """What the history gives."""
    found: Mapped[str] = mapped_column(String(300))
    """What the row holds."""
    noticed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderCredit(Base):
    """Money credited to a customer apart from a return: a discount granted later, or shipping given back.

    A negative amount takes an earlier credit back.
    """

    __tablename__ = "order_credits"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("kind IN ('discount', 'shipping_refund', 'goodwill')", name="kind"),
    )

    id: Mapped[IntPk]
    kind: Mapped[str] = mapped_column(String(20))
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"))
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    source: Mapped[str] = mapped_column(String(32), default="shop")
    external_ref: Mapped[str | None] = mapped_column(String(64))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
