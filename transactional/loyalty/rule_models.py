"""The rules of the points programme: its versions, their tiers, and campaigns that multiply what is earned."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Minor, UtcDateTime, enum_type


class Wallet(StrEnum):
    """The sub-ledgers of a customer's points."""

    EARNED = "earned"
    """Paid for: points of orders, and what staff give or take."""
    PROMOTIONAL = "promotional"
    """Given away: points of referrals and campaigns."""


class ActivationRule(StrEnum):
    """When earned points can be spent."""

    IMMEDIATE = "immediate"
    DURATION = "duration"
    """So many days after they were earned, and not before so many days after delivery."""
    DELIVERY = "delivery"
    """So many days after delivery, however long that takes."""


class DateRounding(StrEnum):
    """What a computed moment is moved to, in the programme's time zone."""

    NONE = "none"
    END_OF_DAY = "end_of_day"
    END_OF_MONTH = "end_of_month"


class TierPolicy(StrEnum):
    """How far a customer falls who has not kept their tier."""

    ONE_DOWN = "one_down"
    """One tier, however few points they have."""
    BALANCE_BASED = "balance_based"
    """To the tier that their qualifying points are worth."""


class LoyaltyProgramme(Base):
    """One version of the rules; a lot remembers the version that it was earned under."""

    __tablename__ = "loyalty_programmes"
    __table_args__ = (
        CheckConstraint("earn_per_unit_minor > 0 AND value_per_point_minor > 0", name="rates"),
        CheckConstraint("max_share_bp BETWEEN 0 AND 10000", name="share"),
        CheckConstraint("negative_floor >= 0 AND promotional_negative_floor >= 0", name="floors"),
        CheckConstraint("adjustment_limit >= 0", name="adjustment_limit"),
        CheckConstraint(
            "(max_earned_per_order IS NULL OR max_earned_per_order >= 0)"
            " AND (max_earned_per_day IS NULL OR max_earned_per_day >= 0)",
            name="caps",
        ),
        CheckConstraint("first_notice_days > last_notice_days AND last_notice_days > 0", name="notices"),
        CheckConstraint("tier_window_months > 0 AND tier_period_months > 0 AND tier_notice_days >= 0", name="tiers"),
    )

    id: Mapped[IntPk]
    version: Mapped[int] = mapped_column(unique=True)
    earn_per_unit_minor: Mapped[Minor]
    """One point for so many minor units of a unit's frozen net price."""
    value_per_point_minor: Mapped[Minor]
    min_redeem_points: Mapped[int] = mapped_column(default=1)
    max_share_bp: Mapped[int] = mapped_column(default=10000)
    """The largest part of an order's merchandise that points may pay, in basis points."""
    activation: Mapped[ActivationRule] = mapped_column(
        enum_type(ActivationRule), default=ActivationRule.DURATION, server_default=ActivationRule.DURATION
    )
    activation_days: Mapped[int] = mapped_column(default=14)
    """Points wait out the return window."""
    activation_rounding: Mapped[DateRounding] = mapped_column(
        enum_type(DateRounding), default=DateRounding.NONE, server_default=DateRounding.NONE
    )
    expiry_days: Mapped[int] = mapped_column(default=365)
    restore_grace_days: Mapped[int] = mapped_column(default=30)
    """Points that are given back live at least so long."""
    earns_on_shipping: Mapped[bool] = mapped_column(default=False, server_default=false())
    earns_on_wrap: Mapped[bool] = mapped_column(default=False, server_default=false())
    earns_on_tax: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether the tax that a price contains earns as well."""
    max_earned_per_order: Mapped[int | None] = mapped_column(BigInt)
    max_earned_per_day: Mapped[int | None] = mapped_column(BigInt)
    """A customer's orders of one day in `time_zone` together."""
    negative_floor: Mapped[int] = mapped_column(BigInt, default=10_000, server_default=text("10000"))
    """How many earned points a customer may owe; 0: the wallet never goes negative."""
    promotional_negative_floor: Mapped[int] = mapped_column(BigInt, default=0, server_default=text("0"))
    promotional_expiry_days: Mapped[int | None]
    """How long promotional points live; NULL: as long as earned ones."""
    max_earned_points_spent: Mapped[int | None] = mapped_column(BigInt)
    """The most points of the earned wallet that one order may take."""
    max_promotional_points_spent: Mapped[int | None] = mapped_column(BigInt)
    adjustment_limit: Mapped[int] = mapped_column(BigInt, default=500, server_default=text("500"))
    """An adjustment by hand of more points than this needs a second person."""
    first_notice_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    """So long before points expire their owner hears of it for the first time …"""
    last_notice_days: Mapped[int] = mapped_column(default=7, server_default=text("7"))
    """… and for the last time."""
    tier_policy: Mapped[TierPolicy] = mapped_column(
        enum_type(TierPolicy), default=TierPolicy.ONE_DOWN, server_default=TierPolicy.ONE_DOWN
    )
    tier_window_months: Mapped[int] = mapped_column(default=12, server_default=text("12"))
    """Qualifying points are those of so many months up to now."""
    tier_period_months: Mapped[int] = mapped_column(default=12, server_default=text("12"))
    """A tier is kept for so long before it is looked at again."""
    tier_notice_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    """So long before a tier ends its owner hears what is missing."""
    time_zone: Mapped[str] = mapped_column(String(64), default="Asia/Kolkata", server_default="Asia/Kolkata")
    """IANA name; days and months of the rules are those of this zone."""
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)


class LoyaltyTier(Base):
    """A tier of one version of the programme; a version without tiers has those of the last version that has."""

    __tablename__ = "loyalty_tiers"
    __table_args__ = (
        UniqueConstraint("programme_id", "rank"),
        UniqueConstraint("programme_id", "name"),
        CheckConstraint("rank >= 0 AND threshold >= 0 AND (rank > 0 OR threshold = 0)", name="threshold"),
        CheckConstraint("multiplier_bp >= 0", name="multiplier"),
        CheckConstraint("grace_days >= 0 AND expiry_extension_days >= 0 AND reinstatement_days >= 0", name="days"),
    )

    id: Mapped[IntPk]
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("loyalty_programmes.id"))
    rank: Mapped[int]
    """0 is everybody's tier; it needs nothing and never ends."""
    name: Mapped[str] = mapped_column(String(40))
    threshold: Mapped[int] = mapped_column(BigInt)
    """The qualifying points that reach the tier."""
    multiplier_bp: Mapped[int] = mapped_column(default=10_000, server_default=text("10000"))
    """What orders earn, in basis points of the plain rate."""
    grace_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """So long after its period a tier that was not kept still holds."""
    expiry_extension_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Points earned in this tier live so much longer."""
    reinstatement_days: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """For so long after points expired they can be had back."""


class LoyaltyCampaign(Base):
    """More points for a while: on everything, a category with what lies below it, or one product; for a tier or all.

    Of the campaigns that fit a line the one with the largest multiplier counts, and of equal ones the oldest. A
    campaign without an end is a lasting rule, such as a category that always earns double.
    """

    __tablename__ = "loyalty_campaigns"
    __table_args__ = (
        CheckConstraint("multiplier_bp >= 0", name="multiplier"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="period"),
        CheckConstraint("category_id IS NULL OR product_id IS NULL", name="target"),
        Index("ix_loyalty_campaigns_starts_at", "starts_at"),
    )

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120))
    multiplier_bp: Mapped[int]
    category_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("categories.id"))
    product_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("products.id"))
    tier: Mapped[str | None] = mapped_column(String(40))
    """The name of the tier that it is for."""
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
