"""The steps that an order may take. Nothing else moves an order; every step leaves a history row and a message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from transactional.core.errors import Conflict, IllegalTransition
from transactional.core.outbox import publish
from transactional.orders.models import Order, OrderStatus, OrderStatusChange, PaymentMode

STATUS_CHANGED = "orders.status_changed"

_S = OrderStatus

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _S.DRAFT: frozenset({_S.AWAITING_APPROVAL, _S.AWAITING_PAYMENT, _S.CANCELLED}),
    _S.AWAITING_APPROVAL: frozenset({_S.AWAITING_PAYMENT, _S.CANCELLED, _S.EXPIRED}),
    # To `packed` only when the order is paid on delivery: see `allowed`.
    _S.AWAITING_PAYMENT: frozenset({_S.PAID, _S.PACKED, _S.CANCELLED, _S.EXPIRED}),
    _S.PAID: frozenset({_S.PACKED, _S.MODIFYING, _S.CANCELLED}),
    _S.PACKED: frozenset({_S.PARTIALLY_SHIPPED, _S.SHIPPED, _S.MODIFYING, _S.CANCELLED}),
    _S.PARTIALLY_SHIPPED: frozenset({_S.SHIPPED}),
    _S.SHIPPED: frozenset({_S.PARTIALLY_DELIVERED, _S.DELIVERED}),
    _S.PARTIALLY_DELIVERED: frozenset({_S.DELIVERED}),
    _S.DELIVERED: frozenset(),
    _S.CANCELLED: frozenset(),
    # A payment that comes too late: the goods are found again, or the money goes back.
    _S.EXPIRED: frozenset({_S.PAID, _S.CANCELLED}),
    _S.MODIFYING: frozenset({_S.PAID, _S.AWAITING_EXTRA_PAYMENT, _S.CANCELLED}),
    _S.AWAITING_EXTRA_PAYMENT: frozenset({_S.PAID, _S.MODIFYING, _S.CANCELLED}),
}


def allowed(order: Order, to: OrderStatus) -> bool:
    """Whether the order may go to `to` from where it stands."""
    if order.status is OrderStatus.AWAITING_PAYMENT and to is OrderStatus.PACKED:
        return order.payment_mode is PaymentMode.ON_DELIVERY
    return to in TRANSITIONS[order.status]


def transition(
    session: Session,
    order: Order,
    to: OrderStatus,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    stamps: Mapping[str, Any] | None = None,
) -> OrderStatusChange:
    """Move an order one step, together with columns (`stamps`) that belong to the step; gives the history row.

    Raises IllegalTransition for a step that the table does not know, Conflict where another transaction moved the order
    since it was read.
    """
    if not allowed(order, to):
        raise IllegalTransition(
            f"order {order.order_number} is {order.status} and cannot become {to}",
            order_number=order.order_number,
            status=order.status,
        )
    values: dict[str, Any] = {"status": to, **(stamps or {})}
    moved = session.scalar(
        update(Order)
        .where(Order.id == order.id, Order.status == order.status)
        .values(values)
        .returning(Order.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Conflict(f"order {order.order_number} changed meanwhile; look at it again")
    was = order.status
    for column, value in values.items():
        set_committed_value(order, column, value)
    return record(session, order, was, actor=actor, reason=reason, now=now)


def record(
    session: Session, order: Order, was: OrderStatus | None, *, actor: str, now: datetime, reason: str | None = None
) -> OrderStatusChange:
    """Write the history row and the message of a step that the order has just taken."""
    change = OrderStatusChange(
        order_id=order.id,
        from_status=was,
        to_status=order.status,
        actor=actor,
        reason=None if reason is None else reason[:200],
        occurred_at=now,
    )
    session.add(change)
    session.flush()
    payload = {
        "order_id": order.id,
        "order_number": order.order_number,
        "from": was,
        "to": order.status,
        "occurred_at": now.isoformat(),
    }
    publish(session, STATUS_CHANGED, payload, dedup_key=f"{STATUS_CHANGED}:{change.id}", now=now)
    return change
