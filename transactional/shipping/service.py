"""What other domains may ask of shipping."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.shipping.claims import claim_of, get_claim, page_of_claims
from transactional.shipping.deciding import decide_claim
from transactional.shipping.models import (
    CarrierClaim,
    ClaimCause,
    ClaimDecision,
    ScanSource,
    Shipment,
    ShipmentEvent,
    ShipmentItem,
    ShipmentKind,
    ShipmentStatus,
)
from transactional.shipping.parcels import Contents, NewParcel, call_off_parcels, create_parcel
from transactional.shipping.provider import OWN, carrier_in_use, carrier_name, has_credentials
from transactional.shipping.quoting import ShippingQuote, quote, zone_of
from transactional.shipping.reading import (
    collecting_minor,
    get_shipment,
    has_live_parcel,
    items_of,
    shipments_of,
    units_in_parcels,
)
from transactional.shipping.scans import Report
from transactional.shipping.schemas import ParcelOut
from transactional.shipping.tariff import seed_tariff
from transactional.shipping.tracking import DELIVERED, PICKED_UP, RETURNED, counts_for, events_of, take_in
from transactional.shipping.weights import Box, weigh

__all__ = [
    "DELIVERED",
    "OWN",
    "PICKED_UP",
    "RETURNED",
    "Box",
    "CarrierClaim",
    "ClaimCause",
    "ClaimDecision",
    "Contents",
    "NewParcel",
    "ParcelOut",
    "Shipment",
    "ShipmentEvent",
    "ShipmentItem",
    "ShipmentKind",
    "ShipmentStatus",
    "ShippingQuote",
    "call_off_parcels",
    "carrier_in_use",
    "carrier_name",
    "claim_of",
    "collecting_minor",
    "counts_for",
    "create_parcel",
    "create_shipment",
    "decide_claim",
    "events_of",
    "get_claim",
    "get_shipment",
    "has_credentials",
    "has_live_parcel",
    "items_of",
    "mark_delivered",
    "page_of_claims",
    "quote",
    "seed_tariff",
    "shipments_of",
    "units_in_parcels",
    "weigh",
    "zone_of",
]


def create_shipment(
    session: Session,
    *,
    order_id: int,
    carrier: str,
    tracking_number: str | None,
    weight_grams: int,
    now: datetime,
    units: Mapping[int, int] | None = None,
) -> Shipment:
    """A parcel that leaves the house now, by whoever carries it; `units` of order lines where the caller knows them.

    The caller has told the order already: nothing is published. Raises Conflict for a tracking number that another
    parcel has.
    """
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
    items = sorted((units or {}).items())
    session.add_all(
        ShipmentItem(shipment_id=shipment.id, order_line_id=line_id, quantity=quantity) for line_id, quantity in items
    )
    return shipment


def mark_delivered(session: Session, *, order_id: int, now: datetime) -> int:
    """Every parcel of the order has arrived, says the order; gives the number that had not before."""
    under_way = [
        shipment
        for shipment in shipments_of(session, order_id)
        if shipment.delivered_at is None
        and shipment.kind is ShipmentKind.FORWARD
        and shipment.status is not ShipmentStatus.CANCELLED
    ]
    for shipment in under_way:
        # Set before the fold, so that the order is not told what it has just said.
        shipment.delivered_at = now
        report = Report("", "handed over, says the order", now, ShipmentStatus.DELIVERED)
        take_in(session, shipment, [report], source=ScanSource.STAFF, now=now)
    return len(under_way)
