"""Returns: units that come back and the frozen money that goes with them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Minor, UtcDateTime, enum_type


class ReturnStatus(StrEnum):
    """The life of a return."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    PROCESSED = "processed"
    """The goods came back and the refund was ordered: the day on which it counts."""


class ReturnCause(StrEnum):
    """Whose matter it is; it decides about shipping and about a coupon's minimum."""

    CHANGED_MIND = "changed_mind"
    DAMAGED = "damaged"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    LATE = "late"


class Return(Base):
    """A return of an order, or stand-alone where an imported credit names no purchase."""

    __tablename__ = "returns"
    __table_args__ = (Index("ix_returns_source_external_ref", "source", "external_ref"),)

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    status: Mapped[ReturnStatus] = mapped_column(enum_type(ReturnStatus))
    cause: Mapped[ReturnCause] = mapped_column(
        enum_type(ReturnCause), default=ReturnCause.CHANGED_MIND, server_default=ReturnCause.CHANGED_MIND.value
    )
    reason: Mapped[str] = mapped_column(String(200), default="")
    exchange_change_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_changes.id"))
    """The change set that sends other units for these, where it is an exchange."""
    refund_minor: Mapped[Minor] = mapped_column(default=0)
    currency: Mapped[Currency]
    source: Mapped[str] = mapped_column(String(32), default="shop")
    external_ref: Mapped[str | None] = mapped_column(String(64))
    decision_note: Mapped[str | None] = mapped_column(String(200))
    """What staff wrote to the customer when they approved or rejected."""
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReturnLine(Base):
    """Units of one product; `order_line_id` is NULL where no purchase was found."""

    __tablename__ = "return_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("refund_minor >= 0", name="refund"),
    )

    id: Mapped[IntPk]
    return_id: Mapped[int] = mapped_column(BigInt, ForeignKey("returns.id"), index=True)
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    variant_id: Mapped[int] = mapped_column(BigInt, ForeignKey("product_variants.id"))
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    quantity: Mapped[int] = mapped_column(BigInt)
    refund_minor: Mapped[Minor]
    restock: Mapped[bool] = mapped_column(default=True)
