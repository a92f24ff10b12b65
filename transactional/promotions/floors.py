"""Floor prices: the least that a unit may cost after every discount of the promotions."""

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import InvalidInput, NotFound
from transactional.promotions.models import PriceFloor

_FLOORS = select(PriceFloor.variant_id, PriceFloor.floor_minor).where(
    PriceFloor.currency == bindparam("of_currency"), PriceFloor.variant_id.in_(bindparam("ids", expanding=True))
)


def floors_of(session: Session, *, variant_ids: Iterable[int], currency: str) -> dict[int, int]:
    """The floors of these variants, by variant; one without a floor may become free."""
    ids = sorted(set(variant_ids))
    if not ids:
        return {}
    rows = session.execute(_FLOORS, {"of_currency": currency, "ids": ids})
    return {row.variant_id: row.floor_minor for row in rows}


def set_floor(session: Session, *, variant_id: int, currency: str, floor_minor: int) -> None:
    """Set a variant's floor; 0 removes it. Raises InvalidInput for a negative one, NotFound for an unknown variant."""
    if floor_minor < 0:
        raise InvalidInput("a floor is not negative", field="floor_minor")
    if floor_minor == 0:
        session.execute(delete(PriceFloor).where(PriceFloor.variant_id == variant_id, PriceFloor.currency == currency))
        return
    row = {"variant_id": variant_id, "currency": currency, "floor_minor": floor_minor}
    statement = insert_into(session, PriceFloor).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["variant_id", "currency"], set_={"floor_minor": floor_minor}
    )
    try:
        with session.begin_nested():
            session.execute(statement)
    except IntegrityError as error:
        raise NotFound(f"no variant {variant_id}") from error
