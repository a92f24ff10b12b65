"""Reading parcels, their contents, choices and calls."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page
from transactional.shipping.models import (
    CarrierCall,
    CarrierClaim,
    ClaimDecision,
    CourierChoice,
    Shipment,
    ShipmentItem,
    ShipmentKind,
    ShipmentStatus,
)

_COLLECTS_NOTHING = (
    ShipmentStatus.CANCELLED,
    ShipmentStatus.RTO_DELIVERED,
    ShipmentStatus.LOST,
    ShipmentStatus.DAMAGED,
)


def shipments_of(session: Session, order_id: int) -> Sequence[Shipment]:
    """The order's parcels, oldest first."""
    return session.scalars(select(Shipment).where(Shipment.order_id == order_id).order_by(Shipment.id)).all()


def items_of(session: Session, shipment_id: int) -> Sequence[ShipmentItem]:
    """What is in a parcel."""
    return session.scalars(
        select(ShipmentItem).where(ShipmentItem.shipment_id == shipment_id).order_by(ShipmentItem.id)
    ).all()


def units_in_parcels(session: Session, order_id: int) -> dict[int, int]:
    """Order line → units that lie in parcels to the customer; neither called off ones nor those sent again count."""
    replaced = select(CarrierClaim.shipment_id).where(
        CarrierClaim.order_id == order_id, CarrierClaim.decision == ClaimDecision.RESEND
    )
    rows = session.execute(
        select(ShipmentItem.order_line_id, func.sum(ShipmentItem.quantity))
        .join(Shipment, Shipment.id == ShipmentItem.shipment_id)
        .where(Shipment.order_id == order_id, Shipment.kind == ShipmentKind.FORWARD)
        .where(Shipment.status != ShipmentStatus.CANCELLED, Shipment.id.not_in(replaced))
        .group_by(ShipmentItem.order_line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in rows}


def has_live_parcel(session: Session, order_id: int) -> bool:
    """Whether any parcel to the customer counts, also one whose contents nobody noted."""
    live = select(Shipment.id).where(
        Shipment.order_id == order_id,
        Shipment.kind == ShipmentKind.FORWARD,
        Shipment.status != ShipmentStatus.CANCELLED,
    )
    return session.scalar(live.limit(1)) is not None


def collecting_minor(session: Session, order_id: int) -> int:
    """What couriers have collected for an order, or will, in minor units; lost and returned parcels collect nothing."""
    statement = select(func.sum(Shipment.cod_minor)).where(
        Shipment.order_id == order_id,
        Shipment.kind == ShipmentKind.FORWARD,
        Shipment.status.not_in(_COLLECTS_NOTHING),
    )
    return int(session.scalar(statement) or 0)


def choices_of(session: Session, shipment_id: int) -> Sequence[CourierChoice]:
    """The ranked tables of a parcel: the latest attempt first, best courier first, excluded ones last."""
    return session.scalars(
        select(CourierChoice)
        .where(CourierChoice.shipment_id == shipment_id)
        .order_by(CourierChoice.attempt.desc(), CourierChoice.rank.is_(None), CourierChoice.rank, CourierChoice.id)
    ).all()


def calls_of(session: Session, shipment_id: int) -> Sequence[CarrierCall]:
    """Every step towards the carrier, oldest first."""
    return session.scalars(
        select(CarrierCall).where(CarrierCall.shipment_id == shipment_id).order_by(CarrierCall.id)
    ).all()


def get_shipment(session: Session, shipment_id: int) -> Shipment:
    """One parcel. Raises NotFound."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None:
        raise NotFound("there is no such parcel")
    return shipment


def page_of_parcels(
    session: Session, cursor: Cursor, *, status: ShipmentStatus | None, needs_attention: bool
) -> tuple[Sequence[Shipment], str | None]:
    """Parcels, newest first: in one state, or those that somebody must look at."""
    statement = select(Shipment)
    if status is not None:
        statement = statement.where(Shipment.status == status)
    if needs_attention:
        statement = statement.where(or_(Shipment.halted_reason.is_not(None), Shipment.problem.is_not(None)))
    return fetch_page(session, statement, cursor, by=Shipment.id)


def pickups_of(session: Session, day: date) -> dict[str, list[Shipment]]:
    """Courier → the parcels to customers that it fetches on a day; called off ones are left out."""
    rows = session.scalars(
        select(Shipment)
        .where(Shipment.pickup_date == day, Shipment.pickup_token.is_not(None))
        .where(Shipment.kind == ShipmentKind.FORWARD, Shipment.status != ShipmentStatus.CANCELLED)
        .order_by(Shipment.courier_name, Shipment.id)
    )
    found: dict[str, list[Shipment]] = {}
    for shipment in rows:
        found.setdefault(shipment.courier_name or shipment.carrier, []).append(shipment)
    return found
