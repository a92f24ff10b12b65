"""Any customer's points over HTTP, for staff: what they have, and adjustments with a second person."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.accounts.service import get_customer
from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, page_of
from transactional.core.problems import problem_responses
from transactional.loyalty import adjustments, schemas, staff_schemas, views
from transactional.loyalty.models import AdjustmentState
from transactional.loyalty.routes import CSV_ANSWER, AsOf, Days, Since, csv_of

router = APIRouter(prefix="/v1/staff", tags=["points"])

READERS = [Depends(requires("read_points"))]
ADJUSTERS = [Depends(requires("write_points_adjust"))]

CustomerId = Annotated[int, Path(examples=[12], ge=1, le=2**62)]
AdjustmentId = Annotated[int, Path(examples=[7], ge=1, le=2**62)]
OfState = Annotated[AdjustmentState | None, Query(examples=["requested"])]
OfCustomer = Annotated[int | None, Query(ge=1, le=2**62, examples=[12])]


@router.get(
    "/customers/{customer_id}/points",
    summary="A customer's points",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def points_of(session: ReadSession, clock: ClockDep, customer_id: CustomerId) -> schemas.PointsOut:
    """The balance at this moment by wallet, the tier, and what expires within 30 days."""
    get_customer(session, customer_id)
    return views.points(session, customer_id, clock.now())


@router.get(
    "/customers/{customer_id}/points/history",
    summary="A customer's points, entry by entry",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def history_of(session: ReadSession, customer_id: CustomerId, cursor: CursorParams) -> Page[schemas.PointEntryOut]:
    """Newest first."""
    get_customer(session, customer_id)
    return page_of(views.history_rows(session, customer_id, cursor), cursor.limit, schemas.PointEntryOut.of)


@router.get(
    "/customers/{customer_id}/points/expiring",
    summary="A customer's points that expire soon",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def expiring_of(
    session: ReadSession, clock: ClockDep, customer_id: CustomerId, days: Days = 30
) -> list[schemas.ExpiringLotOut]:
    """The next to expire first."""
    get_customer(session, customer_id)
    return views.expiring(session, customer_id, clock.now(), timedelta(days=days))


@router.get(
    "/customers/{customer_id}/points/statement",
    summary="A statement of a customer's points as of any moment",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def statement_of(
    session: ReadSession, clock: ClockDep, customer_id: CustomerId, as_of: AsOf = None, since: Since = None
) -> schemas.PointsStatementOut:
    """What the shop would have shown then; opening + movements = closing."""
    get_customer(session, customer_id)
    period = views.Period(clock.now(), as_of, since)
    return schemas.PointsStatementOut.of(views.statement(session, customer_id, period))


@router.get(
    "/customers/{customer_id}/points/statement.csv",
    summary="A statement of a customer's points as a table",
    dependencies=READERS,
    response_class=Response,
    responses=CSV_ANSWER | problem_responses(401, 403, 404, 422),
)
def statement_table_of(
    session: ReadSession, clock: ClockDep, customer_id: CustomerId, as_of: AsOf = None, since: Since = None
) -> Response:
    """Each movement with the balance after it."""
    get_customer(session, customer_id)
    return csv_of(session, customer_id, views.Period(clock.now(), as_of, since))


@router.post(
    "/customers/{customer_id}/points/adjustments",
    summary="Give or take points by hand",
    status_code=201,
    response_model=staff_schemas.PointsAdjustmentOut,
    dependencies=ADJUSTERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def request_adjustment(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    customer_id: CustomerId,
    body: staff_schemas.PointsAdjustmentIn,
) -> Response:
    """In the caller's name, with a reason: applied at once within the programme's limit, else for a second person."""

    def make() -> staff_schemas.PointsAdjustmentOut:
        get_customer(session, customer_id)
        asked = adjustments.request_adjustment(
            session, customer_id=customer_id, **body.model_dump(), actor=actor.name, now=clock.now()
        )
        return staff_schemas.PointsAdjustmentOut.of(asked, clock.now())

    return replay.answer(session, status=201, make=make)


@router.get(
    "/points/adjustments",
    summary="Adjustments by hand and requests for them",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def list_adjustments(
    session: ReadSession, clock: ClockDep, cursor: CursorParams, state: OfState = None, customer_id: OfCustomer = None
) -> Page[staff_schemas.PointsAdjustmentOut]:
    """Newest first; a request that nobody decided in time is listed under `requested` and shown as expired."""
    now = clock.now()
    rows = adjustments.adjustments(
        session, state=state, customer_id=customer_id, before_id=cursor.after, limit=cursor.limit + 1
    )
    return page_of(rows, cursor.limit, lambda row: staff_schemas.PointsAdjustmentOut.of(row, now))


@router.post(
    "/points/adjustments/{adjustment_id}/approve",
    summary="Agree to a large adjustment",
    dependencies=ADJUSTERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def approve_adjustment(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    adjustment_id: AdjustmentId,
    body: staff_schemas.AdjustmentDecisionIn,
) -> staff_schemas.PointsAdjustmentOut:
    """By another person than who asked; the points move now, once."""
    now = clock.now()
    done = adjustments.approve_adjustment(
        session, adjustment_id=adjustment_id, actor=actor.name, note=body.note, now=now
    )
    return staff_schemas.PointsAdjustmentOut.of(done, now)


@router.post(
    "/points/adjustments/{adjustment_id}/refuse",
    summary="Decline a large adjustment",
    dependencies=ADJUSTERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def refuse_adjustment(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    adjustment_id: AdjustmentId,
    body: staff_schemas.AdjustmentDecisionIn,
) -> staff_schemas.PointsAdjustmentOut:
    """By another person than who asked, with a note that says why."""
    now = clock.now()
    done = adjustments.refuse_adjustment(
        session, adjustment_id=adjustment_id, actor=actor.name, note=body.note, now=now
    )
    return staff_schemas.PointsAdjustmentOut.of(done, now)
