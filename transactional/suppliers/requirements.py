"""What is needed, for which order or forecast, by when, and which procurement line brings it."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.inventory import service as inventory
from transactional.inventory.service import HoldState
from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseStatus,
    RequirementSource,
    RequirementState,
    StockRequirement,
)

_UNMET = (RequirementState.OPEN, RequirementState.COVERED)
_COMING = (PurchaseStatus.DRAFT, PurchaseStatus.PLACED, PurchaseStatus.PARTIALLY_RECEIVED)


def require(
    session: Session, *, variant_id: int, location_id: int, quantity: int, needed_by: date, note: str, now: datetime
) -> StockRequirement:
    """Somebody needs units by a day. Raises NotFound, InvalidInput for less than one unit or a bundle."""
    if quantity < 1:
        raise InvalidInput(f"a quantity is at least 1, not {quantity}", field="quantity")
    inventory.check_stocked(session, variant_id)
    inventory.get_location(session, location_id)
    requirement = StockRequirement(
        variant_id=variant_id,
        location_id=location_id,
        quantity=quantity,
        source=RequirementSource.MANUAL,
        needed_by=needed_by,
        state=RequirementState.OPEN,
        note=note[:200],
        created_at=now,
    )
    session.add(requirement)
    session.flush()
    return requirement


def cancel_requirement(session: Session, *, requirement_id: int, now: datetime) -> StockRequirement:
    """It is not needed any more. Raises NotFound, Conflict where it was met or cancelled already."""
    done = session.scalar(
        update(StockRequirement)
        .where(StockRequirement.id == requirement_id, StockRequirement.state.in_(_UNMET))
        .values(state=RequirementState.CANCELLED, closed_at=now)
        .returning(StockRequirement)
        .execution_options(populate_existing=True)
    )
    if done is not None:
        return done
    if session.get(StockRequirement, requirement_id) is None:
        raise NotFound(f"there is no requirement {requirement_id}")
    raise Conflict("the requirement is closed already")


def requirements(
    session: Session, *, unmet_only: bool = True, before_id: int | None = None, limit: int = 50
) -> Sequence[StockRequirement]:
    """Requirements, newest first."""
    statement = select(StockRequirement).order_by(StockRequirement.id.desc()).limit(limit)
    if unmet_only:
        statement = statement.where(StockRequirement.state.in_(_UNMET))
    if before_id is not None:
        statement = statement.where(StockRequirement.id < before_id)
    return session.scalars(statement).all()


def forecast(
    session: Session, *, line: PurchaseOrderLine, location_id: int, quantity: int, needed_by: date, now: datetime
) -> None:
    """The forecast that made a line of the reorder job; one a line, moved along with it."""
    row = {
        "variant_id": line.variant_id,
        "location_id": location_id,
        "quantity": quantity,
        "source": RequirementSource.FORECAST,
        "needed_by": needed_by,
        "state": RequirementState.COVERED,
        "purchase_order_line_id": line.id,
        "note": "",
        "created_at": now,
    }
    insert = insert_into(session, StockRequirement).values(row)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["purchase_order_line_id"],
            index_where=StockRequirement.source == RequirementSource.FORECAST,
            set_={"quantity": quantity, "needed_by": needed_by},
        )
    )


def forget(session: Session, line_ids: Sequence[int]) -> None:
    """Lines of a draft go: so do the forecasts that made them, and what else they were to cover is open again."""
    session.execute(
        delete(StockRequirement).where(
            StockRequirement.purchase_order_line_id.in_(line_ids),
            StockRequirement.source == RequirementSource.FORECAST,
        )
    )
    _reopen(session, line_ids)


def give_up(session: Session, line_ids: Sequence[int], *, now: datetime) -> None:
    """Lines will not come: their forecasts are cancelled, and what else they were to cover is open again."""
    of_lines = StockRequirement.purchase_order_line_id.in_(line_ids)
    is_forecast = StockRequirement.source == RequirementSource.FORECAST
    _set(session, of_lines, is_forecast, state=RequirementState.CANCELLED, closed_at=now)
    _reopen(session, line_ids)


def meet(session: Session, line_ids: Sequence[int], *, now: datetime) -> None:
    """Everything of these lines has come: what they covered is met."""
    of_lines = StockRequirement.purchase_order_line_id.in_(line_ids)
    _set(session, of_lines, state=RequirementState.MET, closed_at=now)


def record_backorders(session: Session, *, now: datetime) -> int:
    """Write what confirmed orders wait for, settle what they no longer wait for; gives how many rows changed.

    Repeating it changes nothing.
    """
    waiting = {(short.order_id, short.variant_id, short.location_id): short for short in inventory.backordered(session)}
    rows = session.scalars(
        select(StockRequirement)
        .where(StockRequirement.source == RequirementSource.ORDER)
        .where(or_(StockRequirement.state.in_(_UNMET), StockRequirement.order_id.in_([key[0] for key in waiting])))
        .order_by(StockRequirement.id)
    )
    known = {(row.order_id, row.variant_id, row.location_id): row for row in rows if row.order_id is not None}
    changed = 0
    for key, row in known.items():
        if key not in waiting and row.state in _UNMET:
            row.state, row.closed_at = _outcome(session, *key), now
            changed += 1
    for key, short in sorted(waiting.items()):
        changed += _write_backorder(session, known.get(key), short, now)
    session.flush()
    return changed


def cover_open(session: Session) -> int:
    """Link open requirements, the most urgent first, with lines that have units to spare; gives how many."""
    spare = _spare_units(session)
    covered = 0
    rows = session.scalars(
        select(StockRequirement)
        .where(StockRequirement.state == RequirementState.OPEN)
        .order_by(StockRequirement.needed_by, StockRequirement.id)
    ).all()
    for row in rows:
        for line_id, left in spare.get((row.variant_id, row.location_id), {}).items():
            if left >= row.quantity:
                row.state, row.purchase_order_line_id = RequirementState.COVERED, line_id
                spare[row.variant_id, row.location_id][line_id] -= row.quantity
                covered += 1
                break
    session.flush()
    return covered


def _write_backorder(session: Session, row: StockRequirement | None, short: inventory.Backorder, now: datetime) -> int:
    if row is None:
        session.add(
            StockRequirement(
                variant_id=short.variant_id,
                location_id=short.location_id,
                quantity=short.quantity,
                source=RequirementSource.ORDER,
                order_id=short.order_id,
                needed_by=short.since.date(),
                state=RequirementState.OPEN,
                created_at=now,
            )
        )
        return 1
    if row.state is RequirementState.CANCELLED:
        return 0  # somebody decided that
    if row.state in _UNMET and row.quantity == short.quantity:
        return 0
    if row.state not in _UNMET:
        row.state, row.closed_at, row.purchase_order_line_id = RequirementState.OPEN, None, None
    row.quantity = short.quantity
    return 1


def _outcome(session: Session, order_id: int, variant_id: int, location_id: int) -> RequirementState:
    """How an order's waiting ended: the goods are there or gone to the customer, or it does not want them any more."""
    got = any(
        hold.state in (HoldState.LIVE, HoldState.FULFILLED)
        for hold in inventory.holds(session, order_id=order_id, variant_id=variant_id)
        if hold.location_id == location_id
    )
    return RequirementState.MET if got else RequirementState.CANCELLED


def _spare_units(session: Session) -> dict[tuple[int, int], dict[int, int]]:
    """Units of each line on its way that cover nothing yet, by (variant, location), the earliest to come first."""
    line = PurchaseOrderLine
    covered = (
        select(func.coalesce(func.sum(StockRequirement.quantity), 0))
        .where(
            StockRequirement.purchase_order_line_id == line.id,
            StockRequirement.state == RequirementState.COVERED,
            StockRequirement.source != RequirementSource.FORECAST,
        )
        .correlate(line)
        .scalar_subquery()
    )
    left = line.quantity - line.received_quantity - line.damaged_quantity - line.short_quantity - covered
    rows = session.execute(
        select(line.variant_id, PurchaseOrder.location_id, line.id, left)
        .join(PurchaseOrder, PurchaseOrder.id == line.purchase_order_id)
        .where(PurchaseOrder.status.in_(_COMING))
        .order_by(func.coalesce(PurchaseOrder.expected_at, PurchaseOrder.created_at), line.id)
    )
    spare: dict[tuple[int, int], dict[int, int]] = {}
    for variant_id, location_id, line_id, units in rows:
        spare.setdefault((variant_id, location_id), {})[line_id] = units
    return spare


def _reopen(session: Session, line_ids: Sequence[int]) -> None:
    of_lines = StockRequirement.purchase_order_line_id.in_(line_ids)
    is_forecast = StockRequirement.source == RequirementSource.FORECAST
    _set(session, of_lines, ~is_forecast, state=RequirementState.OPEN, purchase_order_line_id=None)


def _set(session: Session, *where: ColumnElement[bool], **values: object) -> None:
    session.execute(
        update(StockRequirement)
        .where(StockRequirement.state.in_(_UNMET), *where)
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )
