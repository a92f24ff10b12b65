"""Orders: what was bought at which frozen price, and every step of their life."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, Minor, UtcDateTime, enum_type


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
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_number: Mapped[str] = mapped_column(String(32), unique=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    cart_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("carts.id"), unique=True)
    email: Mapped[str | None] = mapped_column(String(320))
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
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderLine(Base):
    """One line, frozen at placement. A unit's share of each sum is `core.money.unit_share` of the line's.

    net = gross − line discount − share of the order discount − share of the points discount.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name="returned"),
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
    returned_quantity: Mapped[int] = mapped_column(BigInt, default=0)
    refunded_minor: Mapped[Minor] = mapped_column(default=0)
    customisation: Mapped[Json] = mapped_column(default=dict)


class OrderStatusChange(Base):
    """One step of an order's life; never changed."""

    __tablename__ = "order_status_changes"

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(200))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)


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
