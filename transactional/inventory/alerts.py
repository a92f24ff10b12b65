"""Low stock: one alert each time that a level falls below its mark, closed when enough is saleable again.

A level is written by one transaction at a time and tells what it became, so whoever moves it across its mark knows: no
crossing is missed and none is told twice. `refresh` sets right what was written past the services or by a new mark.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, select, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.outbox import publish
from transactional.inventory.models import StockAlert, StockLevel

LOW_STOCK = "inventory.low_stock"
"""Outbox topic {alert_id, variant_id, location_id, saleable, low_stock_level}: a level fell below its mark."""

_saleable = StockLevel.on_hand - StockLevel.reserved - StockLevel.threshold
_is_low = and_(StockLevel.low_stock_level > 0, _saleable < StockLevel.low_stock_level)


@dataclass(frozen=True, slots=True)
class Mark:
    """A level's saleable units beside the mark below which an alert opens (0: there is none)."""

    variant_id: int
    location_id: int
    saleable: int
    low_stock_level: int

    @property
    def is_low(self) -> bool:
        """Whether too few units are saleable."""
        return self.low_stock_level > 0 and self.saleable < self.low_stock_level


def note_move(session: Session, after: Mark, *, change: int, now: datetime) -> None:
    """A level's saleable units changed by `change` and are now `after`: open or close its alert at a crossing."""
    before = Mark(after.variant_id, after.location_id, after.saleable - change, after.low_stock_level)
    if after.is_low and not before.is_low:
        _open(session, after, now)
    elif before.is_low and not after.is_low:
        _close(session, after, now)


def refresh(session: Session, *, now: datetime, limit: int = 1) -> int:
    """Open or close the alerts that `limit` levels as they stand ask for; gives how many changed.

    Repeating it until it gives 0 settles them all; after that it changes nothing.
    """
    is_open = exists().where(
        StockAlert.variant_id == StockLevel.variant_id,
        StockAlert.location_id == StockLevel.location_id,
        StockAlert.closed_at.is_(None),
    )
    wrong = (
        select(StockLevel)
        .where(_is_low != is_open)
        .order_by(StockLevel.variant_id, StockLevel.location_id)
        .limit(limit)
        .with_for_update(of=StockLevel)
        .execution_options(populate_existing=True)
    )
    return sum(settle(session, level, now=now) for level in session.scalars(wrong).all())


def settle(session: Session, level: StockLevel, *, now: datetime) -> bool:
    """Make one level's alert what its row asks for; whether anything changed. The caller has locked the row."""
    mark = Mark(
        level.variant_id, level.location_id, level.on_hand - level.reserved - level.threshold, level.low_stock_level
    )
    return _open(session, mark, now) if mark.is_low else _close(session, mark, now)


def alerts(
    session: Session, *, open_only: bool = True, before_id: int | None = None, limit: int = 50
) -> list[StockAlert]:
    """Alerts, newest first."""
    statement = select(StockAlert).order_by(StockAlert.id.desc()).limit(limit)
    if open_only:
        statement = statement.where(StockAlert.closed_at.is_(None))
    if before_id is not None:
        statement = statement.where(StockAlert.id < before_id)
    return list(session.scalars(statement))


def _open(session: Session, mark: Mark, now: datetime) -> bool:
    row = {
        "variant_id": mark.variant_id,
        "location_id": mark.location_id,
        "low_stock_level": mark.low_stock_level,
        "saleable": mark.saleable,
        "opened_at": now,
    }
    insert = insert_into(session, StockAlert).values(row)
    insert = insert.on_conflict_do_nothing(
        index_elements=["variant_id", "location_id"], index_where=StockAlert.closed_at.is_(None)
    )
    alert_id = session.scalar(insert.returning(StockAlert.id))
    if alert_id is None:
        return False
    payload = {
        "alert_id": alert_id,
        "variant_id": mark.variant_id,
        "location_id": mark.location_id,
        "saleable": mark.saleable,
        "low_stock_level": mark.low_stock_level,
    }
    publish(session, LOW_STOCK, payload, dedup_key=f"{LOW_STOCK}:{alert_id}", now=now)
    return True


def _close(session: Session, mark: Mark, now: datetime) -> bool:
    closed = session.scalars(
        update(StockAlert)
        .where(
            StockAlert.variant_id == mark.variant_id,
            StockAlert.location_id == mark.location_id,
            StockAlert.closed_at.is_(None),
        )
        .values(closed_at=now)
        .returning(StockAlert.id)
        .execution_options(synchronize_session=False)
    )
    return bool(closed.all())
