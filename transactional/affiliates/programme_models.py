"""Programmes and their versions, affiliates, and what makes their visitors known: links and codes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, Minor, UtcDateTime, enum_type


class ClickRule(StrEnum):
    """Whose link counts where a visitor followed those of several affiliates."""

    FIRST_CLICK = "first_click"
    LAST_CLICK = "last_click"


class Winner(StrEnum):
    """Who earns where a code names one affiliate and the visitor's clicks another."""

    CODE = "code"
    CLICK = "click"


class AffiliateStatus(StrEnum):
    """The life of an affiliate."""

    APPLIED = "applied"
    ACTIVE = "active"
    REJECTED = "rejected"
    INACTIVE = "inactive"


class AffiliateProgramme(Base):
    """An agreement that affiliates join; what it says stands in its versions."""

    __tablename__ = "affiliate_programmes"
    __table_args__ = (CheckConstraint("key = lower(key)", name="key"),)

    id: Mapped[IntPk]
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProgrammeVersion(Base):
    """The values of a programme from a moment on; never changed. The published text is made from them."""

    __tablename__ = "affiliate_programme_versions"
    __table_args__ = (
        UniqueConstraint("programme_id", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("window_days > 0", name="window"),
        CheckConstraint("min_payout_minor >= 0", name="min_payout"),
    )

    id: Mapped[IntPk]
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programmes.id"))
    version: Mapped[int]
    rate_bp: Mapped[int]
    """Commission in basis points of a unit's net price, where no `AffiliateRate` is nearer."""
    window_days: Mapped[int]
    """How long after a click the visitor's first order still counts for it."""
    click_rule: Mapped[ClickRule] = mapped_column(enum_type(ClickRule))
    winner: Mapped[Winner] = mapped_column(enum_type(Winner))
    min_payout_minor: Mapped[Minor]
    """Less is not paid out but kept for the next payout."""
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Affiliate(Base):
    """Somebody who sends shoppers: a customer of the shop, in one programme, once."""

    __tablename__ = "affiliates"
    __table_args__ = (
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(status = 'applied') = (decided_at IS NULL)", name="applied"),
        Index("ix_affiliates_programme_id_status", "programme_id", "status"),
        {"info": {"journal_redact": ("pay_to",)}},
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), unique=True)
    programme_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programmes.id"))
    status: Mapped[AffiliateStatus] = mapped_column(enum_type(AffiliateStatus))
    full_name: Mapped[str] = mapped_column(String(200))
    """Of the payee."""
    website: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(20))
    line1: Mapped[str] = mapped_column(String(200))
    line2: Mapped[str | None] = mapped_column(String(200))
    postal_code: Mapped[str] = mapped_column(String(16))
    country: Mapped[str] = mapped_column(String(64))
    pay_to: Mapped[str] = mapped_column(String(120))
    """Where commission is paid: a UPI id or a bank account."""
    applied_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of the last decision: approved, rejected, deactivated."""
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decision_note: Mapped[str | None] = mapped_column(String(200))


class AffiliatePeriod(Base):
    """A time in which an affiliate is active. What is bought outside of all of them earns nothing."""

    __tablename__ = "affiliate_periods"
    __table_args__ = (
        CheckConstraint("active_until IS NULL OR active_until >= active_from", name="period"),
        Index(
            "uq_affiliate_periods_open",
            "affiliate_id",
            unique=True,
            sqlite_where=text("active_until IS NULL"),
            postgresql_where=text("active_until IS NULL"),
        ),
    )

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"), index=True)
    active_from: Mapped[datetime] = mapped_column(UtcDateTime)
    active_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The moment of deactivation, from which nothing is earned any more."""


class AffiliateRate(Base):
    """A rate of a version for an affiliate, a category, or both; the nearest one counts (`rates.rate_for`)."""

    __tablename__ = "affiliate_rates"
    __table_args__ = (
        CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("affiliate_id IS NOT NULL OR category_id IS NOT NULL", name="target"),
        UniqueConstraint("version_id", "affiliate_id", "category_id"),
    )

    id: Mapped[IntPk]
    version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programme_versions.id"))
    affiliate_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    category_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("categories.id"))
    """With all categories below it."""
    rate_bp: Mapped[int]


class AffiliateCode(Base):
    """A code that names an affiliate at checkout; a coupon with the same letters counts as well."""

    __tablename__ = "affiliate_codes"
    __table_args__ = (CheckConstraint("code = upper(code)", name="upper"),)

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AffiliateLink(Base):
    """An address that an affiliate publishes; it leads to a page of the shop."""

    __tablename__ = "affiliate_links"
    __table_args__ = (CheckConstraint("landing LIKE '/%'", name="landing"),)

    id: Mapped[IntPk]
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"), index=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    landing: Mapped[str] = mapped_column(String(300))
    """A path of the shop."""
    label: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
