"""One's own points over HTTP. Whose they are is decided in one place: `_own_id`."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from sqlalchemy.orm import Session

from transactional.core.access import Actor, CurrentActor, authenticated
from transactional.core.deps import ClockDep, ReadSession
from transactional.core.errors import NotFound
from transactional.core.pagination import CursorParams, Page, page_of
from transactional.core.problems import problem_responses
from transactional.loyalty import schemas, views

router = APIRouter(prefix="/v1/points", tags=["points"])

CUSTOMERS = [Depends(authenticated())]

AsOf = Annotated[
    AwareDatetime | None,
    Query(description="A moment that has come, with its offset; left out: now", examples=["2026-03-31T23:59:59+05:30"]),
]
Since = Annotated[
    AwareDatetime | None,
    Query(description="What happened after this moment; left out: everything", examples=["2026-01-01T00:00:00+05:30"]),
]
Days = Annotated[int, Query(ge=1, le=3_660, description="How many days ahead", examples=[30])]

CSV_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The statement as a table",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "at,what,points,balance,lot,order,reason\r\n,opening,,0,,,\r\n"
                "2026-01-15T10:00:00+00:00,earn,12,12,41,88,\r\n2026-01-31T00:00:00+00:00,closing,,12,,,\r\n",
            }
        },
    }
}


@router.get("", summary="One's own points", dependencies=CUSTOMERS, responses=problem_responses(401, 404))
def my_points(session: ReadSession, clock: ClockDep, actor: CurrentActor) -> schemas.PointsOut:
    """The balance at this moment by wallet, the tier, and what expires within 30 days."""
    return views.points(session, _own_id(actor), clock.now())


@router.get(
    "/history",
    summary="One's own points, entry by entry",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 404, 422),
)
def my_history(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.PointEntryOut]:
    """Newest first."""
    rows = views.history_rows(session, _own_id(actor), cursor)
    return page_of(rows, cursor.limit, schemas.PointEntryOut.of)


@router.get(
    "/expiring",
    summary="One's own points that expire soon",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 404, 422),
)
def my_expiring(
    session: ReadSession, clock: ClockDep, actor: CurrentActor, days: Days = 30
) -> list[schemas.ExpiringLotOut]:
    """The next to expire first; they are also spent first."""
    return views.expiring(session, _own_id(actor), clock.now(), timedelta(days=days))


@router.get(
    "/statement",
    summary="A statement of one's own points as of any moment",
    dependencies=CUSTOMERS,
    responses=problem_responses(401, 404, 422),
)
def my_statement(
    session: ReadSession, clock: ClockDep, actor: CurrentActor, as_of: AsOf = None, since: Since = None
) -> schemas.PointsStatementOut:
    """What the shop would have shown then; opening + movements = closing."""
    return schemas.PointsStatementOut.of(
        views.statement(session, _own_id(actor), views.Period(clock.now(), as_of, since))
    )


@router.get(
    "/statement.csv",
    summary="A statement of one's own points as a table",
    dependencies=CUSTOMERS,
    response_class=Response,
    responses=CSV_ANSWER | problem_responses(401, 404, 422),
)
def my_statement_table(
    session: ReadSession, clock: ClockDep, actor: CurrentActor, as_of: AsOf = None, since: Since = None
) -> Response:
    """Each movement with the balance after it."""
    return csv_of(session, _own_id(actor), views.Period(clock.now(), as_of, since))


def csv_of(session: Session, customer_id: int, period: views.Period) -> Response:
    """The statement of a customer as a file."""
    table, day = views.statement_table(session, customer_id, period)
    return Response(
        table,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="points-{day}.csv"'},
    )


def _own_id(actor: Actor) -> int:
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile")
    return actor.customer_id
