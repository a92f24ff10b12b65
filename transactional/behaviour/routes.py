"""Behaviour events over HTTP: one batch endpoint."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header

from transactional.behaviour import service
from transactional.behaviour.schemas import BatchIn, BatchOut
from transactional.core.access import OptionalActor, public
from transactional.core.deps import ClockDep, WriteSession
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1/events", tags=["behaviour"])


@router.post(
    "",
    summary="Report what a shopper did",
    dependencies=[Depends(public())],
    responses=problem_responses(401, 422),
)
def record_events(
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    body: BatchIn,
    user_agent: Annotated[str | None, Header()] = None,
) -> BatchOut:
    """Send up to 500 events; send them again when no answer came: the event ids make that harmless.

    An event that does not fit the vocabulary is refused alone, the others are kept. Clients that name themselves
    machines, and the shop's own staff, are marked.
    """
    now = clock.now()
    results = service.record(
        session,
        [event.event() for event in body.events],
        customer_id=actor.customer_id,
        now=now,
        is_bot=service.looks_like_bot(user_agent) or bool(actor.permissions),
    )
    return BatchOut.of(results, now)
