"""Calling off: a whole order before anything left, or units of it as long as they have not left."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.inventory import service as inventory
from transactional.inventory.service import HoldState
from transactional.orders.change_drafts import open_change
from transactional.orders.change_models import ChangeKind
from transactional.orders.changes import close_cancellation, decline_open_change, free_stock
from transactional.orders.claims import release_claims
from transactional.orders.giving_back import GivenBack, give_back, publish_refund, settle_given
from transactional.orders.models import Order, OrderLine, OrderRefundDecision, OrderStatus, PaymentMode, UnitMove
from transactional.orders.parcels import follow_units, refuse_boxed
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import CHANGING, refusal, transition
from transactional.shipping import service as shipping

_UNSETTLED = (*CHANGING, OrderStatus.DRAFT, OrderStatus.AWAITING_APPROVAL)


def cancel(
    session: Session,
    *,
    order_id: int,
    actor: str,
    reason: str,
    now: datetime,
    ours: bool = False,
    payable_minor: int | None = None,
) -> Order:
    """Call an order off before it ships: everything that it claimed is freed, and a paid order's money goes back.

    A paid order publishes `orders.refund_due`, over no more than `payable_minor` where the caller knows what its
    payments still have. An open change set is declined. Raises NotFound, and IllegalTransition
    once something has left.
    """
    order = lock_order(session, order_id)
    lines = lines_of(session, order_id)
    if any(line.shipped_quantity for line in lines):
        raise refusal(order, OrderStatus.CANCELLED)
    if order.status in CHANGING:
        decline_open_change(session, order, actor=actor, now=now)
    transition(session, order, OrderStatus.CANCELLED, actor=actor, reason=reason, now=now, stamps={"cancelled_at": now})
    inventory.release_holds(session, order_id, state=HoldState.RELEASED, now=now)
    shipping.call_off_parcels(session, order_id=order_id, actor=actor, now=now)
    if order.paid_at is None:
        release_claims(session, order, actor=actor, now=now)
    given = _give_up(session, order, lines, actor=actor, reason=reason, now=now, ours=ours, payable_minor=payable_minor)
    if given is not None:
        settle_given(session, order, given, actor=actor, now=now)
        publish_refund(session, order, given.to_pay_minor, reason=reason, key=given.decision.cause, now=now)
    return order


def cancel_units(
    session: Session,
    *,
    order_id: int,
    units: Mapping[int, int],
    actor: str,
    reason: str,
    now: datetime,
    ours: bool = False,
) -> OrderRefundDecision:
    """Call units (order line → quantity) off that have not left; gives what is decided about their money.

    Their stock is free again, their frozen price goes back by policy, and the order goes on without them; without any
    unit left it is cancelled as a whole. Raises NotFound, InvalidInput for no units, Conflict for more than are left
    or for units in a parcel, which is called off first, or an unpaid order (which is called off and placed anew),
    IllegalTransition while a change set is open.
    """
    order = lock_order(session, order_id)
    _require_divisible(order)
    lines = lines_of(session, order_id)
    refuse_boxed(session, order, lines, units)
    change = open_change(session, order, ChangeKind.CANCELLATION, actor=actor, reason=reason, now=now)
    given = give_back(
        session,
        order,
        lines,
        UnitMove.CANCELLED,
        units,
        actor=actor,
        now=now,
        reason=reason,
        cause=f"change:{change.id}",
        ours=ours,
    )
    close_cancellation(session, order, lines, change, given, actor=actor, now=now)
    free_stock(session, order, lines, units, now=now)
    settle_given(session, order, given, actor=actor, now=now)
    # Before the status follows: an order that is complete without these is paid at the door, but never for these.
    publish_refund(session, order, given.decision.refund_minor, reason=reason, key=given.decision.cause, now=now)
    follow_units(session, order, lines, actor=actor, now=now, reason=reason)
    return given.decision


def _give_up(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    *,
    actor: str,
    reason: str,
    now: datetime,
    ours: bool,
    payable_minor: int | None,
) -> GivenBack | None:
    units = {line.id: line.unshipped_quantity for line in lines if line.unshipped_quantity}
    if not units:
        return None
    cause = f"cancel:{order.id}"
    return give_back(
        session,
        order,
        lines,
        UnitMove.CANCELLED,
        units,
        actor=actor,
        now=now,
        reason=reason,
        cause=cause,
        ours=ours,
        payable_minor=payable_minor,
    )


def _require_divisible(order: Order) -> None:
    if order.status in _UNSETTLED or order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        raise refusal(order, OrderStatus.CANCELLED, " in part")
    if order.status is OrderStatus.AWAITING_PAYMENT and order.payment_mode is not PaymentMode.ON_DELIVERY:
        raise Conflict(
            f"order {order.order_number} is not paid yet: call it off and order anew", status_now=order.status
        )
