"""What the worker does for parcels: their steps at the carrier, webhooks, confirmations, and asking around."""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from transactional.core.jobs import every
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.shipping import inbox, ndr, polling, serviceability, steps, tidying
from transactional.shipping.models import Shipment, ShipmentKind
from transactional.shipping.parcels import ADVANCE, ask_for_steps
from transactional.shipping.provider import OWN, current_carrier
from transactional.shipping.timeline import FINAL

_PATIENCE = timedelta(minutes=30)


@handles(ADVANCE)
def advance(database: Database, payload: dict[str, Any]) -> None:
    """Do a parcel's next steps: {shipment_id}."""
    carrier = current_carrier(database)
    if carrier is not None:
        steps.advance(database, carrier, shipment_id=int(payload["shipment_id"]))


@handles(inbox.PROCESS_TOPIC)
def process_webhook(database: Database, payload: dict[str, Any]) -> None:
    """Take a stored tracking webhook in: {inbox_id}."""
    inbox.handle_process(database, payload)


@handles(inbox.CONFIRM_TOPIC)
def confirm(database: Database, payload: dict[str, Any]) -> None:
    """Ask the carrier about what a webhook claims: {shipment_id}."""
    carrier = current_carrier(database)
    if carrier is not None:
        polling.confirm(database, carrier, shipment_id=int(payload["shipment_id"]))


@handles(ndr.TOPIC)
def instruct(database: Database, payload: dict[str, Any]) -> None:
    """Tell the carrier what to do with a parcel that could not be delivered."""
    carrier = current_carrier(database)
    if carrier is not None:
        ndr.send(database, carrier, payload)


@every(timedelta(minutes=1), name="shipping.sweep_inbox")
def sweep_inbox(database: Database) -> None:
    """Process tracking webhooks whose message got lost."""
    inbox.sweep(database)


@every(timedelta(hours=2), name="shipping.poll_parcels")
def poll_parcels(database: Database) -> None:
    """Ask where every parcel under way is."""
    carrier = current_carrier(database)
    if carrier is not None:
        polling.poll_active(database, carrier)


@every(timedelta(minutes=15), name="shipping.resume_parcels")
def resume_parcels(database: Database) -> None:
    """Wake parcels whose steps were given up on because the carrier was away for long."""
    if current_carrier(database) is None:
        return
    now = database.clock.now()
    with database.read() as session:
        unfinished = session.scalars(
            select(Shipment).where(
                Shipment.carrier != OWN,
                Shipment.status.not_in(FINAL),
                Shipment.halted_reason.is_(None),
                Shipment.created_at < now - _PATIENCE,
                or_(
                    Shipment.cancel_requested_at.is_not(None),
                    Shipment.pickup_token.is_(None),
                    and_(Shipment.kind == ShipmentKind.FORWARD, Shipment.manifest_url.is_(None)),
                ),
            )
        ).all()
    waiting = [shipment for shipment in unfinished if steps.next_step(shipment) is not None]
    hour = now.strftime("%Y%m%d%H")

    def wake(session: Session) -> None:
        for shipment in waiting:
            ask_for_steps(session, shipment, cause=f"resume:{hour}", now=now)

    database.run(wake, actor="shipping")


@every(timedelta(hours=1), name="shipping.call_off_duplicates")
def call_off_duplicates(database: Database) -> None:
    """Call second orders off that a lost answer has left behind."""
    carrier = current_carrier(database)
    if carrier is not None:
        tidying.call_off_duplicates(database, carrier)


@every(timedelta(days=1), name="shipping.note_discrepancies")
def note_discrepancies(database: Database) -> None:
    """Write down what was billed for parcels that weighed more than declared."""
    carrier = current_carrier(database)
    if carrier is not None:
        polling.note_discrepancies(database, carrier)


@every(timedelta(days=1), name="shipping.ask_again")
def ask_again(database: Database) -> None:
    """Ask whether a courier goes by now where none went a week ago."""
    serviceability.ask_again(database, current_carrier(database))
