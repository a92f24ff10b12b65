"""One's own orders over HTTP: see, follow, approve, change and call off. Staff's side is in `staff_routes`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from transactional.core.access import Actor, CurrentActor, OptionalActor, authenticated, public
from transactional.core.deps import ClockDep, DatabaseDep, ReadSession, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.core.uow import Database
from transactional.orders import live, schemas, service, views
from transactional.orders.change_schemas import ChangeIn, ChangeOut
from transactional.orders.timeline import Audience, timeline

router = APIRouter(prefix="/v1", tags=["orders"])

EVERYBODY = [Depends(public())]
CUSTOMERS = [Depends(authenticated())]

Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]
ChangeId = Annotated[str, Path(max_length=40, examples=["chg_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]

_STREAMS = live.Streams()
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it already (`If-None-Match`)"}}
_EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events `order`: {order_number, status, stage, stages, ended, parcels}",
        "content": {
            "text/event-stream": {"example": 'event: order\nid: 12-3-0f1e2d3c\ndata: {"status": "shipped"}\n\n'}
        },
    },
    204: {"description": "Nothing more will happen: do not connect again"},
}


async def stream_pace() -> live.Pace:
    """How long streams live and how often they look."""
    return live.Pace()


@router.get("/orders", summary="One's own orders", dependencies=CUSTOMERS, responses=problem_responses(401, 404, 422))
def my_orders(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.OrderOut]:
    """Newest first."""
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    return shape_page(
        *service.page_of_orders(session, cursor, customer_id=actor.customer_id), shape=schemas.OrderOut.of
    )


@router.get(
    "/orders/{order_number}",
    summary="One of one's own orders",
    response_model=schemas.OrderDetail,
    dependencies=EVERYBODY,
    responses={**problem_responses(401, 404), **_NOT_MODIFIED},
)
def my_order(request: Request, session: ReadSession, actor: OptionalActor, order_number: Reference) -> Response:
    """The order with its lines, parcels, stages and every step so far, with an ETag. A guest asks by the order's id."""
    return views.with_etag(request, views.detail(session, _mine(session, actor, order_number)))


@router.get(
    "/orders/{order_number}/timeline",
    summary="What happened to one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_timeline(session: ReadSession, actor: OptionalActor, order_number: Reference) -> list[schemas.EntryOut]:
    """Steps, parcels, payments, refunds, changes and documents, oldest first."""
    order = _mine(session, actor, order_number)
    return [schemas.EntryOut.of(entry) for entry in timeline(session, order.id, audience=Audience.CUSTOMER)]


@router.get(
    "/orders/{order_number}/events",
    summary="Follow one's own order live",
    response_class=StreamingResponse,
    dependencies=EVERYBODY,
    responses={**problem_responses(401, 404), **_EVENT_STREAM},
)
async def my_events(
    *,
    database: DatabaseDep,
    actor: OptionalActor,
    order_number: Reference,
    pace: Annotated[live.Pace, Depends(stream_pace)],
    last_event_id: Annotated[str | None, Header(max_length=60, examples=["12-3-0f1e2d3c"])] = None,
) -> Response:
    """Server-sent events: the order as it stands, then again whenever something happens to it.

    A stream ends after some minutes; clients connect again by themselves and continue after `Last-Event-ID`.
    """
    order_id, news = await run_in_threadpool(_where_mine_stands, database, actor, order_number)
    seen = live.Seen.parse(last_event_id)
    if news.is_over and seen == news.seen:
        return Response(status_code=204)
    _STREAMS.enter()
    events: AsyncIterator[bytes] = live.stream(database, order_id, seen, pace=pace, streams=_STREAMS)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.post(
    "/orders/{order_number}/cancel",
    summary="Call off one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def cancel_mine(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    order_number: Reference,
    body: schemas.CancelIn,
) -> schemas.OrderDetail:
    """Possible until something is sent; paid money comes back."""
    order = _mine(session, actor, order_number)
    service.cancel(session, order_id=order.id, actor=actor.name, reason=body.reason, now=clock.now())
    return views.detail(session, order)


@router.post(
    "/orders/{order_number}/cancel-units",
    summary="Call off a part of one's own order",
    response_model=schemas.DecisionOut,
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def cancel_my_units(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    replay: Idempotency,
    order_number: Reference,
    body: schemas.CancelUnitsIn,
) -> Response:
    """Units that have not left; what was paid for exactly these comes back. The answer tells the rules that counted."""

    def make() -> schemas.DecisionOut:
        decision = service.cancel_units(
            session,
            order_id=_mine(session, actor, order_number).id,
            units=schemas.quantities(body.units),
            actor=actor.name,
            reason=body.reason,
            now=clock.now(),
        )
        return schemas.DecisionOut.of(decision)

    return replay.answer(session, status=200, make=make)


@router.post(
    "/orders/{order_number}/approve",
    summary="Agree to what will be made",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def approve_mine(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    order_number: Reference,
    body: schemas.ApproveIn,
) -> schemas.OrderDetail:
    """Then the order can be paid. The hash names the design that was looked at; another one is refused."""
    order = _mine(session, actor, order_number)
    service.approve(session, order_id=order.id, content_sha256=body.content_sha256, actor=actor.name, now=clock.now())
    return views.detail(session, order)


@router.get(
    "/orders/{order_number}/changes",
    summary="Changes of one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_changes(session: ReadSession, actor: OptionalActor, order_number: Reference) -> list[ChangeOut]:
    """Every change set, oldest first."""
    order = _mine(session, actor, order_number)
    return [views.change_view(session, change) for change in service.changes_of(session, order.id)]


@router.post(
    "/orders/{order_number}/changes",
    summary="Propose a change of one's own order",
    status_code=201,
    response_model=ChangeOut,
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def change_mine(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: OptionalActor,
    replay: Idempotency,
    order_number: Reference,
    body: ChangeIn,
) -> Response:
    """Possible until it is packed. The answer names the difference; it happens when it is agreed to (`apply`)."""

    def make() -> ChangeOut:
        change = service.draft_change(
            session,
            order_id=_mine(session, actor, order_number).id,
            wanted=body.wanted(),
            actor=actor.name,
            reason=body.reason,
            now=clock.now(),
        )
        return views.change_view(session, change)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/orders/{order_number}/changes/{change_id}/apply",
    summary="Agree to a change of one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409),
)
def apply_mine(
    *, session: WriteSession, clock: ClockDep, actor: OptionalActor, order_number: Reference, change_id: ChangeId
) -> ChangeOut:
    """It happens now, or when the difference is paid: then it waits for that payment."""
    change = service.find_change(session, _mine(session, actor, order_number).id, change_id)
    service.apply_change(session, change_id=change.id, actor=actor.name, now=clock.now())
    return views.change_view(session, change)


@router.post(
    "/orders/{order_number}/changes/{change_id}/decline",
    summary="Drop a change of one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409),
)
def decline_mine(
    *, session: WriteSession, clock: ClockDep, actor: OptionalActor, order_number: Reference, change_id: ChangeId
) -> ChangeOut:
    """The order goes on as it was."""
    change = service.find_change(session, _mine(session, actor, order_number).id, change_id)
    service.decline_change(session, change_id=change.id, actor=actor.name, now=clock.now())
    return views.change_view(session, change)


def _mine(session: Session, actor: Actor, reference: str) -> service.Order:
    return service.get_visible_order(session, reference, customer_id=actor.customer_id)


def _where_mine_stands(database: Database, actor: Actor, reference: str) -> tuple[int, live.News]:
    with database.read() as session:
        order = _mine(session, actor, reference)
        return order.id, live.describe(session, order.id)
