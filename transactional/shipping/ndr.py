"""Parcels that could not be delivered: staff says what shall happen, the carrier is told after the commit."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.errors import Conflict
from transactional.core.uow import Database
from transactional.shipping import calls
from transactional.shipping.carrier import Carrier, CarrierError, Refused
from transactional.shipping.models import CallState, Shipment, ShipmentStatus
from transactional.shipping.tracking import lock_shipment

TOPIC = "shipping.ndr_action"
"""Outbox topic {shipment_id, action, comments, more}."""


class NdrAction(StrEnum):
    """What the carrier can be told."""

    RE_ATTEMPT = "re-attempt"
    RETURN = "return"
    FAKE_ATTEMPT = "fake-attempt"


def instruct(
    session: Session, *, shipment_id: int, action: NdrAction, comments: str, more: dict[str, str], now: datetime
) -> Shipment:
    """Queue an instruction for a parcel that is undelivered now. Raises NotFound, Conflict."""
    shipment = lock_shipment(session, shipment_id)
    if shipment.status is not ShipmentStatus.UNDELIVERED or shipment.tracking_number is None:
        raise Conflict(f"the parcel is {shipment.status}: there is nothing to be told to the courier")
    payload: dict[str, Any] = {"shipment_id": shipment.id, "action": action, "comments": comments, "more": more}
    # One instruction for a failed attempt: the carrier takes no second one.
    attempt = shipment.undelivered_at.isoformat() if shipment.undelivered_at else "unknown"
    if not outbox.publish(session, TOPIC, payload, dedup_key=f"{TOPIC}:{shipment.id}:{attempt}:{action}", now=now):
        raise Conflict(f"the courier has been told to {action} already")
    return shipment


def send(database: Database, carrier: Carrier, payload: dict[str, Any]) -> None:
    """Tell the carrier. Raises CarrierError when the message must come again; a refusal is noted on the parcel."""
    shipment_id = int(payload["shipment_id"])
    request = {"action": payload["action"], "comments": payload["comments"], **payload["more"]}

    def prepare(session: Session) -> tuple[calls.Intent, str] | None:
        shipment = lock_shipment(session, shipment_id)
        if shipment.status is not ShipmentStatus.UNDELIVERED or shipment.tracking_number is None:
            return None
        return calls.intend(
            session, shipment, "ndr", request=request, now=database.clock.now()
        ), shipment.tracking_number

    prepared = database.run(prepare, actor="shipping")
    if prepared is None:
        return
    intent, awb = prepared
    state, note, failure = CallState.DONE, None, None
    try:
        carrier.ndr_action(awb=awb, action=payload["action"], comments=payload["comments"], more=payload["more"])
    except Refused as error:
        state, note = CallState.REFUSED, str(error)
    except CarrierError as error:
        state, note, failure = CallState.UNKNOWN, str(error), error

    def post(session: Session) -> None:
        calls.complete(session, intent, state=state, now=database.clock.now(), note=note)
        if state is CallState.REFUSED:
            lock_shipment(session, shipment_id).problem = "ndr_refused"

    database.run(post, actor="shipping")
    if failure is not None:
        raise failure
