"""Packing and following parcels over the wire."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transactional.orders.service import OrderLine, Stage
from transactional.shipping.service import Box, Shipment, ShipmentEvent, ShipmentItem, ShipmentStatus, counts_for

_Side = Annotated[int, Field(ge=1, le=10_000, examples=[200])]


class BoxIn(BaseModel):
    """The outer size, in millimetres."""

    model_config = ConfigDict(extra="forbid")

    length_mm: _Side
    width_mm: _Side
    height_mm: _Side

    def to_box(self) -> Box:
        """As shipping knows it."""
        return Box(self.length_mm, self.width_mm, self.height_mm)


class ParcelUnitsIn(BaseModel):
    """So many units of an order line."""

    model_config = ConfigDict(extra="forbid")

    order_line_id: int = Field(ge=1, le=2**63 - 1, examples=[210])
    quantity: int = Field(ge=1, le=1_000_000, examples=[2])


class ParcelIn(BaseModel):
    """A parcel as it is packed."""

    model_config = ConfigDict(extra="forbid")

    units: list[ParcelUnitsIn] | None = Field(
        default=None, min_length=1, max_length=500, description="Everything that is left, when absent"
    )
    box: BoxIn
    weight_grams: int = Field(ge=1, le=1_000_000, description="What the scale shows", examples=[650])
    pickup_date: date | None = Field(
        default=None, description="In India; the next day when absent. Sundays and holidays move on", examples=[None]
    )


class ParcelItemOut(BaseModel):
    """Units in a parcel."""

    order_line_id: int = Field(examples=[210])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    quantity: int = Field(examples=[2])

    @classmethod
    def of(cls, item: ShipmentItem, line: OrderLine) -> "ParcelItemOut":
        """From the rows; the order's line names the article also where a parcel's paper does not."""
        return cls(order_line_id=line.id, sku=line.sku, title=line.title, quantity=item.quantity)


class ScanOut(BaseModel):
    """Something that happened to a parcel on its way."""

    at: datetime = Field(examples=["2026-01-16T05:30:00Z"])
    status: ShipmentStatus = Field(examples=["in_transit"])
    what: str = Field(examples=["Bag added to trip"])
    where: str = Field(examples=["Bengaluru_Peenya_H (Karnataka)"])


class TrackedParcelOut(BaseModel):
    """A parcel as its customer sees it."""

    stage: Stage = Field(examples=["shipped"])
    status: ShipmentStatus = Field(examples=["in_transit"])
    courier: str | None = Field(examples=["Delhivery Surface"])
    tracking_number: str | None = Field(examples=["19041424751540"])
    tracking_url: str | None = Field(examples=["https://track.example/19041424751540"])
    expected_delivery_at: datetime | None = Field(examples=["2026-01-19T18:30:00Z"])
    shipped_at: datetime | None = Field(examples=["2026-01-16T05:30:00Z"])
    delivered_at: datetime | None = Field(examples=[None])
    items: list[ParcelItemOut]
    scans: list[ScanOut] = Field(description="Oldest first")

    @classmethod
    def of(
        cls,
        shipment: Shipment,
        items: Sequence[ShipmentItem],
        events: Sequence[ShipmentEvent],
        lines: Mapping[int, OrderLine],
    ) -> "TrackedParcelOut":
        """From the rows; what is only claimed and not confirmed is not shown."""
        return cls(
            stage=stage_of(shipment),
            status=shipment.status,
            courier=shipment.courier_name or shipment.carrier,
            tracking_number=shipment.tracking_number,
            tracking_url=shipment.tracking_url,
            expected_delivery_at=shipment.expected_delivery_at,
            shipped_at=shipment.shipped_at,
            delivered_at=shipment.delivered_at,
            items=[ParcelItemOut.of(item, lines[item.order_line_id]) for item in items],
            scans=[
                ScanOut(at=event.occurred_at, status=event.status, what=event.activity, where=event.location)
                for event in events
                if event.status is not None and counts_for(event)
            ],
        )


def stage_of(shipment: Shipment) -> Stage:
    """Never set by hand: packed once its label is printed, shipped once it was fetched, delivered once it was."""
    if shipment.status is ShipmentStatus.DELIVERED:
        return Stage.DELIVERED
    if shipment.shipped_at is not None:
        return Stage.SHIPPED
    return Stage.PACKED if shipment.label_printed_at is not None else Stage.ORDERED
