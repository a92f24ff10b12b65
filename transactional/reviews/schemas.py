"""Reviews over the wire."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.reviews.service import Rating, Review, ReviewStatus


class ReviewText(BaseModel):
    """What a shopper says of a gift."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    score: int = Field(ge=1, le=5, description="Stars", examples=[5])
    title: str = Field(default="", max_length=120, examples=["Lovely"])
    body: str = Field(default="", max_length=5_000, examples=["My sister lit all twelve at once."])


class ReviewIn(ReviewText):
    """A review of a line that was delivered."""

    order_line_id: int = Field(examples=[311])


class ReviewOut(BaseModel):
    """A review as everybody may read it; every one is of a verified purchase."""

    id: int = Field(examples=[9])
    product_id: int = Field(examples=[42])
    score: int = Field(examples=[5])
    title: str
    body: str
    created_at: datetime

    @classmethod
    def of(cls, review: Review) -> "ReviewOut":
        """From the row."""
        return cls(
            id=review.id,
            product_id=review.product_id,
            score=review.score,
            title=review.title,
            body=review.body,
            created_at=review.created_at,
        )


class OwnReviewOut(ReviewOut):
    """A review as its author and the staff see it."""

    order_line_id: int = Field(examples=[311])
    status: ReviewStatus
    moderated_at: datetime | None

    @classmethod
    def of(cls, review: Review) -> "OwnReviewOut":
        """From the row."""
        return cls(
            **ReviewOut.of(review).model_dump(),
            order_line_id=review.order_line_id,
            status=review.status,
            moderated_at=review.moderated_at,
        )


class ProductReviews(BaseModel):
    """The approved reviews of a product, newest first, and what they come to."""

    count: int = Field(examples=[12])
    mean: float | None = Field(examples=[4.58])
    bayesian_mean: float | None = Field(examples=[4.26])
    items: list[ReviewOut]
    next_cursor: str | None

    @classmethod
    def of(cls, rating: Rating, reviews: list[Review], next_cursor: str | None) -> "ProductReviews":
        """From the rows."""
        return cls(
            count=rating.count,
            mean=rating.mean,
            bayesian_mean=rating.bayesian_mean,
            items=[ReviewOut.of(review) for review in reviews],
            next_cursor=next_cursor,
        )
