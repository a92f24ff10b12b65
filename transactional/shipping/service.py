"""Parcels and what sending them costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.settings import Settings
from transactional.shipping.models import Shipment, ShipmentStatus

__all__ = [
    "Shipment",
    "ShipmentStatus",
    "ShippingQuote",
    "create_shipment",
    "mark_delivered",
    "quote",
    "shipments_of",
]


@dataclass(frozen=True, slots=True)
class ShippingQuote:
    """The charge for sending an order, in minor units, and the rule that gave it."""

    amount_minor: int
    rule: str


def quote(*, merchandise_minor: int, settings: Settings) -> ShippingQuote:
    """The charge for goods worth `merchandise_minor` after discounts (points count as payment, not as a discount)."""
    free_from = settings.shipping_free_from_minor
    if merchandise_minor >= free_from:
        return ShippingQuote(0, f"free from {free_from} minor units")
    return ShippingQuote(settings.shipping_flat_minor, f"flat below {free_from} minor units")


def create_shipment(
    session: Session, *, order_id: int, carrier: str, tracking_number: str | None, weight_grams: int, now: datetime
) -> Shipment:
    """A parcel that leaves the house now. Raises Conflict for a tracking number that another parcel has."""
    shipment = Shipment(
        order_id=order_id,
        carrier=carrier,
        tracking_number=tracking_number,
        status=ShipmentStatus.PICKED_UP,
        weight_grams=weight_grams,
        created_at=now,
        shipped_at=now,
    )
    try:
        with session.begin_nested():
            session.add(shipment)
    except IntegrityError as error:
        raise Conflict(f"the tracking number {tracking_number} belongs to another parcel") from error
    return shipment


def mark_delivered(session: Session, *, order_id: int, now: datetime) -> int:
    """Every parcel of the order has arrived; gives the number that had not before."""
    under_way = [shipment for shipment in shipments_of(session, order_id) if shipment.delivered_at is None]
    for shipment in under_way:
        shipment.status = ShipmentStatus.DELIVERED
        shipment.delivered_at = now
    session.flush()
    return len(under_way)


def shipments_of(session: Session, order_id: int) -> Sequence[Shipment]:
    """The order's parcels, oldest first."""
    return session.scalars(select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.id)).all()
