"""Promotions over HTTP, for staff: drafts, versions, life cycle, codes and batches."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.promotions import promotion_schemas as schemas
from transactional.promotions import service
from transactional.promotions.schemas import CouponOut

router = APIRouter(prefix="/v1/staff/promotions", tags=["promotions"])

READERS = [Depends(requires("read_promotions"))]
WRITERS = [Depends(requires("write_promotions"))]

PromotionId = Annotated[int, Path(gt=0, lt=2**63, examples=[12])]


@router.get(
    "", summary="Every promotion with its figures", dependencies=READERS, responses=problem_responses(401, 403, 422)
)
def promotions(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.PromotionStatus | None, Query(examples=["active"])] = None,
) -> Page[schemas.PromotionOut]:
    """Newest first."""
    rows = service.list_promotions(session, before_id=cursor.after, limit=cursor.limit + 1, status=status)
    shown = rows[: cursor.limit]
    figures = service.figures(session, [row.id for row in shown])
    more = encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.PromotionOut.of(row, figures[row.id]) for row in shown], next_cursor=more)


@router.get(
    "/{promotion_id}", summary="One promotion", dependencies=READERS, responses=problem_responses(401, 403, 404, 422)
)
def promotion(session: ReadSession, promotion_id: PromotionId) -> schemas.PromotionOut:
    """With what it has given so far."""
    return _shown(session, service.get_promotion(session, promotion_id))


@router.get(
    "/{promotion_id}/versions",
    summary="What it gave from when on",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def versions(session: ReadSession, promotion_id: PromotionId) -> list[schemas.VersionOut]:
    """Oldest first."""
    service.get_promotion(session, promotion_id)
    return [schemas.VersionOut.of(row) for row in service.versions_of(session, promotion_id)]


@router.post(
    "",
    summary="Draft a promotion",
    status_code=201,
    response_model=schemas.PromotionOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def draft(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: schemas.PromotionIn
) -> Response:
    """It gives nothing before it is scheduled or active."""

    def make() -> schemas.PromotionOut:
        made = service.create_draft(session, terms=body.terms(), rule=body.rule, actor=actor.name, now=clock.now())
        return _shown(session, made)

    return replay.answer(session, status=201, make=make)


@router.put(
    "/{promotion_id}",
    summary="Change a promotion",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def change(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    promotion_id: PromotionId,
    body: schemas.PromotionIn,
) -> schemas.PromotionOut:
    """Another rule is a new version from now on; orders keep the one that they used."""
    changed = service.change(
        session,
        promotion_id=promotion_id,
        terms=body.terms(),
        rule=body.rule,
        actor=actor.name,
        now=clock.now(),
    )
    return _shown(session, changed)


@router.put(
    "/{promotion_id}/status",
    summary="Schedule, start, pause, resume or end a promotion",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def move(session: WriteSession, promotion_id: PromotionId, body: schemas.PromotionMoveIn) -> schemas.PromotionOut:
    """From that moment it gives nothing (or something again); orders that hold a use keep it."""
    status = service.PromotionStatus(body.status)
    return _shown(session, service.move(session, promotion_id=promotion_id, status=status))


@router.post(
    "/{promotion_id}/codes",
    summary="Give a promotion a code",
    status_code=201,
    response_model=CouponOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def add_code(session: WriteSession, replay: Idempotency, promotion_id: PromotionId, body: schemas.CodeIn) -> Response:
    """It is kept in upper case and counts its own uses."""

    def make() -> CouponOut:
        of = service.get_promotion(session, promotion_id)
        coupon = service.add_code(session, promotion=of, new=service.NewCode(**body.model_dump()))
        return CouponOut.of(of, coupon)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/{promotion_id}/batches",
    summary="Make single-use codes",
    status_code=201,
    response_model=schemas.CodeBatchOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def make_batch(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    promotion_id: PromotionId,
    body: schemas.CodeBatchIn,
) -> Response:
    """Random codes that nobody can guess, each for one use."""

    def make() -> schemas.CodeBatchOut:
        of = service.get_promotion(session, promotion_id)
        batch, codes = service.make_batch(session, promotion=of, actor=actor.name, now=clock.now(), **body.model_dump())
        return schemas.CodeBatchOut.of(batch, list(codes), 0)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/{promotion_id}/batches/{batch_id}",
    summary="A batch with its codes",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def batch(
    session: ReadSession, promotion_id: PromotionId, batch_id: Annotated[int, Path(gt=0, lt=2**63, examples=[4])]
) -> schemas.CodeBatchOut:
    """And how many of them are used."""
    found, codes = service.get_batch(session, promotion_id=promotion_id, batch_id=batch_id)
    return schemas.CodeBatchOut.of(found, [row.code for row in codes], sum(row.used for row in codes))


@router.put(
    "/floors/{variant_id}",
    summary="Set the least that a variant may cost after offers",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def set_floor(
    session: WriteSession, variant_id: Annotated[int, Path(gt=0, lt=2**63, examples=[7])], body: schemas.FloorIn
) -> None:
    """No offer takes more off a unit; 0 takes the floor away."""
    service.set_floor(session, variant_id=variant_id, currency=body.currency, floor_minor=body.floor_minor)


def _shown(session: ReadSession, row: service.Promotion) -> schemas.PromotionOut:
    return schemas.PromotionOut.of(row, service.figures(session, [row.id])[row.id])
