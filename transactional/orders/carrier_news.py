"""What the carrier reports about a parcel: each news counts once, in whichever order and however often it comes.

News that overtook an earlier one make up for it. Units that staff reported by hand before are not counted again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from transactional.orders import units as counting
from transactional.orders.changes import decline_open_change, go_on
from transactional.orders.models import Order, OrderStatus, UnitMove
from transactional.orders.parcels import parcel_came_back, parcel_delivered, ship_parcel
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import CHANGING, allowed, transition

CARRIER = "carrier"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel of the shipping domain and what it holds of its order (order line → quantity)."""

    shipment_id: int
    order_id: int
    units: Mapping[int, int]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> "Parcel":
        """From a message, where JSON has turned the lines' ids into text."""
        units = {int(line): int(quantity) for line, quantity in payload["units"].items()}
        return cls(int(payload["shipment_id"]), int(payload["order_id"]), units)


def picked_up(session: Session, parcel: Parcel, *, now: datetime) -> Order:
    """Fetched: what the parcel holds has left, also where nobody had said that the order was packed.

    What has left cannot be changed any more: an open change of an order that was not sent is declined.
    """
    order = lock_order(session, parcel.order_id)
    if counting.was_counted(session, parcel.shipment_id, UnitMove.SHIPPED):
        return order
    units = _still(session, order, parcel, UnitMove.SHIPPED)
    if not units:
        return order
    reason = "fetched by the carrier"
    if order.status in CHANGING:
        decline_open_change(session, order, actor=CARRIER, now=now)
        go_on(session, order, actor=CARRIER, now=now, reason=reason)
    if allowed(order, OrderStatus.PACKED):
        transition(session, order, OrderStatus.PACKED, actor=CARRIER, reason=reason, now=now)
    return ship_parcel(
        session,
        order_id=order.id,
        units=units,
        actor=CARRIER,
        now=now,
        shipment_id=parcel.shipment_id,
        reason=reason,
    )


def delivered(session: Session, parcel: Parcel, *, now: datetime) -> Order:
    """Handed over."""
    order = picked_up(session, parcel, now=now)
    units = _still(session, order, parcel, UnitMove.DELIVERED)
    if not units or counting.was_counted(session, parcel.shipment_id, UnitMove.DELIVERED):
        return order
    return parcel_delivered(
        session, order_id=order.id, units=units, actor=CARRIER, now=now, shipment_id=parcel.shipment_id
    )


def came_back(
    session: Session, parcel: Parcel, *, reason: str, now: datetime, restock: bool = True, ours: bool = False
) -> Order:
    """Brought home, or lost or broken (`restock=False`); `ours` where the reason lies with the shop or its carrier."""
    order = picked_up(session, parcel, now=now)
    units = _still(session, order, parcel, UnitMove.CAME_BACK)
    if not units or counting.was_counted(session, parcel.shipment_id, UnitMove.CAME_BACK):
        return order
    return parcel_came_back(
        session,
        order_id=order.id,
        units=units,
        actor=CARRIER,
        now=now,
        shipment_id=parcel.shipment_id,
        reason=reason,
        restock=restock,
        ours=ours,
    )


def _still(session: Session, order: Order, parcel: Parcel, kind: UnitMove) -> dict[int, int]:
    """Of the parcel's units, those that can still move this way."""
    left = {line.id: counting.left_for(line, kind) for line in lines_of(session, order.id)}
    return {line_id: some for line_id, n in parcel.units.items() if (some := min(n, left.get(line_id, 0)))}
