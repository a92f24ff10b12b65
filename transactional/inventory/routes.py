"""Stock over HTTP, for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from transactional.core.access import requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.inventory import schemas, service

router = APIRouter(prefix="/v1/staff/inventory", tags=["inventory"])

READERS = [Depends(requires("read_inventory"))]
WRITERS = [Depends(requires("write_inventory"))]

VariantFilter = Annotated[int | None, Query(description="Only this variant", examples=[7])]


@router.get(
    "/locations", summary="The places where stock lies", dependencies=READERS, responses=problem_responses(401, 403)
)
def locations(session: ReadSession) -> list[schemas.LocationOut]:
    """Every location."""
    return [schemas.LocationOut.of(location) for location in service.locations(session)]


@router.get("/levels", summary="Stock levels", dependencies=READERS, responses=problem_responses(401, 403, 422))
def levels(session: ReadSession, cursor: CursorParams, variant_id: VariantFilter = None) -> Page[schemas.LevelOut]:
    """Oldest level first."""
    rows = service.levels(session, variant_id=variant_id, after_id=cursor.after, limit=cursor.limit + 1)
    shown = rows[: cursor.limit]
    more = encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.LevelOut.of(level) for level in shown], next_cursor=more)


@router.get("/movements", summary="The stock ledger", dependencies=READERS, responses=problem_responses(401, 403, 422))
def movements(
    session: ReadSession, cursor: CursorParams, variant_id: VariantFilter = None
) -> Page[schemas.MovementOut]:
    """Newest first."""
    rows = service.movements(session, variant_id=variant_id, before_id=cursor.after, limit=cursor.limit + 1)
    shown = rows[: cursor.limit]
    more = encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.MovementOut.of(movement) for movement in shown], next_cursor=more)


@router.post(
    "/receipts",
    summary="Receive goods",
    status_code=201,
    response_model=schemas.MovementOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def receive(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.ReceiptIn) -> Response:
    """Put units on the shelf."""

    def make() -> schemas.MovementOut:
        movement = service.receive(
            session,
            variant_id=body.variant_id,
            location_id=body.location_id or service.default_location(session).id,
            quantity=body.quantity,
            reason=body.reason,
            now=clock.now(),
        )
        return schemas.MovementOut.of(movement)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/adjustments",
    summary="Correct the shelf",
    status_code=201,
    response_model=schemas.MovementOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def adjust(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.AdjustmentIn) -> Response:
    """Post a signed correction with its reason; promised units cannot be taken away."""

    def make() -> schemas.MovementOut:
        movement = service.adjust(
            session,
            variant_id=body.variant_id,
            location_id=body.location_id or service.default_location(session).id,
            quantity=body.quantity,
            reason=body.reason,
            now=clock.now(),
        )
        return schemas.MovementOut.of(movement)

    return replay.answer(session, status=201, make=make)
