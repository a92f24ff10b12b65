"""Returns over HTTP: asked for by customers, decided and processed by staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from transactional.core.access import CurrentActor, OptionalActor, authenticated, public, requires
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.orders import service as orders
from transactional.returns import schemas, service

router = APIRouter(prefix="/v1", tags=["returns"])

EVERYBODY = [Depends(public())]
CUSTOMERS = [Depends(authenticated())]
READERS = [Depends(requires("read_orders"))]
DECIDERS = [Depends(requires("write_orders"))]
PAYERS = [Depends(requires("write_refunds"))]

Reference = Annotated[
    str,
    Path(max_length=40, description="Number of one's own order, or the id of a guest's", examples=["MLT-2026-000123"]),
]
ReturnId = Annotated[str, Path(max_length=40, examples=["ret_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]


@router.post(
    "/returns",
    summary="Ask to send units back",
    status_code=201,
    response_model=schemas.ReturnDetail,
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404, 409, 422),
)
def request_return(
    *,
    session: WriteSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    replay: Idempotency,
    body: schemas.ReturnIn,
) -> Response:
    """Of one's own delivered order, within the return window. A guest names the order by its id."""

    def make() -> schemas.ReturnDetail:
        order = orders.get_visible_order(session, body.order_number, customer_id=actor.customer_id)
        asked = service.request_return(
            session,
            order_id=order.id,
            quantities={line.order_line_id: line.quantity for line in body.lines},
            reason=body.reason,
            cause=body.cause,
            exchange_for=[part.wanted() for part in body.exchange_for],
            actor=actor.name,
            window_days=settings.return_window_days,
            now=clock.now(),
        )
        return _detail(session, asked)

    return replay.answer(session, status=201, make=make)


@router.get("/returns", summary="One's own returns", dependencies=CUSTOMERS, responses=problem_responses(401, 404, 422))
def my_returns(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.ReturnOut]:
    """Newest first."""
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    return shape_page(
        *service.page_of_returns(session, cursor, customer_id=actor.customer_id), shape=schemas.ReturnOut.of
    )


@router.get(
    "/orders/{order_number}/returns",
    summary="Returns of one's own order",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_returns_of_order(session: ReadSession, actor: OptionalActor, order_number: Reference) -> list[schemas.ReturnOut]:
    """Oldest first. A guest asks by the order's id."""
    order = orders.get_visible_order(session, order_number, customer_id=actor.customer_id)
    return [schemas.ReturnOut.of(found) for found in service.returns_of_order(session, order.id)]


@router.get(
    "/returns/{return_id}",
    summary="One of one's own returns",
    dependencies=EVERYBODY,
    responses=problem_responses(401, 404),
)
def my_return(
    *,
    session: ReadSession,
    actor: OptionalActor,
    return_id: ReturnId,
    order: Annotated[
        str | None,
        Query(max_length=40, description="A guest's order id", examples=["ord_7h2k9m4q1x8c5v3b6n0z7w2r4t"]),
    ] = None,
) -> schemas.ReturnDetail:
    """The return with its lines: for the order's customer, and for a guest who names the order's id."""
    found = service.find_visible_return(session, return_id, customer_id=actor.customer_id, guests_order=order)
    return _detail(session, found)


@router.get("/staff/returns", summary="Returns", dependencies=READERS, responses=problem_responses(401, 403, 422))
def returns(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.ReturnStatus | None, Query(examples=["requested"])] = None,
) -> Page[schemas.ReturnOut]:
    """Newest first."""
    return shape_page(*service.page_of_returns(session, cursor, status=status), shape=schemas.ReturnOut.of)


@router.get(
    "/staff/returns/{return_id}",
    summary="One return",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def one_return(session: ReadSession, return_id: ReturnId) -> schemas.ReturnDetail:
    """The return with its lines."""
    return _detail(session, service.find_return(session, return_id))


@router.post(
    "/staff/returns/{return_id}/approve",
    summary="A return may be sent",
    dependencies=DECIDERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def approve(
    session: WriteSession, clock: ClockDep, return_id: ReturnId, body: schemas.DecisionIn
) -> schemas.ReturnDetail:
    """Possible once, while it waits for a decision."""
    found = service.find_return(session, return_id)
    return _detail(session, service.approve(session, return_id=found.id, note=body.note, now=clock.now()))


@router.post(
    "/staff/returns/{return_id}/reject",
    summary="A return is not accepted",
    dependencies=DECIDERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def reject(
    session: WriteSession, clock: ClockDep, return_id: ReturnId, body: schemas.DecisionIn
) -> schemas.ReturnDetail:
    """Possible once, while it waits for a decision."""
    found = service.find_return(session, return_id)
    return _detail(session, service.reject(session, return_id=found.id, note=body.note, now=clock.now()))


@router.post(
    "/staff/returns/{return_id}/process",
    summary="A return has arrived",
    dependencies=PAYERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def process(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    return_id: ReturnId,
    body: schemas.ProcessIn,
) -> schemas.ReturnDetail:
    """Orders the refund, shelves what can be sold again and settles the points."""
    found = service.find_return(session, return_id)
    done = service.process(session, return_id=found.id, actor=actor.name, damaged=body.damaged, now=clock.now())
    return _detail(session, done)


def _detail(session: Session, found: service.Return) -> schemas.ReturnDetail:
    return schemas.ReturnDetail.build(found, service.lines_of(session, found.id))
