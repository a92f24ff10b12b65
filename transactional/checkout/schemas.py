"""Checkout over the wire."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, EmailStr, Field

from transactional.core.addresses import AddressIn
from transactional.orders.service import Order, OrderStatus, PaymentMode
from transactional.payments.service import StartedPaymentOut

_NO_NUL = r"^[^\x00]*$"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CheckoutIn(_In):
    """Turn a cart into an order."""

    cart_id: str = Field(max_length=40, examples=["cart_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    email: EmailStr | None = Field(
        default=None, description="A guest's; not needed when logged in", examples=["asha@example.com"]
    )
    phone: str | None = Field(
        default=None,
        max_length=20,
        pattern=_NO_NUL,
        description="The buyer's own, not the recipient's; by default the account's",
        examples=["+919845012345"],
    )
    ship_to: AddressIn
    redeem_points: int = Field(default=0, ge=0, le=10**9, examples=[0])
    occasion: str | None = Field(default=None, max_length=40, pattern=_NO_NUL, examples=["diwali"])
    gift_message: str | None = Field(
        default=None, max_length=500, pattern=_NO_NUL, examples=["With love from all of us"]
    )
    payment_mode: Literal["online", "on_delivery"] = Field(default="online", examples=["online"])
    start_payment: bool = Field(
        default=False,
        description="Start the online payment as well: the answer holds what the gateway's widget needs",
        examples=[True],
    )
    shown_total_minor: int | None = Field(
        default=None,
        ge=0,
        le=10**15,
        description="The total that the shopper saw; an order that would cost more is refused",
        examples=[153_720],
    )
    visitor_id: str | None = Field(
        default=None,
        max_length=64,
        pattern=_NO_NUL,
        description="As a click on an affiliate's link gave it; one that is not known changes nothing",
        examples=["vis_7h2k9m4q1x8c5v3b6n0z7w2r4t"],
    )
    referral_code: str | None = Field(
        default=None,
        max_length=64,
        pattern=_NO_NUL,
        description="Of an affiliate or of a customer who invited the buyer; one that is not known changes nothing",
        examples=["ASHA-GIFTS"],
    )


class PlacedOrder(BaseModel):
    """The order that a cart became. Amounts are integers in the currency's minor unit."""

    id: str = Field(description="Keep it: it opens a guest's order", examples=["ord_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    order_number: str = Field(examples=["MLT-2026-000123"])
    status: OrderStatus = Field(description="`paid` where nothing is left to pay", examples=["awaiting_payment"])
    payment_mode: PaymentMode = Field(examples=["online"])
    currency: str = Field(examples=["INR"])
    gross_minor: int = Field(examples=[159_800])
    discount_minor: int = Field(examples=[15_980])
    points_redeemed: int = Field(examples=[0])
    points_discount_minor: int = Field(examples=[0])
    shipping_minor: int = Field(examples=[9_900])
    tax_minor: int = Field(description="GST contained in the lines", examples=[15_409])
    total_minor: int = Field(examples=[153_720])
    placed_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    expires_at: datetime | None = Field(description="Pay before then", examples=["2026-01-15T10:15:00Z"])
    payment: StartedPaymentOut | None = Field(
        default=None,
        description="With `start_payment`. Null where nothing is to be paid online now, and where the gateway did not"
        " answer: the order stands, start its payment with `POST /v1/orders/{id}/payments`",
    )

    @classmethod
    def of(cls, order: Order) -> "PlacedOrder":
        """From the row."""
        fields = {name: getattr(order, name) for name in cls.model_fields if name not in {"id", "payment"}}
        return cls(id=order.public_id, **fields)
