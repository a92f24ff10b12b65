"""What happened to stock: movements, holds, and the position of any past moment told from them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy, inventory_policies
from transactional.inventory.models import HoldState, MovementKind, StockHold, StockLevel, StockMovement

_MOST_VALUES = 5_000


@dataclass(frozen=True, slots=True)
class Position:
    """What lay at a level at a moment, and what of it was promised."""

    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Backorder:
    """Units that an order was promised although they do not lie on the shelf."""

    order_id: int
    variant_id: int
    location_id: int
    quantity: int
    since: datetime


def movements(
    session: Session,
    *,
    variant_id: int | None = None,
    location_id: int | None = None,
    kind: MovementKind | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[StockMovement]:
    """Entries of the stock ledger, newest first."""
    statement = select(StockMovement).order_by(StockMovement.id.desc()).limit(limit)
    if variant_id is not None:
        statement = statement.where(StockMovement.variant_id == variant_id)
    if location_id is not None:
        statement = statement.where(StockMovement.location_id == location_id)
    if kind is not None:
        statement = statement.where(StockMovement.kind == kind)
    if before_id is not None:
        statement = statement.where(StockMovement.id < before_id)
    return list(session.scalars(statement))


def holds(
    session: Session,
    *,
    variant_id: int | None = None,
    order_id: int | None = None,
    state: HoldState | None = None,
    overdue_at: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[StockHold]:
    """Promises to orders, newest first; `overdue_at` gives only the live ones whose time was over at that moment."""
    statement = select(StockHold).order_by(StockHold.id.desc()).limit(limit)
    if variant_id is not None:
        statement = statement.where(or_(StockHold.variant_id == variant_id, StockHold.bundle_variant_id == variant_id))
    if order_id is not None:
        statement = statement.where(StockHold.order_id == order_id)
    if state is not None:
        statement = statement.where(StockHold.state == state)
    if overdue_at is not None:
        statement = statement.where(StockHold.state == HoldState.LIVE, StockHold.expires_at <= overdue_at)
    if before_id is not None:
        statement = statement.where(StockHold.id < before_id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def position_at(session: Session, *, variant_id: int, location_id: int, at: datetime) -> Position:
    """On hand = Σ movements until `at`; reserved = Σ holds that had begun and had not ended by then."""
    on_hand = session.scalar(
        select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(
            StockMovement.variant_id == variant_id,
            StockMovement.location_id == location_id,
            StockMovement.occurred_at <= at,
        )
    )
    reserved = session.scalar(
        select(func.coalesce(func.sum(StockHold.quantity), 0)).where(
            StockHold.variant_id == variant_id,
            StockHold.location_id == location_id,
            StockHold.created_at <= at,
            or_(StockHold.closed_at.is_(None), StockHold.closed_at > at),
        )
    )
    return Position(int(on_hand or 0), int(reserved or 0))


def daily_sales(
    session: Session, *, variant_ids: Collection[int], first: date, until: date
) -> dict[tuple[int, int], dict[date, int]]:
    """(variant, location) → units sold on each UTC day from `first` to the day before `until`.

    Days and levels without sales are left out. Gross sales: what came back later was wanted all the same.
    """
    day = func.date(StockMovement.occurred_at)  # connections run in UTC
    found: dict[tuple[int, int], dict[date, int]] = {}
    for some in _in_parts(variant_ids):
        rows = session.execute(
            select(
                StockMovement.variant_id,
                StockMovement.location_id,
                cast(day, String),
                -func.sum(StockMovement.quantity),
            )
            .where(
                StockMovement.variant_id.in_(some),
                StockMovement.kind == MovementKind.SALE,
                StockMovement.occurred_at >= _midnight(first),
                StockMovement.occurred_at < _midnight(until),
            )
            .group_by(StockMovement.variant_id, StockMovement.location_id, day)
        )
        for variant_id, location_id, text, units in rows:
            found.setdefault((variant_id, location_id), {})[date.fromisoformat(text)] = int(units)
    return found


def first_movements(session: Session, *, variant_ids: Collection[int]) -> dict[tuple[int, int], datetime]:
    """(variant, location) → when the level's history begins; levels without any are left out."""
    found: dict[tuple[int, int], datetime] = {}
    for some in _in_parts(variant_ids):
        rows = session.execute(
            select(StockMovement.variant_id, StockMovement.location_id, func.min(StockMovement.occurred_at))
            .where(StockMovement.variant_id.in_(some))
            .group_by(StockMovement.variant_id, StockMovement.location_id)
        )
        found |= {(variant_id, location_id): began for variant_id, location_id, began in rows}
    return found


def _in_parts(variant_ids: Collection[int]) -> Iterator[Sequence[int]]:
    """No statement takes any number of values."""
    ordered = sorted(set(variant_ids))
    for start in range(0, len(ordered), _MOST_VALUES):
        yield ordered[start : start + _MOST_VALUES]


def backordered(session: Session) -> list[Backorder]:
    """What confirmed orders were promised beyond the shelf: the youngest promises wait.

    Unpaid orders are left out, for they may never be; so are variants whose shelf nobody counts.
    """
    short = session.execute(
        select(StockLevel.variant_id, StockLevel.location_id, StockLevel.reserved - StockLevel.on_hand)
        .where(StockLevel.reserved > StockLevel.on_hand)
        .order_by(StockLevel.variant_id, StockLevel.location_id)
    ).all()
    uncounted = {
        variant_id
        for variant_id, policy in inventory_policies(session, {row[0] for row in short}).items()
        if policy is InventoryPolicy.UNTRACKED
    }
    found: list[Backorder] = []
    for variant_id, location_id, missing in short:
        if variant_id not in uncounted:
            found += _youngest_promises(session, variant_id, location_id, missing)
    return found


def _youngest_promises(session: Session, variant_id: int, location_id: int, missing: int) -> list[Backorder]:
    rows = session.scalars(
        select(StockHold)
        .where(
            StockHold.variant_id == variant_id,
            StockHold.location_id == location_id,
            StockHold.state == HoldState.LIVE,
        )
        .order_by(StockHold.id.desc())
        .execution_options(populate_existing=True)
    )
    waiting: dict[int, Backorder] = {}
    for row in rows:
        units = min(missing, row.quantity)
        missing -= units
        if units and row.expires_at is None:
            before = waiting[row.order_id].quantity if row.order_id in waiting else 0
            waiting[row.order_id] = Backorder(row.order_id, variant_id, location_id, before + units, row.created_at)
    return list(waiting.values())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
