"""Coupons over HTTP, for staff. Shoppers meet them in the cart."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from transactional.core.access import requires
from transactional.core.deps import ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.promotions import schemas, service

router = APIRouter(prefix="/v1/staff/coupons", tags=["promotions"])

READERS = [Depends(requires("read_promotions"))]
WRITERS = [Depends(requires("write_promotions"))]

Code = Annotated[str, Path(max_length=40, examples=["DIWALI10"])]


@router.get("", summary="Every coupon", dependencies=READERS, responses=problem_responses(401, 403, 422))
def coupons(session: ReadSession, cursor: CursorParams) -> Page[schemas.CouponOut]:
    """Newest first."""
    rows = service.list_coupons(session, before_id=cursor.after, limit=cursor.limit + 1)
    shown = rows[: cursor.limit]
    more = encode_cursor(shown[-1][1].id) if len(rows) > cursor.limit else None
    return Page(items=[schemas.CouponOut.of(*row) for row in shown], next_cursor=more)


@router.get("/{code}", summary="One coupon", dependencies=READERS, responses=problem_responses(401, 403, 404, 422))
def coupon(session: ReadSession, code: Code) -> schemas.CouponOut:
    """The code, its conditions, and how often it is used."""
    return schemas.CouponOut.of(*service.get_coupon(session, code))


@router.post(
    "",
    summary="Create a percentage coupon",
    status_code=201,
    response_model=schemas.CouponOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create(session: WriteSession, replay: Idempotency, body: schemas.NewCouponIn) -> Response:
    """The code is active from `starts_at`; it is kept in upper case."""

    def make() -> schemas.CouponOut:
        created = service.create_percentage_coupon(session, **body.model_dump())
        return schemas.CouponOut.of(*service.get_coupon(session, created.code))

    return replay.answer(session, status=201, make=make)


@router.put(
    "/{code}/status",
    summary="Pause, resume or end a coupon",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_status(session: WriteSession, code: Code, body: schemas.CouponStatusIn) -> schemas.CouponOut:
    """From that moment it gives nothing (or something again); orders that hold a use keep it."""
    service.set_status(session, code=code, status=service.PromotionStatus(body.status))
    return schemas.CouponOut.of(*service.get_coupon(session, code))
