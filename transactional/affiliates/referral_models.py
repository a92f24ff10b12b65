"""Customers who invite others: their codes, what an invitation is worth, and what came of it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Minor, UtcDateTime, enum_type


class RewardKind(StrEnum):
    """What both sides get."""

    POINTS = "points"
    CODE = "code"
    """A coupon code that can be used once."""


class ReferralState(StrEnum):
    """The life of a referral."""

    PENDING = "pending"
    """Waits for the return window of the invited person's first order."""
    GRANTED = "granted"
    REFUSED = "refused"
    REVERSED = "reversed"


ONE_LIVE_REFERRAL = text("state <> 'refused'")


class ReferralTerms(Base):
    """What an invitation is worth from a moment on; never changed."""

    __tablename__ = "referral_terms"
    __table_args__ = (
        CheckConstraint("referrer_points >= 0 AND referred_points >= 0", name="points"),
        CheckConstraint("min_order_minor >= 0", name="min_order"),
        CheckConstraint("(reward = 'code') = (code_percent_bp IS NOT NULL)", name="code"),
        CheckConstraint("(code_percent_bp IS NULL) = (code_valid_days IS NULL)", name="code_period"),
        CheckConstraint("code_percent_bp IS NULL OR code_percent_bp BETWEEN 1 AND 10000", name="percent"),
        CheckConstraint("reward = 'code' OR referrer_points + referred_points > 0", name="something"),
    )

    id: Mapped[IntPk]
    version: Mapped[int] = mapped_column(unique=True)
    is_open: Mapped[bool] = mapped_column(default=True)
    """False: from then on invitations are worth nothing."""
    reward: Mapped[RewardKind] = mapped_column(enum_type(RewardKind))
    referrer_points: Mapped[int] = mapped_column(BigInt, default=0)
    referred_points: Mapped[int] = mapped_column(BigInt, default=0)
    code_percent_bp: Mapped[int | None]
    code_max_discount_minor: Mapped[int | None] = mapped_column(BigInt)
    code_valid_days: Mapped[int | None]
    min_order_minor: Mapped[Minor] = mapped_column(default=0)
    """Net merchandise that the invited person keeps of the first order."""
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReferralInvite(Base):
    """A customer's own code for inviting others."""

    __tablename__ = "referral_invites"
    __table_args__ = (CheckConstraint("code = upper(code)", name="upper"),)

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), unique=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Referral(Base):
    """Somebody bought for the first time with an invitation; a person is invited once."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index(
            "uq_referrals_identity_key",
            "identity_key",
            unique=True,
            sqlite_where=ONE_LIVE_REFERRAL,
            postgresql_where=ONE_LIVE_REFERRAL,
        ),
        CheckConstraint("(state IN ('refused', 'reversed')) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("state NOT IN ('granted', 'reversed') OR granted_at IS NOT NULL", name="granted"),
        Index("ix_referrals_state_id", "state", "id"),
    )

    id: Mapped[IntPk]
    invite_id: Mapped[int] = mapped_column(BigInt, ForeignKey("referral_invites.id"), index=True)
    terms_id: Mapped[int] = mapped_column(BigInt, ForeignKey("referral_terms.id"))
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), unique=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    """Who was invited."""
    identity_key: Mapped[str] = mapped_column(String(320))
    """The invited person: an un-aliased e-mail."""
    state: Mapped[ReferralState] = mapped_column(enum_type(ReferralState))
    reason: Mapped[str | None] = mapped_column(String(40))
    """Why nothing is given, or why it was taken back."""
    referrer_code: Mapped[str | None] = mapped_column(String(40))
    referred_code: Mapped[str | None] = mapped_column(String(40))
    """The coupon codes, where the reward is one."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    granted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
