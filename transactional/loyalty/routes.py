"""Points over HTTP: one's own for customers, anybody's for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.core.access import Actor, CurrentActor, authenticated, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import Cursor, CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.loyalty import schemas, service

router = APIRouter(prefix="/v1", tags=["points"])

CUSTOMERS = [Depends(authenticated())]
READERS = [Depends(requires("read_points"))]
ADJUSTERS = [Depends(requires("write_points_adjust"))]

CustomerId = Annotated[int, Path(examples=[12])]


@router.get("/points", summary="One's own points", dependencies=CUSTOMERS, responses=problem_responses(401, 404))
def my_points(session: ReadSession, clock: ClockDep, actor: CurrentActor) -> schemas.BalanceOut:
    """The balance at this moment."""
    return schemas.BalanceOut.of(service.balance(session, _own_id(actor), now=clock.now()))


@router.get(
    "/points/history",
    summary="One's own points, entry by entry",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 404, 422),
)
def my_history(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.PointEntryOut]:
    """Newest first."""
    return _history(session, _own_id(actor), cursor)


@router.get(
    "/staff/customers/{customer_id}/points",
    summary="A customer's points",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def points_of(session: ReadSession, clock: ClockDep, customer_id: CustomerId) -> schemas.BalanceOut:
    """The balance at this moment."""
    get_customer(session, customer_id)
    return schemas.BalanceOut.of(service.balance(session, customer_id, now=clock.now()))


@router.get(
    "/staff/customers/{customer_id}/points/history",
    summary="A customer's points, entry by entry",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def history_of(session: ReadSession, customer_id: CustomerId, cursor: CursorParams) -> Page[schemas.PointEntryOut]:
    """Newest first."""
    get_customer(session, customer_id)
    return _history(session, customer_id, cursor)


@router.post(
    "/staff/customers/{customer_id}/points/adjustments",
    summary="Give or take points by hand",
    status_code=201,
    response_model=schemas.PointEntryOut,
    dependencies=ADJUSTERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def adjust(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    customer_id: CustomerId,
    body: schemas.PointsAdjustmentIn,
) -> Response:
    """Post an adjustment in the caller's name, with its reason."""

    def make() -> schemas.PointEntryOut:
        get_customer(session, customer_id)
        entry = service.adjust(
            session,
            customer_id=customer_id,
            points=body.points,
            actor=actor.name,
            reason=body.reason,
            now=clock.now(),
        )
        return schemas.PointEntryOut.of(entry)

    return replay.answer(session, status=201, make=make)


def _own_id(actor: Actor) -> int:
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    return actor.customer_id


def _history(session: Session, customer_id: int, cursor: Cursor) -> Page[schemas.PointEntryOut]:
    rows = service.history(session, customer_id, before_id=cursor.after, limit=cursor.limit + 1)
    shown = rows[: cursor.limit]
    more = encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.PointEntryOut.of(entry) for entry in shown], next_cursor=more)
