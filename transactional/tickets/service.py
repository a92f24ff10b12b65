"""Support tickets: opened by customers, answered, noted, assigned, resolved and closed by staff."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.ids import public_id
from transactional.orders.service import find_order
from transactional.staff.service import rights_of
from transactional.tickets.models import (
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketPriority,
    TicketStatus,
    TicketStatusChange,
)
from transactional.tickets.workflow import REOPEN_WITHIN, TRANSITIONS, ResolutionCode

__all__ = [
    "Author",
    "ResolutionCode",
    "Ticket",
    "TicketCategory",
    "TicketMessage",
    "TicketPriority",
    "TicketStatus",
    "TicketStatusChange",
    "assign",
    "change_status",
    "close",
    "get_ticket",
    "list_tickets",
    "messages_of",
    "note",
    "open_ticket",
    "reply_as_customer",
    "reply_as_staff",
    "resolve",
    "status_history",
]


WORKS_ON_TICKETS = "write_tickets"


class Author(StrEnum):
    """Who wrote a message."""

    CUSTOMER = "customer"
    STAFF = "staff"
    SYSTEM = "system"


def open_ticket(
    session: Session,
    *,
    customer_id: int,
    category: TicketCategory,
    subject: str,
    body: str,
    priority: TicketPriority = TicketPriority.NORMAL,
    order_number: str | None = None,
    actor: str,
    now: datetime,
) -> Ticket:
    """A new ticket with its first message.

    Raises InvalidInput for an empty subject or body, NotFound for an order that is not the customer's own.
    """
    order_id = None if order_number is None else _own_order_id(session, order_number, customer_id)
    ticket = Ticket(
        public_id=public_id("tkt"),
        customer_id=customer_id,
        order_id=order_id,
        category=category,
        priority=priority,
        status=TicketStatus.NEW,
        subject=_filled(subject, "subject"),
        created_at=now,
    )
    session.add(ticket)
    session.flush()
    _record_step(session, ticket.id, None, TicketStatus.NEW, actor=actor, now=now)
    _add_message(session, ticket, Author.CUSTOMER, body, now=now)
    return ticket


def reply_as_customer(
    session: Session, *, ticket: Ticket, body: str, user_id: int | None = None, actor: str, now: datetime
) -> TicketMessage:
    """The customer writes again; a ticket that waited for them, or was resolved lately, is open afterwards.

    Raises Conflict for a ticket that is closed or was resolved too long ago, InvalidInput for an empty text.
    """
    if ticket.status is TicketStatus.CLOSED:
        raise Conflict("this ticket is closed: please open a new one")
    if ticket.status is TicketStatus.RESOLVED and not _may_reopen(ticket, now):
        raise Conflict(f"this ticket was resolved more than {REOPEN_WITHIN.days} days ago: please open a new one")
    message = _add_message(session, ticket, Author.CUSTOMER, body, user_id=user_id, now=now)
    if ticket.status in {TicketStatus.PENDING_CUSTOMER, TicketStatus.RESOLVED}:
        change_status(session, ticket=ticket, to=TicketStatus.OPEN, actor=actor, now=now)
    return message


def reply_as_staff(
    session: Session, *, ticket: Ticket, body: str, user_id: int | None = None, actor: str, now: datetime
) -> TicketMessage:
    """A public answer; the ticket waits for the customer afterwards. The first one stops the first-response clock.

    Raises Conflict for a resolved or closed ticket, InvalidInput for an empty text.
    """
    if ticket.status in {TicketStatus.RESOLVED, TicketStatus.CLOSED}:
        raise Conflict(f"this ticket is {ticket.status}: open it again before answering")
    message = _add_message(session, ticket, Author.STAFF, body, user_id=user_id, now=now)
    session.execute(
        update(Ticket).where(Ticket.id == ticket.id, Ticket.first_responded_at.is_(None)).values(first_responded_at=now)
    )
    if ticket.status is not TicketStatus.PENDING_CUSTOMER:
        change_status(session, ticket=ticket, to=TicketStatus.PENDING_CUSTOMER, actor=actor, now=now)
    return message


def note(session: Session, *, ticket: Ticket, body: str, user_id: int | None, now: datetime) -> TicketMessage:
    """An internal note: no customer ever reads it, and no clock hears it. InvalidInput for an empty text."""
    return _add_message(session, ticket, Author.STAFF, body, user_id=user_id, internal=True, now=now)


def assign(session: Session, *, ticket: Ticket, assignee_id: int, expected: int | None = None, now: datetime) -> Ticket:
    """Give the ticket to a staff member if it still is `expected`'s (None: nobody's).

    Assigning to its present owner changes nothing. Raises InvalidInput for somebody who may not work on tickets,
    Conflict when somebody else was faster.
    """
    if ticket.assignee_id == assignee_id:
        return ticket
    _, permissions = rights_of(session, user_id=assignee_id, is_customer=False, now=now)
    if WORKS_ON_TICKETS not in permissions:
        raise InvalidInput(f"user {assignee_id} does not work on tickets", field="assignee_id")
    claimed = session.connection().execute(
        update(Ticket)
        .where(Ticket.id == ticket.id, Ticket.assignee_id.is_not_distinct_from(expected))
        .values(assignee_id=assignee_id)
    )
    session.refresh(ticket)
    if claimed.rowcount != 1 and ticket.assignee_id != assignee_id:
        raise Conflict("somebody else has taken this ticket", assignee_id=ticket.assignee_id)
    return ticket


def change_status(session: Session, *, ticket: Ticket, to: TicketStatus, actor: str, now: datetime) -> Ticket:
    """Take one step of the transition table and write it into the history.

    Raises IllegalTransition for a step that the table does not know, Conflict when the ticket has moved meanwhile.
    """
    before = ticket.status
    if to not in TRANSITIONS[before]:
        raise IllegalTransition(f"a ticket that is {before} cannot become {to}", status_now=before)
    moved = session.connection().execute(
        update(Ticket).where(Ticket.id == ticket.id, Ticket.status == before).values(_stamps(before, to, now))
    )
    session.refresh(ticket)
    if moved.rowcount != 1:
        raise Conflict(f"the ticket is {ticket.status} meanwhile", status_now=ticket.status)
    _record_step(session, ticket.id, before, to, actor=actor, now=now)
    return ticket


def resolve(session: Session, *, ticket: Ticket, code: ResolutionCode, actor: str, now: datetime) -> Ticket:
    """Resolve with a reason. Raises as `change_status` does."""
    change_status(session, ticket=ticket, to=TicketStatus.RESOLVED, actor=actor, now=now)
    ticket.resolution_code = code.value
    session.flush()
    return ticket


def close(session: Session, *, ticket: Ticket, actor: str, now: datetime) -> Ticket:
    """Close a resolved ticket for good. Raises as `change_status` does."""
    return change_status(session, ticket=ticket, to=TicketStatus.CLOSED, actor=actor, now=now)


def get_ticket(session: Session, *, ticket_public_id: str, customer_id: int | None = None) -> Ticket:
    """The ticket; with `customer_id` only if it is theirs. NotFound otherwise."""
    ticket = session.scalar(select(Ticket).where(Ticket.public_id == ticket_public_id))
    if ticket is None or (customer_id is not None and ticket.customer_id != customer_id):
        raise NotFound(f"no ticket {ticket_public_id}")
    return ticket


def list_tickets(
    session: Session,
    *,
    customer_id: int | None = None,
    status: TicketStatus | None = None,
    assignee_id: int | None = None,
    before_id: int | None = None,
    limit: int = 20,
) -> Sequence[Ticket]:
    """Tickets, newest first, narrowed by what is given."""
    statement = select(Ticket).order_by(Ticket.id.desc()).limit(limit)
    for column, value in (
        (Ticket.customer_id, customer_id),
        (Ticket.status, status),
        (Ticket.assignee_id, assignee_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if before_id is not None:
        statement = statement.where(Ticket.id < before_id)
    return session.scalars(statement).all()


def messages_of(session: Session, *, ticket: Ticket, with_notes: bool) -> Sequence[TicketMessage]:
    """The conversation, oldest first; internal notes only when asked for, which no customer route does."""
    statement = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id)
    if not with_notes:
        statement = statement.where(TicketMessage.is_internal.is_(False))
    return session.scalars(statement).all()


def status_history(session: Session, *, ticket: Ticket) -> Sequence[TicketStatusChange]:
    """Every step the ticket took, oldest first."""
    statement = select(TicketStatusChange).where(TicketStatusChange.ticket_id == ticket.id)
    return session.scalars(statement.order_by(TicketStatusChange.id)).all()


def _own_order_id(session: Session, order_number: str, customer_id: int) -> int:
    order = find_order(session, order_number)
    if order is None or order.customer_id != customer_id:
        raise NotFound(f"no order {order_number}")
    return order.id


def _add_message(
    session: Session,
    ticket: Ticket,
    author: Author,
    body: str,
    *,
    user_id: int | None = None,
    internal: bool = False,
    now: datetime,
) -> TicketMessage:
    message = TicketMessage(
        ticket_id=ticket.id,
        author=author.value,
        author_user_id=user_id,
        is_internal=internal,
        body=_filled(body, "body"),
        created_at=now,
    )
    session.add(message)
    session.flush()
    return message


def _filled(text: str, field: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise InvalidInput(f"a ticket needs a {field}", field=field)
    return stripped


def _may_reopen(ticket: Ticket, now: datetime) -> bool:
    return ticket.resolved_at is not None and now - ticket.resolved_at <= REOPEN_WITHIN


def _stamps(before: TicketStatus, to: TicketStatus, now: datetime) -> dict[str, object]:
    """The columns that a step sets; a reopened ticket is not resolved any more."""
    values: dict[str, object] = {"status": to}
    if to is TicketStatus.RESOLVED:
        values["resolved_at"] = now
    elif to is TicketStatus.CLOSED:
        values["closed_at"] = now
    elif before is TicketStatus.RESOLVED:
        values |= {"resolved_at": None, "resolution_code": None}
    return values


def _record_step(
    session: Session, ticket_id: int, before: TicketStatus | None, to: TicketStatus, *, actor: str, now: datetime
) -> None:
    session.add(
        TicketStatusChange(
            ticket_id=ticket_id,
            from_status=before.value if before else None,
            to_status=to.value,
            actor=actor,
            occurred_at=now,
        )
    )
    session.flush()
