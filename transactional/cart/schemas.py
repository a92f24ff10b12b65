"""Carts over the wire. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from transactional.cart.models import Cart, CartStatus
from transactional.cart.pricing import Issue, PricedCart, PricedLine
from transactional.cart.service import MAX_LINES, MAX_QUANTITY


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CartLineIn(_In):
    """Units to put into the cart."""

    variant_id: int = Field(gt=0, lt=2**63, examples=[7])
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY, examples=[2])
    customisation: dict[str, Any] = Field(
        default_factory=dict, description="What the gift shall carry", examples=[{"engraving": "For Mā"}]
    )


class CartIn(_In):
    """A new cart, empty or with everything that shall lie in it."""

    currency: str | None = Field(
        default=None, pattern=r"^[A-Z]{3}$", description="The shop's own currency by default", examples=["INR"]
    )
    lines: list[CartLineIn] = Field(
        default_factory=list,
        max_length=MAX_LINES,
        description="Saves a request for each line",
        examples=[[{"variant_id": 7, "quantity": 2}]],
    )


class CartQuantityIn(_In):
    """How many of a line."""

    quantity: int = Field(ge=0, le=MAX_QUANTITY, description="0 removes the line", examples=[3])


class CartCouponIn(_In):
    """A coupon code."""

    code: str = Field(min_length=1, max_length=40, examples=["DIWALI10"])


class CartLineOut(BaseModel):
    """A line at the price that would be charged now."""

    id: int = Field(examples=[31])
    variant_id: int = Field(examples=[7])
    product_id: int = Field(examples=[5])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    quantity: int = Field(examples=[2])
    customisation: dict[str, Any] = Field(examples=[{}])
    unit_price_minor: int = Field(examples=[79_900])
    gross_minor: int = Field(examples=[159_800])
    line_discount_minor: int = Field(description="Off these goods themselves", examples=[0])
    order_discount_minor: int = Field(description="The line's share of what is taken off the order", examples=[15_980])
    points_discount_minor: int = Field(description="The line's share of the points", examples=[0])
    net_minor: int = Field(examples=[143_820])
    tax_minor: int = Field(description="Contained in net", examples=[15_409])

    @classmethod
    def of(cls, line: PricedLine) -> "CartLineOut":
        """From the priced line."""
        basket = line.basket
        return cls(
            id=basket.cart_line_id,
            variant_id=basket.variant_id,
            product_id=basket.product_id,
            sku=basket.sku,
            title=basket.title,
            quantity=basket.quantity,
            customisation=basket.customisation,
            unit_price_minor=basket.unit_price_minor,
            gross_minor=basket.gross_minor,
            line_discount_minor=line.line_discount_minor,
            order_discount_minor=line.order_discount_minor,
            points_discount_minor=line.points_discount_minor,
            net_minor=line.net_minor,
            tax_minor=line.tax_minor,
        )


class IssueOut(BaseModel):
    """Something that would stop the order."""

    kind: str = Field(examples=["out_of_stock"])
    detail: str = Field(examples=["1 of DIYA-12 are left, 2 wanted"])
    facts: dict[str, Any] = Field(examples=[{"sku": "DIYA-12", "wanted": 2, "left": 1}])

    @classmethod
    def of(cls, issue: Issue) -> "IssueOut":
        """From the pricing's finding."""
        return cls(kind=issue.kind, detail=issue.detail, facts=issue.facts)


class CartOut(BaseModel):
    """A cart with its prices now; `issues` say what would stop an order."""

    id: str = Field(
        description="Keep it: whoever knows it owns a guest's cart", examples=["cart_7h2k9m4q1x8c5v3b6n0z7w"]
    )
    status: CartStatus = Field(examples=["open"])
    currency: str = Field(examples=["INR"])
    coupon_code: str | None = Field(description="The first of the codes", examples=["DIWALI10"])
    coupon_codes: list[str] = Field(description="In the order in which they were entered", examples=[["DIWALI10"]])
    lines: list[CartLineOut]
    gross_minor: int = Field(examples=[159_800])
    discount_minor: int = Field(examples=[15_980])
    points_redeemed: int = Field(examples=[0])
    points_discount_minor: int = Field(examples=[0])
    shipping_minor: int = Field(description="After offers", examples=[9_900])
    shipping_discount_minor: int = Field(description="What offers take off the tariff's charge", examples=[0])
    shipping_is_estimate: bool = Field(
        description="Ask with the postal code to see what checkout will charge", examples=[True]
    )
    tax_minor: int = Field(description="GST contained in the lines", examples=[15_409])
    total_minor: int = Field(examples=[153_720])
    trace: dict[str, Any] = Field(
        description="Which rule gave which minor unit on which line and unit, why each other offer gave nothing, and"
        " the nearest offer that is not reached",
        examples=[{"version": 2, "rules": [], "applied": [], "refused": [], "nearest": None}],
    )
    issues: list[IssueOut]
    updated_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])

    @classmethod
    def of(cls, cart: Cart, priced: PricedCart, codes: Sequence[str]) -> "CartOut":
        """From the row, its prices and its codes."""
        return cls(
            id=cart.public_id,
            status=cart.status,
            currency=cart.currency,
            coupon_code=cart.coupon_code,
            coupon_codes=list(codes),
            lines=[CartLineOut.of(line) for line in priced.lines],
            gross_minor=priced.gross_minor,
            discount_minor=priced.discount_minor,
            points_redeemed=priced.points_redeemed,
            points_discount_minor=priced.points_discount_minor,
            shipping_minor=priced.shipping_minor,
            shipping_discount_minor=priced.shipping_discount_minor,
            shipping_is_estimate=priced.shipping.is_estimate,
            tax_minor=priced.tax_minor,
            total_minor=priced.total_minor,
            trace=priced.trace,
            issues=[IssueOut.of(issue) for issue in priced.issues],
            updated_at=cart.updated_at,
        )
