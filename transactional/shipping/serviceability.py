"""Where nobody goes: the carrier's last refusals, kept so that a checkout need not ask it."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.uow import Database
from transactional.shipping.carrier import Carrier, CarrierError
from transactional.shipping.models import UnservedPostalCode
from transactional.shipping.weights import Box

log = structlog.stdlib.get_logger("transactional.shipping")

AGE = timedelta(days=7)
"""So long a refusal is believed before the carrier is asked again."""
_BOX = Box(100, 100, 50)
_WORTH_MINOR = 50_000
_AT_ONCE = 50


def note_refusal(session: Session, *, postal_code: str, cod: bool, grams: int, now: datetime) -> None:
    """The carrier offers no courier for such a parcel."""
    insert = insert_into(session, UnservedPostalCode).values(
        postal_code=postal_code, cod=cod, grams=grams, refused_at=now
    )
    lighter = func.min if session.get_bind().dialect.name == "sqlite" else func.least
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["postal_code", "cod"],
            set_={"grams": lighter(UnservedPostalCode.grams, insert.excluded.grams), "refused_at": now},
        )
    )


def is_unserved(postal_code: str, grams: int) -> ColumnElement[bool]:
    """Whether nobody carries so much there, as part of a query. Where money cannot be collected, goods may still go."""
    return exists().where(
        UnservedPostalCode.postal_code == postal_code,
        UnservedPostalCode.cod.is_(False),
        UnservedPostalCode.grams <= grams,
    )


def ask_again(database: Database, carrier: Carrier | None) -> int:
    """Ask about refusals that are old, oldest first; gives how many were lifted.

    A carrier that is down leaves them as they are; a shop that has none any more forgets them.
    """
    before = database.clock.now() - AGE
    if carrier is None:
        old = delete(UnservedPostalCode).where(UnservedPostalCode.refused_at <= before)
        return database.run(lambda s: len(s.scalars(old.returning(UnservedPostalCode.id)).all()), actor="shipping")
    with database.read() as session:
        waiting = session.scalars(
            select(UnservedPostalCode)
            .where(UnservedPostalCode.refused_at <= before)
            .order_by(UnservedPostalCode.refused_at, UnservedPostalCode.id)
            .limit(_AT_ONCE)
        ).all()
    lifted = 0
    for row in waiting:
        try:
            offers = carrier.quote(
                postal_code=row.postal_code, weight_grams=row.grams, box=_BOX, cod=row.cod, declared_minor=_WORTH_MINOR
            )
        except CarrierError as error:
            log.warning("serviceability unknown", postal_code=row.postal_code, reason=str(error))
            continue
        lifted += bool(offers)
        _post(database, row.id, is_served=bool(offers))
    return lifted


def _post(database: Database, row_id: int, *, is_served: bool) -> None:
    mine = UnservedPostalCode.id == row_id
    now = database.clock.now()
    change = delete(UnservedPostalCode).where(mine) if is_served else None
    refreshed = update(UnservedPostalCode).where(mine).values(refused_at=now)
    database.run(lambda session: session.execute(refreshed if change is None else change), actor="shipping")
