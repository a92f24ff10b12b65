"""The record of steps towards the carrier: an intent before the call, its outcome after it.

An open intent is also a lease: whoever finds a young one leaves the parcel alone, because somebody is calling just now;
an old one tells of a crash, and its step looks before it repeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
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
    earlier = session.execute(
        select(CarrierCall.attempt, CarrierCall.step, CarrierCall.state, CarrierCall.started_at).where(
            CarrierCall.shipment_id == shipment.id
        )
    ).all()
    running = max((call.started_at for call in earlier if call.state is CallState.INTENDED), default=None)
    if running is not None and now - running < LEASE:
        raise Busy(f"parcel {shipment.id} is being worked on since {running.isoformat()}")
    look_first = any((call.attempt, call.step) == (shipment.attempt, step) for call in earlier)
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
    session.execute(
        update(CarrierCall)
        .where(CarrierCall.id == intent.call_id)
        .values(
            state=state,
            answer=dict(answer) if answer is not None else None,
            foreign_ids=dict(foreign_ids or {}),
            note=note[:_MAX_NOTE] if note else None,
            finished_at=now,
        )
        .execution_options(synchronize_session=False)
    )
