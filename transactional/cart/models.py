"""The basket: what a shopper means to buy, at the price that was shown."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, Minor, UtcDateTime, enum_type


class CartStatus(StrEnum):
    """The life of a cart."""

    OPEN = "open"
    ORDERED = "ordered"
    ABANDONED = "abandoned"


class Cart(Base):
    """A shopper's or guest's basket; whoever knows the public id of a guest's cart owns it."""

    __tablename__ = "carts"

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    currency: Mapped[Currency]
    channel: Mapped[str] = mapped_column(String(16), default="web")
    status: Mapped[CartStatus] = mapped_column(enum_type(CartStatus), default=CartStatus.OPEN)
    coupon_code: Mapped[str | None] = mapped_column(String(40))
    """The first of its codes, as `cart_coupons` has them; NULL says that there is none to look for."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CartLine(Base):
    """A variant with its customisation; equal `line_key`s merge, different ones never do."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "line_key"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[IntPk]
    cart_id: Mapped[int] = mapped_column(BigInt, ForeignKey("carts.id", ondelete="CASCADE"))
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    quantity: Mapped[int]
    line_key: Mapped[str] = mapped_column(String(64))
    customisation: Mapped[Json] = mapped_column(default=dict)
    quoted_unit_minor: Mapped[Minor]
    quoted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CartCoupon(Base):
    """A code that the shopper entered; `applied_at` is when the shop last said that it is good."""

    __tablename__ = "cart_coupons"
    __table_args__ = (UniqueConstraint("cart_id", "code"),)

    id: Mapped[IntPk]
    cart_id: Mapped[int] = mapped_column(BigInt, ForeignKey("carts.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
