"""Parcels and what sending them costs."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.shipping.models import Shipment, ShipmentStatus
from transactional.shipping.quoting import ShippingQuote, quote, zone_of
from transactional.shipping.tariff import seed_tariff
from transactional.shipping.weights import Box, weigh

__all__ = [
    "Box",
    "Shipment",
    "ShipmentStatus",
    "ShippingQuote",
    "create_shipment",
    "mark_delivered",
    "quote",
    "seed_tariff",
    "shipments_of",
    "weigh",
    "zone_of",
]


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
