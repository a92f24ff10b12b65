"""Counting what happens to the units of an order: every move is a row, the line's counts are their sums.

Whoever calls has locked the order. The guard of each write is the last line against two at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, insert, select, true, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput
from transactional.core.money import unit_share
from transactional.orders.models import Order, OrderLine, OrderStatus, OrderUnitMove, UnitMove

GIVEN_BACK = (UnitMove.CANCELLED, UnitMove.CAME_BACK, UnitMove.RETURNED)

_WORDS = {
    UnitMove.CANCELLED: "cancel",
    UnitMove.SHIPPED: "send",
    UnitMove.DELIVERED: "deliver",
    UnitMove.CAME_BACK: "take back undelivered",
    UnitMove.RETURNED: "return",
}


def count(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    kind: UnitMove,
    units: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    shipment_id: int | None = None,
) -> Sequence[OrderUnitMove]:
    """Count units (order line → quantity) of a locked order as moved; gives the moves, in line order.

    `lines` are the order's, read under its lock; their counts are brought up to date. Units whose price is given back
    get their numbers and their frozen price. Raises InvalidInput for no units, a quantity below 1 or a line of another
    order, Conflict where fewer units are left.
    """
    if not units:
        raise InvalidInput("name at least one unit", field="units")
    known = {line.id: line for line in lines}
    moving = []
    for line_id in sorted(units):
        line = known.get(line_id)
        if line is None:
            raise InvalidInput(f"line {line_id} does not belong to order {order.order_number}", field="units")
        moving.append(_moving(order, line, kind, units[line_id]))
    _write_counts(session, kind, moving)
    rows = [
        {
            "order_id": order.id,
            "order_line_id": move.line.id,
            "kind": kind,
            "quantity": move.quantity,
            "first_unit": move.first,
            "refund_minor": move.refund_minor,
            "shipment_id": shipment_id,
            "actor": actor,
            "reason": None if reason is None else reason[:200],
            "occurred_at": now,
        }
        for move in moving
    ]
    moves = session.scalars(insert(OrderUnitMove).returning(OrderUnitMove), rows).all()
    return sorted(moves, key=lambda move: move.order_line_id)


def left_for(line: OrderLine, kind: UnitMove) -> int:
    """How many units of a line could move this way now."""
    if kind in (UnitMove.CANCELLED, UnitMove.SHIPPED):
        return line.unshipped_quantity
    if kind is UnitMove.RETURNED:
        return line.delivered_quantity - line.returned_quantity
    return line.under_way_quantity


def counted_ways(session: Session, shipment_id: int) -> Collection[UnitMove]:
    """The ways in which a parcel has moved its units already."""
    ways = select(OrderUnitMove.kind).where(OrderUnitMove.shipment_id == shipment_id).distinct()
    return session.scalars(ways).all()


def return_window_opens(session: Session, order: Order) -> datetime | None:
    """When the last units arrived that cost something, but not before the order was delivered; None before that.

    What an exchange brought opens the window anew; what was sent again free of charge does not.
    """
    if order.delivered_at is None:
        return None
    last = session.scalar(
        select(func.max(OrderUnitMove.occurred_at))
        .join(OrderLine, OrderLine.id == OrderUnitMove.order_line_id)
        .where(OrderUnitMove.order_id == order.id, OrderUnitMove.kind == UnitMove.DELIVERED, OrderLine.net_minor > 0)
    )
    return order.delivered_at if last is None else max(order.delivered_at, last)


def moves_of(session: Session, order_id: int) -> Sequence[OrderUnitMove]:
    """Everything that happened to the order's units, oldest first."""
    return session.scalars(
        select(OrderUnitMove).where(OrderUnitMove.order_id == order_id).order_by(OrderUnitMove.id)
    ).all()


def price_of_units(order: Order, line: OrderLine, first: int, quantity: int) -> int:
    """The frozen price of units `first` … `first + quantity - 1` of a line, with their tax, in minor units."""
    paid = line.net_minor if order.tax_included else line.net_minor + line.tax_minor
    return unit_share(paid, line.quantity, first, quantity)


def status_by_units(lines: Sequence[OrderLine]) -> OrderStatus | None:
    """Where an order stands by what became of its units; None as long as nothing was sent and something may be."""
    waiting = sum(line.unshipped_quantity for line in lines)
    under_way = sum(line.under_way_quantity for line in lines)
    arrived = any(line.delivered_quantity for line in lines)
    if not waiting and not under_way:
        return OrderStatus.DELIVERED if arrived else OrderStatus.CANCELLED
    if arrived:
        return OrderStatus.PARTIALLY_DELIVERED
    if any(line.shipped_quantity for line in lines):
        return OrderStatus.PARTIALLY_SHIPPED if waiting else OrderStatus.SHIPPED
    return None


@dataclass(frozen=True, slots=True)
class _Moving:
    """Units of a line about to be counted; `first` is the number of the first one where they are given back."""

    line: OrderLine
    quantity: int
    first: int | None
    refund_minor: int


def _moving(order: Order, line: OrderLine, kind: UnitMove, quantity: int) -> _Moving:
    if quantity < 1:
        raise InvalidInput(f"at least one unit of {line.sku} moves, not {quantity}", field="units")
    left = left_for(line, kind)
    if quantity > left:
        raise Conflict(
            f"{left} units of {line.sku} are left to {_WORDS[kind]}, not {quantity}", order_line_id=line.id, left=left
        )
    first = line.given_back_quantity if kind in GIVEN_BACK else None
    refund = 0 if first is None else price_of_units(order, line, first, quantity)
    return _Moving(line, quantity, first, refund)


def _write_counts(session: Session, kind: UnitMove, moving: Sequence[_Moving]) -> None:
    """Raise the counts of all lines in one statement, each guarded by what its row has left."""
    quantity = _of_line({move.line.id: move.quantity for move in moving})
    column = getattr(OrderLine, f"{kind}_quantity")
    values = {column: column + quantity}
    numbered: ColumnElement[bool] = true()
    if kind in GIVEN_BACK:
        given_back = OrderLine.cancelled_quantity + OrderLine.came_back_quantity + OrderLine.returned_quantity
        numbered = given_back == _of_line({move.line.id: move.first for move in moving})
        refund = _of_line({move.line.id: move.refund_minor for move in moving})
        values[OrderLine.refunded_minor] = OrderLine.refunded_minor + refund
    counted = session.scalars(
        update(OrderLine)
        .where(OrderLine.id.in_([move.line.id for move in moving]), numbered, _room(kind, quantity))
        .values(values)
        .returning(OrderLine)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    missed = {move.line.id for move in moving} - {line.id for line in counted}
    if missed:
        skus = sorted(move.line.sku for move in moving if move.line.id in missed)
        raise Conflict(f"the units of {', '.join(skus)} moved meanwhile; look at the order again")


def _of_line(by_line: Mapping[int, int | None]) -> ColumnElement[int]:
    """A different number for each line of a statement."""
    return case(dict(by_line), value=OrderLine.id)


def _room(kind: UnitMove, quantity: ColumnElement[int]) -> ColumnElement[bool]:
    if kind in (UnitMove.CANCELLED, UnitMove.SHIPPED):
        return OrderLine.shipped_quantity + OrderLine.cancelled_quantity + quantity <= OrderLine.quantity
    if kind is UnitMove.RETURNED:
        return OrderLine.returned_quantity + quantity <= OrderLine.delivered_quantity
    return OrderLine.delivered_quantity + OrderLine.came_back_quantity + quantity <= OrderLine.shipped_quantity
