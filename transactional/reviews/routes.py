"""Reviews over HTTP: written by customers, moderated by staff, read by everybody."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.core.access import Actor, CurrentActor, authenticated, public, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import Forbidden
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import Cursor, CursorParams, Page, encode_cursor
from transactional.core.problems import problem_responses
from transactional.reviews import schemas, service

router = APIRouter(prefix="/v1", tags=["reviews"])

ReviewId = Annotated[int, Path(examples=[9])]


@router.get(
    "/products/{product_id}/reviews",
    summary="The reviews of a product",
    dependencies=[Depends(public())],
    responses=problem_responses(422),
)
def product_reviews(
    session: ReadSession, cursor: CursorParams, product_id: Annotated[int, Path(examples=[42])]
) -> schemas.ProductReviews:
    """Approved reviews, newest first, with the rating."""
    rows = service.list_reviews(
        session,
        product_id=product_id,
        status=service.ReviewStatus.APPROVED,
        before_id=cursor.after,
        limit=cursor.limit + 1,
    )
    shown, more = _page(rows, cursor)
    rating = service.ratings(session, [product_id]).get(product_id, service.NO_RATING)
    return schemas.ProductReviews.of(rating, shown, more)


@router.post(
    "/reviews",
    summary="Review a delivered order line",
    status_code=201,
    response_model=schemas.OwnReviewOut,
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 403, 404, 409, 422),
)
def write_review(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: schemas.ReviewIn
) -> Response:
    """One review a line; it is shown once somebody has approved it."""
    customer_id = _customer(actor)
    return replay.answer(
        session,
        status=201,
        make=lambda: schemas.OwnReviewOut.of(
            service.write_review(session, customer_id=customer_id, **body.model_dump(), now=clock.now())
        ),
    )


@router.get(
    "/reviews/mine",
    summary="One's own reviews",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 403, 422),
)
def my_reviews(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.OwnReviewOut]:
    """Newest first, with what became of each."""
    rows = service.list_reviews(session, customer_id=_customer(actor), before_id=cursor.after, limit=cursor.limit + 1)
    shown, more = _page(rows, cursor)
    return Page(items=[schemas.OwnReviewOut.of(review) for review in shown], next_cursor=more)


@router.put(
    "/reviews/{review_id}",
    summary="Change one's own review",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 403, 404, 422),
)
def edit_review(
    session: WriteSession, actor: CurrentActor, review_id: ReviewId, body: schemas.ReviewText
) -> schemas.OwnReviewOut:
    """The changed review waits for approval again."""
    edited = service.edit_review(session, review_id=review_id, customer_id=_customer(actor), **body.model_dump())
    return schemas.OwnReviewOut.of(edited)


@router.get(
    "/staff/reviews",
    summary="Reviews to moderate",
    dependencies=[Depends(requires("read_reviews"))],
    responses=problem_responses(401, 403, 422),
)
def staff_reviews(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.ReviewStatus | None, Query()] = service.ReviewStatus.PENDING,
) -> Page[schemas.OwnReviewOut]:
    """Newest first; pending ones by default."""
    rows = service.list_reviews(session, status=status, before_id=cursor.after, limit=cursor.limit + 1)
    shown, more = _page(rows, cursor)
    return Page(items=[schemas.OwnReviewOut.of(review) for review in shown], next_cursor=more)


@router.post(
    "/staff/reviews/{review_id}/approve",
    summary="Approve a review",
    dependencies=[Depends(requires("write_reviews"))],
    responses=problem_responses(401, 403, 404, 409),
)
def approve(session: WriteSession, clock: ClockDep, review_id: ReviewId) -> schemas.OwnReviewOut:
    """From now on it is shown and counts. Safe to repeat."""
    moderated = service.moderate(session, review_id=review_id, to=service.ReviewStatus.APPROVED, now=clock.now())
    return schemas.OwnReviewOut.of(moderated)


@router.post(
    "/staff/reviews/{review_id}/reject",
    summary="Reject a review",
    dependencies=[Depends(requires("write_reviews"))],
    responses=problem_responses(401, 403, 404, 409),
)
def reject(session: WriteSession, clock: ClockDep, review_id: ReviewId) -> schemas.OwnReviewOut:
    """It is neither shown nor counted. Safe to repeat."""
    moderated = service.moderate(session, review_id=review_id, to=service.ReviewStatus.REJECTED, now=clock.now())
    return schemas.OwnReviewOut.of(moderated)


def _customer(actor: Actor) -> int:
    if actor.customer_id is None:
        raise Forbidden("only customers write reviews")
    return actor.customer_id


def _page(rows: Sequence[service.Review], cursor: Cursor) -> tuple[list[service.Review], str | None]:
    shown = list(rows[: cursor.limit])
    return shown, encode_cursor(shown[-1].id) if len(rows) > cursor.limit else None
