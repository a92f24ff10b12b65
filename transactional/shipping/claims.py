"""Parcels that the courier lost or broke: opened by the scan itself, waiting for one decision of staff."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.db import insert_into
from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page
from transactional.shipping.models import CarrierClaim, ClaimCause, ClaimDecision, Shipment

CLAIM_OPENED = "shipping.claim_opened"
"""Outbox topic {claim_id, shipment_id, order_id, cause}: staff must decide what the buyer gets."""


def open_claim(
    session: Session, shipment: Shipment, cause: ClaimCause, *, occurred_at: datetime, now: datetime
) -> None:
    """Open the claim of a locked parcel and put it before staff; a parcel has one, whatever else is reported of it."""
    insert = insert_into(session, CarrierClaim).values(
        shipment_id=shipment.id,
        order_id=shipment.order_id,
        cause=cause,
        claimed_minor=shipment.declared_minor,
        currency=shipment.currency,
        occurred_at=occurred_at,
        opened_at=now,
    )
    claim_id = session.scalar(insert.on_conflict_do_nothing(index_elements=["shipment_id"]).returning(CarrierClaim.id))
    if claim_id is None:
        return
    payload = {"claim_id": claim_id, "shipment_id": shipment.id, "order_id": shipment.order_id, "cause": cause}
    outbox.publish(session, CLAIM_OPENED, payload, dedup_key=f"{CLAIM_OPENED}:{claim_id}", now=now)


def withdraw_claim(session: Session, shipment_id: int, *, now: datetime) -> None:
    """The parcel turned up: an undecided claim needs no decision any more."""
    session.execute(
        update(CarrierClaim)
        .where(CarrierClaim.shipment_id == shipment_id, CarrierClaim.decision.is_(None))
        .values(decision=ClaimDecision.WITHDRAWN, decided_at=now, decided_by="carrier")
        .execution_options(synchronize_session=False)
    )


def get_claim(session: Session, claim_id: int) -> CarrierClaim:
    """One claim. Raises NotFound."""
    claim = session.get(CarrierClaim, claim_id, populate_existing=True)
    if claim is None:
        raise NotFound("there is no such claim")
    return claim


def claim_of(session: Session, shipment_id: int) -> CarrierClaim | None:
    """The claim of a parcel that was lost or broken; None of any other."""
    return session.scalar(select(CarrierClaim).where(CarrierClaim.shipment_id == shipment_id))


def page_of_claims(session: Session, cursor: Cursor, *, open_only: bool) -> tuple[Sequence[CarrierClaim], str | None]:
    """Claims, newest first: those that wait for a decision, or all."""
    statement = select(CarrierClaim)
    if open_only:
        statement = statement.where(CarrierClaim.decision.is_(None))
    return fetch_page(session, statement, cursor, by=CarrierClaim.id)
