"""From a click to an order: what a visitor followed, what was said at checkout, and whose the order is."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime, enum_type


class AttributionOutcome(StrEnum):
    """Whether the affiliate earns by the order."""

    CREDITED = "credited"
    REFUSED = "refused"


class RefusalReason(StrEnum):
    """Why nothing is earned: buyer and affiliate are the same person."""

    SAME_ACCOUNT = "same_account"
    SAME_EMAIL = "same_email"
    SAME_PHONE = "same_phone"
    SAME_ADDRESS = "same_address"


class DecidedBy(StrEnum):
    """What named the affiliate."""

    CLICK = "click"
    CODE = "code"
    BINDING = "binding"
    """An earlier order of the same visitor or customer, which a click had brought."""


class AffiliateClick(Base):
    """Somebody followed a link; never changed. Without consent neither visitor nor browser is kept."""

    __tablename__ = "affiliate_clicks"
    __table_args__ = (
        CheckConstraint("consent OR (visitor_id IS NULL AND browser_hash IS NULL)", name="consent"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        Index("ix_affiliate_clicks_affiliate_id_id", "affiliate_id", "id"),
        Index("ix_affiliate_clicks_visitor_id_clicked_at", "visitor_id", "clicked_at"),
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    link_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_links.id"), index=True)
    landing: Mapped[str] = mapped_column(String(300))
    visitor_id: Mapped[str | None] = mapped_column(String(40))
    browser_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed SHA-256 of what the browser says of itself and its network; it names nobody without the shop's secret."""
    consent: Mapped[bool]
    clicked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the facts of this row (`receipts.click_facts`): the first link of a receipt."""


class OrderReferral(Base):
    """What checkout was told about who sent the buyer; looked at when the order is paid."""

    __tablename__ = "order_referrals"
    __table_args__ = (CheckConstraint("visitor_id IS NOT NULL OR code IS NOT NULL", name="said"),)

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), unique=True)
    visitor_id: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str | None] = mapped_column(String(40))
    """As it was typed, in upper case: an affiliate's, a customer's invitation, or nobody's."""
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderAttribution(Base):
    """Whose an order is: one row an order, never changed."""

    __tablename__ = "order_attributions"
    __table_args__ = (
        UniqueConstraint("affiliate_id", "number"),
        CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("(decided_by = 'click') = (click_id IS NOT NULL)", name="click"),
        CheckConstraint("(decided_by = 'code') = (code_id IS NOT NULL)", name="code"),
        CheckConstraint("(decided_by = 'binding') = (bound_by_id IS NOT NULL)", name="binding"),
        CheckConstraint("length(sha256) = 64", name="sha256"),
        Index("ix_order_attributions_visitor_id", "visitor_id"),
        Index("ix_order_attributions_customer_id", "customer_id"),
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    """The order's name towards the affiliate, who is not told its number."""
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), unique=True)
    affiliate_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliates.id"))
    version_id: Mapped[int] = mapped_column(BigInt, ForeignKey("affiliate_programme_versions.id"))
    """Of the affiliate's programme when the order was placed; its rates count."""
    number: Mapped[int]
    """The affiliate's receipts are numbered without gaps."""
    outcome: Mapped[AttributionOutcome] = mapped_column(enum_type(AttributionOutcome))
    reason: Mapped[RefusalReason | None] = mapped_column(enum_type(RefusalReason))
    decided_by: Mapped[DecidedBy] = mapped_column(enum_type(DecidedBy))
    click_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("affiliate_clicks.id"))
    code_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("affiliate_codes.id"))
    bound_by_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_attributions.id"))
    """The earlier order's attribution that bound the buyer."""
    visitor_id: Mapped[str | None] = mapped_column(String(40))
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"))
    """The buyer."""
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    previous_sha256: Mapped[str | None] = mapped_column(String(64))
    """Of the affiliate's receipt before this one."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the facts of this row, the click's hash and the previous receipt's (`receipts.attribution_facts`)."""
