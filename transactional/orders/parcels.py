"""Packing, and parcels that leave, arrive or come home: the units tell where the order stands.

The whole order in one parcel (`ship`, `deliver`) and several parcels go the same way. A parcel of the shipping domain
(`shipment_id`) moves its units once in each way, however often and in whichever order its news arrive.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.core.outbox import publish
from transactional.inventory import service as inventory
from transactional.inventory.service import SoldLine
from transactional.loyalty import service as loyalty
from transactional.orders import units as counting
from transactional.orders.claims import release_claims, settle_claims
from transactional.orders.giving_back import give_back, given_back_minor, publish_refund, settle_given
from transactional.orders.models import Order, OrderLine, OrderStatus, OrderUnitMove, PaymentMode, UnitMove
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import allowed, refusal, transition
from transactional.shipping import service as shipping

log = structlog.stdlib.get_logger("transactional.orders")

COLLECTED = "orders.collected"
"""Outbox topic {order_id, amount_minor, currency, occurred_at}: an order paid on delivery was paid at the door."""

_IN_A_PARCEL = "lies in a parcel: it leaves with that one, or the parcel is called off first"

_SENDABLE = (OrderStatus.PACKED, OrderStatus.PARTIALLY_SHIPPED, OrderStatus.PARTIALLY_DELIVERED)


def pack(session: Session, *, order_id: int, actor: str, now: datetime) -> Order:
    """A paid order, or one that is paid on delivery, is packed."""
    order = lock_order(session, order_id)
    transition(session, order, OrderStatus.PACKED, actor=actor, now=now)
    return order


def ship(
    session: Session,
    *,
    order_id: int,
    actor: str,
    now: datetime,
    carrier: str = "own",
    tracking_number: str | None = None,
    weight_grams: int = 0,
    units: Mapping[int, int] | None = None,
) -> Order:
    """A packed order, or these `units` of it (order line → quantity), leaves in one parcel: its holds become sales.

    Units that lie in a parcel leave with that one. Raises IllegalTransition unless the order is packed, Conflict for a
    used tracking number or units that left already or lie in a parcel.
    """
    order = lock_order(session, order_id)
    if order.status not in _SENDABLE:
        raise refusal(order, OrderStatus.SHIPPED)
    lines = lines_of(session, order_id)
    units = _by_hand(session, order, lines, units)
    parcel = shipping.create_shipment(
        session,
        order_id=order_id,
        carrier=carrier,
        tracking_number=tracking_number,
        weight_grams=weight_grams,
        units=units,
        now=now,
    )
    leave(session, order, lines, units, actor=actor, now=now, shipment_id=parcel.id, reason=f"by {carrier}")
    return order


def _by_hand(
    session: Session, order: Order, lines: Sequence[OrderLine], wanted: Mapping[int, int] | None
) -> Mapping[int, int]:
    """The units that leave outside of the parcels that were packed for a carrier; all of them where nothing is said."""
    if wanted is not None:
        refuse_boxed(session, order, lines, wanted)
        return wanted
    units = {line_id: quantity for line_id, quantity in _loose(session, order.id, lines).items() if quantity}
    if not units:
        raise Conflict(f"what is left of order {order.order_number} {_IN_A_PARCEL}")
    return units


def refuse_boxed(session: Session, order: Order, lines: Sequence[OrderLine], wanted: Mapping[int, int]) -> None:
    """Units in a parcel go where the parcel goes. Raises Conflict where `wanted` (order line → quantity) needs them."""
    loose = _loose(session, order.id, lines)
    unsent = {line.id: line.unshipped_quantity for line in lines}
    for line_id, quantity in wanted.items():
        if loose.get(line_id, 0) < quantity <= unsent.get(line_id, 0):
            raise Conflict(
                f"line {line_id} of order {order.order_number} {_IN_A_PARCEL}",
                order_line_id=line_id,
                left=loose[line_id],
            )


def _loose(session: Session, order_id: int, lines: Sequence[OrderLine]) -> dict[int, int]:
    """Order line → units that have not left and lie in no parcel."""
    boxed = shipping.units_in_parcels(session, order_id)
    return {
        line.id: max(0, min(line.quantity - line.cancelled_quantity - boxed.get(line.id, 0), line.unshipped_quantity))
        for line in lines
    }


def deliver(session: Session, *, order_id: int, actor: str, now: datetime) -> Order:
    """Every parcel under way has arrived; an order paid on delivery is paid when nothing more is to come.

    The return window starts, and with it the time that earned points wait.
    """
    order = lock_order(session, order_id)
    lines = lines_of(session, order_id)
    units = {line.id: line.under_way_quantity for line in lines if line.under_way_quantity}
    if not units:
        raise refusal(order, OrderStatus.DELIVERED)
    shipping.mark_delivered(session, order_id=order_id, now=now)
    arrive(session, order, lines, units, actor=actor, now=now)
    return order


def ship_parcel(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int],
    actor: str,
    now: datetime,
    shipment_id: int | None = None,
    reason: str | None = None,
) -> Order:
    """Units (order line → quantity) of a packed order have left the house: their stock is sold.

    Raises IllegalTransition where nothing may leave, Conflict for more units than are left, InvalidInput for none.
    """
    order = lock_order(session, order_id)
    if _is_new(session, shipment_id, UnitMove.SHIPPED):
        lines = lines_of(session, order_id)
        leave(session, order, lines, units, actor=actor, now=now, shipment_id=shipment_id, reason=reason)
    return order


def _is_new(session: Session, shipment_id: int | None, way: UnitMove) -> bool:
    """Whether a parcel has not moved its units this way yet; what lies in no parcel is always new."""
    return shipment_id is None or way not in counting.counted_ways(session, shipment_id)


def leave(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    units: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    shipment_id: int | None = None,
    reason: str | None = None,
) -> None:
    """As `ship_parcel`, of a locked order with its lines, for a parcel whose units were not counted before."""
    if order.status not in _SENDABLE:
        raise refusal(order, OrderStatus.SHIPPED)
    moves = counting.count(
        session, order, lines, UnitMove.SHIPPED, units, actor=actor, now=now, reason=reason, shipment_id=shipment_id
    )
    inventory.fulfil_units(session, order_id=order.id, lines=_sold(lines, moves), now=now)
    follow_units(session, order, lines, actor=actor, now=now, reason=reason)


def parcel_delivered(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int],
    actor: str,
    now: datetime,
    shipment_id: int | None = None,
) -> Order:
    """Units under way have arrived. With the last of them the order is delivered, and paid if that was due at the door.

    Raises Conflict for more units than are under way.
    """
    order = lock_order(session, order_id)
    if _is_new(session, shipment_id, UnitMove.DELIVERED):
        arrive(session, order, lines_of(session, order_id), units, actor=actor, now=now, shipment_id=shipment_id)
    return order


def arrive(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    units: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    shipment_id: int | None = None,
) -> None:
    """As `parcel_delivered`, of a locked order with its lines, for a parcel whose units were not counted before."""
    counting.count(session, order, lines, UnitMove.DELIVERED, units, actor=actor, now=now, shipment_id=shipment_id)
    follow_units(session, order, lines, actor=actor, now=now)


def parcel_came_back(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int],
    actor: str,
    now: datetime,
    shipment_id: int | None = None,
    reason: str = "could not be delivered",
    restock: bool = True,
    ours: bool = False,
) -> Order:
    """Units under way came home undelivered: they are shelved, and what was paid for them goes back by policy.

    `restock=False` for what was lost or broken on the way; `ours` where the reason lies with the shop or its carrier.
    An order of which nothing arrived and nothing is left to send is cancelled. Raises Conflict for more units than are
    under way.
    """
    order = lock_order(session, order_id)
    if _is_new(session, shipment_id, UnitMove.CAME_BACK):
        come_back(
            session,
            order,
            lines_of(session, order_id),
            units,
            actor=actor,
            now=now,
            shipment_id=shipment_id,
            reason=reason,
            restock=restock,
            ours=ours,
        )
    return order


def come_back(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    units: Mapping[int, int],
    *,
    actor: str,
    now: datetime,
    shipment_id: int | None,
    reason: str,
    restock: bool,
    ours: bool,
) -> None:
    """As `parcel_came_back`, of a locked order with its lines, for a parcel whose units were not counted before."""
    given = give_back(
        session,
        order,
        lines,
        UnitMove.CAME_BACK,
        units,
        actor=actor,
        now=now,
        reason=reason,
        cause=None if shipment_id is None else f"parcel:{shipment_id}",
        ours=ours,
        shipment_id=shipment_id,
    )
    if restock:
        inventory.take_back(session, lines=_sold(lines, given.moves), now=now, reason=f"order {order.id}: {reason}")
    settle_given(session, order, given, actor=actor, now=now)
    # Before the status follows: an order that the other parcels complete is paid at the door, but never for these.
    publish_refund(session, order, given.decision.refund_minor, reason=reason, key=given.decision.cause, now=now)
    follow_units(session, order, lines, actor=actor, now=now, reason=reason)


def follow_units(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Bring the status to where the units are; what depends on the last of them happens with it."""
    to = counting.status_by_units(lines)
    if to is None or to is order.status:
        return
    if to is OrderStatus.DELIVERED:
        _complete(session, order, lines, actor=actor, now=now, reason=reason)
    elif to is OrderStatus.CANCELLED:
        stamps = {"cancelled_at": now}
        transition(session, order, to, actor=actor, reason=reason, now=now, stamps=stamps, nothing_left=True)
        if order.paid_at is None:
            release_claims(session, order, actor=actor, now=now)
    else:
        _walk(session, order, to, actor=actor, now=now, reason=reason)


def _walk(session: Session, order: Order, to: OrderStatus, **step: Any) -> None:
    """One step, by way of `shipped` where the table knows no direct one (parcels that are reported all at once)."""
    if not allowed(order, to) and allowed(order, OrderStatus.SHIPPED):
        transition(session, order, OrderStatus.SHIPPED, **step)
    transition(session, order, to, **step)


def _complete(
    session: Session, order: Order, lines: Sequence[OrderLine], *, actor: str, now: datetime, reason: str | None
) -> None:
    # Once: what is sent again later, or comes in exchange, makes no order late.
    stamps = {"delivered_at": now} if order.delivered_at is None else {}
    collected = order.paid_at is None and order.payment_mode is PaymentMode.ON_DELIVERY
    if collected:
        stamps["paid_at"] = now
    transition(session, order, OrderStatus.DELIVERED, actor=actor, now=now, reason=reason, stamps=stamps)
    if collected:
        settle_claims(session, order, lines, actor, now)
        _publish_collected(session, order, now)
    opens = now if stamps.get("delivered_at") else counting.return_window_opens(session, order)
    assert opens is not None, "the order has just been delivered"
    loyalty.postpone_activation(session, order_id=order.id, delivered_at=opens)


def _publish_collected(session: Session, order: Order, now: datetime) -> None:
    amount = order.total_minor - given_back_minor(session, order.id)
    if amount == 0:
        return
    payload = {
        "order_id": order.id,
        "amount_minor": amount,
        "currency": order.currency,
        "occurred_at": now.isoformat(),
    }
    publish(session, COLLECTED, payload, dedup_key=f"{COLLECTED}:{order.id}", now=now)


def _sold(lines: Sequence[OrderLine], moves: Sequence[OrderUnitMove]) -> list[SoldLine]:
    variants = {line.id: line.variant_id for line in lines}
    return [SoldLine(move.order_line_id, variants[move.order_line_id], move.quantity) for move in moves]
