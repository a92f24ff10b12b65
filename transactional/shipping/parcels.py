"""Making parcels: what goes into them, for whom, how heavy and how large; calling them off; fetching goods back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.errors import Conflict, InvalidInput
from transactional.shipping.models import (
    CarrierCall,
    ScanSource,
    Shipment,
    ShipmentItem,
    ShipmentKind,
    ShipmentStatus,
)
from transactional.shipping.provider import OWN
from transactional.shipping.quoting import country_code, normalise_postal_code, zone_of
from transactional.shipping.reading import items_of, shipments_of
from transactional.shipping.scalars import INDIA
from transactional.shipping.scans import Report
from transactional.shipping.timeline import FINAL
from transactional.shipping.tracking import lock_shipment, take_in
from transactional.shipping.weights import Box, chargeable

ADVANCE = "shipping.advance"
"""Outbox topic {shipment_id}: do the parcel's next steps at the carrier."""

_BOX_SIDES_MM = (6, 3_000)
"""The carrier takes sides above half a centimetre; nobody carries three metres."""
REVIEWED = frozenset({"partially_delivered", "fulfilled", "self_fulfilled"})
"""Problems that stand for a delivery somebody must look at."""
_BEFORE_PICKUP = frozenset({ShipmentStatus.CREATED, ShipmentStatus.AWB_ASSIGNED, ShipmentStatus.PICKUP_SCHEDULED})


@dataclass(frozen=True, slots=True)
class Contents:
    """Units of an order line that go into a parcel; `value_minor` is what they cost the buyer, tax included."""

    order_line_id: int
    quantity: int
    sku: str
    title: str
    value_minor: int
    hsn_code: str | None = None


@dataclass(frozen=True, slots=True)
class NewParcel:
    """A parcel as it is packed. `charges_minor` is what the courier collects on top of the goods (or less), if it
    collects.
    """

    order_id: int
    customer_id: int | None
    ship_to: Mapping[str, Any]
    email: str | None
    currency: str
    contents: Sequence[Contents]
    weight_grams: int
    box: Box
    cod: bool
    charges_minor: int = 0
    pickup_on: date | None = None
    """The day on which the courier shall come; the next one when None."""


def create_parcel(session: Session, *, parcel: NewParcel, carrier: str, now: datetime) -> Shipment:
    """Write the parcel with its contents; at a carrier, the message that starts its steps goes along.

    The caller holds the order's lock and has checked the units. Raises InvalidInput for an address, a weight or a box
    that no carrier takes.
    """
    if not parcel.contents:
        raise InvalidInput("a parcel holds at least one unit", field="units")
    shortest, longest = _BOX_SIDES_MM
    if not all(
        shortest <= side <= longest for side in (parcel.box.length_mm, parcel.box.width_mm, parcel.box.height_mm)
    ):
        raise InvalidInput(f"every side of a box lies between {shortest} and {longest} mm", field="box")
    if parcel.pickup_on is not None:
        _require_to_come(parcel.pickup_on, now)
    weight = chargeable(parcel.weight_grams, parcel.box)
    address = _checked_address(parcel, strict=carrier != OWN)
    goods = sum(each.value_minor for each in parcel.contents)
    if carrier != OWN:
        zone: str | None = zone_of(session, postal_code=address["postal_code"], country=address["country"])
    else:
        zone = None
    shipment = Shipment(
        order_id=parcel.order_id,
        customer_id=parcel.customer_id,
        kind=ShipmentKind.FORWARD,
        carrier=carrier,
        status=ShipmentStatus.CREATED,
        attempt=1,
        zone=zone,
        postal_code=address["postal_code"],
        ship_to=address,
        currency=parcel.currency,
        declared_minor=goods,
        cod_minor=goods + parcel.charges_minor if parcel.cod else 0,
        weight_grams=parcel.weight_grams,
        length_mm=parcel.box.length_mm,
        width_mm=parcel.box.width_mm,
        height_mm=parcel.box.height_mm,
        volumetric_grams=parcel.box.volumetric_grams,
        chargeable_grams=weight,
        pickup_date=parcel.pickup_on,
        created_at=now,
    )
    write_parcel(session, shipment, parcel.contents)
    if carrier != OWN:
        ask_for_steps(session, shipment, cause="created", now=now)
    return shipment


def create_return_parcel(
    session: Session, *, shipment_id: int, units: Mapping[int, int], cause: str, now: datetime
) -> Shipment:
    """A parcel that the carrier fetches from the customer, with units of a delivered one.

    Raises NotFound, Conflict for a parcel that is not delivered or of which fewer units are left.
    """
    sent = lock_shipment(session, shipment_id)
    if sent.kind is not ShipmentKind.FORWARD or sent.status is not ShipmentStatus.DELIVERED or sent.carrier == OWN:
        raise Conflict("only goods that the carrier has delivered can be fetched by it")
    items = {item.order_line_id: item for item in items_of(session, shipment_id)}
    fetched = _fetched_units(session, shipment_id)
    contents = []
    for line_id, quantity in sorted(units.items()):
        item = items.get(line_id)
        left = item.quantity - fetched.get(line_id, 0) if item else 0
        if item is None or not 1 <= quantity <= left:
            raise Conflict(f"{left} units of order line {line_id} can be fetched, not {quantity}", left=left)
        value = item.value_minor * quantity // item.quantity
        contents.append(Contents(line_id, quantity, item.sku, item.title, value, item.hsn_code))
    if not contents:
        raise InvalidInput("a parcel holds at least one unit", field="units")
    shipment = Shipment(
        order_id=sent.order_id,
        customer_id=sent.customer_id,
        kind=ShipmentKind.RETURN,
        return_of_id=sent.id,
        carrier=sent.carrier,
        status=ShipmentStatus.CREATED,
        attempt=1,
        zone=sent.zone,
        postal_code=sent.postal_code,
        ship_to=sent.ship_to,
        currency=sent.currency,
        declared_minor=sum(each.value_minor for each in contents),
        cod_minor=0,
        weight_grams=sent.weight_grams,
        length_mm=sent.length_mm,
        width_mm=sent.width_mm,
        height_mm=sent.height_mm,
        volumetric_grams=sent.volumetric_grams,
        chargeable_grams=sent.chargeable_grams,
        created_at=now,
    )
    write_parcel(session, shipment, contents)
    ask_for_steps(session, shipment, cause=cause, now=now)
    return shipment


def request_cancellation(session: Session, *, shipment_id: int, actor: str, now: datetime) -> Shipment:
    """Call a parcel off before the courier has it; at a carrier this is asked for, and may be refused there.

    Safe to repeat. Raises NotFound, Conflict for one that is under way.
    """
    shipment = lock_shipment(session, shipment_id)
    if shipment.status is ShipmentStatus.CANCELLED or shipment.cancel_requested_at is not None:
        return shipment
    if shipment.status not in _BEFORE_PICKUP:
        raise Conflict(f"the parcel is {shipment.status}: it can no longer be called off")
    if shipment.carrier == OWN or not _carrier_knows(session, shipment):
        report = Report("", f"called off by {actor}"[:64], now, ShipmentStatus.CANCELLED)
        take_in(session, shipment, [report], source=ScanSource.STAFF, now=now)
        return shipment
    shipment.cancel_requested_at = now
    shipment.halted_reason = None
    ask_for_steps(session, shipment, cause=f"cancel:{now.isoformat()}", now=now)
    return shipment


def call_off_parcels(session: Session, *, order_id: int, actor: str, now: datetime) -> int:
    """The order is cancelled: so are its parcels that no courier has yet; gives how many were asked for.

    A parcel that is on its way already is marked for somebody to look at.
    """
    asked = 0
    for parcel in shipments_of(session, order_id):
        if parcel.kind is not ShipmentKind.FORWARD or parcel.status in FINAL:
            continue
        if parcel.status in _BEFORE_PICKUP:
            request_cancellation(session, shipment_id=parcel.id, actor=actor, now=now)
            asked += 1
        else:
            lock_shipment(session, parcel.id).halted_reason = "its order was cancelled while it was under way"
    session.flush()
    return asked


def retry(session: Session, *, shipment_id: int, now: datetime) -> Shipment:
    """Go on with a parcel whose steps stopped, now that somebody has mended the cause. Raises NotFound, Conflict."""
    shipment = lock_shipment(session, shipment_id)
    if shipment.halted_reason is None or shipment.status in FINAL:
        raise Conflict("the parcel does not wait for anybody")
    shipment.halted_reason = None
    ask_for_steps(session, shipment, cause=f"retry:{now.isoformat()}", now=now)
    return shipment


def note_by_hand(
    session: Session, *, shipment_id: int, status: ShipmentStatus, note: str, at: datetime, actor: str, now: datetime
) -> Shipment:
    """What staff knows of a parcel: every step of one that the shop carries by itself, the last word on a carrier's.

    A carrier's parcel takes only a delivery that the carrier wants looked at (partly delivered, fulfilled elsewhere).
    Raises NotFound, Conflict, InvalidInput for a time to come.
    """
    shipment = lock_shipment(session, shipment_id)
    if at > now:
        raise InvalidInput("what has not happened yet cannot be noted", field="occurred_at")
    if shipment.carrier != OWN and not (status is ShipmentStatus.DELIVERED and shipment.problem in REVIEWED):
        raise Conflict("the carrier tells where its parcels are")
    if shipment.status in FINAL and status is not shipment.status:
        raise Conflict(f"the parcel is {shipment.status} already")
    report = Report("", f"{status} by {actor}"[:64], at, status, activity=note[:300])
    take_in(session, shipment, [report], source=ScanSource.STAFF, now=now)
    return shipment


def set_pickup_date(session: Session, *, shipment_id: int, on: date, now: datetime) -> Shipment:
    """The day on which the courier shall come, before it is asked. Raises NotFound, Conflict, InvalidInput."""
    shipment = lock_shipment(session, shipment_id)
    if shipment.pickup_token is not None or shipment.status not in _BEFORE_PICKUP:
        raise Conflict("the pickup is booked already")
    _require_to_come(on, now)
    shipment.pickup_date = on
    session.flush()
    return shipment


def ask_for_steps(session: Session, shipment: Shipment, *, cause: str, now: datetime) -> None:
    """Publish the message that advances the parcel; the same cause once."""
    payload = {"shipment_id": shipment.id}
    outbox.publish(session, ADVANCE, payload, dedup_key=f"{ADVANCE}:{shipment.id}:{cause}"[:160], now=now)


def _require_to_come(on: date, now: datetime) -> None:
    if on < now.astimezone(INDIA).date():
        raise InvalidInput(f"{on} has passed", field="pickup_date")


def _carrier_knows(session: Session, shipment: Shipment) -> bool:
    """Whether the carrier may have heard of the parcel: then it must be asked, whatever it answered."""
    asked = select(CarrierCall.id).where(CarrierCall.shipment_id == shipment.id, CarrierCall.step == "create").limit(1)
    return shipment.carrier_order_id is not None or session.scalar(asked) is not None


def _fetched_units(session: Session, shipment_id: int) -> dict[int, int]:
    rows = session.execute(
        select(ShipmentItem.order_line_id, func.sum(ShipmentItem.quantity))
        .join(Shipment, Shipment.id == ShipmentItem.shipment_id)
        .where(Shipment.return_of_id == shipment_id, Shipment.status != ShipmentStatus.CANCELLED)
        .group_by(ShipmentItem.order_line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in rows}


def write_parcel(session: Session, shipment: Shipment, contents: Sequence[Contents]) -> None:
    """Write the parcel's row and what is in it."""
    session.add(shipment)
    session.flush()
    rows = [
        {
            "shipment_id": shipment.id,
            "order_line_id": each.order_line_id,
            "quantity": each.quantity,
            "sku": each.sku,
            "title": each.title,
            "hsn_code": each.hsn_code,
            "value_minor": each.value_minor,
        }
        for each in contents
    ]
    session.execute(insert(ShipmentItem), rows, execution_options={"render_nulls": True})


def _checked_address(parcel: NewParcel, *, strict: bool) -> dict[str, Any]:
    """The address with its e-mail; for a carrier it must be whole."""
    address = {**parcel.ship_to, "email": parcel.email}
    country = country_code(str(address.get("country") or ""))
    if strict:
        missing = [
            name for name in ("recipient", "phone", "line1", "city", "country", "email") if not address.get(name)
        ]
        if missing:
            raise InvalidInput(f"the carrier needs the recipient's {', '.join(missing)}", field="ship_to")
    code = str(address.get("postal_code") or "")
    address["postal_code"] = normalise_postal_code(code, country) if strict else code
    return address
