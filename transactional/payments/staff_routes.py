"""Looking after the money over HTTP: events in quarantine, reconciliations and what they found."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy import select

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import NotFound
from transactional.core.pagination import CursorParams, Page, fetch_page, shape_page
from transactional.core.problems import problem_responses
from transactional.payments import inbox, schemas
from transactional.payments.models import GatewayDifference, InboxState, ReconciliationRun, WebhookInbox

router = APIRouter(prefix="/v1/staff/payments", tags=["payments"])

READERS = [Depends(requires("read_payments"))]
WRITERS = [Depends(requires("write_payments"))]

EventId = Annotated[int, Path(gt=0, examples=[41])]


@router.get(
    "/events",
    summary="Events of the payment gateway",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def events(
    session: ReadSession,
    cursor: CursorParams,
    state: Annotated[InboxState | None, Query(description="Only these; those in quarantine need a look")] = None,
) -> Page[schemas.GatewayEventOut]:
    """Newest first, without their bodies."""
    statement = select(WebhookInbox)
    if state is not None:
        statement = statement.where(WebhookInbox.state == state)
    return shape_page(
        *fetch_page(session, statement, cursor, by=WebhookInbox.id), schemas.GatewayEventOut.model_validate
    )


@router.get(
    "/events/{event_id}",
    summary="One event of the payment gateway",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def event(session: ReadSession, event_id: EventId) -> schemas.EventDetail:
    """With the body as it came."""
    row = session.get(WebhookInbox, event_id)
    if row is None:
        raise NotFound("there is no such event")
    return schemas.EventDetail.model_validate(row)


@router.post(
    "/events/{event_id}/requeue",
    summary="Send an event in quarantine through again",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def requeue(session: WriteSession, clock: ClockDep, actor: CurrentActor, event_id: EventId) -> schemas.GatewayEventOut:
    """It is applied after the answer; whatever still speaks against it puts it back."""
    row = inbox.requeue(session, inbox_id=event_id, actor=actor.name, now=clock.now())
    return schemas.GatewayEventOut.model_validate(row)


@router.get(
    "/differences",
    summary="What our books and the gateway's see differently",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def differences(
    session: ReadSession,
    cursor: CursorParams,
    open_only: Annotated[bool, Query(description="Only what no run has found agreed since")] = True,
) -> Page[schemas.GatewayDifferenceOut]:
    """Newest first."""
    statement = select(GatewayDifference)
    if open_only:
        statement = statement.where(GatewayDifference.resolved_at.is_(None))
    page = fetch_page(session, statement, cursor, by=GatewayDifference.id)
    return shape_page(*page, schemas.GatewayDifferenceOut.model_validate)


@router.get(
    "/reconciliations",
    summary="Comparisons with the gateway's books",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def reconciliations(session: ReadSession, cursor: CursorParams) -> Page[schemas.RunOut]:
    """Newest first."""
    page = fetch_page(session, select(ReconciliationRun), cursor, by=ReconciliationRun.id)
    return shape_page(*page, schemas.RunOut.model_validate)
