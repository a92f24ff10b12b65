"""Reviews: one per delivered order line, shown and counted once a person has approved them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.orders.service import get_line, get_order
from transactional.reviews.models import Review, ReviewStatus

__all__ = [
    "NO_RATING",
    "Rating",
    "Review",
    "ReviewStatus",
    "edit_review",
    "get_review",
    "list_reviews",
    "moderate",
    "ratings",
    "write_review",
]

PRIOR_MEAN = 3.5
PRIOR_WEIGHT = 5
"""A product starts as if it had five reviews of 3.5 stars, so that one enthusiast does not make a best gift."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What approved reviews say of a product; both means are absent without any."""

    count: int
    mean: float | None
    bayesian_mean: float | None


NO_RATING = Rating(count=0, mean=None, bayesian_mean=None)

_MODERATION = {
    ReviewStatus.PENDING: {ReviewStatus.APPROVED, ReviewStatus.REJECTED},
    ReviewStatus.APPROVED: {ReviewStatus.REJECTED},
    ReviewStatus.REJECTED: {ReviewStatus.APPROVED},
}


def write_review(
    session: Session,
    *,
    customer_id: int,
    order_line_id: int,
    score: int,
    title: str = "",
    body: str = "",
    now: datetime,
) -> Review:
    """A review of a line that was delivered to this customer; it waits for moderation.

    Raises NotFound for a line that is not the customer's own, Conflict for one not yet delivered or reviewed before,
    InvalidInput for a score outside 1..5.
    """
    _check_score(score)
    line = get_line(session, order_line_id)
    order = get_order(session, line.order_id)
    if order.customer_id != customer_id:
        raise NotFound(f"no order line {order_line_id}")
    if order.delivered_at is None and not line.delivered_quantity:
        raise Conflict("only what was delivered can be reviewed", order_number=order.order_number)
    review = Review(
        customer_id=customer_id,
        product_id=line.product_id,
        order_line_id=order_line_id,
        score=score,
        title=title.strip(),
        body=body.strip(),
        status=ReviewStatus.PENDING,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(review)
    except IntegrityError as error:
        raise Conflict("this order line was reviewed already", order_line_id=order_line_id) from error
    return review


def edit_review(
    session: Session, *, review_id: int, customer_id: int, score: int, title: str = "", body: str = ""
) -> Review:
    """Change one's own review; it goes back to moderation, and the journal keeps the old text.

    Raises NotFound for somebody else's review, InvalidInput for a score outside 1..5.
    """
    _check_score(score)
    review = get_review(session, review_id)
    if review.customer_id != customer_id:
        raise NotFound(f"no review {review_id}")
    review.score, review.title, review.body = score, title.strip(), body.strip()
    review.status, review.moderated_at = ReviewStatus.PENDING, None
    review.sentiment = review.sentiment_model = None
    session.flush()
    return review


def moderate(session: Session, *, review_id: int, to: ReviewStatus, now: datetime) -> Review:
    """Approve or reject, also the other way round later; what it is already changes nothing.

    Raises NotFound, IllegalTransition (nothing goes back to pending), Conflict when a colleague was faster.
    """
    review = get_review(session, review_id)
    before = review.status
    if before is to:
        return review
    if to not in _MODERATION[before]:
        raise IllegalTransition(f"a review that is {before} cannot become {to}", status_now=before)
    moved = session.connection().execute(
        update(Review).where(Review.id == review_id, Review.status == before).values(status=to, moderated_at=now)
    )
    session.refresh(review)
    if moved.rowcount != 1:
        raise Conflict(f"the review is {review.status} meanwhile", status_now=review.status)
    return review


def get_review(session: Session, review_id: int) -> Review:
    """The review; NotFound otherwise."""
    review = session.get(Review, review_id)
    if review is None:
        raise NotFound(f"no review {review_id}")
    return review


def list_reviews(
    session: Session,
    *,
    product_id: int | None = None,
    status: ReviewStatus | None = None,
    customer_id: int | None = None,
    before_id: int | None = None,
    limit: int = 20,
) -> Sequence[Review]:
    """Reviews, newest first, narrowed by what is given."""
    statement = select(Review).order_by(Review.id.desc()).limit(limit)
    for column, value in (
        (Review.product_id, product_id),
        (Review.status, status),
        (Review.customer_id, customer_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if before_id is not None:
        statement = statement.where(Review.id < before_id)
    return session.scalars(statement).all()


def ratings(session: Session, product_ids: Iterable[int]) -> dict[int, Rating]:
    """The ratings of those products that have approved reviews, computed from the rows, so that none can be stale.

    Bayesian mean = (prior weight · prior mean + Σ scores) / (prior weight + count).
    """
    statement = (
        select(Review.product_id, func.count(), func.sum(Review.score))
        .where(Review.product_id.in_(set(product_ids)), Review.status == ReviewStatus.APPROVED)
        .group_by(Review.product_id)
    )
    return {product: _rating(count, int(total)) for product, count, total in session.execute(statement)}


def _rating(count: int, total: int) -> Rating:
    bayesian = (PRIOR_WEIGHT * PRIOR_MEAN + total) / (PRIOR_WEIGHT + count)
    return Rating(count=count, mean=round(total / count, 2), bayesian_mean=round(bayesian, 2))


def _check_score(score: int) -> None:
    if not 1 <= score <= 5:
        raise InvalidInput("a score is 1, 2, 3, 4 or 5 stars", field="score")
