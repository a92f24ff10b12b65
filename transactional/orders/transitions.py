"""The steps that an order may take. Nothing else moves an order; every step leaves a history row and a message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from transactional.core.errors import Conflict, IllegalTransition
from transactional.core.outbox import publish
from transactional.orders.change_models import OPEN_CHANGES, OrderChange
from transactional.orders.models import Order, OrderStatus, OrderStatusChange, PaymentMode

STATUS_CHANGED = "orders.status_changed"

_S = OrderStatus

TRANSITIONS: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    _S.DRAFT: frozenset({_S.AWAITING_APPROVAL, _S.AWAITING_PAYMENT, _S.CANCELLED}),
    _S.AWAITING_APPROVAL: frozenset({_S.AWAITING_PAYMENT, _S.CANCELLED, _S.EXPIRED}),
    # Back to `awaiting_approval` when the approval is voided. To `packed` and `modifying` see `allowed`.
    _S.AWAITING_PAYMENT: frozenset({_S.PAID, _S.PACKED, _S.MODIFYING, _S.AWAITING_APPROVAL, _S.CANCELLED, _S.EXPIRED}),
    _S.PAID: frozenset({_S.PACKED, _S.MODIFYING, _S.CANCELLED}),
    _S.PACKED: frozenset({_S.PARTIALLY_SHIPPED, _S.SHIPPED, _S.MODIFYING, _S.CANCELLED}),
    # From here on the units tell the status (`units.status_by_units`); `cancelled` only when all of them came back.
    _S.PARTIALLY_SHIPPED: frozenset({_S.SHIPPED, _S.PARTIALLY_DELIVERED, _S.CANCELLED}),
    _S.SHIPPED: frozenset({_S.PARTIALLY_DELIVERED, _S.DELIVERED, _S.CANCELLED}),
    _S.PARTIALLY_DELIVERED: frozenset({_S.DELIVERED}),
    # An exchange or a claim: something has to be sent again.
    _S.DELIVERED: frozenset({_S.PARTIALLY_DELIVERED, _S.AWAITING_EXTRA_PAYMENT}),
    _S.CANCELLED: frozenset(),
    # A payment that comes too late: the goods are found again, or the money goes back.
    _S.EXPIRED: frozenset({_S.PAID, _S.CANCELLED}),
    # Out of the next two only when the difference is settled: see `_require_settled`.
    _S.MODIFYING: frozenset({_S.PAID, _S.AWAITING_PAYMENT, _S.AWAITING_EXTRA_PAYMENT, _S.CANCELLED}),
    _S.AWAITING_EXTRA_PAYMENT: frozenset({_S.PAID, _S.DELIVERED, _S.PARTIALLY_DELIVERED, _S.CANCELLED}),
}

CHANGING = (OrderStatus.MODIFYING, OrderStatus.AWAITING_EXTRA_PAYMENT)
"""Something about the order is being altered: it is neither packed nor sent meanwhile."""

_SENT = (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)
_ON_DELIVERY_ONLY = {
    (_S.AWAITING_PAYMENT, _S.PACKED),
    (_S.AWAITING_PAYMENT, _S.MODIFYING),
    (_S.MODIFYING, _S.AWAITING_PAYMENT),
}
"""An order that is paid online must be paid first."""


def allowed(order: Order, to: OrderStatus, *, nothing_left: bool = False) -> bool:
    """Whether the order may go to `to` from where it stands.

    `nothing_left`: every unit was cancelled or came back. Only then may an order that was sent become cancelled.
    """
    if (order.status, to) in _ON_DELIVERY_ONLY and order.payment_mode is not PaymentMode.ON_DELIVERY:
        return False
    if order.status in _SENT and to is OrderStatus.CANCELLED:
        return nothing_left
    return to in TRANSITIONS[order.status]


def next_steps(order: Order) -> list[OrderStatus]:
    """Where the order may go from where it stands."""
    return sorted(to for to in TRANSITIONS[order.status] if allowed(order, to))


def refusal(order: Order, to: OrderStatus, why: str = "") -> IllegalTransition:
    """The error for a step that is not possible: it names where the order stands and where it may go instead."""
    return IllegalTransition(
        f"order {order.order_number} is {order.status} and cannot become {to}{why}",
        order_number=order.order_number,
        to=to,
        allowed=next_steps(order),
        **{"from": order.status},
    )


def transition(
    session: Session,
    order: Order,
    to: OrderStatus,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    stamps: Mapping[str, Any] | None = None,
    nothing_left: bool = False,
) -> OrderStatusChange:
    """Move an order one step, together with columns (`stamps`) that belong to the step; gives the history row.

    Raises IllegalTransition for a step that the table does not know, or while a change set of the order is open;
    Conflict where another transaction moved the order since it was read.
    """
    if not allowed(order, to, nothing_left=nothing_left):
        raise refusal(order, to)
    if order.status in CHANGING and to is not OrderStatus.AWAITING_EXTRA_PAYMENT:
        _require_settled(session, order, to)
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
    return record(session, order, was, actor=actor, reason=reason, now=now, stamps=stamps)


def _require_settled(session: Session, order: Order, to: OrderStatus) -> None:
    open_change = select(OrderChange.public_id).where(
        OrderChange.order_id == order.id, OrderChange.status.in_(OPEN_CHANGES)
    )
    public_id = session.scalar(open_change)
    if public_id is not None:
        raise refusal(order, to, f" before change {public_id} is applied, paid or declined")


def record(
    session: Session,
    order: Order,
    was: OrderStatus | None,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    stamps: Mapping[str, Any] | None = None,
) -> OrderStatusChange:
    """Write the history row and the message of a step that the order has just taken."""
    change = OrderStatusChange(
        order_id=order.id,
        from_status=was,
        to_status=order.status,
        actor=actor,
        reason=None if reason is None else reason[:200],
        stamps={column: _plain(value) for column, value in (stamps or {}).items()},
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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
