"""Recommendations over the wire."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from transactional.recommendations.service import Pick, Shelf, Slot


class BecauseOut(BaseModel):
    """The reason for programs."""

    kind: str = Field(examples=["bought_together"])
    product_id: int | None = Field(default=None, description="The product that the reason points to", examples=[17])
    count: int | None = Field(default=None, examples=[12])
    total: int | None = Field(default=None, examples=[40])
    last_at: datetime | None = None
    days: int | None = None


class PickOut(BaseModel):
    """A product that can be bought at this moment, and why it is shown."""

    product_id: int = Field(examples=[42])
    name: str = Field(examples=["Hand-painted diya set"])
    slug: str = Field(examples=["hand-painted-diya-set"])
    price_minor: int = Field(examples=[79900])
    currency: str = Field(examples=["INR"])
    reason: str = Field(examples=["In 12 of 40 orders with “Brass lamp”"])
    because: BecauseOut

    @classmethod
    def of(cls, pick: Pick) -> "PickOut":
        """From the service's word."""
        return cls(
            product_id=pick.offer.product_id,
            name=pick.offer.name,
            slug=pick.offer.slug,
            price_minor=pick.offer.price_minor,
            currency=pick.offer.currency,
            reason=pick.reason,
            because=BecauseOut(**pick.because.model_dump()),
        )


class ShelfOut(BaseModel):
    """A ranked list. Report it with `recommendation_shown` and clicks with `recommendation_clicked`."""

    shelf: str = Field(examples=["bought_together"])
    model: str | None = Field(description="null: no model had a say", examples=["bought_together"])
    version: str | None = Field(examples=["3"])
    build_id: str | None = Field(examples=["20260115T100000-7f3a"])
    items: list[PickOut]

    @classmethod
    def of(cls, shelf: Shelf) -> "ShelfOut":
        """From the service's word."""
        return cls(
            shelf=shelf.shelf,
            model=shelf.model,
            version=shelf.version,
            build_id=shelf.build_id,
            items=[PickOut.of(pick) for pick in shelf.picks],
        )


class RecommendationsOut(BaseModel):
    """The shelves of a place in the shop."""

    slot: Slot
    source: Literal["models", "fallback"]
    reason: str | None = Field(
        default=None,
        description="Why it fell back to what sells",
        examples=["serving did not answer within 150 ms"],
    )
    shelves: list[ShelfOut]
