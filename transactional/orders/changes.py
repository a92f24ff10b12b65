"""Change sets: an order is altered by what is written here first, never by a silent update of its lines.

Units that go are counted as cancelled on their line, whose sums stay frozen; units that come are lines of their own. A
difference to the customer's cost is paid before anything happens; one to their favour goes back when it has happened.
The order leaves `modifying` and `awaiting_extra_payment` only through one of the functions below, or by cancellation.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from transactional.core.errors import Conflict, NotFound
from transactional.core.outbox import publish
from transactional.inventory import service as inventory
from transactional.orders.change_drafts import (
    ADD,
    REMOVE,
    WantedChange,
    open_change,
    price_change,
    removed_lines,
)
from transactional.orders.change_models import OPEN_CHANGES, ChangeKind, ChangeStatus, OrderChange, OrderChangeLine
from transactional.orders.claims import earn_for_added
from transactional.orders.giving_back import GivenBack, give_back, publish_refund, settle_given
from transactional.orders.models import Order, OrderLine, OrderStatus, PaymentMode, UnitMove
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.redirecting import redirect
from transactional.orders.transitions import refusal, transition
from transactional.orders.units import status_by_units

ORDER_CHANGED = "orders.changed"
"""Outbox topic {order_id, change_id, kind, occurred_at}: a change set was applied."""

DRAFT_LIFE = timedelta(hours=24)
"""A forgotten draft must not keep an order from being packed for ever."""
PAYMENT_TIME = timedelta(minutes=30)
"""How long the goods of a change wait for its extra payment."""


def draft_change(
    session: Session,
    *,
    order_id: int,
    wanted: WantedChange,
    actor: str,
    reason: str,
    now: datetime,
    may_unpack: bool = False,
) -> OrderChange:
    """Propose a change of an order that was not sent: the prices are frozen now, the order is `modifying`.

    A packed order must be unpacked for it, which only staff may decide (`may_unpack`); its address is settled. Raises
    NotFound, IllegalTransition where the order cannot be changed, InvalidInput and Conflict as `price_change` does.
    """
    order = lock_order(session, order_id)
    if order.status is OrderStatus.PACKED and (not may_unpack or wanted.ship_to is not None):
        what = "its address cannot change any more" if wanted.ship_to is not None else "ask the shop to unpack it"
        raise refusal(order, OrderStatus.MODIFYING, f": it is packed, {what}")
    transition(session, order, OrderStatus.MODIFYING, actor=actor, reason=reason, now=now)
    change = open_change(
        session, order, ChangeKind.EDIT, actor=actor, reason=reason, now=now, expires_at=now + DRAFT_LIFE
    )
    price_change(session, order, change, wanted, now=now)
    return change


def apply_change(session: Session, *, change_id: int, actor: str, now: datetime) -> OrderChange:
    """The customer agrees to a draft: it happens now, or as soon as the difference is paid.

    The stock of added units is promised at once. An order that is paid on delivery pays the difference at the door.
    Raises NotFound, Conflict unless it is a draft, OutOfStock where the added units cannot be had.
    """
    order, change = lock_change(session, change_id)
    _require(change, ChangeStatus.DRAFT)
    if change.kind is ChangeKind.EXCHANGE:
        raise Conflict(f"exchange {change.public_id} is settled when the returned units arrive")
    lock_goods(session, change)
    hold_added(session, order, change, now=now)
    if change.difference_minor > 0 and order.paid_at is not None:
        await_payment(session, order, change, actor=actor, now=now)
    else:
        carry_out(session, order, change, actor=actor, now=now)
    return change


def await_payment(
    session: Session, order: Order, change: OrderChange, *, actor: str, now: datetime, within: timedelta = PAYMENT_TIME
) -> None:
    """The difference of a change must be paid first; until then its goods are promised to the order."""
    change.status = ChangeStatus.AWAITING_PAYMENT
    change.expires_at = now + within
    session.flush()
    reason = f"{change.difference_minor} minor units more"
    transition(session, order, OrderStatus.AWAITING_EXTRA_PAYMENT, actor=actor, reason=reason, now=now)


def decline_change(session: Session, *, change_id: int, actor: str, now: datetime) -> OrderChange:
    """An open change does not happen: the order goes on as it was. Raises NotFound, Conflict where it is not open."""
    order, change = lock_change(session, change_id)
    if change.status not in OPEN_CHANGES:
        raise _not_open(change)
    decline_open_change(session, order, actor=actor, now=now)
    go_on(session, order, actor=actor, now=now, reason="change declined")
    return change


def decline_open_change(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    """Give up the open change of a locked order, with the goods promised to it; the order's status stays.

    What an exchange had taken for returned units goes back to the customer instead.
    """
    change = open_change_of(session, order.id)
    if change is None:
        return
    if change.status is ChangeStatus.AWAITING_PAYMENT:
        units = _demand(change_lines_of(session, change.id))
        if units:
            inventory.release_units(session, order_id=order.id, units=units, now=now)
    if change.kind is ChangeKind.EXCHANGE:
        key = f"change:{change.id}"
        publish_refund(session, order, change.given_up_minor, reason="exchange declined", key=key, now=now)
    change.status = ChangeStatus.DECLINED
    change.declined_at, change.decided_by = now, actor
    session.flush()


def expire_changes(session: Session, *, now: datetime, limit: int = 1) -> int:
    """Decline open changes whose time is over; gives their number. Safe to repeat and to run twice at once."""
    overdue = session.execute(
        select(OrderChange.id, OrderChange.order_id)
        .where(OrderChange.status.in_(OPEN_CHANGES), OrderChange.expires_at <= now)
        .order_by(OrderChange.id)
        .limit(limit)
    ).all()
    for change_id, _order_id in overdue:
        order, change = lock_change(session, change_id)
        if change.status in OPEN_CHANGES:
            decline_open_change(session, order, actor="worker", now=now)
            go_on(session, order, actor="worker", now=now, reason="change not paid or agreed to in time")
    return len(overdue)


def settle_extra_payment(
    session: Session, order: Order, *, amount_minor: int | None, actor: str, now: datetime
) -> bool:
    """The difference of a locked order's change was paid: it happens. False where this is not its payment."""
    change = open_change_of(session, order.id)
    if change is None or change.status is not ChangeStatus.AWAITING_PAYMENT:
        return False
    if amount_minor is not None and amount_minor != change.difference_minor:
        return False
    carry_out(session, order, change, actor=actor, now=now)
    return True


def carry_out(session: Session, order: Order, change: OrderChange, *, actor: str, now: datetime) -> None:
    """Do what a settled change says; the order goes on from where its units are."""
    parts = change_lines_of(session, change.id)
    added = _add_lines(session, order, [part for part in parts if part.action == ADD])
    removed = {part.order_line_id: part.quantity for part in parts if part.action == REMOVE and part.order_line_id}
    if removed:
        lines = lines_of(session, order.id)
        given = give_back(
            session,
            order,
            lines,
            UnitMove.CANCELLED,
            removed,
            actor=actor,
            now=now,
            reason=change.reason,
            cause=f"change:{change.id}",
            agreed_minor=change.given_up_minor - max(0, -change.shipping_minor),
        )
        free_stock(session, order, lines, removed, now=now)
        settle_given(session, order, given, actor=actor, now=now)
    if added and order.paid_at is not None:
        earn_for_added(session, order, added, actor, now)
    if change.ship_to is not None:
        redirect(session, order, change)
    mark_applied(session, order, change, actor=actor, now=now)
    go_on(session, order, actor=actor, now=now, reason="change applied")
    publish_refund(session, order, -change.difference_minor, reason=change.reason, key=f"change:{change.id}", now=now)


def mark_applied(session: Session, order: Order, change: OrderChange, *, actor: str, now: datetime) -> None:
    """The change set has happened."""
    change.status = ChangeStatus.APPLIED
    change.applied_at, change.decided_by, change.expires_at = now, actor, None
    session.flush()
    payload = {"order_id": order.id, "change_id": change.id, "kind": change.kind, "occurred_at": now.isoformat()}
    publish(session, ORDER_CHANGED, payload, dedup_key=f"{ORDER_CHANGED}:{change.id}", now=now)


def close_cancellation(
    session: Session,
    order: Order,
    lines: Sequence[OrderLine],
    change: OrderChange,
    given: GivenBack,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Write down as an applied change set which units were called off, at their frozen price."""
    session.add_all(removed_lines(order, change, lines, given.moves))
    change.given_up_minor = given.decision.refund_minor
    change.difference_minor = -given.decision.refund_minor
    mark_applied(session, order, change, actor=actor, now=now)


def free_stock(
    session: Session, order: Order, lines: Sequence[OrderLine], units: Mapping[int, int], *, now: datetime
) -> None:
    """What is held for cancelled units (order line → quantity) can be sold to others again."""
    freed: dict[int, int] = {}
    for line in lines:
        if line.id in units:
            freed[line.variant_id] = freed.get(line.variant_id, 0) + units[line.id]
    inventory.release_units(session, order_id=order.id, units=freed, now=now)


def open_change_of(session: Session, order_id: int) -> OrderChange | None:
    """The order's open change set, as it is now."""
    return session.scalar(
        select(OrderChange)
        .where(OrderChange.order_id == order_id, OrderChange.status.in_(OPEN_CHANGES))
        .execution_options(populate_existing=True)
    )


def find_change(session: Session, order_id: int, reference: str) -> OrderChange:
    """The order's change set with this public id. Raises NotFound."""
    change = session.scalar(
        select(OrderChange).where(OrderChange.order_id == order_id, OrderChange.public_id == reference)
    )
    if change is None:
        raise NotFound("there is no such change")
    return change


def changes_of(session: Session, order_id: int) -> Sequence[OrderChange]:
    """Every change set of the order, oldest first."""
    return session.scalars(select(OrderChange).where(OrderChange.order_id == order_id).order_by(OrderChange.id)).all()


def change_lines_of(session: Session, change_id: int) -> Sequence[OrderChangeLine]:
    """The parts of a change set."""
    return session.scalars(
        select(OrderChangeLine).where(OrderChangeLine.change_id == change_id).order_by(OrderChangeLine.id)
    ).all()


def lock_change(session: Session, change_id: int) -> tuple[Order, OrderChange]:
    """A change set and its order as they are now; the order's lock covers both. Raises NotFound."""
    change = session.get(OrderChange, change_id)
    if change is None:
        raise NotFound("there is no such change")
    order = lock_order(session, change.order_id)
    session.refresh(change)
    return order, change


def _require(change: OrderChange, status: ChangeStatus) -> None:
    if change.status is not status:
        raise _not_open(change)


def _not_open(change: OrderChange) -> Conflict:
    return Conflict(f"change {change.public_id} is {change.status} and cannot be decided again", change=change.status)


def _demand(parts: Sequence[OrderChangeLine]) -> dict[int, int]:
    demand: dict[int, int] = {}
    for part in parts:
        if part.action == ADD:
            demand[part.variant_id] = demand.get(part.variant_id, 0) + part.quantity
    return demand


def lock_goods(session: Session, change: OrderChange, also: Collection[int] = ()) -> None:
    """Lock the stock of everything that a change moves, and of the variants in `also`, in one pass."""
    inventory.lock_levels(session, {*also, *(part.variant_id for part in change_lines_of(session, change.id))})


def hold_added(session: Session, order: Order, change: OrderChange, *, now: datetime) -> None:
    """Promise the units that a change adds to its order. Raises OutOfStock; the caller must then roll back."""
    demand = _demand(change_lines_of(session, change.id))
    if demand:
        inventory.hold(session, order_id=order.id, demand=demand, expires_at=None, now=now)


def _add_lines(session: Session, order: Order, parts: Sequence[OrderChangeLine]) -> Sequence[OrderLine]:
    """New lines with the change's frozen prices; the order's sums grow by exactly theirs."""
    if not parts:
        return []
    lines = [_line_of(order, part) for part in parts]
    session.add_all(lines)
    session.flush()
    for part, line in zip(parts, lines, strict=True):
        part.order_line_id = line.id
    _grow(session, order, lines)
    return lines


def _line_of(order: Order, part: OrderChangeLine) -> OrderLine:
    return OrderLine(
        order_id=order.id,
        variant_id=part.variant_id,
        product_id=part.product_id,
        sku=part.sku,
        title=part.title,
        quantity=part.quantity,
        unit_price_minor=part.unit_price_minor,
        gross_minor=part.gross_minor,
        line_discount_minor=part.line_discount_minor,
        tax_minor=part.tax_minor,
        net_minor=part.net_minor,
        customisation=part.customisation,
    )


def _grow(session: Session, order: Order, lines: Sequence[OrderLine]) -> None:
    values = {
        "gross_minor": order.gross_minor + sum(line.gross_minor for line in lines),
        "discount_minor": order.discount_minor + sum(line.line_discount_minor for line in lines),
        "tax_minor": order.tax_minor + sum(line.tax_minor for line in lines),
        "total_minor": order.total_minor + sum(line.net_minor for line in lines),
    }
    session.execute(
        update(Order).where(Order.id == order.id).values(values).execution_options(synchronize_session=False)
    )
    for column, value in values.items():
        set_committed_value(order, column, value)


def go_on(session: Session, order: Order, *, actor: str, now: datetime, reason: str) -> None:
    """Out of `modifying` and `awaiting_extra_payment`, to where the order's units and money are."""
    to = status_by_units(lines_of(session, order.id))
    if to is None:
        unpaid = order.paid_at is None and order.payment_mode is PaymentMode.ON_DELIVERY
        to = OrderStatus.AWAITING_PAYMENT if unpaid else OrderStatus.PAID
    if to is not order.status:
        transition(session, order, to, actor=actor, reason=reason, now=now)
