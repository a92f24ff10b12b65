"""Orders over the wire. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from transactional.orders.models import Order, OrderLine, OrderStatus, OrderStatusChange, PaymentMode
from transactional.shipping.service import Shipment, ShipmentStatus


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CancelIn(_In):
    """Why an order is called off."""

    reason: str = Field(
        default="changed my mind", min_length=1, max_length=200, pattern=r"^[^\x00]*$", examples=["ordered twice"]
    )


class ShipIn(_In):
    """The parcel."""

    carrier: str = Field(min_length=1, max_length=64, pattern=r"^[^\x00]*$", examples=["Bluedart"])
    tracking_number: str | None = Field(
        default=None, min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._/-]+$", examples=["BD123456789IN"]
    )
    weight_grams: int = Field(default=0, ge=0, le=1_000_000, examples=[650])


class OrderOut(BaseModel):
    """An order in a list."""

    id: str = Field(description="Keep it: it opens a guest's order", examples=["ord_7h2k9m4q1x8c5v3b6n0z7w2r4t"])
    order_number: str = Field(examples=["MLT-2026-000123"])
    status: OrderStatus = Field(examples=["awaiting_payment"])
    payment_mode: PaymentMode = Field(examples=["online"])
    currency: str = Field(examples=["INR"])
    total_minor: int = Field(examples=[153_720])
    placed_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    expires_at: datetime | None = Field(
        description="When an unpaid order is given up", examples=["2026-01-15T10:15:00Z"]
    )
    paid_at: datetime | None = Field(examples=[None])
    delivered_at: datetime | None = Field(examples=[None])
    cancelled_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        """From the row."""
        return cls(**_head(order))


class OrderLineOut(BaseModel):
    """A line with its frozen prices. net = gross − discounts; tax is contained in net."""

    id: int = Field(examples=[210])
    variant_id: int = Field(examples=[7])
    product_id: int = Field(examples=[5])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    quantity: int = Field(examples=[2])
    unit_price_minor: int = Field(examples=[79_900])
    gross_minor: int = Field(examples=[159_800])
    line_discount_minor: int = Field(examples=[0])
    order_discount_minor: int = Field(examples=[15_980])
    points_discount_minor: int = Field(examples=[0])
    net_minor: int = Field(examples=[143_820])
    tax_minor: int = Field(examples=[15_409])
    returned_quantity: int = Field(examples=[0])
    refunded_minor: int = Field(examples=[0])
    customisation: dict[str, Any] = Field(examples=[{"engraving": "For Mā"}])

    @classmethod
    def of(cls, line: OrderLine) -> "OrderLineOut":
        """From the row."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class StatusChangeOut(BaseModel):
    """One step of an order's life."""

    from_status: OrderStatus | None = Field(examples=["awaiting_payment"])
    to_status: OrderStatus = Field(examples=["paid"])
    reason: str | None = Field(examples=["confirmed"])
    occurred_at: datetime = Field(examples=["2026-01-15T10:02:00Z"])

    @classmethod
    def of(cls, change: OrderStatusChange) -> "StatusChangeOut":
        """From the row."""
        return cls(
            from_status=None if change.from_status is None else OrderStatus(change.from_status),
            to_status=OrderStatus(change.to_status),
            reason=change.reason,
            occurred_at=change.occurred_at,
        )


class ShipmentOut(BaseModel):
    """A parcel."""

    carrier: str = Field(examples=["Bluedart"])
    tracking_number: str | None = Field(examples=["BD123456789IN"])
    status: ShipmentStatus = Field(examples=["picked_up"])
    shipped_at: datetime | None = Field(examples=["2026-01-16T09:00:00Z"])
    delivered_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentOut":
        """From the row."""
        return cls(
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            status=shipment.status,
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
        )


class OrderDetail(OrderOut):
    """An order with everything that was frozen and every step of its life."""

    email: str | None = Field(examples=["asha@example.com"])
    gross_minor: int = Field(examples=[159_800])
    discount_minor: int = Field(examples=[15_980])
    points_redeemed: int = Field(examples=[0])
    points_discount_minor: int = Field(examples=[0])
    shipping_minor: int = Field(examples=[9_900])
    tax_minor: int = Field(description="GST contained in the lines", examples=[15_409])
    coupon_code: str | None = Field(examples=["DIWALI10"])
    price_trace: dict[str, Any] = Field(examples=[{"version": 1, "rules": [], "refused": []}])
    ship_to: dict[str, Any] = Field(examples=[{"recipient": "Asha Rao", "city": "Bengaluru"}])
    occasion: str | None = Field(examples=["diwali"])
    gift_message: str | None = Field(examples=["With love from all of us"])
    lines: list[OrderLineOut]
    history: list[StatusChangeOut]
    shipments: list[ShipmentOut]

    @classmethod
    def build(
        cls,
        order: Order,
        lines: Sequence[OrderLine],
        history: Sequence[OrderStatusChange],
        shipments: Sequence[Shipment],
    ) -> "OrderDetail":
        """From the rows."""
        return cls(
            **_head(order),
            email=order.email,
            gross_minor=order.gross_minor,
            discount_minor=order.discount_minor,
            points_redeemed=order.points_redeemed,
            points_discount_minor=order.points_discount_minor,
            shipping_minor=order.shipping_minor,
            tax_minor=order.tax_minor,
            coupon_code=order.coupon_code,
            price_trace=order.price_trace,
            ship_to=order.ship_to,
            occasion=order.occasion,
            gift_message=order.gift_message,
            lines=[OrderLineOut.of(line) for line in lines],
            history=[StatusChangeOut.of(change) for change in history],
            shipments=[ShipmentOut.of(shipment) for shipment in shipments],
        )


def _head(order: Order) -> dict[str, Any]:
    return {
        "id": order.public_id,
        "order_number": order.order_number,
        "status": order.status,
        "payment_mode": order.payment_mode,
        "currency": order.currency,
        "total_minor": order.total_minor,
        "placed_at": order.placed_at,
        "expires_at": order.expires_at,
        "paid_at": order.paid_at,
        "delivered_at": order.delivered_at,
        "cancelled_at": order.cancelled_at,
    }
