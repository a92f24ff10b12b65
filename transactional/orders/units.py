"""Counting what happens to the units of an order: every move is a row, the line's counts are their sums.

Whoever calls has locked the order. The guard of each write is the last line against two at once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput
from transactional.core.money import unit_share
from transactional.orders.models import Order, OrderLine, OrderStatus, OrderUnitMove, UnitMove
from transactional.orders.queries import lines_of

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
    kind: UnitMove,
    units: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    shipment_id: int | None = None,
) -> Sequence[OrderUnitMove]:
    """Count units (order line → quantity) of a locked order as moved; gives the moves, in line order.

    Units whose price is given back get their numbers and their frozen price. Raises InvalidInput for no units, a
    quantity below 1 or a line of another order, Conflict where fewer units are left.
    """
    if not units:
        raise InvalidInput("name at least one unit", field="units")
    lines = {line.id: line for line in lines_of(session, order.id)}
    moves = []
    for line_id in sorted(units):
        line = lines.get(line_id)
        if line is None:
            raise InvalidInput(f"line {line_id} does not belong to order {order.order_number}", field="units")
        moves.append(_count_line(session, order, line, kind, units[line_id]))
    for move in moves:
        move.actor, move.occurred_at = actor, now
        move.reason = None if reason is None else reason[:200]
        move.shipment_id = shipment_id
    session.add_all(moves)
    session.flush()
    return moves


def left_for(line: OrderLine, kind: UnitMove) -> int:
    """How many units of a line could move this way now."""
    if kind in (UnitMove.CANCELLED, UnitMove.SHIPPED):
        return line.unshipped_quantity
    if kind is UnitMove.RETURNED:
        return line.delivered_quantity - line.returned_quantity
    return line.under_way_quantity


def was_counted(session: Session, shipment_id: int, kind: UnitMove) -> bool:
    """Whether a parcel has moved its units this way already."""
    move = select(OrderUnitMove.id).where(OrderUnitMove.shipment_id == shipment_id, OrderUnitMove.kind == kind)
    return session.scalar(move.limit(1)) is not None


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


def _count_line(session: Session, order: Order, line: OrderLine, kind: UnitMove, quantity: int) -> OrderUnitMove:
    if quantity < 1:
        raise InvalidInput(f"at least one unit of {line.sku} moves, not {quantity}", field="units")
    left = left_for(line, kind)
    if quantity > left:
        raise Conflict(
            f"{left} units of {line.sku} are left to {_WORDS[kind]}, not {quantity}", order_line_id=line.id, left=left
        )
    first = line.given_back_quantity if kind in GIVEN_BACK else None
    refund = 0 if first is None else price_of_units(order, line, first, quantity)
    column = getattr(OrderLine, f"{kind}_quantity")
    counted = session.scalar(
        update(OrderLine)
        .where(OrderLine.id == line.id, *_room(kind, quantity, first))
        .values({column: column + quantity, OrderLine.refunded_minor: OrderLine.refunded_minor + refund})
        .returning(OrderLine.id)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        raise Conflict(f"the units of {line.sku} moved meanwhile; look at the order again")
    session.refresh(line)
    return OrderUnitMove(
        order_id=order.id, order_line_id=line.id, kind=kind, quantity=quantity, first_unit=first, refund_minor=refund
    )


def _room(kind: UnitMove, quantity: int, first: int | None) -> tuple[ColumnElement[bool], ...]:
    given_back = OrderLine.cancelled_quantity + OrderLine.came_back_quantity + OrderLine.returned_quantity
    same_numbers = true() if first is None else given_back == first
    if kind in (UnitMove.CANCELLED, UnitMove.SHIPPED):
        room = OrderLine.shipped_quantity + OrderLine.cancelled_quantity + quantity <= OrderLine.quantity
    elif kind is UnitMove.RETURNED:
        room = OrderLine.returned_quantity + quantity <= OrderLine.delivered_quantity
    else:
        room = OrderLine.delivered_quantity + OrderLine.came_back_quantity + quantity <= OrderLine.shipped_quantity
    return same_numbers, room
