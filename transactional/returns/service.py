"""Returns: the customer asks, staff decide, and what comes back takes exactly its frozen money with it.

Merchandise is refunded at what was paid for exactly these units, whatever happened to others, so that a line returned
piece by piece gives back what was paid for it, to the paisa. Whether shipping goes back as well and what a coupon's
minimum says is decided by `orders` when the units arrive, by whose matter the return is, and stored with its reasons.
Points that paid for the units come back as points, points that the units earned are taken back.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, IllegalTransition, InvalidInput
from transactional.core.ids import public_id
from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.returns.models import Return, ReturnCause, ReturnLine, ReturnStatus
from transactional.returns.queries import (
    find_return,
    find_visible_return,
    get_return,
    lines_of,
    page_of_returns,
    returns_of_order,
)

__all__ = [
    "OutsideWindow",
    "Return",
    "ReturnCause",
    "ReturnLine",
    "ReturnStatus",
    "approve",
    "find_return",
    "find_visible_return",
    "get_return",
    "lines_of",
    "page_of_returns",
    "process",
    "reject",
    "request_return",
    "returns_of_order",
]

OURS = frozenset({ReturnCause.DAMAGED, ReturnCause.WRONG_ITEM, ReturnCause.NOT_AS_DESCRIBED, ReturnCause.LATE})
"""Causes that lie with the shop: the customer loses neither shipping nor a coupon by them."""

_OPEN = (ReturnStatus.REQUESTED, ReturnStatus.APPROVED)
_MAX_TEXT = 200


class OutsideWindow(Conflict):
    """The time to send things back is over, or has not begun."""

    code = "outside-return-window"
    title = "This order cannot be returned now"


def request_return(
    session: Session,
    *,
    order_id: int,
    quantities: Mapping[int, int],
    reason: str,
    window_days: int,
    now: datetime,
    cause: ReturnCause = ReturnCause.CHANGED_MIND,
    exchange_for: Sequence[orders.AddedUnits] = (),
    actor: str = "shop",
) -> Return:
    """Ask to send units back; `quantities` by order line. Whose order it is, the caller has checked.

    `exchange_for`: what shall come instead, at the prices of now; the difference is settled when the units are here.

    Raises NotFound (order), InvalidInput (no units, or a line of another order), OutsideWindow, and Conflict for more
    units than are left when those already returned or asked for are taken off.
    """
    order = orders.lock_order(session, order_id)
    _require_in_window(session, order, window_days, now)
    lines = {line.id: line for line in orders.lines_of(session, order_id)}
    _check_quantities(session, lines, quantities)
    asked = Return(
        public_id=public_id("ret"),
        order_id=order.id,
        customer_id=order.customer_id,
        status=ReturnStatus.REQUESTED,
        cause=cause,
        reason=reason[:_MAX_TEXT],
        currency=order.currency,
        refund_minor=0,
        requested_at=now,
    )
    if exchange_for:
        wanted = orders.draft_exchange(
            session, order_id=order.id, add=exchange_for, actor=actor, reason=asked.reason, now=now
        )
        asked.exchange_change_id = wanted.id
    session.add(asked)
    session.flush()
    for line_id in sorted(quantities):
        line = lines[line_id]
        session.add(
            ReturnLine(
                return_id=asked.id,
                order_line_id=line.id,
                variant_id=line.variant_id,
                product_id=line.product_id,
                quantity=quantities[line_id],
                refund_minor=0,
            )
        )
    session.flush()
    return asked


def _require_in_window(session: Session, order: orders.Order, window_days: int, now: datetime) -> None:
    if order.status is orders.OrderStatus.PARTIALLY_DELIVERED:
        return  # the window opens when the last parcel has arrived
    opened = orders.return_window_opens(session, order)
    if order.status is not orders.OrderStatus.DELIVERED or opened is None:
        raise OutsideWindow(f"order {order.order_number} is {order.status}, not delivered")
    if now > opened + timedelta(days=window_days):
        raise OutsideWindow(f"order {order.order_number} was delivered more than {window_days} days ago")


def _check_quantities(session: Session, lines: Mapping[int, orders.OrderLine], quantities: Mapping[int, int]) -> None:
    if not quantities:
        raise InvalidInput("a return names at least one line", field="lines")
    pending = _asked_for(session, list(quantities))
    for line_id, quantity in quantities.items():
        line = lines.get(line_id)
        if line is None:
            raise InvalidInput(f"line {line_id} does not belong to this order", field="lines")
        if quantity < 1:
            raise InvalidInput(f"a return takes at least one unit of line {line_id}", field="lines")
        left = line.delivered_quantity - line.returned_quantity - pending.get(line_id, 0)
        if quantity > left:
            raise Conflict(f"{left} units of {line.sku} can be returned, not {quantity}", left=left)


def _asked_for(session: Session, line_ids: Sequence[int]) -> dict[int, int]:
    """Units of each line in returns that are not decided or not processed yet."""
    rows = session.execute(
        select(ReturnLine.order_line_id, func.sum(ReturnLine.quantity))
        .join(Return, Return.id == ReturnLine.return_id)
        .where(ReturnLine.order_line_id.in_(line_ids), Return.status.in_(_OPEN))
        .group_by(ReturnLine.order_line_id)
    )
    return {line_id: int(units) for line_id, units in rows if line_id is not None}


def approve(session: Session, *, return_id: int, note: str | None = None, now: datetime) -> Return:
    """The customer may send the units. Raises NotFound, IllegalTransition unless it was just asked for."""
    return _decide(session, return_id, ReturnStatus.APPROVED, note, now)


def reject(session: Session, *, return_id: int, note: str | None = None, now: datetime) -> Return:
    """The units stay where they are. Raises NotFound, IllegalTransition unless it was just asked for."""
    rejected = _decide(session, return_id, ReturnStatus.REJECTED, note, now)
    if rejected.exchange_change_id is not None:
        orders.drop_exchange(session, change_id=rejected.exchange_change_id, actor="staff", now=now)
    return rejected


def _decide(session: Session, return_id: int, to: ReturnStatus, note: str | None, now: datetime) -> Return:
    values = {"decided_at": now, "decision_note": note[:_MAX_TEXT] if note else None}
    return _move(session, return_id, ReturnStatus.REQUESTED, to, values)


def process(session: Session, *, return_id: int, actor: str, now: datetime, damaged: Collection[int] = ()) -> Return:
    """The units of an approved return are here: shelf, points and money follow, in this one transaction.

    Lines (of the return, by id) among `damaged` are not put on the shelf again; their money goes back all the same. In
    an exchange it pays for the other units first. Where money of the order was given back before, what is left of it
    goes back; the shortfall is stored with the decision and somebody is told.

    Raises NotFound, IllegalTransition unless it was approved, InvalidInput for a damaged line that is not part of it,
    RefundTooLarge while the order's payment is not known yet.
    """
    found = get_return(session, return_id)
    if found.order_id is None:
        raise Conflict("this return came from an import and is settled")
    order = orders.lock_order(session, found.order_id)
    returned = _move(session, return_id, ReturnStatus.APPROVED, ReturnStatus.PROCESSED, {"processed_at": now})
    lines = lines_of(session, return_id)
    _check_damaged(lines, damaged)
    if returned.exchange_change_id is not None:
        shelved = {line.variant_id for line in lines}
        orders.lock_exchanged(session, change_id=returned.exchange_change_id, returned=shelved)
    given = _take_back(session, order, returned, lines, damaged, actor=actor, now=now)
    returned.refund_minor = given.to_pay_minor
    session.flush()
    if returned.exchange_change_id is not None:
        orders.settle_exchange(
            session,
            change_id=returned.exchange_change_id,
            credit_minor=returned.refund_minor,
            actor=actor,
            now=now,
        )
    orders.settle_given(session, order, given, actor=actor, now=now)
    # What is still to be paid at the door is not paid back: it is no longer due.
    if returned.exchange_change_id is None and given.decision.refund_minor and order.paid_at is not None:
        payments.refund_due(
            session,
            order_id=order.id,
            amount_minor=given.decision.refund_minor,
            reason=f"return {returned.public_id}",
            idempotency_key=f"return:{returned.public_id}",
            return_id=returned.id,
            now=now,
        )
    return returned


def _check_damaged(lines: Sequence[ReturnLine], damaged: Collection[int]) -> None:
    unknown = set(damaged) - {line.id for line in lines}
    if unknown:
        raise InvalidInput(f"lines {sorted(unknown)} do not belong to this return", field="damaged")


def _take_back(
    session: Session,
    order: orders.Order,
    returned: Return,
    lines: Sequence[ReturnLine],
    damaged: Collection[int],
    *,
    actor: str,
    now: datetime,
) -> orders.GivenBack:
    """Units counted as returned with their frozen money, goods shelved; gives what was decided."""
    units = {line.order_line_id: line.quantity for line in lines if line.order_line_id is not None}
    given = orders.take_back(
        session,
        order_id=order.id,
        units=units,
        cause=f"return:{returned.id}",
        actor=actor,
        reason=returned.reason or f"return {returned.public_id}",
        now=now,
        ours=returned.cause in OURS,
        payable_minor=payments.refundable_of_order(session, order_id=order.id),
    )
    refunds = {move.order_line_id: move.refund_minor for move in given.moves}
    for line in sorted(lines, key=lambda line: line.variant_id):  # stock is locked in the order of variants
        assert line.order_line_id is not None
        line.refund_minor = refunds[line.order_line_id]
        line.restock = line.id not in damaged
        if line.restock:
            inventory.restock(
                session, variant_id=line.variant_id, quantity=line.quantity, return_line_id=line.id, now=now
            )
    return given


def _move(
    session: Session, return_id: int, before: ReturnStatus, to: ReturnStatus, values: Mapping[str, object]
) -> Return:
    """Take a step that is possible from one state only; the row decides between two who try."""
    moved = session.scalar(
        update(Return)
        .where(Return.id == return_id, Return.status == before)
        .values(status=to, **values)
        .returning(Return.id)
        .execution_options(synchronize_session=False)
    )
    found = get_return(session, return_id)
    if moved is None:
        raise IllegalTransition(f"the return is {found.status} and cannot become {to}", status=found.status)
    return found
