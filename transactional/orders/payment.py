"""Money that arrives, or does not: payment, what is due, and giving up orders that nobody pays for."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.inventory import service as inventory
from transactional.inventory.service import HoldState
from transactional.orders.approvals import void_with_order
from transactional.orders.change_models import ChangeStatus
from transactional.orders.changes import open_change_of, settle_extra_payment
from transactional.orders.claims import claim_again, release_claims, settle_claims
from transactional.orders.giving_back import given_back_minor
from transactional.orders.models import Order, OrderLine, OrderStatus
from transactional.orders.queries import get_order, lines_of, lock_order
from transactional.orders.transitions import transition

_GIVEN_UP = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
_UNPAID = (OrderStatus.AWAITING_PAYMENT, OrderStatus.AWAITING_APPROVAL)


class PaidOutcome(StrEnum):
    """What a payment did to its order."""

    CONFIRMED = "confirmed"
    REVIVED = "revived"
    """The order had expired; its goods, coupon and points could be had again."""
    REFUND_DUE = "refund_due"
    """The order is cancelled, lost its approval, or had expired and its goods are gone: the money must go back."""
    ALREADY_PAID = "already_paid"
    AWAITS_APPROVAL = "awaits_approval"
    """Nothing is to be paid, but the customer has not agreed to the design yet: agreeing confirms the order."""


def amount_due(session: Session, order_id: int, *, lines: Sequence[OrderLine] | None = None) -> int:
    """What the customer has to pay now, in minor units: the order, or the difference of its change; 0 for nothing.

    Units given back before they were paid are no longer due. `lines`: the order's, where they were read already.
    Raises NotFound.
    """
    order = get_order(session, order_id)
    if order.status is OrderStatus.AWAITING_EXTRA_PAYMENT:
        change = open_change_of(session, order_id)
        waits = change is not None and change.status is ChangeStatus.AWAITING_PAYMENT
        return change.difference_minor if change is not None and waits else 0
    if order.paid_at is not None or order.status in _GIVEN_UP:
        return 0
    if lines is not None and not any(line.given_back_quantity for line in lines):
        return order.total_minor
    return order.total_minor - given_back_minor(session, order_id)


def mark_paid(
    session: Session,
    *,
    order_id: int,
    paid_at: datetime,
    actor: str,
    now: datetime | None = None,
    amount_minor: int | None = None,
) -> PaidOutcome:
    """The order's money has arrived; `now` (default: `paid_at`) is when the shop learns of it.

    Confirms the holds, redeems the coupon, captures the points that were held and gives the points that were earned. An
    expired order is revived if everything it needs can be had again, else cancelled. The extra payment of a change
    makes the change happen; `amount_minor` tells it from a second payment of the order itself. Safe to call twice. On
    REFUND_DUE and ALREADY_PAID the caller refunds: no message is published.
    """
    order = lock_order(session, order_id)
    return take_payment(session, order, paid_at=paid_at, actor=actor, now=now or paid_at, amount_minor=amount_minor)


def take_payment(
    session: Session, order: Order, *, paid_at: datetime, actor: str, now: datetime, amount_minor: int | None = None
) -> PaidOutcome:
    """As `mark_paid`, of an order that the caller has locked."""
    if order.status is OrderStatus.AWAITING_EXTRA_PAYMENT:
        settled = settle_extra_payment(session, order, amount_minor=amount_minor, actor=actor, now=now)
        return PaidOutcome.CONFIRMED if settled else PaidOutcome.ALREADY_PAID
    if order.paid_at is not None:
        return PaidOutcome.ALREADY_PAID
    if order.status is OrderStatus.AWAITING_APPROVAL:
        return PaidOutcome.REFUND_DUE if order.total_minor else PaidOutcome.AWAITS_APPROVAL
    if order.status is OrderStatus.CANCELLED:
        return PaidOutcome.REFUND_DUE
    lines = lines_of(session, order.id)
    outcome = PaidOutcome.CONFIRMED
    if order.status is OrderStatus.EXPIRED:
        if not claim_again(session, order, lines, now):
            transition(
                session,
                order,
                OrderStatus.CANCELLED,
                actor=actor,
                reason="paid too late: goods, coupon or points are gone",
                now=now,
                stamps={"cancelled_at": now},
            )
            return PaidOutcome.REFUND_DUE
        outcome = PaidOutcome.REVIVED
    stamps = {"paid_at": paid_at, "expires_at": None}
    transition(session, order, OrderStatus.PAID, actor=actor, reason=outcome, now=now, stamps=stamps)
    settle_claims(session, order, lines, actor, now)
    return outcome


def expire_unpaid(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Give up orders whose time to pay or to approve is over, freeing stock, coupons and points; gives their number.

    Safe to repeat and to run in several workers at once.
    """
    overdue = session.scalars(
        select(Order)
        .where(Order.status.in_(_UNPAID), Order.expires_at <= now)
        .order_by(Order.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for order in overdue:
        _expire(session, order, now)
    return len(overdue)


def _expire(session: Session, order: Order, now: datetime) -> None:
    reason = "not approved in time" if order.status is OrderStatus.AWAITING_APPROVAL else "not paid in time"
    transition(session, order, OrderStatus.EXPIRED, actor="worker", reason=reason, now=now)
    inventory.release_holds(session, order.id, state=HoldState.EXPIRED, now=now)
    release_claims(session, order, actor="worker", now=now)
    void_with_order(session, order.id, reason="the order ran out", now=now)
