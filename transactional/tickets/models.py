"""Support tickets, their messages and the steps to resolution."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, IntPk, UtcDateTime, enum_type


class TicketCategory(StrEnum):
    """What a ticket is about."""

    ORDER_ISSUE = "order_issue"
    PAYMENT_ISSUE = "payment_issue"
    CUSTOMIZATION = "customization"
    GENERAL = "general"


class TicketPriority(StrEnum):
    """How urgent."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    OPEN = "open"
    PENDING_CUSTOMER = "pending_customer"
    PENDING_THIRD = "pending_third"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Ticket(Base):
    """A customer's request for help."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_status_id", "status", "id"),)

    id: Mapped[IntPk]
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    customer_id: Mapped[int] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("orders.id"))
    category: Mapped[TicketCategory] = mapped_column(enum_type(TicketCategory))
    priority: Mapped[TicketPriority] = mapped_column(enum_type(TicketPriority))
    status: Mapped[TicketStatus] = mapped_column(enum_type(TicketStatus))
    subject: Mapped[str] = mapped_column(String(200))
    assignee_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    resolution_code: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_responded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TicketMessage(Base):
    """A message to or from the customer, or an internal note that no customer channel ever reads."""

    __tablename__ = "ticket_messages"

    id: Mapped[IntPk]
    ticket_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tickets.id"), index=True)
    author: Mapped[str] = mapped_column(String(16))
    """customer, staff or system."""
    author_user_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("users.id"))
    is_internal: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketStatusChange(Base):
    """One step of a ticket's life."""

    __tablename__ = "ticket_status_changes"

    id: Mapped[IntPk]
    ticket_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tickets.id"), index=True)
    from_status: Mapped[str | None] = mapped_column(String(32))
    to_status: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
