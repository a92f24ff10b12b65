"""Stock levels: how they are read, made and moved. Every movement of a level is one conditional write.

Whoever moves several levels takes them by variant, then by the location's priority, then by its id: the order in which
`promise` tries locations, so that no two transactions wait for each other in a ring.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, update
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy
from transactional.core.db import insert_into
from transactional.inventory.alerts import Mark, note_move
from transactional.inventory.locations import default_location, get_location
from transactional.inventory.models import HoldState, Location, ReorderPolicy, StockHold, StockLevel, StockMovement

_saleable = StockLevel.on_hand - StockLevel.reserved - StockLevel.threshold
_backorder_limit = func.coalesce(StockLevel.backorder_limit, 0)
_is_unlimited = and_(StockLevel.threshold >= 0, StockLevel.backorder_limit.is_(None))


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """A level as it was read: `free` = on_hand − reserved − threshold. May be out of date a moment later."""

    location_id: int
    free: int
    threshold: int
    backorder_limit: int | None

    def promisable(self, policy: InventoryPolicy) -> int | None:
        """How many units may be promised from here; None where there is no limit."""
        if policy is InventoryPolicy.UNTRACKED:
            return None
        if policy is InventoryPolicy.BACKORDER:
            if self.threshold >= 0 and self.backorder_limit is None:
                return None
            return max(0, self.free + (self.backorder_limit or 0))
        return max(0, self.free)


def read_levels(session: Session, variant_ids: Iterable[int]) -> dict[int, list[LevelFacts]]:
    """The levels of each variant at active locations, in the order in which they serve orders."""
    rows = session.execute(
        select(
            StockLevel.variant_id,
            StockLevel.location_id,
            _saleable,
            StockLevel.threshold,
            StockLevel.backorder_limit,
        )
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.variant_id.in_(list(variant_ids)), Location.is_active)
        .order_by(StockLevel.variant_id, Location.priority, Location.id)
    )
    found: dict[int, list[LevelFacts]] = {}
    for variant_id, location_id, free, threshold, backorder_limit in rows:
        found.setdefault(variant_id, []).append(LevelFacts(location_id, free, threshold, backorder_limit))
    return found


def most_saleable(policy: InventoryPolicy, known: list[LevelFacts]) -> int | None:
    """What one order line can have of a variant with these levels; None where there is no limit."""
    if not known:
        return 0 if policy in (InventoryPolicy.DENY, InventoryPolicy.BUNDLE) else None
    limits = [level.promisable(policy) for level in known]
    return None if None in limits else max(limit for limit in limits if limit is not None)


def shift(
    session: Session,
    variant_id: int,
    location_id: int,
    *,
    now: datetime,
    on_hand: int = 0,
    reserved: int = 0,
    guard: ColumnElement[bool] | None = None,
) -> bool:
    """Move a level if its guard allows, and note a crossing of its low mark.

    False where the guard forbids it, or where there is no such level.
    """
    after = session.execute(
        update(StockLevel)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
        .where(true() if guard is None else guard)
        .values(on_hand=StockLevel.on_hand + on_hand, reserved=StockLevel.reserved + reserved)
        .returning(_saleable, StockLevel.low_stock_level)
        .execution_options(synchronize_session=False)
    ).first()
    if after is None:
        return False
    note_move(session, Mark(variant_id, location_id, *after), change=on_hand - reserved, now=now)
    return True


def promise(
    session: Session,
    variant_id: int,
    quantity: int,
    policy: InventoryPolicy,
    known: list[LevelFacts],
    *,
    now: datetime,
) -> int | None:
    """Reserve at the first location that can give all of it; the location, or None where nobody can."""
    guard: ColumnElement[bool] = _saleable >= quantity
    if policy is InventoryPolicy.BACKORDER:
        guard = or_(_is_unlimited, _saleable + _backorder_limit >= quantity)
    elif policy is InventoryPolicy.UNTRACKED:
        guard = true()
    locations = [level.location_id for level in known]
    if not known and policy in (InventoryPolicy.BACKORDER, InventoryPolicy.UNTRACKED):
        locations = [default_location(session).id]
        ensure_level(session, variant_id, locations[0])
    for location_id in locations:
        if shift(session, variant_id, location_id, reserved=quantity, guard=guard, now=now):
            return location_id
    return None


def keeps_promises(policy: InventoryPolicy, quantity: int) -> ColumnElement[bool]:
    """The guard of taking `quantity` units off a shelf: what was promised beyond it stays within the back-orders."""
    if policy is InventoryPolicy.UNTRACKED:
        return true()
    left = StockLevel.on_hand - StockLevel.reserved - quantity
    if policy is InventoryPolicy.BACKORDER:
        lowest = case((StockLevel.threshold < 0, StockLevel.threshold), else_=0) - _backorder_limit
        return or_(_is_unlimited, left >= lowest)
    return left >= 0


def levels(
    session: Session, *, variant_id: int | None = None, after_id: int | None = None, limit: int = 50
) -> list[StockLevel]:
    """Stock levels in id order, of all variants or of one."""
    statement = select(StockLevel).order_by(StockLevel.id).limit(limit)
    if variant_id is not None:
        statement = statement.where(StockLevel.variant_id == variant_id)
    if after_id is not None:
        statement = statement.where(StockLevel.id > after_id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def reorder_levels(session: Session) -> list[StockLevel]:
    """The levels that the shop thinks of buying for, in id order."""
    statement = select(StockLevel).where(StockLevel.reorder_policy != ReorderPolicy.OFF).order_by(StockLevel.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def ensure_level(session: Session, variant_id: int, location_id: int) -> None:
    """Make the level's row where it is missing, from what the ledger already says (imported movements have none).

    Raises NotFound for an unknown location.
    """
    exists = select(StockLevel.id).where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
    if session.scalar(exists) is not None:
        return
    get_location(session, location_id)
    shelf = select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(
        StockMovement.variant_id == variant_id, StockMovement.location_id == location_id
    )
    holds = select(func.coalesce(func.sum(StockHold.quantity), 0)).where(
        StockHold.variant_id == variant_id, StockHold.location_id == location_id, StockHold.state == HoldState.LIVE
    )
    insert = insert_into(session, StockLevel).values(
        variant_id=variant_id,
        location_id=location_id,
        on_hand=shelf.scalar_subquery(),
        reserved=holds.scalar_subquery(),
        threshold=0,
        low_stock_level=0,
    )
    session.execute(insert.on_conflict_do_nothing(index_elements=["variant_id", "location_id"]))


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
