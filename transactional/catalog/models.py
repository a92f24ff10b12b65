"""What the shop sells: categories, products, their variants (SKUs), occasions and prices with their history."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Minor, UtcDateTime, enum_type


class GiftTier(StrEnum):
    """The class a gift belongs to."""

    BUDGET = "budget"
    PREMIUM = "premium"


class InventoryPolicy(StrEnum):
    """What happens when the shelf is empty."""

    DENY = "deny"
    BACKORDER = "backorder"
    UNTRACKED = "untracked"
    """Movements are recorded but nobody knows the shelf (imported histories, made to order)."""
    BUNDLE = "bundle"
    """Has no shelf of its own: its parts are counted, held and sold."""


class Category(Base):
    """A node of the category tree."""

    __tablename__ = "categories"

    id: Mapped[IntPk]
    parent_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("categories.id"))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    position: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """A gift as the shopper sees it; what is counted and priced is its variant."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("tax_rate_bp BETWEEN 0 AND 10000", name="tax_rate"),
        Index("ix_products_category_id_id", "category_id", "id"),
    )

    id: Mapped[IntPk]
    slug: Mapped[str] = mapped_column(String(160), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    category_id: Mapped[int] = mapped_column(BigInt, ForeignKey("categories.id"))
    gift_tier: Mapped[GiftTier] = mapped_column(enum_type(GiftTier))
    gift_tier_source: Mapped[str] = mapped_column(String(16), default="rule")
    """rule, admin or model."""
    hsn_code: Mapped[str | None] = mapped_column(String(8))
    tax_rate_bp: Mapped[int] = mapped_column(default=0)
    """GST in basis points, contained in the price."""
    is_active: Mapped[bool] = mapped_column(default=True)
    is_customisable: Mapped[bool] = mapped_column(default=False)
    needs_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A customised one is made, and paid for, only after the customer has agreed to its design."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProductVariant(Base):
    """A stock-keeping unit."""

    __tablename__ = "product_variants"
    __table_args__ = (CheckConstraint("weight_grams >= 0", name="weight"),)

    id: Mapped[IntPk]
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    weight_grams: Mapped[int] = mapped_column(default=0)
    inventory_policy: Mapped[InventoryPolicy] = mapped_column(enum_type(InventoryPolicy), default=InventoryPolicy.DENY)
    is_default: Mapped[bool] = mapped_column(default=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class Occasion(Base):
    """A reason to give: birthday, anniversary, Diwali, Raksha Bandhan …"""

    __tablename__ = "occasions"

    id: Mapped[IntPk]
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))


class ProductOccasion(Base):
    """A product suits an occasion."""

    __tablename__ = "product_occasions"
    __table_args__ = (UniqueConstraint("product_id", "occasion_id"),)

    id: Mapped[IntPk]
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    occasion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("occasions.id"))


class Price(Base):
    """The price of a variant on a channel in a currency during a period; the open period is today's price.

    No open row means: not sold there. A change closes the old row and opens a new one, so the table is its history.
    """

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index(
            "uq_prices_open",
            "variant_id",
            "channel",
            "currency",
            unique=True,
            sqlite_where=text("valid_to IS NULL"),
            postgresql_where=text("valid_to IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"), index=True)
    channel: Mapped[str] = mapped_column(String(16), default="web")
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
