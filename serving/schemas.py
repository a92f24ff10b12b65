"""Question and answer over the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from models_ml.recommend.reasons import ReasonKind

ProductId = Annotated[int, Field(gt=0, examples=[42])]


class Slot(StrEnum):
    """Where in the shop the answer will be shown."""

    HOME = "home"
    PRODUCT = "product"
    SHOP = "shop"
    CART = "cart"


class EventKind(StrEnum):
    """What the shopper did with a product."""

    VIEW = "view"
    ADD_TO_CART = "add_to_cart"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Purchase(_In):
    """Something that the shopper bought."""

    product_id: ProductId
    at: AwareDatetime | None = None


class RecentEvent(_In):
    """Something that the shopper did a moment ago."""

    product_id: ProductId
    kind: EventKind = EventKind.VIEW
    at: AwareDatetime | None = None


class Question(_In):
    """Who asks, where, and all that happened since the snapshot."""

    slot: Slot
    customer_id: Annotated[int, Field(gt=0, examples=[12])] | None = None
    product_id: ProductId | None = Field(default=None, description="The page's product; needed in the slot `product`")
    purchases: list[Purchase] | None = Field(
        default=None,
        max_length=5000,
        description="The shopper's whole history of purchases; left out: the snapshot's for `customer_id`",
    )
    events: list[RecentEvent] = Field(default_factory=list, max_length=500)
    cart: list[ProductId] = Field(default_factory=list, max_length=200)
    exclude: list[ProductId] = Field(default_factory=list, max_length=1000, description="Never to be shown")
    k: int = Field(default=10, ge=1, le=100, description="How many will be shown; the answer holds more, see `items`")
    at: AwareDatetime | None = Field(default=None, description="The moment of the question; default: the newest known")

    @model_validator(mode="after")
    def _product_page_names_its_product(self) -> "Question":
        if self.slot is Slot.PRODUCT and self.product_id is None:
            raise ValueError("the slot product needs a product_id")
        return self


class Because(BaseModel):
    """The reason for programs; what each field means is `models_ml.recommend.protocol.Reason`."""

    kind: ReasonKind | Literal["because_you_viewed"]
    product_id: int | None = Field(default=None, description="The product that the reason points to")
    count: int | None = None
    total: int | None = None
    last_at: datetime | None = None
    days: int | None = None


class Item(BaseModel):
    """One recommended product."""

    product_id: int = Field(examples=[42])
    name: str = Field(examples=["Hand-painted diya set"])
    score: float = Field(description="Orders the items of this shelf and means nothing else", examples=[0.83])
    reason: str = Field(examples=["Because you bought “Brass lamp”"])
    because: Because


class Shelf(BaseModel):
    """A ranked list and where it comes from."""

    shelf: str = Field(examples=["discover"])
    model: str = Field(examples=["discover"])
    version: str = Field(description="The model's version, or the build where no model had a say", examples=["3"])
    source: str = Field(description="`model`, `snapshot`, or `model+popularity` where the end was filled up")
    build_id: str = Field(examples=["20260115T100000-7f3a"])
    items: list[Item] = Field(
        description="Best first, distinct, active products; about twice `k`, because the shop still drops what it "
        "cannot sell at this moment"
    )


class Answer(BaseModel):
    """Every shelf of a slot, all from one build."""

    slot: Slot
    customer_id: int | None
    product_id: int | None
    k: int
    build_id: str
    as_of: datetime
    shelves: list[Shelf]
