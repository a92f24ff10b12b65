"""People: log-in identities, the customers behind orders, their addresses and sessions."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime

GUESTS_ONLY = text("is_guest")
"""The condition of the guests' unique e-mail, in the very words that ON CONFLICT must repeat."""


class User(Base):
    """Whoever can log in: shopper, staff member or service."""

    __tablename__ = "users"
    __table_args__ = {"info": {"journal_redact": ("password_hash",)}}

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    email: Mapped[str] = mapped_column(String(320))
    """As typed, for display."""
    email_key: Mapped[str] = mapped_column(String(320), unique=True)
    """Normalised once, for comparison."""
    password_hash: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session_epoch: Mapped[int] = mapped_column(default=0)
    """Raised by log-out everywhere, password and role changes: older access tokens die at the next request."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Customer(Base):
    """Whoever buys. A guest has no user; one e-mail is one guest, beside the account that may have the same e-mail.

    An account does not take a guest's orders over by itself: nobody has proved yet that the e-mail is theirs.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index(
            "ix_customers_email_key_guest",
            "email_key",
            unique=True,
            sqlite_where=GUESTS_ONLY,
            postgresql_where=GUESTS_ONLY,
        ),
        Index("ix_customers_external_ref", "source", "external_ref", unique=True),
    )

    id: Mapped[IntPk]
    user_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"), unique=True)
    email: Mapped[str | None] = mapped_column(String(320))
    email_key: Mapped[str | None] = mapped_column(String(320))
    full_name: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str | None] = mapped_column(String(64))
    city: Mapped[str | None] = mapped_column(String(120))
    birthday: Mapped[date | None]
    acquisition_channel: Mapped[str] = mapped_column(String(32), default="direct")
    marketing_consent: Mapped[bool] = mapped_column(default=False)
    is_guest: Mapped[bool] = mapped_column(default=False)
    source: Mapped[str] = mapped_column(String(32), default="shop")
    external_ref: Mapped[str | None] = mapped_column(String(64))
    """The customer's number in the system that the history was imported from."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Address(Base):
    """Where a customer wants parcels to go; an order keeps its own copy."""

    __tablename__ = "addresses"

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    recipient: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(20))
    line1: Mapped[str] = mapped_column(String(200))
    line2: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(120))
    state: Mapped[str | None] = mapped_column(String(120))
    postal_code: Mapped[str] = mapped_column(String(16))
    country: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RefreshToken(Base):
    """One link of a rotating chain; a family is one device's session. Only the token's hash is stored."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        CheckConstraint("expires_at > issued_at", name="lifetime"),
        {"info": {"journal": False}},
    )

    id: Mapped[IntPk]
    user_id: Mapped[int] = mapped_column(BigInt, ForeignKey("users.id"), index=True)
    family_id: Mapped[str] = mapped_column(String(40), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[str | None] = mapped_column(String(200))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
