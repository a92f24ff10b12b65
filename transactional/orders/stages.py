"""The four stages that customers see: ordered, packed, shipped, delivered. Derived from the history, never set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from transactional.orders.models import Order, OrderStatus, OrderStatusChange, PaymentMode

_S = OrderStatus


class Stage(StrEnum):
    """Where an order is, in the customer's words."""

    ORDERED = "ordered"
    """Paid, or to be paid at the door."""
    PACKED = "packed"
    SHIPPED = "shipped"
    """A first parcel has left."""
    DELIVERED = "delivered"
    """The last parcel has arrived."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The stages that an order has reached, each with its moment, and how it ended if it came to nothing."""

    reached: dict[Stage, datetime]
    ended: OrderStatus | None

    @property
    def stage(self) -> Stage | None:
        """The last stage that was reached; None before the first."""
        return next((stage for stage in reversed(Stage) if stage in self.reached), None)


_RANKS: dict[OrderStatus, int] = {
    _S.PAID: 1,
    _S.MODIFYING: 1,
    _S.PACKED: 2,
    _S.PARTIALLY_SHIPPED: 3,
    _S.SHIPPED: 3,
    _S.PARTIALLY_DELIVERED: 3,
    _S.DELIVERED: 4,
}
"""How many stages a status stands for. The others stand for none, or for as many as before (`_STILL`)."""
_STILL = (_S.AWAITING_EXTRA_PAYMENT, _S.CANCELLED, _S.EXPIRED)


def progress(order: Order, history: Sequence[OrderStatusChange]) -> Progress:
    """Follow the history. A stage that is undone (unpacked for a change) is reached anew later."""
    reached: dict[Stage, datetime] = {}
    for step in history:
        rank = _rank(order, OrderStatus(step.to_status), len(reached))
        stages = list(Stage)[:rank]
        reached = {stage: reached.get(stage, step.occurred_at) for stage in stages}
    over = order.status in (_S.CANCELLED, _S.EXPIRED)
    return Progress(reached, order.status if over else None)


def _rank(order: Order, status: OrderStatus, before: int) -> int:
    if status in _STILL:
        return before
    if status is _S.AWAITING_PAYMENT and order.payment_mode is PaymentMode.ON_DELIVERY:
        return 1
    return _RANKS.get(status, 0)
