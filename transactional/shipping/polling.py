"""Asking the carrier where parcels are: the webhook only makes it quicker."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.shipping.carrier import Carrier, CarrierError, Discrepancy, Tracking
from transactional.shipping.models import Shipment
from transactional.shipping.shiprocket import BATCH
from transactional.shipping.timeline import FINAL
from transactional.shipping.tracking import lock_shipment, take_in_tracking

log = structlog.stdlib.get_logger("transactional.shipping")


def poll_active(database: Database, carrier: Carrier) -> int:
    """Ask about every parcel that is not at its end, fifty a call, longest unasked first; gives how many were told of.

    A batch that gets no answer is asked again in the next round.
    """
    began = database.clock.now()
    told, last_id = 0, 0
    while batch := _next_batch(database, carrier, last_id):
        last_id = batch[-1][0]
        try:
            answers = carrier.track([awb for _, awb in batch])
        except CarrierError as error:
            log.warning("tracking failed", parcels=len(batch), reason=str(error))
            continue
        told += len(answers)
        for shipment_id, awb in batch:
            _take_in(database, shipment_id, answers.get(awb), polled_at=began)
    return told


def confirm(database: Database, carrier: Carrier, *, shipment_id: int) -> None:
    """Ask about one parcel now. Raises CarrierError when there is no answer."""
    with database.read() as session:
        shipment = session.get(Shipment, shipment_id)
    if shipment is None or shipment.tracking_number is None or shipment.carrier != carrier.name:
        return
    answer = carrier.track([shipment.tracking_number]).get(shipment.tracking_number)
    _take_in(database, shipment_id, answer, polled_at=database.clock.now())


def note_discrepancies(database: Database, carrier: Carrier) -> int:
    """Write down what the carrier billed for parcels that it found heavier than declared; gives how many changed."""
    found = carrier.discrepancies()
    return database.run(lambda session: sum(_note(session, each) for each in found), actor="shipping")


def _next_batch(database: Database, carrier: Carrier, after: int) -> Sequence[tuple[int, str]]:
    statement = (
        select(Shipment.id, Shipment.tracking_number)
        .where(Shipment.carrier == carrier.name, Shipment.status.not_in(FINAL), Shipment.id > after)
        .where(Shipment.tracking_number.is_not(None))
        .order_by(Shipment.id)
        .limit(BATCH)
    )
    with database.read() as session:
        return [(row[0], str(row[1])) for row in session.execute(statement)]


def _take_in(database: Database, shipment_id: int, answer: Tracking | None, *, polled_at: datetime) -> None:
    def work(session: Session) -> None:
        shipment = lock_shipment(session, shipment_id)
        shipment.polled_at = polled_at
        if answer is not None:
            take_in_tracking(session, shipment, answer, now=database.clock.now())

    database.run(work, actor="shipping")


def _note(session: Session, found: Discrepancy) -> int:
    values = {"charged_grams": found.charged_grams, "cost_minor": found.charged_minor}
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return 0
    changed = session.scalar(
        update(Shipment)
        .where(Shipment.tracking_number == found.awb)
        .where(*(getattr(Shipment, name).is_distinct_from(value) for name, value in known.items()))
        .values(known)
        .returning(Shipment.id)
        .execution_options(synchronize_session=False)
    )
    return int(changed is not None)
