"""The record of steps towards the carrier: an intent before the call, its outcome after it.

An open intent is also a lease: whoever finds a young one leaves the parcel alone, because somebody is calling just now;
an old one tells of a crash, and its step looks before it repeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.shipping.models import CallState, CarrierCall, Shipment

LEASE = timedelta(minutes=2)
_MAX_NOTE = 300


class Busy(Exception):
    """Somebody else is calling the carrier about this parcel: come again later."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A step that is about to be taken."""

    call_id: int
    shipment_id: int
    attempt: int
    step: str
    look_first: bool
    """The same step was tried before, with whatever outcome."""


def intend(session: Session, shipment: Shipment, step: str, *, request: Mapping[str, Any], now: datetime) -> Intent:
    """Write the intent for a step of a locked parcel. Raises Busy."""
    running = session.scalar(
        select(CarrierCall.started_at)
        .where(CarrierCall.shipment_id == shipment.id, CarrierCall.state == CallState.INTENDED)
        .order_by(CarrierCall.started_at.desc())
        .limit(1)
    )
    if running is not None and now - running < LEASE:
        raise Busy(f"parcel {shipment.id} is being worked on since {running.isoformat()}")
    earlier = select(CarrierCall.id).where(
        CarrierCall.shipment_id == shipment.id, CarrierCall.attempt == shipment.attempt, CarrierCall.step == step
    )
    look_first = session.scalar(earlier.limit(1)) is not None
    call = CarrierCall(
        shipment_id=shipment.id,
        attempt=shipment.attempt,
        step=step,
        state=CallState.INTENDED,
        request=dict(request),
        foreign_ids={},
        started_at=now,
    )
    session.add(call)
    session.flush()
    return Intent(call.id, shipment.id, shipment.attempt, step, look_first)


def complete(
    session: Session,
    intent: Intent,
    *,
    state: CallState,
    now: datetime,
    answer: Mapping[str, Any] | None = None,
    foreign_ids: Mapping[str, str] | None = None,
    note: str | None = None,
) -> None:
    """Write what became of a step."""
    call = session.get_one(CarrierCall, intent.call_id)
    call.state = state
    call.answer = dict(answer) if answer is not None else None
    call.foreign_ids = dict(foreign_ids or {})
    call.note = note[:_MAX_NOTE] if note else None
    call.finished_at = now
    session.flush()
