"""What becomes of a parcel that was lost or broken: the units are given up, or go out once more."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.shipping.claims import get_claim
from transactional.shipping.models import CarrierClaim, ClaimDecision, Shipment, ShipmentKind, ShipmentStatus
from transactional.shipping.parcels import Contents, ask_for_steps, write_parcel
from transactional.shipping.provider import OWN
from transactional.shipping.reading import items_of
from transactional.shipping.tracking import lock_shipment, publish_loss


def decide_claim(
    session: Session, *, claim_id: int, decision: ClaimDecision, actor: str, note: str, now: datetime
) -> CarrierClaim:
    """Take the decision: REFUND tells the order that the units never will arrive, RESEND makes their new parcel.

    The caller has locked the order, and takes the goods for a new parcel off the shelf. Repeating a decision changes
    nothing. Raises NotFound, Conflict where it was decided otherwise.
    """
    parcel = lock_shipment(session, get_claim(session, claim_id).shipment_id)
    claim = get_claim(session, claim_id)
    if claim.decision is decision:
        return claim
    if claim.decision is not None:
        raise Conflict(f"the claim was decided already: {claim.decision}")
    claim.decision, claim.decided_at, claim.decided_by, claim.note = decision, now, actor[:64], note[:300] or None
    if decision is ClaimDecision.REFUND:
        publish_loss(session, parcel, cause=claim.cause, occurred_at=claim.occurred_at, now=now)
    elif decision is ClaimDecision.RESEND:
        claim.replacement_id = _send_again(session, parcel, now).id
    session.flush()
    return claim


def _send_again(session: Session, lost: Shipment, now: datetime) -> Shipment:
    """The same contents to the same door; the courier collects what the lost parcel was to bring in."""
    again = Shipment(
        order_id=lost.order_id,
        customer_id=lost.customer_id,
        kind=ShipmentKind.FORWARD,
        carrier=lost.carrier,
        status=ShipmentStatus.CREATED,
        attempt=1,
        zone=lost.zone,
        postal_code=lost.postal_code,
        ship_to=lost.ship_to,
        currency=lost.currency,
        declared_minor=lost.declared_minor,
        cod_minor=lost.cod_minor,
        weight_grams=lost.weight_grams,
        length_mm=lost.length_mm,
        width_mm=lost.width_mm,
        height_mm=lost.height_mm,
        volumetric_grams=lost.volumetric_grams,
        chargeable_grams=lost.chargeable_grams,
        created_at=now,
    )
    contents = [
        Contents(item.order_line_id, item.quantity, item.sku, item.title, item.value_minor, item.hsn_code)
        for item in items_of(session, lost.id)
    ]
    write_parcel(session, again, contents)
    if again.carrier != OWN:
        ask_for_steps(session, again, cause="created", now=now)
    return again
