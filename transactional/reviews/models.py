"""Reviews of delivered order lines."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime, enum_type


class ReviewStatus(StrEnum):
    """Moderation."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Review(Base):
    """One review per delivered order line; only approved ones count."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index("ix_reviews_product_id_status", "product_id", "status"),
    )

    id: Mapped[IntPk]
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    product_id: Mapped[int] = mapped_column(BigInt, ForeignKey("products.id"))
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"), unique=True)
    score: Mapped[int]
    title: Mapped[str] = mapped_column(String(120), default="")
    body: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[ReviewStatus] = mapped_column(enum_type(ReviewStatus), default=ReviewStatus.PENDING)
    sentiment: Mapped[str | None] = mapped_column(String(16))
    sentiment_model: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    moderated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
