"""Orders over the wire. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from transactional.orders.change_schemas import ChangeOut
from transactional.orders.models import (
    Order,
    OrderDifference,
    OrderLine,
    OrderRefundDecision,
    OrderStatus,
    OrderStatusChange,
    PaymentMode,
)
from transactional.orders.stages import Progress, Stage
from transactional.orders.story import Entry
from transactional.shipping.service import Shipment, ShipmentStatus


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


NO_NUL = r"^[^\x00]*$"


class CancelIn(_In):
    """Why an order is called off."""

    reason: str = Field(
        default="changed my mind", min_length=1, max_length=200, pattern=NO_NUL, examples=["ordered twice"]
    )


class StaffCancelIn(CancelIn):
    """Why staff call an order off, and whose matter it is."""

    ours: bool = Field(default=False, description="The reason lies with the shop", examples=[False])


class UnitsIn(_In):
    """Units of one line of the order."""

    order_line_id: int = Field(gt=0, lt=2**63, examples=[210])
    quantity: int = Field(gt=0, le=10_000, examples=[1])


def _each_line_once(units: list[UnitsIn]) -> list[UnitsIn]:
    if len({part.order_line_id for part in units}) != len(units):
        raise ValueError("name each line once")
    return units


Units = Annotated[list[UnitsIn], Field(min_length=1, max_length=100), AfterValidator(_each_line_once)]


def quantities(units: list[UnitsIn]) -> dict[int, int]:
    """Order line → quantity."""
    return {part.order_line_id: part.quantity for part in units}


class CancelUnitsIn(CancelIn):
    """Units to call off that have not left."""

    units: Units


class StaffCancelUnitsIn(CancelUnitsIn):
    """Units that staff call off, and whose matter it is."""

    ours: bool = Field(default=False, description="The reason lies with the shop", examples=[True])


class CameBackIn(_In):
    """Units that came home undelivered."""

    units: Units
    reason: str = Field(
        default="could not be delivered", min_length=1, max_length=200, pattern=NO_NUL, examples=["nobody was in"]
    )
    restock: bool = Field(default=True, description="They can be sold again", examples=[True])
    ours: bool = Field(default=False, description="The reason lies with the shop or its carrier", examples=[False])


class SendAgainIn(_In):
    """Units that the customer gets once more."""

    units: Units
    reason: str = Field(min_length=1, max_length=200, pattern=NO_NUL, examples=["arrived broken"])


class ApproveIn(_In):
    """The customer agrees to what will be made."""

    content_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="As the order shows it under `approval`: it names the design that was looked at",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class VoidIn(_In):
    """Why an approval counts no more."""

    reason: str = Field(min_length=1, max_length=200, pattern=NO_NUL, examples=["the engraving does not fit"])


class ShipIn(_In):
    """The parcel."""

    units: Units | None = Field(default=None, description="What is in it; everything that has yet to leave by default")

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
    cancelled_quantity: int = Field(description="Called off before they left", examples=[0])
    shipped_quantity: int = Field(examples=[2])
    delivered_quantity: int = Field(examples=[1])
    came_back_quantity: int = Field(description="Could not be delivered", examples=[0])
    returned_quantity: int = Field(examples=[0])
    refunded_minor: int = Field(description="The frozen price of the units given back", examples=[0])
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
    courier_name: str | None = Field(examples=["Delhivery Surface"])
    tracking_number: str | None = Field(examples=["BD123456789IN"])
    tracking_url: str | None = Field(examples=["https://track.example/BD123456789IN"])
    expected_delivery_at: datetime | None = Field(examples=["2026-01-19T18:30:00Z"])
    status: ShipmentStatus = Field(examples=["picked_up"])
    shipped_at: datetime | None = Field(examples=["2026-01-16T09:00:00Z"])
    delivered_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, shipment: Shipment) -> "ShipmentOut":
        """From the row."""
        return cls(**{name: getattr(shipment, name) for name in cls.model_fields})


class StageOut(BaseModel):
    """One of the four stages that a customer sees."""

    stage: Stage = Field(examples=["packed"])
    reached_at: datetime | None = Field(examples=["2026-01-15T16:20:00Z"])

    @classmethod
    def all_of(cls, progress: Progress) -> "list[StageOut]":
        """The four of them, reached or not."""
        return [cls(stage=stage, reached_at=progress.reached.get(stage)) for stage in Stage]


class ApprovalOut(BaseModel):
    """The customer's agreement to what will be made."""

    content_sha256: str = Field(
        description="Names the design as it is now; send it to agree",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    approved_at: datetime | None = Field(examples=[None])
    expires_at: datetime | None = Field(description="Until when it can be paid", examples=[None])


class EntryOut(BaseModel):
    """One thing that happened to an order."""

    at: datetime = Field(examples=["2026-01-15T10:02:00Z"])
    kind: str = Field(
        description="status, units, payment, refund, parcel, return_parcel, change, approval, document; for staff also"
        " decision. Customers are told what matters to them, staff everything",
        examples=["status"],
    )
    what: str = Field(examples=["out_for_delivery"])
    details: dict[str, Any] = Field(examples=[{"carrier": "Own", "tracking_number": "X1"}])

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        """From the timeline."""
        return cls(at=entry.at, kind=entry.kind, what=entry.what, details=entry.details)


class StaffEntryOut(EntryOut):
    """The same for staff: who did it and why."""

    actor: str | None = Field(examples=["user:12"])
    reason: str | None = Field(examples=["confirmed"])

    @classmethod
    def of(cls, entry: Entry) -> "StaffEntryOut":
        """From the timeline."""
        return cls(
            at=entry.at,
            kind=entry.kind,
            what=entry.what,
            details=entry.details,
            actor=entry.actor,
            reason=entry.reason,
        )


class DecisionOut(BaseModel):
    """What goes back for units that were given back, and by which rules."""

    units_minor: int = Field(description="Their frozen price", examples=[71_910])
    shipping_minor: int = Field(examples=[0])
    coupon_withheld_minor: int = Field(description="Negative: paid out after all", examples=[0])
    refund_minor: int = Field(examples=[71_910])
    currency: str = Field(examples=["INR"])
    policy: dict[str, Any] = Field(examples=[{"shipping": {"amount_minor": 0, "rule": "a part of the order is kept"}}])

    @classmethod
    def of(cls, decision: OrderRefundDecision) -> "DecisionOut":
        """From the row."""
        return cls(**{name: getattr(decision, name) for name in cls.model_fields})


class DifferenceOut(BaseModel):
    """A field in which an order is not what its history says."""

    id: int = Field(examples=[3])
    order_id: int = Field(examples=[812])
    field: str = Field(examples=["line 7 shipped_quantity"])
    expected: str = Field(examples=["2"])
    found: str = Field(examples=["3"])
    noticed_at: datetime = Field(examples=["2026-01-16T02:00:00Z"])

    @classmethod
    def of(cls, difference: OrderDifference) -> "DifferenceOut":
        """From the row."""
        return cls(**{name: getattr(difference, name) for name in cls.model_fields})


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
    price_trace: dict[str, Any] = Field(examples=[{"version": 2, "rules": [], "applied": [], "refused": []}])
    ship_to: dict[str, Any] = Field(examples=[{"recipient": "Asha Rao", "city": "Bengaluru"}])
    occasion: str | None = Field(examples=["diwali"])
    gift_message: str | None = Field(examples=["With love from all of us"])
    due_minor: int = Field(description="What has to be paid now", examples=[0])
    given_back_minor: int = Field(description="Refunded, or no longer due", examples=[0])
    stage: Stage | None = Field(description="The last stage that was reached", examples=["ordered"])
    stages: list[StageOut]
    approval: ApprovalOut | None = Field(description="Where something is made only after it was agreed to")
    open_change: ChangeOut | None = Field(description="A change that waits for a word or a payment")
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
        *,
        progress: Progress,
        due_minor: int,
        given_back_minor: int,
        approval: ApprovalOut | None,
        open_change: ChangeOut | None,
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
            due_minor=due_minor,
            given_back_minor=given_back_minor,
            stage=progress.stage,
            stages=StageOut.all_of(progress),
            approval=approval,
            open_change=open_change,
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
