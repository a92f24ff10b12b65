"""Tickets over the wire; the customer's shapes have no place for internal notes."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.tickets.service import (
    ResolutionCode,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketPriority,
    TicketStatus,
    TicketStatusChange,
)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class TicketIn(_In):
    """A request for help."""

    category: TicketCategory
    priority: TicketPriority = TicketPriority.NORMAL
    subject: str = Field(min_length=1, max_length=200, examples=["A lamp arrived broken"])
    body: str = Field(min_length=1, max_length=10_000, examples=["One of the twelve has a crack."])
    order_number: str | None = Field(default=None, max_length=32, examples=["MLT-1042"])


class MessageIn(_In):
    """A message or a note."""

    body: str = Field(min_length=1, max_length=10_000, examples=["A new lamp is on its way."])


class AssignIn(_In):
    """Who takes the ticket."""

    assignee_id: int | None = Field(default=None, description="A staff user; left out: the caller", examples=[3])
    expected: int | None = Field(default=None, description="Whose it is now; null: nobody's")


class TicketStatusIn(_In):
    """The next step; resolving and closing have routes of their own."""

    status: TicketStatus = Field(examples=["pending_customer"])


class ResolveIn(_In):
    """Why the ticket counts as resolved."""

    code: ResolutionCode = Field(examples=["answered"])


class MessageOut(BaseModel):
    """A message of the conversation."""

    id: int = Field(examples=[77])
    author: str = Field(description="customer, staff or system", examples=["staff"])
    body: str
    created_at: datetime

    @classmethod
    def of(cls, message: TicketMessage) -> "MessageOut":
        """From the row."""
        return cls(id=message.id, author=message.author, body=message.body, created_at=message.created_at)


class StaffMessageOut(MessageOut):
    """A message or an internal note."""

    is_internal: bool
    author_user_id: int | None

    @classmethod
    def of(cls, message: TicketMessage) -> "StaffMessageOut":
        """From the row."""
        return cls(
            **MessageOut.of(message).model_dump(),
            is_internal=message.is_internal,
            author_user_id=message.author_user_id,
        )


class TicketOut(BaseModel):
    """A ticket as its customer sees it in a list."""

    id: str = Field(examples=["tkt_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    category: TicketCategory
    priority: TicketPriority
    status: TicketStatus
    subject: str
    resolution_code: str | None
    created_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None

    @classmethod
    def of(cls, ticket: Ticket) -> "TicketOut":
        """From the row."""
        return cls(
            id=ticket.public_id,
            category=ticket.category,
            priority=ticket.priority,
            status=ticket.status,
            subject=ticket.subject,
            resolution_code=ticket.resolution_code,
            created_at=ticket.created_at,
            resolved_at=ticket.resolved_at,
            closed_at=ticket.closed_at,
        )


class TicketDetail(TicketOut):
    """A ticket with its conversation."""

    messages: list[MessageOut]

    @classmethod
    def whole(cls, ticket: Ticket, messages: Sequence[TicketMessage]) -> "TicketDetail":
        """From the rows; the caller leaves internal notes out."""
        return cls(**TicketOut.of(ticket).model_dump(), messages=[MessageOut.of(m) for m in messages])


class StaffTicketOut(TicketOut):
    """A ticket as the staff sees it in a list."""

    customer_id: int
    order_id: int | None
    assignee_id: int | None
    first_responded_at: datetime | None

    @classmethod
    def of(cls, ticket: Ticket) -> "StaffTicketOut":
        """From the row."""
        return cls(
            **TicketOut.of(ticket).model_dump(),
            customer_id=ticket.customer_id,
            order_id=ticket.order_id,
            assignee_id=ticket.assignee_id,
            first_responded_at=ticket.first_responded_at,
        )


class StepOut(BaseModel):
    """One step of a ticket's life."""

    from_status: str | None = Field(examples=["new"])
    to_status: str = Field(examples=["open"])
    actor: str = Field(examples=["user:3"])
    occurred_at: datetime

    @classmethod
    def of(cls, change: TicketStatusChange) -> "StepOut":
        """From the row."""
        return cls(
            from_status=change.from_status,
            to_status=change.to_status,
            actor=change.actor,
            occurred_at=change.occurred_at,
        )


class StaffTicketDetail(StaffTicketOut):
    """A ticket with its conversation, notes and history."""

    messages: list[StaffMessageOut]
    history: list[StepOut]

    @classmethod
    def whole(
        cls, ticket: Ticket, messages: Sequence[TicketMessage], history: Sequence[TicketStatusChange]
    ) -> "StaffTicketDetail":
        """From the rows."""
        return cls(
            **StaffTicketOut.of(ticket).model_dump(),
            messages=[StaffMessageOut.of(m) for m in messages],
            history=[StepOut.of(step) for step in history],
        )
