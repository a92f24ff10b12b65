"""order = fold(events): the order as its own history tells it, to be compared with the row.

The events are the placement (frozen lines), every step with the columns that it set, every move of units and every
change set. What they give must equal what the row and its lines hold, to the minor unit and the second.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transactional.orders.change_models import ChangeStatus, OrderChange
from transactional.orders.models import (
    Order,
    OrderLine,
    OrderRefundDecision,
    OrderStatus,
    OrderStatusChange,
    OrderUnitMove,
)
from transactional.orders.transitions import CHANGING, TRANSITIONS
from transactional.orders.units import GIVEN_BACK, price_of_units, status_by_units

_STAMPED = ("expires_at", "paid_at", "delivered_at", "cancelled_at")
_COUNTED = ("cancelled", "shipped", "delivered", "came_back", "returned")
_SUMMED = ("gross_minor", "points_discount_minor", "tax_minor")


@dataclass(frozen=True, slots=True)
class Events:
    """Everything that is written down about one order, each list in the order in which it happened."""

    lines: Sequence[OrderLine]
    history: Sequence[OrderStatusChange]
    moves: Sequence[OrderUnitMove]
    changes: Sequence[OrderChange]
    decisions: Sequence[OrderRefundDecision]

    @property
    def is_complete(self) -> bool:
        """Whether the order's whole life was written down here; not so where it was taken in from elsewhere."""
        return bool(self.history) and all(step.stamps is not None for step in self.history)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the history tells otherwise than the row."""

    field: str
    expected: str
    found: str


def fold(order: Order, events: Events) -> dict[str, Any]:
    """What the events make of the order: field → value. `order` gives what never changes (shipping, tax rule)."""
    rebuilt: dict[str, Any] = dict.fromkeys(_STAMPED)
    for step in events.history:
        rebuilt["status"] = OrderStatus(step.to_status)
        rebuilt |= {column: _value(value) for column, value in (step.stamps or {}).items() if column in _STAMPED}
    rebuilt |= {name: sum(getattr(line, name) for line in events.lines) for name in _SUMMED}
    rebuilt["discount_minor"] = sum(line.line_discount_minor + line.order_discount_minor for line in events.lines)
    rebuilt["total_minor"] = _total(order, events.lines)
    addresses = [change.ship_to for change in events.changes if change.ship_to and _applied(change)]
    if addresses:
        rebuilt["ship_to"] = addresses[-1]
    for line in events.lines:
        rebuilt |= _fold_line(line, [move for move in events.moves if move.order_line_id == line.id])
    return rebuilt


def differences(order: Order, events: Events) -> list[Difference]:
    """Where the row is not what its history says, and where the history itself breaks a rule."""
    rows = {line.id: line for line in events.lines}
    found = [
        Difference(field, str(expected), str(actual))
        for field, expected in fold(order, events).items()
        if (actual := _actual(order, rows, field)) != expected
    ]
    return [*found, *_broken_steps(events.history), *_broken_moves(order, rows, events), *_wrong_place(order, events)]


def _fold_line(line: OrderLine, moves: Sequence[OrderUnitMove]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for move in moves:
        counts[move.kind] += move.quantity
    folded = {f"line {line.id} {kind}_quantity": counts[kind] for kind in _COUNTED}
    return folded | {f"line {line.id} refunded_minor": sum(move.refund_minor for move in moves)}


def _total(order: Order, lines: Sequence[OrderLine]) -> int:
    """Invariant 1: Σ unit net + shipping + wrap + tax (where it is not contained) = order total."""
    tax = 0 if order.tax_included else sum(line.tax_minor for line in lines)
    return sum(line.net_minor for line in lines) + order.shipping_minor + order.wrap_minor + tax


def _actual(order: Order, lines: Mapping[int, OrderLine], field: str) -> Any:
    if not field.startswith("line "):
        return getattr(order, field)
    _, line_id, column = field.split(" ")
    return getattr(lines[int(line_id)], column)


def _broken_steps(history: Sequence[OrderStatusChange]) -> Iterable[Difference]:
    """Only steps of the table, each from where the one before it ended."""
    before: str | None = None
    for number, step in enumerate(history, start=1):
        if step.from_status != before:
            yield Difference(f"step {number}", f"from {before}", f"from {step.from_status}")
        if step.from_status is not None and step.to_status not in TRANSITIONS[OrderStatus(step.from_status)]:
            yield Difference(f"step {number}", "a step of the table", f"{step.from_status} to {step.to_status}")
        before = step.to_status


def _broken_moves(order: Order, lines: Mapping[int, OrderLine], events: Events) -> Iterable[Difference]:
    """Units are given back in the order of their numbers, each at its frozen price, each decided once."""
    following: dict[int, int] = defaultdict(int)
    for move in events.moves:
        if move.kind not in GIVEN_BACK:
            continue
        first = following[move.order_line_id]
        price = price_of_units(order, lines[move.order_line_id], first, move.quantity)
        if (move.first_unit, move.refund_minor) != (first, price):
            found = f"unit {move.first_unit} at {move.refund_minor}"
            yield Difference(f"move {move.id}", f"unit {first} at {price}", found)
        following[move.order_line_id] += move.quantity
    moved = sum(move.refund_minor for move in events.moves)
    decided = sum(decision.units_minor for decision in events.decisions)
    if moved != decided:
        yield Difference("decisions units_minor", str(moved), str(decided))


def _wrong_place(order: Order, events: Events) -> Iterable[Difference]:
    """The status is where the units are, once any of them has left."""
    by_units = status_by_units(events.lines)
    free = (*CHANGING, OrderStatus.EXPIRED)
    if by_units is not None and order.status is not by_units and order.status not in free:
        yield Difference("status by units", by_units, order.status)


def _applied(change: OrderChange) -> bool:
    return change.status is ChangeStatus.APPLIED


def _value(stamp: Any) -> Any:
    return datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
