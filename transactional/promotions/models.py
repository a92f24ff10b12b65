"""Promotions, their coupon codes and every use of them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Minor, UtcDateTime, enum_type


class PromotionStatus(StrEnum):
    """The life of an offer."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class RedemptionState(StrEnum):
    """The life of one use: claimed at checkout, counted at payment, freed once on cancellation."""

    RESERVED = "reserved"
    REDEEMED = "redeemed"
    RELEASED = "released"


class Promotion(Base):
    """What is given and when; a promotion without codes is an automatic offer."""

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint("percent_bp IS NULL OR percent_bp BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="period"),
    )

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(String(20))
    """percentage; further kinds bring their own parameters."""
    discount_class: Mapped[str] = mapped_column(String(16), default="order")
    """product, order or shipping."""
    percent_bp: Mapped[int | None]
    max_discount_minor: Mapped[int | None] = mapped_column(BigInt)
    min_spend_minor: Mapped[Minor] = mapped_column(default=0)
    priority: Mapped[int] = mapped_column(default=0)
    status: Mapped[PromotionStatus] = mapped_column(enum_type(PromotionStatus))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CouponCode(Base):
    """A code, stored in upper case; `used` counts live uses and is guarded by a conditional write."""

    __tablename__ = "coupon_codes"
    __table_args__ = (
        CheckConstraint("used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name="uses"),
        CheckConstraint("code = upper(code)", name="upper"),
    )

    id: Mapped[IntPk]
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    usage_limit: Mapped[int | None]
    per_customer_limit: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    frees_on_full_refund: Mapped[bool] = mapped_column(default=False)


class CouponRedemption(Base):
    """One use. `identity_key` is the person (un-aliased e-mail), `slot` their n-th use: unique while it lives."""

    __tablename__ = "coupon_redemptions"
    __table_args__ = (
        UniqueConstraint("code_id", "order_id"),
        Index("uq_coupon_redemptions_slot", "code_id", "identity_key", "slot", unique=True),
    )

    id: Mapped[IntPk]
    code_id: Mapped[int] = mapped_column(BigInt, ForeignKey("coupon_codes.id"))
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"))
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    identity_key: Mapped[str] = mapped_column(String(320))
    slot: Mapped[int | None]
    """NULL once released, which frees the unique key."""
    state: Mapped[RedemptionState] = mapped_column(enum_type(RedemptionState))
    discount_minor: Mapped[Minor]
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
