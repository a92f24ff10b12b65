"""Writing the carrier's answers into the parcel's row. Nothing that is there already is written over."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from transactional.shipping import risk
from transactional.shipping.carrier import AssignedAwb, BookedPickup, CarrierOrder, CourierOffer, Paper
from transactional.shipping.choosing import ParcelFacts, RankedCourier, rank
from transactional.shipping.models import CourierChoice, ScanSource, Shipment, ShipmentStatus
from transactional.shipping.rules import list_rules
from transactional.shipping.scans import Report
from transactional.shipping.serviceability import note_refusal
from transactional.shipping.tracking import take_in

BOOKED = "booked"
"""Stands for a pickup's number that the carrier does not tell again."""


def choice(session: Session, shipment: Shipment, offers: Sequence[CourierOffer], *, now: datetime) -> None:
    """Rank the couriers, keep the whole table, take the best; without any the parcel waits for staff."""
    if shipment.courier_id is not None:
        return
    cod = shipment.cod_minor > 0
    probability = risk.rto_probability_bp(
        session, postal_code=shipment.postal_code, cod=cod, customer_id=shipment.customer_id, now=now
    )
    facts = ParcelFacts(shipment.zone, cod, shipment.chargeable_grams or shipment.weight_grams, probability)
    table = rank(offers, list_rules(session), facts)
    _forget_table(session, shipment)
    if table:
        rows = [_row(shipment, each, probability, now) for each in table]
        session.execute(insert(CourierChoice), rows, execution_options={"render_nulls": True})
    best = next((each for each in table if each.rank == 1), None)
    if best is None:
        if not offers and shipment.postal_code is not None:
            note_refusal(session, postal_code=shipment.postal_code, cod=cod, grams=facts.chargeable_grams, now=now)
        shipment.halted_reason = _why_nobody(table)
        return
    shipment.courier_id = best.offer.courier_id
    shipment.courier_name = best.offer.name
    shipment.quoted_minor = best.offer.rate_minor
    shipment.predicted_cost_minor = best.predicted_cost_minor
    shipment.expected_delivery_at = best.offer.expected_at
    session.flush()


def order(shipment: Shipment, created: CarrierOrder) -> None:
    """The carrier's ids."""
    shipment.carrier_order_id = shipment.carrier_order_id or created.order_id
    shipment.carrier_shipment_id = shipment.carrier_shipment_id or created.shipment_id


def awb(session: Session, shipment: Shipment, assigned: AssignedAwb, *, now: datetime) -> None:
    """The courier's number, and the courier that the carrier really took."""
    if shipment.tracking_number is None:
        shipment.tracking_number = assigned.awb
        shipment.courier_id = assigned.courier_id or shipment.courier_id
        shipment.courier_name = assigned.courier_name or shipment.courier_name
        _report(session, shipment, ShipmentStatus.AWB_ASSIGNED, "AWB assigned", now)


def pickup(session: Session, shipment: Shipment, booked: BookedPickup, *, now: datetime) -> None:
    """The appointment."""
    if shipment.pickup_token is None:
        shipment.pickup_token = (booked.token or BOOKED)[:64]
        shipment.pickup_date = booked.pickup_date or shipment.pickup_date
        _report(session, shipment, ShipmentStatus.PICKUP_SCHEDULED, "pickup booked", now)


def label(shipment: Shipment, paper: Paper, *, now: datetime) -> None:
    """The label's address."""
    shipment.label_url = paper.url
    shipment.label_printed_at = now


def manifest(shipment: Shipment, paper: Paper, *, now: datetime) -> None:
    """The manifest's address."""
    shipment.manifest_url = paper.url
    shipment.manifested_at = now


def cancelled(session: Session, shipment: Shipment, *, now: datetime) -> None:
    """The carrier has called the parcel off."""
    _report(session, shipment, ShipmentStatus.CANCELLED, "called off", now)


def jsonable(value: Any) -> Any:
    """The value as JSON knows it: times and days as ISO texts, sequences as lists."""
    if isinstance(value, dict):
        return {str(name): jsonable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _report(session: Session, shipment: Shipment, status: ShipmentStatus, said: str, now: datetime) -> None:
    take_in(session, shipment, [Report("", said, now, status)], source=ScanSource.SHOP, now=now)


def _forget_table(session: Session, shipment: Shipment) -> None:
    """A choice that is made again in the same attempt replaces the one that found nobody."""
    session.execute(
        delete(CourierChoice).where(CourierChoice.shipment_id == shipment.id, CourierChoice.attempt == shipment.attempt)
    )


def _row(shipment: Shipment, each: RankedCourier, probability_bp: int, now: datetime) -> dict[str, Any]:
    offer = each.offer
    return {
        "shipment_id": shipment.id,
        "attempt": shipment.attempt,
        "courier_id": offer.courier_id,
        "courier_name": offer.name,
        "rank": each.rank,
        "chosen": each.rank == 1,
        "excluded_because": each.excluded_because,
        "rate_minor": offer.rate_minor,
        "rto_charge_minor": offer.rto_charge_minor,
        "rto_probability_bp": probability_bp,
        "adjustment_minor": each.adjustment_minor,
        "predicted_cost_minor": each.predicted_cost_minor,
        "estimated_days": offer.estimated_days,
        "rating_milli": offer.rating_milli,
        "reasons": {"reasons": list(each.reasons)},
        "created_at": now,
    }


def _why_nobody(table: Sequence[RankedCourier]) -> str:
    if not table:
        return "choose: no courier goes there"
    reasons = "; ".join(f"{each.offer.name}: {each.excluded_because}" for each in table)
    return f"choose: no courier may be taken ({reasons})"[:300]
