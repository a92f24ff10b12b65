"""The event vocabulary: which types there are and which properties each may carry.

Properties are closed: what is not named here is refused, so no personal field can slip into the stream. A search
text is the one free text, and it is what the shopper typed into the shop's own search box.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class EventType(StrEnum):
    """What a shopper did."""

    VIEW = "view"
    CATEGORY_VIEW = "category_view"
    SEARCH = "search"
    ADD_TO_CART = "add_to_cart"
    REMOVE_FROM_CART = "remove_from_cart"
    CHECKOUT_STARTED = "checkout_started"
    RECOMMENDATION_SHOWN = "recommendation_shown"
    RECOMMENDATION_CLICKED = "recommendation_clicked"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a client reports it; `event_id` is the client's own and makes a re-send harmless."""

    event_id: str
    type: str
    anonymous_id: str
    session_id: str
    product_id: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    client_time: datetime | None = None
    consent_version: str | None = None


class EventRefused(Exception):
    """The event is not of the vocabulary; the message says what is wrong with it."""


ShortText = Annotated[str, Field(max_length=64)]
Id = Annotated[int, Field(gt=0)]
Slot = Literal["home", "product", "shop", "cart", "mail"]


class _Properties(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _View(_Properties):
    source: Literal["direct", "search", "category", "recommendation", "mail", "other"] = "other"


class _CategoryView(_Properties):
    category_id: Id


class _Search(_Properties):
    query: str = Field(min_length=1, max_length=200)
    results: int | None = Field(default=None, ge=0)


class _CartChange(_Properties):
    variant_id: Id | None = None
    quantity: int = Field(default=1, ge=1, le=10_000)


class _CheckoutStarted(_Properties):
    items: int = Field(ge=0)
    value_minor: int | None = Field(default=None, ge=0)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")


class _Shown(_Properties):
    """An impression of one shelf: the list as it was shown, best first, and what chose it."""

    slot: Slot
    shelf: ShortText
    product_ids: list[Id] = Field(min_length=1, max_length=100)
    model: ShortText | None = None
    model_version: ShortText | None = None
    build_id: ShortText | None = None
    source: Literal["models", "fallback"] = "models"


class _Clicked(_Properties):
    slot: Slot
    shelf: ShortText
    position: int = Field(ge=0, description="0 is the first place of the shelf")
    model: ShortText | None = None
    model_version: ShortText | None = None
    build_id: ShortText | None = None


PROPERTIES: Mapping[EventType, type[BaseModel]] = MappingProxyType(
    {
        EventType.VIEW: _View,
        EventType.CATEGORY_VIEW: _CategoryView,
        EventType.SEARCH: _Search,
        EventType.ADD_TO_CART: _CartChange,
        EventType.REMOVE_FROM_CART: _CartChange,
        EventType.CHECKOUT_STARTED: _CheckoutStarted,
        EventType.RECOMMENDATION_SHOWN: _Shown,
        EventType.RECOMMENDATION_CLICKED: _Clicked,
    }
)

ABOUT_A_PRODUCT = frozenset(
    {EventType.VIEW, EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.RECOMMENDATION_CLICKED}
)
"""Types that name a product; the others must not."""


def checked_properties(event: Event) -> dict[str, Any]:
    """The event's properties, checked and completed with their defaults.

    Raises EventRefused for an unknown type, an unknown or wrong property, a missing or superfluous product.
    """
    try:
        kind = EventType(event.type)
    except ValueError:
        raise EventRefused(f"unknown type {event.type!r}; known are {', '.join(EventType)}") from None
    if (event.product_id is not None) != (kind in ABOUT_A_PRODUCT):
        needs = "needs a" if event.product_id is None else "takes no"
        raise EventRefused(f"{kind} {needs} product_id")
    try:
        return PROPERTIES[kind].model_validate(dict(event.properties)).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        raise EventRefused("; ".join(_sentence(e["loc"], e["msg"]) for e in error.errors())) from None


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    return f"properties.{'.'.join(str(part) for part in location)}: {message}"
