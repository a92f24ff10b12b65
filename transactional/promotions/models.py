"""Promotions with their versions, their coupon codes, who may use them, and every use of them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, JsonType, Minor, UtcDateTime, enum_type


class PromotionStatus(StrEnum):
    """The life of an offer. One that is scheduled starts by itself when its time comes."""

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


class GroupSource(StrEnum):
    """Who says who belongs to a group."""

    MANUAL = "manual"
    WAREHOUSE = "warehouse"


class Arm(StrEnum):
    """Whether a person sees an offer, or is left out so that its effect can be measured."""

    TREATED = "treated"
    HELD_OUT = "held_out"


class Promotion(Base):
    """What is given, when and how often. What exactly, say its versions; `version` is the present one.

    `kind` to `priority` repeat the headline of the present version for lists and reports.
    """

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint("percent_bp IS NULL OR percent_bp BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="period"),
        CheckConstraint("holdout_bp BETWEEN 0 AND 9999", name="holdout"),
        CheckConstraint("used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)", name="uses"),
        Index("ix_promotions_is_automatic_status", "is_automatic", "status"),
    )

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(String(20))
    """The action's: percentage, fixed, free_shipping, cheapest_item, buy_x_get_y."""
    discount_class: Mapped[str] = mapped_column(String(16), default="order")
    """product, order or shipping."""
    percent_bp: Mapped[int | None]
    max_discount_minor: Mapped[int | None] = mapped_column(BigInt)
    min_spend_minor: Mapped[Minor] = mapped_column(default=0)
    priority: Mapped[int] = mapped_column(default=0)
    is_automatic: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Offered to everybody; otherwise it needs one of its codes."""
    status: Mapped[PromotionStatus] = mapped_column(enum_type(PromotionStatus))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    usage_limit: Mapped[int | None]
    """Uses of the promotion as a whole, beside the limits of its codes."""
    per_customer_limit: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Live uses, counted where the promotion itself has a limit; a row that every order changed would be a queue."""
    frees_on_full_refund: Mapped[bool] = mapped_column(default=False, server_default=false())
    """For uses without a code; a code has a word of its own."""
    holdout_bp: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """The share of people who are left out, in basis points."""

    @property
    def is_limited(self) -> bool:
        """Whether uses of the promotion as a whole are counted."""
        return self.usage_limit is not None or self.per_customer_limit is not None


class PromotionVersion(Base):
    """What a promotion gave from a moment on. Never changed: orders refer to it."""

    __tablename__ = "promotion_versions"
    __table_args__ = (UniqueConstraint("promotion_id", "version"),)

    id: Mapped[IntPk]
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"))
    version: Mapped[int]
    rule: Mapped[Json]
    """As `engine.parse_rule` reads it."""
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(64))


class PromotionStamp(Base):
    """One row whose token changes with every change of any promotion: who has read them under it need not again."""

    __tablename__ = "promotion_stamps"
    __table_args__ = {"info": {"journal": False}}

    id: Mapped[IntPk]
    token: Mapped[str] = mapped_column(String(40))


class CouponBatch(Base):
    """Single-use codes that were made together."""

    __tablename__ = "coupon_batches"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    id: Mapped[IntPk]
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    quantity: Mapped[int]
    actor: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CouponCode(Base):
    """A code, stored in upper case; `used` counts live uses and is guarded by a conditional write."""

    __tablename__ = "coupon_codes"
    __table_args__ = (
        CheckConstraint(
            "used >= 0 AND (usage_limit IS NULL OR used <= usage_limit + overdraft_limit)",
            name="uses",
        ),
        CheckConstraint("overdraft_limit >= 0", name="overdraft"),
        CheckConstraint("code = upper(code)", name="upper"),
    )

    id: Mapped[IntPk]
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("coupon_batches.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    usage_limit: Mapped[int | None]
    per_customer_limit: Mapped[int | None]
    overdraft_limit: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Uses beyond the limit that are granted to shoppers who were shown the code while it had some left."""
    used: Mapped[int] = mapped_column(default=0)
    frees_on_full_refund: Mapped[bool] = mapped_column(default=False)


class CouponRedemption(Base):
    """One use, by a code or of an offer that counts its uses. The order keeps it until `expires_at`, or for good."""

    __tablename__ = "coupon_redemptions"
    __table_args__ = (UniqueConstraint("promotion_id", "order_id"), Index("ix_coupon_redemptions_code_id", "code_id"))

    id: Mapped[IntPk]
    code_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("coupon_codes.id"))
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"))
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    identity_key: Mapped[str] = mapped_column(String(320))
    """The person: their un-aliased e-mail where there is one."""
    slot: Mapped[int | None]
    """Which use of the person it is; NULL once released."""
    state: Mapped[RedemptionState] = mapped_column(enum_type(RedemptionState))
    discount_minor: Mapped[Minor]
    is_overdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Granted beyond the code's limit."""
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until when the use is kept for a payment; NULL without end."""
    redeemed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RedemptionKey(Base):
    """A use under one of its person's keys (customer, un-aliased e-mail, phone): the n-th of that key within a scope.

    The scope is a code, a promotion, or every offer for a first order. A slot is taken once while it lives.
    """

    __tablename__ = "coupon_redemption_keys"
    __table_args__ = (
        UniqueConstraint("scope", "identity_key", "slot"),
        CheckConstraint("slot IS NULL OR slot > 0", name="slot"),
    )

    id: Mapped[IntPk]
    redemption_id: Mapped[int] = mapped_column(BigInt, ForeignKey("coupon_redemptions.id"), index=True)
    scope: Mapped[str] = mapped_column(String(40))
    """`code:12`, `promotion:5` or `first_order`."""
    identity_key: Mapped[str] = mapped_column(String(320))
    slot: Mapped[int | None]
    """NULL once released, which frees the unique key."""


class OrderDiscount(Base):
    """What one offer took off one line of an order, or off its shipping, as it was frozen at placement."""

    __tablename__ = "order_discounts"
    __table_args__ = (
        UniqueConstraint("order_id", "promotion_id", "order_line_id"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("(order_line_id IS NULL) = (discount_class = 'shipping')", name="line"),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"))
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    """NULL: off the shipping."""
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"), index=True)
    version: Mapped[int]
    code_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("coupon_codes.id"))
    discount_class: Mapped[str] = mapped_column(String(16))
    amount_minor: Mapped[Minor]
    unit_amounts: Mapped[list[int] | None] = mapped_column(JsonType)
    """Off each unit of the line, in the engine's numbering; their sum is the amount. NULL for shipping."""


class PromotionExposure(Base):
    """Somebody ordered who could have met an offer with a hold-out: whether they saw it. Once an order and offer."""

    __tablename__ = "promotion_exposures"
    __table_args__ = (UniqueConstraint("promotion_id", "order_id"),)

    id: Mapped[IntPk]
    promotion_id: Mapped[int] = mapped_column(BigInt, ForeignKey("promotions.id"))
    version: Mapped[int]
    person_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the promotion and the person: tells people apart within a promotion, names nobody."""
    arm: Mapped[Arm] = mapped_column(enum_type(Arm))
    is_applied: Mapped[bool] = mapped_column(default=False)
    """Whether the offer lowered this order."""
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class CustomerGroup(Base):
    """Customers whom an offer may be meant for: kept by staff, or a segment that the warehouse computes."""

    __tablename__ = "customer_groups"

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    description: Mapped[str | None] = mapped_column(String(300))
    source: Mapped[GroupSource] = mapped_column(enum_type(GroupSource), default=GroupSource.MANUAL)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CustomerGroupMember(Base):
    """A customer in a group from one moment until just before another; NULL without end."""

    __tablename__ = "customer_group_members"
    __table_args__ = (
        UniqueConstraint("group_id", "customer_id", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
    )

    id: Mapped[IntPk]
    group_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customer_groups.id"))
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PriceFloor(Base):
    """The least that a unit of a variant may cost after every discount of the promotions."""

    __tablename__ = "price_floors"
    __table_args__ = (UniqueConstraint("variant_id", "currency"), CheckConstraint("floor_minor > 0", name="floor"))

    id: Mapped[IntPk]
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    currency: Mapped[Currency]
    floor_minor: Mapped[Minor]
