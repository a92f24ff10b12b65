"""What the carrier reports about a parcel: each news counts once, in whichever order and however often it comes.

News that overtook an earlier one make up for it. Units that staff reported by hand before are not counted again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from transactional.orders import units as counting
from transactional.orders.changes import decline_open_change, go_on
from transactional.orders.models import Order, OrderLine, OrderStatus, UnitMove
from transactional.orders.parcels import arrive, come_back, leave
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


@dataclass(frozen=True, slots=True)
class _Scene:
    """A parcel beside its locked order, read once however much one news makes up for."""

    parcel: Parcel
    order: Order
    lines: Sequence[OrderLine]
    counted: Collection[UnitMove]
    """The ways in which the parcel had moved its units before."""

    def still(self, way: UnitMove) -> dict[int, int]:
        """Of the parcel's units, those that can still move this way; none where they have."""
        if way in self.counted:
            return {}
        left = {line.id: counting.left_for(line, way) for line in self.lines}
        return {line_id: some for line_id, n in self.parcel.units.items() if (some := min(n, left.get(line_id, 0)))}


def _scene(session: Session, parcel: Parcel) -> _Scene:
    order = lock_order(session, parcel.order_id)
    counted = counting.counted_ways(session, parcel.shipment_id)
    return _Scene(parcel, order, lines_of(session, order.id), counted)


def picked_up(session: Session, parcel: Parcel, *, now: datetime) -> Order:
    """Fetched: what the parcel holds has left, also where nobody had said that the order was packed.

    What has left cannot be changed any more: an open change of an order that was not sent is declined.
    """
    scene = _scene(session, parcel)
    _fetch(session, scene, now)
    return scene.order


def delivered(session: Session, parcel: Parcel, *, now: datetime) -> Order:
    """Handed over."""
    scene = _scene(session, parcel)
    _fetch(session, scene, now)
    units = scene.still(UnitMove.DELIVERED)
    if units:
        arrive(session, scene.order, scene.lines, units, actor=CARRIER, now=now, shipment_id=scene.parcel.shipment_id)
    return scene.order


def came_back(
    session: Session, parcel: Parcel, *, reason: str, now: datetime, restock: bool = True, ours: bool = False
) -> Order:
    """Brought home, or lost or broken (`restock=False`); `ours` where the reason lies with the shop or its carrier."""
    scene = _scene(session, parcel)
    _fetch(session, scene, now)
    units = scene.still(UnitMove.CAME_BACK)
    if units:
        come_back(
            session,
            scene.order,
            scene.lines,
            units,
            actor=CARRIER,
            now=now,
            shipment_id=parcel.shipment_id,
            reason=reason,
            restock=restock,
            ours=ours,
        )
    return scene.order


def _fetch(session: Session, scene: _Scene, now: datetime) -> None:
    order, units = scene.order, scene.still(UnitMove.SHIPPED)
    if not units:
        return
    reason = "fetched by the carrier"
    if order.status in CHANGING:
        decline_open_change(session, order, actor=CARRIER, now=now)
        go_on(session, order, actor=CARRIER, now=now, reason=reason)
    if allowed(order, OrderStatus.PACKED):
        transition(session, order, OrderStatus.PACKED, actor=CARRIER, reason=reason, now=now)
    leave(
        session,
        order,
        scene.lines,
        units,
        actor=CARRIER,
        now=now,
        shipment_id=scene.parcel.shipment_id,
        reason=reason,
    )
