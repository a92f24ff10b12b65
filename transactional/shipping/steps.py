"""A parcel's way through the carrier's office, one step at a time: choose, create, assign, pickup, label, manifest.

Each step commits its intent, calls the carrier outside of any transaction, and posts the answer. Which step is next
follows from what the row holds already, so a crash, a repetition or a second worker always goes on where it stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.shipping import calls, posting
from transactional.shipping.calls import Busy, Intent
from transactional.shipping.carrier import Carrier, CarrierError, Consignment, Pending, ReferenceBurnt, Refused
from transactional.shipping.consigning import box_of, consignment_of, new_reference
from transactional.shipping.models import CallState, Shipment, ShipmentKind
from transactional.shipping.timeline import FINAL
from transactional.shipping.tracking import lock_shipment

log = structlog.stdlib.get_logger("transactional.shipping")

_MAX_STEPS = 20
"""More than any parcel has: a row that never gets on must not turn forever."""
_MAX_ATTEMPTS = 5

Post = Callable[[Session, Shipment], None]
"""Writes a step's answer into the locked parcel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: how to post it, and what is kept for the record."""

    post: Post
    answer: Mapping[str, Any] = field(default_factory=dict)
    foreign_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a step works on, read together with its intent: nothing of it is looked up while the carrier is called."""

    intent: Intent
    shipment: Shipment
    consignment: Consignment | None
    """The parcel as the carrier takes it, for the step that creates it there."""


Following = Situation | Busy | None
"""What comes after a step: the next one, whose intent is written; somebody else at work; or nothing."""


def next_step(shipment: Shipment) -> str | None:
    """The first thing that is not done; None when nothing is left, or when somebody must help first."""
    if shipment.status in FINAL or shipment.halted_reason is not None:
        return None
    if shipment.cancel_requested_at is not None:
        return "cancel"
    is_return = shipment.kind is ShipmentKind.RETURN
    done = {
        "choose": shipment.courier_id is not None or is_return,
        "create": shipment.carrier_order_id is not None,
        "assign": shipment.tracking_number is not None,
        "pickup": shipment.pickup_token is not None,
        "label": shipment.label_url is not None or is_return,
        "manifest": shipment.manifest_url is not None or is_return,
    }
    return next((step for step, is_done in done.items() if not is_done), None)


def advance(database: Database, carrier: Carrier, *, shipment_id: int) -> None:
    """Do every step that can be done now.

    Raises CarrierError or Busy when the message must come again; a refusal halts the parcel and waits for staff.
    """
    following = database.run(lambda session: _prepare(session, database, carrier, shipment_id), actor="shipping")
    for _ in range(_MAX_STEPS):
        if following is None:
            return
        if isinstance(following, Busy):
            raise following
        following = _take(database, carrier, following)
    raise RuntimeError(f"parcel {shipment_id} does not get on")


def _prepare(session: Session, database: Database, carrier: Carrier, shipment_id: int) -> Following:
    return _intend_next(session, database, carrier, lock_shipment(session, shipment_id))


def _intend_next(session: Session, database: Database, carrier: Carrier, shipment: Shipment) -> Following:
    """Write the intent for the next step of a locked parcel."""
    step = next_step(shipment) if shipment.carrier == carrier.name else None
    if step is None:
        return None
    shipment.reference = shipment.reference or new_reference(shipment)
    consignment = consignment_of(session, shipment) if step == "create" else None
    request = asdict(consignment) if consignment is not None else _known_of(shipment)
    try:
        intent = calls.intend(session, shipment, step, request=posting.jsonable(request), now=database.clock.now())
    except Busy as busy:
        return busy
    return Situation(intent, shipment, consignment)


def _known_of(shipment: Shipment) -> dict[str, Any]:
    """What a step after the creation tells the carrier, as far as it is known."""
    names = ("reference", "carrier_order_id", "carrier_shipment_id", "courier_id", "tracking_number", "pickup_date")
    return {name: value for name in names if (value := getattr(shipment, name)) is not None}


def _take(database: Database, carrier: Carrier, situation: Situation) -> Following:
    """Make the call, post what it gave, and say what follows."""
    intent = situation.intent
    try:
        outcome = _CALLS[intent.step](carrier, situation, database)
    except ReferenceBurnt as error:
        return _next_attempt(database, carrier, intent, str(error))
    except Refused as error:
        _halt(database, intent, str(error))
        return None
    except CarrierError as error:
        state = CallState.UNKNOWN
        note = str(error)
        database.run(
            lambda s: calls.complete(s, intent, state=state, now=database.clock.now(), note=note), actor="shipping"
        )
        raise
    try:
        return database.run(lambda session: _post(session, database, carrier, intent, outcome), actor="shipping")
    except IntegrityError:
        # Ids and numbers are unique: another parcel claims this one's. Only a person can tell whose it is.
        _halt(database, intent, f"the carrier's answer {dict(outcome.foreign_ids)} belongs to another parcel")
        return None


def _post(session: Session, database: Database, carrier: Carrier, intent: Intent, outcome: Outcome) -> Following:
    """Write a step's answer, and the intent of the next step in the same transaction."""
    shipment = lock_shipment(session, intent.shipment_id)
    outcome.post(session, shipment)
    calls.complete(
        session,
        intent,
        state=CallState.DONE,
        now=database.clock.now(),
        answer=posting.jsonable(outcome.answer),
        foreign_ids=outcome.foreign_ids,
    )
    return _intend_next(session, database, carrier, shipment)


def _halt(database: Database, intent: Intent, reason: str) -> None:
    """The carrier says no: somebody must mend the cause. A refused cancellation leaves the parcel on its way."""

    def work(session: Session) -> None:
        shipment = lock_shipment(session, intent.shipment_id)
        shipment.halted_reason = f"{intent.step}: {reason}"[:300]
        if intent.step == "cancel":
            shipment.cancel_requested_at = None
        calls.complete(session, intent, state=CallState.REFUSED, now=database.clock.now(), note=reason)

    database.run(work, actor="shipping")
    log.warning("parcel halted", shipment_id=intent.shipment_id, step=intent.step, reason=reason)


def _next_attempt(database: Database, carrier: Carrier, intent: Intent, reason: str) -> Following:
    """Our id is burnt: go on under the next one. A parcel that is being called off is called off by that."""

    def work(session: Session) -> Following:
        shipment = lock_shipment(session, intent.shipment_id)
        calls.complete(session, intent, state=CallState.REFUSED, now=database.clock.now(), note=reason)
        if shipment.attempt >= _MAX_ATTEMPTS:
            shipment.halted_reason = reason[:300]
            return None
        shipment.attempt += 1
        shipment.reference = new_reference(shipment)
        shipment.courier_id = None
        return _intend_next(session, database, carrier, shipment)

    return database.run(work, actor="shipping")


# --- the calls; each gives what to post -----------------------------------------------------------------------------


def _choose(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    shipment = situation.shipment
    offers = carrier.quote(
        postal_code=shipment.ship_to["postal_code"],
        weight_grams=shipment.weight_grams,
        box=box_of(shipment),
        cod=shipment.cod_minor > 0,
        declared_minor=shipment.declared_minor,
    )
    return Outcome(
        lambda session, row: posting.choice(session, row, offers, now=database.clock.now()),
        answer={"offers": [asdict(offer) for offer in offers]},
    )


def _create(carrier: Carrier, situation: Situation, _database: Database) -> Outcome:
    is_return = situation.shipment.kind is ShipmentKind.RETURN
    assert situation.consignment is not None
    create = carrier.create_return if is_return else carrier.create
    order = create(situation.consignment, look_first=situation.intent.look_first)
    ids = {"order_id": order.order_id, "shipment_id": order.shipment_id}
    return Outcome(lambda _, row: posting.order(row, order), order.raw, ids)


def _assign(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    shipment = situation.shipment
    order_id, foreign_id = _ids(shipment)
    assigned = carrier.assign(
        order_id=order_id,
        shipment_id=foreign_id,
        courier_id=shipment.courier_id,
        look_first=situation.intent.look_first,
    )
    return Outcome(
        lambda session, row: posting.awb(session, row, assigned, now=database.clock.now()),
        assigned.raw,
        {"awb": assigned.awb},
    )


def _pickup(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    shipment = situation.shipment
    order_id, foreign_id = _ids(shipment)
    booked = carrier.pickup(
        order_id=order_id, shipment_id=foreign_id, on=shipment.pickup_date, look_first=situation.intent.look_first
    )
    return Outcome(
        lambda session, row: posting.pickup(session, row, booked, now=database.clock.now()),
        booked.raw,
        {"pickup_token": booked.token or ""},
    )


def _label(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    paper = carrier.label(shipment_id=_ids(situation.shipment)[1])
    return Outcome(lambda _, row: posting.label(row, paper, now=database.clock.now()), paper.raw)


def _manifest(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    order_id, foreign_id = _ids(situation.shipment)
    paper = carrier.manifest(order_id=order_id, shipment_id=foreign_id)
    return Outcome(lambda _, row: posting.manifest(row, paper, now=database.clock.now()), paper.raw)


def _cancel(carrier: Carrier, situation: Situation, database: Database) -> Outcome:
    shipment = situation.shipment
    if shipment.carrier_order_id is not None:
        order_ids = [shipment.carrier_order_id]
    else:
        # The answer to the creation never came: whatever stands under our id is called off.
        assert shipment.reference is not None
        order_ids = [order.order_id for order in carrier.find(shipment.reference)]
    for order_id in order_ids:
        if not carrier.cancel(order_id):
            raise Pending(f"the carrier will call order {order_id} off later")
    return Outcome(
        lambda session, row: posting.cancelled(session, row, now=database.clock.now()), {"order_ids": order_ids}
    )


def _ids(shipment: Shipment) -> tuple[str, str]:
    assert shipment.carrier_order_id is not None
    assert shipment.carrier_shipment_id is not None
    return shipment.carrier_order_id, shipment.carrier_shipment_id


_CALLS: dict[str, Callable[[Carrier, Situation, Database], Outcome]] = {
    "choose": _choose,
    "create": _create,
    "assign": _assign,
    "pickup": _pickup,
    "label": _label,
    "manifest": _manifest,
    "cancel": _cancel,
}
