"""Stock over HTTP, for staff."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime

from transactional.core.access import requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, page_of
from transactional.core.problems import problem_responses
from transactional.inventory import schemas, service

router = APIRouter(prefix="/v1/staff/inventory", tags=["inventory"])

READERS = [Depends(requires("read_inventory"))]
WRITERS = [Depends(requires("write_inventory"))]

_ID = {"ge": 1, "le": 2**63 - 1}
VariantId = Annotated[int, Path(**_ID, examples=[7])]
LocationId = Annotated[int, Path(**_ID, examples=[1])]
VariantFilter = Annotated[int | None, Query(description="Only this variant", **_ID, examples=[7])]
LocationFilter = Annotated[int | None, Query(description="Only this location", **_ID, examples=[1])]
OrderFilter = Annotated[int | None, Query(description="Only this order", **_ID, examples=[15])]


@router.get(
    "/locations", summary="The places where stock lies", dependencies=READERS, responses=problem_responses(401, 403)
)
def locations(session: ReadSession) -> list[schemas.LocationOut]:
    """Every location."""
    return [schemas.LocationOut.of(location) for location in service.locations(session)]


@router.post(
    "/locations",
    summary="Open a location",
    status_code=201,
    response_model=schemas.LocationOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create_location(session: WriteSession, replay: Idempotency, body: schemas.LocationIn) -> Response:
    """A new place where stock lies."""

    def make() -> schemas.LocationOut:
        return schemas.LocationOut.of(service.create_location(session, **body.model_dump()))

    return replay.answer(session, status=201, make=make)


@router.patch(
    "/locations/{location_id}",
    summary="Change a location",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def update_location(session: WriteSession, location_id: LocationId, body: schemas.LocationPatch) -> schemas.LocationOut:
    """Change what is given. Nothing new is promised from an inactive location; what it holds still leaves."""
    changes: Any = body.model_dump(exclude_unset=True)
    return schemas.LocationOut.of(service.update_location(session, location_id=location_id, **changes))


@router.get("/levels", summary="Stock levels", dependencies=READERS, responses=problem_responses(401, 403, 422))
def levels(session: ReadSession, cursor: CursorParams, variant_id: VariantFilter = None) -> Page[schemas.LevelOut]:
    """Oldest level first."""
    rows = service.levels(session, variant_id=variant_id, after_id=cursor.after, limit=cursor.limit + 1)
    return page_of(rows, cursor.limit, schemas.LevelOut.of)


@router.patch(
    "/levels/{variant_id}/{location_id}",
    summary="Set a level's rules",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_rules(
    session: WriteSession, clock: ClockDep, variant_id: VariantId, location_id: LocationId, body: schemas.LevelRulesIn
) -> schemas.LevelOut:
    """Units kept back, when to warn, how far to back-order, when to buy. Only what is given changes."""
    rules: Any = body.model_dump(exclude_unset=True)
    level = service.set_rules(session, variant_id=variant_id, location_id=location_id, now=clock.now(), **rules)
    return schemas.LevelOut.of(level)


@router.get(
    "/levels/{variant_id}/{location_id}/position",
    summary="A level at a past moment",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def position(
    session: ReadSession,
    clock: ClockDep,
    variant_id: VariantId,
    location_id: LocationId,
    at: Annotated[AwareDatetime | None, Query(description="Now by default", examples=["2026-01-15T10:00:00Z"])] = None,
) -> schemas.PositionOut:
    """On hand and reserved as the ledger and the holds tell them."""
    moment: datetime = at or clock.now()
    service.get_location(session, location_id)
    found = service.position_at(session, variant_id=variant_id, location_id=location_id, at=moment)
    return schemas.PositionOut.of(variant_id, location_id, moment, found)


@router.get("/movements", summary="The stock ledger", dependencies=READERS, responses=problem_responses(401, 403, 422))
def movements(
    session: ReadSession,
    cursor: CursorParams,
    variant_id: VariantFilter = None,
    location_id: LocationFilter = None,
    kind: Annotated[service.MovementKind | None, Query(description="Only these", examples=["receipt"])] = None,
) -> Page[schemas.MovementOut]:
    """Newest first."""
    rows = service.movements(
        session,
        variant_id=variant_id,
        location_id=location_id,
        kind=kind,
        before_id=cursor.after,
        limit=cursor.limit + 1,
    )
    return page_of(rows, cursor.limit, schemas.MovementOut.of)


@router.get(
    "/holds", summary="Stock promised to orders", dependencies=READERS, responses=problem_responses(401, 403, 422)
)
def holds(
    session: ReadSession,
    clock: ClockDep,
    cursor: CursorParams,
    *,
    variant_id: VariantFilter = None,
    order_id: OrderFilter = None,
    state: Annotated[service.HoldState | None, Query(description="Only these", examples=["live"])] = None,
    overdue: Annotated[bool, Query(description="Only live ones whose time is over")] = False,
) -> Page[schemas.HoldOut]:
    """Newest first. A bundle's holds are on its parts and are found by either variant."""
    rows = service.holds(
        session,
        variant_id=variant_id,
        order_id=order_id,
        state=state,
        overdue_at=clock.now() if overdue else None,
        before_id=cursor.after,
        limit=cursor.limit + 1,
    )
    return page_of(rows, cursor.limit, schemas.HoldOut.of)


@router.get("/alerts", summary="Low stock", dependencies=READERS, responses=problem_responses(401, 403, 422))
def alerts(
    session: ReadSession,
    cursor: CursorParams,
    *,
    open_only: Annotated[bool, Query(description="Only those that still last")] = True,
) -> Page[schemas.AlertOut]:
    """Newest first; one a crossing of a level's mark."""
    rows = service.alerts(session, open_only=open_only, before_id=cursor.after, limit=cursor.limit + 1)
    return page_of(rows, cursor.limit, schemas.AlertOut.of)


@router.get(
    "/bundles/{variant_id}",
    summary="What a bundle is made of",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def bundle(session: ReadSession, variant_id: VariantId) -> schemas.BundleOut:
    """Its parts, and how many bundles they make now."""
    components = service.bundle(session, variant_id)
    return schemas.BundleOut.of(variant_id, components, service.saleable(session, [variant_id])[variant_id])


@router.put(
    "/bundles/{variant_id}",
    summary="Say what a bundle is made of",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_bundle(session: WriteSession, variant_id: VariantId, body: schemas.BundleIn) -> schemas.BundleOut:
    """The variant becomes a bundle. Its parts are fixed once it was ordered."""
    components = service.set_components(session, bundle_variant_id=variant_id, components=body.components)
    return schemas.BundleOut.of(variant_id, components, service.saleable(session, [variant_id])[variant_id])


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
def adjust(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.StockAdjustmentIn) -> Response:
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


@router.post(
    "/counts",
    summary="Report a count",
    status_code=201,
    response_model=schemas.CountOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def count(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.CountIn) -> Response:
    """Post what the shelf and the books differ by; promised units cannot be counted away."""

    def make() -> schemas.CountOut:
        movement = service.count(
            session,
            variant_id=body.variant_id,
            location_id=body.location_id or service.default_location(session).id,
            counted=body.counted,
            reason=body.reason,
            now=clock.now(),
        )
        return schemas.CountOut.of(movement)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/transfers",
    summary="Move stock to another location",
    status_code=201,
    response_model=schemas.TransferOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def transfer(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.TransferIn) -> Response:
    """Two movements, one transfer; promised units stay where they are."""

    def make() -> schemas.TransferOut:
        return schemas.TransferOut.of(service.transfer(session, **body.model_dump(), now=clock.now()))

    return replay.answer(session, status=201, make=make)
