"""What the buyer gets for a parcel that the courier lost or broke: one call refunds it or sends it again."""

from collections import Counter
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.shipping import service as shipping
from transactional.shipping.service import CarrierClaim, ClaimDecision


def decide(
    session: Session, *, claim_id: int, decision: ClaimDecision, actor: str, note: str, now: datetime
) -> CarrierClaim:
    """REFUND gives the units up and pays them back by the order's policy; RESEND packs the same goods once more.

    Goods that are sent again leave the shelf at once; those lost were sold when they left. Repeating a decision changes
    nothing. Raises NotFound, Conflict where it was decided otherwise or where too few units are free to be sent again,
    InvalidInput for a bundle to be sent again: its parts go into a new order.
    """
    claim = shipping.get_claim(session, claim_id)
    orders.lock_order(session, claim.order_id)
    was_open = shipping.get_claim(session, claim_id).decision is None
    decided = shipping.decide_claim(session, claim_id=claim_id, decision=decision, actor=actor, note=note, now=now)
    if was_open and decision is ClaimDecision.RESEND:
        _take_goods(session, decided, now)
    return decided


def _take_goods(session: Session, claim: CarrierClaim, now: datetime) -> None:
    variant_of = {line.id: line.variant_id for line in orders.lines_of(session, claim.order_id)}
    units: Counter[int] = Counter()
    for item in shipping.items_of(session, claim.shipment_id):
        units[variant_of[item.order_line_id]] += item.quantity
    place = inventory.default_location(session).id
    for variant_id, quantity in sorted(units.items()):
        inventory.adjust(
            session,
            variant_id=variant_id,
            location_id=place,
            quantity=-quantity,
            reason=f"sent again: parcel {claim.shipment_id} of order {claim.order_id} was {claim.cause}",
            now=now,
        )
