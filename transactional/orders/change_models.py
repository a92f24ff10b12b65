"""Change sets: how an order is altered after it was placed, with the prices frozen and the difference settled."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, JsonType, Minor, UtcDateTime, enum_type


class ChangeKind(StrEnum):
    """What a change set is for."""

    EDIT = "edit"
    """Units added or removed, or another address, before the order is packed."""
    CANCELLATION = "cancellation"
    """Units called off; applied at once."""
    EXCHANGE = "exchange"
    """Returned units are replaced by others; the difference is settled."""
    CLAIM = "claim"
    """Units are sent again free of charge, because something was wrong with the first ones."""


class ChangeStatus(StrEnum):
    """The life of a change set; at most one of an order is open (draft or awaiting payment)."""

    DRAFT = "draft"
    AWAITING_PAYMENT = "awaiting_payment"
    APPLIED = "applied"
    DECLINED = "declined"


OPEN_CHANGES = (ChangeStatus.DRAFT, ChangeStatus.AWAITING_PAYMENT)


class OrderChange(Base):
    """A change set: what shall be different about an order, and the money that follows.

    difference = added − given up: positive is paid by the customer before the change happens, negative is refunded.
    """

    __tablename__ = "order_changes"
    __table_args__ = (
        CheckConstraint("difference_minor = added_minor - given_up_minor", name="difference"),
        CheckConstraint("added_minor >= 0 AND given_up_minor >= 0", name="amounts"),
        CheckConstraint("(status = 'applied') = (applied_at IS NOT NULL)", name="applied"),
        Index(
            "uq_order_changes_open",
            "order_id",
            unique=True,
            sqlite_where=text("status IN ('draft', 'awaiting_payment')"),
            postgresql_where=text("status IN ('draft', 'awaiting_payment')"),
        ),
        Index("ix_order_changes_status_expires_at", "status", "expires_at"),
    )

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    kind: Mapped[ChangeKind] = mapped_column(enum_type(ChangeKind))
    status: Mapped[ChangeStatus] = mapped_column(enum_type(ChangeStatus))
    reason: Mapped[str] = mapped_column(String(200), default="")
    currency: Mapped[Currency]
    added_minor: Mapped[Minor] = mapped_column(default=0)
    given_up_minor: Mapped[Minor] = mapped_column(default=0)
    difference_minor: Mapped[Minor] = mapped_column(default=0)
    shipping_minor: Mapped[Minor] = mapped_column(default=0, server_default=text("0"))
    """What sending to the new address costs more than to the old one; negative: less. Part of the difference."""
    ship_to: Mapped[dict[str, Any] | None] = mapped_column(JsonType)
    """The new address, where it changes."""
    ship_to_before: Mapped[dict[str, Any] | None] = mapped_column(JsonType)
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When an open change is given up."""
    decided_by: Mapped[str | None] = mapped_column(String(64))
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    declined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderChangeLine(Base):
    """One part of a change set: units of a line go, or units of a variant come at a price frozen here."""

    __tablename__ = "order_change_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("action IN ('add', 'remove')", name="action"),
        CheckConstraint("action = 'add' OR order_line_id IS NOT NULL", name="line"),
        CheckConstraint("net_minor = gross_minor - line_discount_minor AND net_minor >= 0", name="net"),
    )

    id: Mapped[IntPk]
    change_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_changes.id"), index=True)
    action: Mapped[str] = mapped_column(String(8))
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"))
    """The line that gives units up, or the one that the added units became."""
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    sku: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int] = mapped_column(BigInt)
    unit_price_minor: Mapped[Minor]
    gross_minor: Mapped[Minor]
    line_discount_minor: Mapped[Minor] = mapped_column(default=0)
    tax_minor: Mapped[Minor] = mapped_column(default=0)
    net_minor: Mapped[Minor]
    """Of removed units: their frozen price, the refund."""
    customisation: Mapped[Json] = mapped_column(default=dict)
