"""The catalogue over the wire. Amounts are integers in the currency's minor unit."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transactional.catalog.models import Category, GiftTier, InventoryPolicy, Occasion, Price

CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["INR"])]
AmountMinor = Annotated[int, Field(ge=0, le=10**15, examples=[79900])]
OccasionKey = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", examples=["diwali"])]
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Hand-painted diya set"])]
HsnCode = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}([0-9]{2}){0,2}$",
        description="Of the harmonised system: 4, 6 or 8 digits, printed on invoices",
        examples=["6912"],
    ),
]
Sku = Annotated[str, Field(min_length=1, max_length=64, examples=["DIYA-12"])]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CategoryIn(_In):
    """A new category."""

    name: str = Field(min_length=1, max_length=120, examples=["Festive lights"])
    parent_id: int | None = Field(default=None, examples=[1])
    position: int = Field(default=0, examples=[10])


class CategoryMove(_In):
    """Where a category shall hang."""

    parent_id: int | None = Field(description="null makes it a root", examples=[3])


class CategoryOut(BaseModel):
    """A node of the category tree."""

    id: int = Field(examples=[4])
    parent_id: int | None = Field(examples=[1])
    slug: str = Field(examples=["festive-lights"])
    name: str = Field(examples=["Festive lights"])
    position: int = Field(examples=[10])

    @classmethod
    def of(cls, category: Category) -> "CategoryOut":
        """From the row."""
        return cls(
            id=category.id,
            parent_id=category.parent_id,
            slug=category.slug,
            name=category.name,
            position=category.position,
        )


class OccasionIn(_In):
    """A new occasion."""

    key: OccasionKey
    name: str = Field(min_length=1, max_length=100, examples=["Diwali"])


class OccasionOut(BaseModel):
    """A reason to give."""

    id: int = Field(examples=[2])
    key: str = Field(examples=["diwali"])
    name: str = Field(examples=["Diwali"])

    @classmethod
    def of(cls, occasion: Occasion) -> "OccasionOut":
        """From the row."""
        return cls(id=occasion.id, key=occasion.key, name=occasion.name)


class ProductIn(_In):
    """A new product with its default variant and first price."""

    name: Name
    description: str = Field(default="", max_length=10_000, examples=["Twelve clay lamps, painted by hand."])
    category_id: int = Field(examples=[4])
    sku: Sku
    price_minor: AmountMinor
    currency: CurrencyCode
    gift_tier: GiftTier | None = Field(default=None, description="Left out: the price decides")
    occasions: list[OccasionKey] = Field(default_factory=list, max_length=50)
    hsn_code: HsnCode | None = None
    tax_rate_bp: int = Field(default=0, ge=0, le=10_000, description="GST in basis points, contained in the price")
    weight_grams: int = Field(default=0, ge=0, le=1_000_000, examples=[850])
    inventory_policy: InventoryPolicy = InventoryPolicy.DENY
    is_customisable: bool = False
    needs_approval: bool = Field(
        default=False, description="A customised one is paid for only after the customer has agreed to its design"
    )


class ProductPatch(_In):
    """What shall change; what is left out stays."""

    name: Name | None = None
    description: str | None = Field(default=None, max_length=10_000)
    category_id: int | None = None
    hsn_code: HsnCode | None = None
    tax_rate_bp: int | None = Field(default=None, ge=0, le=10_000)
    is_customisable: bool | None = None
    needs_approval: bool | None = None
    is_active: bool | None = None
    occasions: list[OccasionKey] | None = Field(default=None, max_length=50)


class TierIn(_In):
    """The gift tier, fixed by hand."""

    tier: GiftTier | None = Field(description="null hands the decision back to the price rule", examples=["premium"])


class PriceIn(_In):
    """A price from now on."""

    amount_minor: AmountMinor
    currency: CurrencyCode
    channel: str = Field(default="web", min_length=1, max_length=16)


class PriceOut(BaseModel):
    """A price and the period it was charged in."""

    variant_id: int = Field(examples=[7])
    channel: str = Field(examples=["web"])
    currency: CurrencyCode
    amount_minor: AmountMinor
    valid_from: datetime
    valid_to: datetime | None = Field(description="null: this is today's price")

    @classmethod
    def of(cls, price: Price) -> "PriceOut":
        """From the row."""
        return cls(
            variant_id=price.variant_id,
            channel=price.channel,
            currency=price.currency,
            amount_minor=price.amount_minor,
            valid_from=price.valid_from,
            valid_to=price.valid_to,
        )


class RatingOut(BaseModel):
    """What approved reviews of delivered orders say."""

    count: int = Field(examples=[12])
    mean: float | None = Field(examples=[4.58])
    bayesian_mean: float | None = Field(
        description="The mean if five further reviews had given 3.5 stars", examples=[4.26]
    )


class ProductOut(BaseModel):
    """A product as a list shows it."""

    id: int = Field(examples=[42])
    slug: str = Field(examples=["hand-painted-diya-set"])
    name: str = Field(examples=["Hand-painted diya set"])
    category_id: int = Field(examples=[4])
    gift_tier: GiftTier
    from_price_minor: AmountMinor = Field(description="The lowest price among the variants")
    currency: CurrencyCode
    is_customisable: bool
    needs_approval: bool = Field(description="A customised one waits for the customer's word on its design")
    in_stock: bool
    occasions: list[str] = Field(examples=[["diwali"]])
    rating: RatingOut


class VariantOut(BaseModel):
    """What is put into the cart."""

    id: int = Field(examples=[7])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    price_minor: AmountMinor
    currency: CurrencyCode
    lowest_30_days_minor: int | None = Field(description="The lowest price of the last 30 days, today's included")
    available: int | None = Field(description="Units that can be bought now; null: not counted, made to order")
    in_stock: bool


class ProductDetail(ProductOut):
    """A product as its own page shows it."""

    description: str
    tax_rate_bp: int = Field(examples=[1200])
    variants: list[VariantOut]


class StaffVariantOut(BaseModel):
    """A variant as the staff sees it."""

    id: int = Field(examples=[7])
    sku: str = Field(examples=["DIYA-12"])
    name: str
    weight_grams: int
    inventory_policy: InventoryPolicy
    is_default: bool
    is_active: bool


class StaffProductOut(BaseModel):
    """A product as the staff sees it, on sale or not."""

    id: int = Field(examples=[42])
    slug: str = Field(examples=["hand-painted-diya-set"])
    name: str
    description: str
    category_id: int
    gift_tier: GiftTier
    gift_tier_source: str = Field(description="rule, admin or model", examples=["rule"])
    hsn_code: str | None = Field(examples=["6912"])
    tax_rate_bp: int
    is_active: bool
    is_customisable: bool
    needs_approval: bool = Field(description="A customised one waits for the customer's word on its design")
    occasions: list[str]
    variants: list[StaffVariantOut]
    created_at: datetime
    updated_at: datetime
