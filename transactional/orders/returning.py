"""Units that the customer had and sent back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.orders.giving_back import GivenBack, give_back, settle_given
from transactional.orders.models import Order, OrderLine, OrderStatus, UnitMove
from transactional.orders.queries import lines_of, lock_order

_RETURNABLE = (OrderStatus.PARTIALLY_DELIVERED, OrderStatus.DELIVERED)


@dataclass(frozen=True, slots=True)
class ReturnedUnits:
    """Units `first` … `first + count - 1` of a line, and their frozen part of what was paid for it."""

    order_line_id: int
    first: int
    count: int
    refund_minor: int


def take_back(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int],
    cause: str,
    actor: str,
    reason: str,
    now: datetime,
    ours: bool = False,
    payable_minor: int | None = None,
) -> GivenBack:
    """Delivered units (order line → quantity) came back: counted, and their refund decided.

    `cause` names the return, which is decided once; `ours` where the reason lies with the shop; `payable_minor` is what
    the order's payments still have, where any is known. The caller shelves the units, then settles coupon and points by
    `settle_given`, and pays `to_pay_minor` out. Raises NotFound, InvalidInput for no units, Conflict where fewer units
    are left or nothing was delivered.
    """
    order = _lock_returnable(session, order_id)
    return give_back(
        session,
        order,
        lines_of(session, order_id),
        UnitMove.RETURNED,
        units,
        actor=actor,
        now=now,
        reason=reason,
        cause=cause,
        ours=ours,
        payable_minor=payable_minor,
    )


def register_return(
    session: Session, *, order_line_id: int, quantity: int, now: datetime, actor: str = "shop"
) -> ReturnedUnits:
    """Count units of a delivered line as returned; gives which units these are and their frozen refund in minor units.

    Whatever happened to other units: any sequence of partial returns sums to what was paid for the line. The last unit
    of the order frees its coupon where the code's policy says so. Points are left to
    `loyalty.service.reverse_for_return` with the units given here.

    Raises NotFound, InvalidInput for a quantity below 1, Conflict where fewer units are left or nothing was delivered.
    """
    if quantity < 1:
        raise InvalidInput(f"a return has at least one unit, not {quantity}")
    order_id = session.scalar(select(OrderLine.order_id).where(OrderLine.id == order_line_id))
    if order_id is None:
        raise NotFound("there is no such order line")
    order = _lock_returnable(session, order_id)
    given = give_back(
        session,
        order,
        lines_of(session, order_id),
        UnitMove.RETURNED,
        {order_line_id: quantity},
        actor=actor,
        now=now,
        reason="returned",
    )
    settle_given(session, order, given, actor=actor, now=now, points=False)
    (move,) = given.moves
    assert move.first_unit is not None, "returned units are numbered"
    return ReturnedUnits(order_line_id, move.first_unit, quantity, move.refund_minor)


def _lock_returnable(session: Session, order_id: int) -> Order:
    order = lock_order(session, order_id)
    if order.status not in _RETURNABLE:
        raise Conflict(f"order {order.order_number} is {order.status}: nothing of it can come back")
    return order
