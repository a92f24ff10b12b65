"""Tickets over HTTP: opened and answered by customers, worked on by staff."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from transactional.core.access import Actor, CurrentActor, authenticated, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import Forbidden, InvalidInput
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import Cursor, CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.tickets import schemas, service

router = APIRouter(prefix="/v1", tags=["tickets"])

CUSTOMERS = [Depends(authenticated())]
READERS = [Depends(requires("read_tickets"))]
WRITERS = [Depends(requires("write_tickets"))]

TicketId = Annotated[str, Path(max_length=40, examples=["tkt_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]


@router.post(
    "/tickets",
    summary="Open a ticket",
    status_code=201,
    response_model=schemas.TicketDetail,
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def open_ticket(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: schemas.TicketIn
) -> Response:
    """Ask for help, with one of one's own orders if it is about one."""
    customer_id = _customer(actor)

    def make() -> schemas.TicketDetail:
        ticket = service.open_ticket(
            session, customer_id=customer_id, **body.model_dump(), actor=actor.name, now=clock.now()
        )
        return _for_customer(session, ticket)

    return replay.answer(session, status=201, make=make)


@router.get("/tickets", summary="One's own tickets", dependencies=CUSTOMERS, responses=problem_responses(401, 403, 422))
def my_tickets(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.TicketOut]:
    """Newest first."""
    rows = service.list_tickets(session, customer_id=_customer(actor), before_id=cursor.after, limit=cursor.limit + 1)
    shown, more = _page(rows, cursor)
    return Page(items=[schemas.TicketOut.of(ticket) for ticket in shown], next_cursor=more)


@router.get(
    "/tickets/{ticket_id}",
    summary="One of one's own tickets",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 403, 404),
)
def my_ticket(session: ReadSession, actor: CurrentActor, ticket_id: TicketId) -> schemas.TicketDetail:
    """The ticket with its conversation."""
    return _for_customer(session, _own(session, ticket_id, actor))


@router.post(
    "/tickets/{ticket_id}/messages",
    summary="Write again on one's own ticket",
    status_code=201,
    response_model=schemas.TicketDetail,
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def reply(
    session: WriteSession,
    *,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    ticket_id: TicketId,
    body: schemas.MessageIn,
) -> Response:
    """A ticket that waited for this, or was resolved within the last seven days, is open again afterwards."""

    def make() -> schemas.TicketDetail:
        ticket = _own(session, ticket_id, actor)
        service.reply_as_customer(
            session, ticket=ticket, body=body.body, user_id=actor.user_id, actor=actor.name, now=clock.now()
        )
        return _for_customer(session, ticket)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/staff/tickets",
    summary="The tickets of all customers",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def staff_tickets(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.TicketStatus | None, Query()] = None,
    assignee_id: Annotated[int | None, Query(examples=[3])] = None,
) -> Page[schemas.StaffTicketOut]:
    """Newest first, narrowed by status and assignee."""
    rows = service.list_tickets(
        session, status=status, assignee_id=assignee_id, before_id=cursor.after, limit=cursor.limit + 1
    )
    shown, more = _page(rows, cursor)
    return Page(items=[schemas.StaffTicketOut.of(ticket) for ticket in shown], next_cursor=more)


@router.get(
    "/staff/tickets/{ticket_id}",
    summary="One ticket with notes and history",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def staff_ticket(session: ReadSession, ticket_id: TicketId) -> schemas.StaffTicketDetail:
    """Everything about the ticket."""
    return _for_staff(session, service.get_ticket(session, ticket_public_id=ticket_id))


@router.post(
    "/staff/tickets/{ticket_id}/messages",
    summary="Answer the customer",
    status_code=201,
    response_model=schemas.StaffTicketDetail,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def answer(
    session: WriteSession,
    *,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    ticket_id: TicketId,
    body: schemas.MessageIn,
) -> Response:
    """The customer reads it; the ticket waits for them afterwards."""

    def make() -> schemas.StaffTicketDetail:
        ticket = service.get_ticket(session, ticket_public_id=ticket_id)
        service.reply_as_staff(
            session, ticket=ticket, body=body.body, user_id=actor.user_id, actor=actor.name, now=clock.now()
        )
        return _for_staff(session, ticket)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/staff/tickets/{ticket_id}/notes",
    summary="Write an internal note",
    status_code=201,
    response_model=schemas.StaffTicketDetail,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def note(
    session: WriteSession,
    *,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    ticket_id: TicketId,
    body: schemas.MessageIn,
) -> Response:
    """No customer ever reads it."""

    def make() -> schemas.StaffTicketDetail:
        ticket = service.get_ticket(session, ticket_public_id=ticket_id)
        service.note(session, ticket=ticket, body=body.body, user_id=actor.user_id, now=clock.now())
        return _for_staff(session, ticket)

    return replay.answer(session, status=201, make=make)


@router.put(
    "/staff/tickets/{ticket_id}/assignee",
    summary="Take a ticket or give it to a colleague",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def assign(
    session: WriteSession, *, clock: ClockDep, actor: CurrentActor, ticket_id: TicketId, body: schemas.AssignIn
) -> schemas.StaffTicketDetail:
    """Succeeds only if the ticket still is whose the caller thinks it is."""
    ticket = service.get_ticket(session, ticket_public_id=ticket_id)
    assignee = body.assignee_id if body.assignee_id is not None else actor.user_id
    if assignee is None:
        raise InvalidInput("say who takes the ticket", field="assignee_id")
    assigned = service.assign(session, ticket=ticket, assignee_id=assignee, expected=body.expected, now=clock.now())
    return _for_staff(session, assigned)


@router.put(
    "/staff/tickets/{ticket_id}/status",
    summary="Move a ticket",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def move(
    session: WriteSession, *, clock: ClockDep, actor: CurrentActor, ticket_id: TicketId, body: schemas.TicketStatusIn
) -> schemas.StaffTicketDetail:
    """One step of the workflow; a resolution needs its reason and so its own route."""
    if body.status is service.TicketStatus.RESOLVED:
        raise InvalidInput("a resolution needs a reason: use the resolve route", field="status")
    ticket = service.get_ticket(session, ticket_public_id=ticket_id)
    service.change_status(session, ticket=ticket, to=body.status, actor=actor.name, now=clock.now())
    return _for_staff(session, ticket)


@router.post(
    "/staff/tickets/{ticket_id}/resolve",
    summary="Resolve a ticket",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def resolve(
    session: WriteSession, *, clock: ClockDep, actor: CurrentActor, ticket_id: TicketId, body: schemas.ResolveIn
) -> schemas.StaffTicketDetail:
    """With the reason; a second resolution is refused by the workflow."""
    ticket = service.get_ticket(session, ticket_public_id=ticket_id)
    service.resolve(session, ticket=ticket, code=body.code, actor=actor.name, now=clock.now())
    return _for_staff(session, ticket)


@router.post(
    "/staff/tickets/{ticket_id}/close",
    summary="Close a resolved ticket",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def close(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, ticket_id: TicketId
) -> schemas.StaffTicketDetail:
    """For good: whoever writes later opens a new one."""
    ticket = service.get_ticket(session, ticket_public_id=ticket_id)
    service.close(session, ticket=ticket, actor=actor.name, now=clock.now())
    return _for_staff(session, ticket)


def _own(session: Session, ticket_id: str, actor: Actor) -> service.Ticket:
    return service.get_ticket(session, ticket_public_id=ticket_id, customer_id=_customer(actor))


def _for_customer(session: Session, ticket: service.Ticket) -> schemas.TicketDetail:
    return schemas.TicketDetail.whole(ticket, service.messages_of(session, ticket=ticket, with_notes=False))


def _for_staff(session: Session, ticket: service.Ticket) -> schemas.StaffTicketDetail:
    return schemas.StaffTicketDetail.whole(
        ticket,
        service.messages_of(session, ticket=ticket, with_notes=True),
        service.status_history(session, ticket=ticket),
    )


def _customer(actor: Actor) -> int:
    if actor.customer_id is None:
        raise Forbidden("only customers open tickets")
    return actor.customer_id


def _page(rows: Sequence[service.Ticket], cursor: Cursor) -> tuple[list[service.Ticket], str | None]:
    shown = list(rows[: cursor.limit])
    return shown, encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
