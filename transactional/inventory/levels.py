"""Stock levels: how they are read, made and moved. Every movement of a level is one conditional write."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy
from transactional.core.db import insert_into
from transactional.core.errors import NotFound
from transactional.inventory.models import HoldState, Location, StockHold, StockLevel, StockMovement

DEFAULT_LOCATION_CODE = "MAIN"

_free_units = StockLevel.on_hand - StockLevel.reserved - StockLevel.threshold


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """A level as it was read: `free` = on_hand − reserved − threshold. May be out of date a moment later."""

    location_id: int
    free: int
    threshold: int

    def is_unlimited(self, policy: InventoryPolicy) -> bool:
        """Whether any number may be promised from here."""
        return policy is InventoryPolicy.UNTRACKED or (policy is InventoryPolicy.BACKORDER and self.threshold >= 0)


def default_location(session: Session) -> Location:
    """The shop's main store room; made on first use."""
    location = session.scalar(select(Location).where(Location.code == DEFAULT_LOCATION_CODE))
    if location is None:
        _insert_if_absent(session, Location, {"code": DEFAULT_LOCATION_CODE, "name": "Main store room"}, ["code"])
        location = session.scalars(select(Location).where(Location.code == DEFAULT_LOCATION_CODE)).one()
    return location


def read_levels(session: Session, variant_ids: Iterable[int]) -> dict[int, list[LevelFacts]]:
    """The levels of each variant that has any, by location."""
    rows = session.execute(
        select(StockLevel.variant_id, StockLevel.location_id, _free_units, StockLevel.threshold)
        .where(StockLevel.variant_id.in_(list(variant_ids)))
        .order_by(StockLevel.variant_id, StockLevel.location_id)
    )
    found: dict[int, list[LevelFacts]] = {}
    for variant_id, location_id, free, threshold in rows:
        found.setdefault(variant_id, []).append(LevelFacts(location_id, free, threshold))
    return found


def most_saleable(policy: InventoryPolicy, known: list[LevelFacts]) -> int | None:
    """What one order line can have of a variant with these levels; None where there is no limit."""
    if not known:
        return 0 if policy is InventoryPolicy.DENY else None
    if any(level.is_unlimited(policy) for level in known):
        return None
    return max(0, *(level.free for level in known))


def shift(
    session: Session,
    variant_id: int,
    location_id: int,
    *,
    on_hand: int = 0,
    reserved: int = 0,
    guard: ColumnElement[bool] | None = None,
) -> bool:
    """Move a level if its guard allows; False where it does not, or where there is no such level."""
    moved = session.scalar(
        update(StockLevel)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
        .where(true() if guard is None else guard)
        .values(on_hand=StockLevel.on_hand + on_hand, reserved=StockLevel.reserved + reserved)
        .returning(StockLevel.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def promise(
    session: Session, variant_id: int, quantity: int, policy: InventoryPolicy, known: list[LevelFacts]
) -> int | None:
    """Reserve at the first location that can give all of it; the location, or None where nobody can."""
    guard: ColumnElement[bool] = _free_units >= quantity
    if policy is InventoryPolicy.BACKORDER:
        guard = or_(StockLevel.threshold >= 0, guard)
    elif policy is InventoryPolicy.UNTRACKED:
        guard = true()
    locations = [level.location_id for level in known]
    if not known and policy is not InventoryPolicy.DENY:
        locations = [default_location(session).id]
        ensure_level(session, variant_id, locations[0])
    for location_id in locations:
        if shift(session, variant_id, location_id, reserved=quantity, guard=guard):
            return location_id
    return None


def ensure_level(session: Session, variant_id: int, location_id: int) -> None:
    """Make the level's row where it is missing, from what the ledger already says (imported movements have none).

    Raises NotFound for an unknown location.
    """
    if session.get(Location, location_id) is None:
        raise NotFound(f"there is no location {location_id}")
    of_shelf = (StockMovement.variant_id == variant_id, StockMovement.location_id == location_id)
    of_holds = (
        StockHold.variant_id == variant_id,
        StockHold.location_id == location_id,
        StockHold.state == HoldState.LIVE,
    )
    row = {
        "variant_id": variant_id,
        "location_id": location_id,
        "on_hand": session.scalar(select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(*of_shelf)),
        "reserved": session.scalar(select(func.coalesce(func.sum(StockHold.quantity), 0)).where(*of_holds)),
        "threshold": 0,
        "low_stock_level": 0,
    }
    _insert_if_absent(session, StockLevel, row, ["variant_id", "location_id"])


def discrepancies(session: Session) -> list[tuple[int, int]]:
    """(variant, location) of every level that its movements or live holds do not prove; empty when all is well."""
    shelf = (
        select(func.coalesce(func.sum(StockMovement.quantity), 0))
        .where(
            StockMovement.variant_id == StockLevel.variant_id,
            StockMovement.location_id == StockLevel.location_id,
        )
        .correlate(StockLevel)
        .scalar_subquery()
    )
    promised = (
        select(func.coalesce(func.sum(StockHold.quantity), 0))
        .where(
            StockHold.variant_id == StockLevel.variant_id,
            StockHold.location_id == StockLevel.location_id,
            StockHold.state == HoldState.LIVE,
        )
        .correlate(StockLevel)
        .scalar_subquery()
    )
    wrong = (
        select(StockLevel.variant_id, StockLevel.location_id)
        .where(or_(StockLevel.on_hand != shelf, StockLevel.reserved != promised))
        .order_by(StockLevel.variant_id, StockLevel.location_id)
    )
    return [(variant_id, location_id) for variant_id, location_id in session.execute(wrong)]


def _insert_if_absent(
    session: Session, model: type[Location] | type[StockLevel], row: Mapping[str, object], key: list[str]
) -> None:
    session.execute(insert_into(session, model).values(dict(row)).on_conflict_do_nothing(index_elements=key))
