"""Second orders that a lost answer may have left at the carrier: its lists lag behind, so they show themselves late."""

from datetime import timedelta

import structlog
from sqlalchemy import func, select

from transactional.core.uow import Database
from transactional.shipping.carrier import Carrier, CarrierError, CarrierOrder, Refused
from transactional.shipping.models import CallState, CarrierCall, Shipment

log = structlog.stdlib.get_logger("transactional.shipping")

MEMORY = timedelta(days=2)
"""How long after its creation a parcel's order may still turn out to exist twice."""


def call_off_duplicates(database: Database, carrier: Carrier) -> int:
    """Call off every order under our id but the one that the parcel travels with; gives how many there were.

    Only parcels whose creation was tried more than once are looked at. Safe to repeat.
    """
    called_off = 0
    for shipment in _suspects(database, carrier):
        try:
            for order in carrier.find(str(shipment.reference)):
                if order.order_id != shipment.carrier_order_id:
                    called_off += _call_off(carrier, order)
        except CarrierError as error:
            log.warning("duplicates not looked for", shipment_id=shipment.id, reason=str(error))
    return called_off


def _suspects(database: Database, carrier: Carrier) -> list[Shipment]:
    tried_twice = (
        select(CarrierCall.shipment_id)
        .where(CarrierCall.step == "create", CarrierCall.started_at >= database.clock.now() - MEMORY)
        .where(CarrierCall.state != CallState.REFUSED)
        .group_by(CarrierCall.shipment_id)
        .having(func.count() > 1)
    )
    statement = select(Shipment).where(
        Shipment.carrier == carrier.name, Shipment.carrier_order_id.is_not(None), Shipment.id.in_(tried_twice)
    )
    with database.read() as session:
        return list(session.scalars(statement.order_by(Shipment.id)))


def _call_off(carrier: Carrier, order: CarrierOrder) -> bool:
    """Whether there was something to call off. A duplicate that travels already is for a person to look at."""
    if carrier.is_called_off(order):
        return False
    try:
        carrier.cancel(order.order_id)
    except Refused as error:
        log.error("duplicate order travels", order_id=order.order_id, awb=order.awb, reason=str(error))
        return False
    log.warning("duplicate order called off", order_id=order.order_id)
    return True
