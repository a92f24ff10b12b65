"""The offers open to a shopper, over HTTP."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from transactional.cart import service
from transactional.cart.open_offers import OpenOffer, open_offers
from transactional.cart.routes import who_asks
from transactional.core.access import OptionalActor, public
from transactional.core.deps import ClockDep, ReadSession, SettingsDep
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1/offers", tags=["cart"])


class OfferOut(BaseModel):
    """An offer that the shopper has, or can still have."""

    promotion_id: int = Field(examples=[12])
    name: str = Field(examples=["Free shipping from ₹1,500"])
    code: str | None = Field(description="The cart's code that brings it; null for an automatic offer", examples=[None])
    discount_class: Literal["product", "order", "shipping"] = Field(examples=["shipping"])
    state: Literal["applies", "beaten", "reachable"] = Field(
        description="`beaten`: others on the cart are worth more; `reachable`: `missing` says what it lacks",
        examples=["reachable"],
    )
    saving_minor: int = Field(description="What it takes off the cart now", examples=[0])
    detail: str | None = Field(examples=["₹200 more"])
    missing: dict[str, int] = Field(
        description="Figures by name: `spend_minor`, `quantity`, `better_by_minor`", examples=[{"spend_minor": 20_000}]
    )
    ends_at: datetime | None = Field(examples=["2026-11-09T18:30:00Z"])

    @classmethod
    def of(cls, offer: OpenOffer) -> "OfferOut":
        """From the finding."""
        return cls.model_validate({name: getattr(offer, name) for name in cls.model_fields})


@router.get(
    "", summary="The offers open to me", dependencies=[Depends(public())], responses=problem_responses(401, 404, 422)
)
def offers(
    *,
    session: ReadSession,
    clock: ClockDep,
    settings: SettingsDep,
    actor: OptionalActor,
    cart_id: Annotated[
        str | None, Query(max_length=40, description="Judged by this cart", examples=["cart_7h2k9m4q1x8c5v3b6n0z7w"])
    ] = None,
    postal_code: Annotated[str | None, Query(min_length=1, max_length=16, examples=["560001"])] = None,
    country: Annotated[str, Query(min_length=2, max_length=64, description="Of the postal code")] = "IN",
) -> list[OfferOut]:
    """What applies to the cart comes first, then what can still be met, with what is missing.

    The very pricing of checkout judges: what applies here is accepted there for the same cart, person and time.
    """
    cart = None
    if cart_id is not None:
        cart = service.get_cart(session, public_id=cart_id, customer_id=actor.customer_id)
    found = open_offers(
        session,
        cart=cart,
        currency=settings.base_currency,
        who=who_asks(session, actor),
        now=clock.now(),
        settings=settings,
        customer_id=actor.customer_id,
        destination=service.Destination(postal_code, country) if postal_code else None,
    )
    return [OfferOut.of(offer) for offer in found]
