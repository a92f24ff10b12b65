"""Other units for returned ones, and units sent again because something was wrong: change sets of delivered orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, OutOfStock
from transactional.orders.change_drafts import ADD, AddedUnits, added_lines, open_change
from transactional.orders.change_models import ChangeKind, ChangeStatus, OrderChange, OrderChangeLine
from transactional.orders.changes import (
    await_payment,
    carry_out,
    decline_open_change,
    hold_added,
    lock_change,
    lock_goods,
)
from transactional.orders.giving_back import publish_refund
from transactional.orders.models import Order, OrderLine, OrderStatus
from transactional.orders.queries import lines_of, lock_order
from transactional.orders.transitions import refusal

TIME_TO_PAY = timedelta(days=3)
"""How long the goods of an exchange wait for its difference: the customer has to notice that their parcel arrived."""

_ARRIVED = (OrderStatus.DELIVERED, OrderStatus.PARTIALLY_DELIVERED)


def draft_exchange(
    session: Session, *, order_id: int, add: Sequence[AddedUnits], actor: str, reason: str, now: datetime
) -> OrderChange:
    """What a customer wants instead of units that they send back; its prices are frozen now, nothing is promised yet.

    Raises NotFound, IllegalTransition unless the order is delivered, InvalidInput for nothing wanted, Conflict for what
    is not sold or while another change is open.
    """
    order = lock_order(session, order_id)
    if order.status is not OrderStatus.DELIVERED:
        raise refusal(order, OrderStatus.PARTIALLY_DELIVERED)
    if not add:
        raise InvalidInput("an exchange names what shall come instead", field="exchange_for")
    change = open_change(session, order, ChangeKind.EXCHANGE, actor=actor, reason=reason, now=now)
    parts = added_lines(session, order, change, add, now)
    session.add_all(parts)
    change.added_minor = change.difference_minor = sum(part.net_minor for part in parts)
    session.flush()
    return change


def lock_exchanged(session: Session, *, change_id: int, returned: Collection[int]) -> None:
    """Lock the stock of an exchange in one pass: the variants that come back and those that go out.

    Before the returned units are shelved. Raises NotFound.
    """
    _order, change = lock_change(session, change_id)
    lock_goods(session, change, returned)


def settle_exchange(session: Session, *, change_id: int, credit_minor: int, actor: str, now: datetime) -> OrderChange:
    """The returned units are here, worth `credit_minor`: the others are sent, or paid first, or the rest goes back.

    Where the other units are gone, or the draft was declined meanwhile, all of the credit goes back. Raises NotFound,
    IllegalTransition while other parcels of the order are under way.
    """
    order, change = lock_change(session, change_id)
    if change.status is not ChangeStatus.DRAFT:
        publish_refund(session, order, credit_minor, reason="exchange declined", key=f"change:{change.id}", now=now)
        return change
    change.given_up_minor, change.difference_minor = credit_minor, change.added_minor - credit_minor
    session.flush()
    if order.status is not OrderStatus.DELIVERED:
        raise refusal(order, OrderStatus.PARTIALLY_DELIVERED, ": its other parcels have to arrive first")
    try:
        with session.begin_nested():
            hold_added(session, order, change, now=now)
    except OutOfStock:
        decline_open_change(session, order, actor=actor, now=now)
        return change
    if change.difference_minor > 0:
        await_payment(session, order, change, actor=actor, now=now, within=TIME_TO_PAY)
    else:
        carry_out(session, order, change, actor=actor, now=now)
    return change


def drop_exchange(session: Session, *, change_id: int, actor: str, now: datetime) -> None:
    """The return that the exchange hangs on was not accepted. Raises NotFound."""
    order, change = lock_change(session, change_id)
    if change.status is ChangeStatus.DRAFT:
        decline_open_change(session, order, actor=actor, now=now)


def send_again(
    session: Session, *, order_id: int, units: Mapping[int, int], actor: str, reason: str, now: datetime
) -> OrderChange:
    """Send delivered units (order line → quantity) once more, free of charge, because something was wrong with them.

    Raises NotFound, IllegalTransition where nothing was delivered, InvalidInput for no units, Conflict for more units
    than the customer has, OutOfStock where they cannot be had.
    """
    order = lock_order(session, order_id)
    if order.status not in _ARRIVED:
        raise refusal(order, OrderStatus.PARTIALLY_DELIVERED)
    change = open_change(session, order, ChangeKind.CLAIM, actor=actor, reason=reason, now=now)
    session.add_all(_free_of_charge(session, order, change, units))
    session.flush()
    hold_added(session, order, change, now=now)
    carry_out(session, order, change, actor=actor, now=now)
    return change


def _free_of_charge(
    session: Session, order: Order, change: OrderChange, units: Mapping[int, int]
) -> list[OrderChangeLine]:
    if not units:
        raise InvalidInput("name at least one unit", field="units")
    lines = {line.id: line for line in lines_of(session, order.id)}
    parts = []
    for line_id, quantity in sorted(units.items()):
        if line_id not in lines or quantity < 1:
            raise InvalidInput(f"line {line_id} of this order, and at least one unit of it", field="units")
        line = lines[line_id]
        left = line.delivered_quantity - line.returned_quantity
        if quantity > left:
            raise Conflict(f"the customer has {left} units of {line.sku}, not {quantity}", left=left)
        parts.append(_gift(change, line, quantity))
    return parts


def _gift(change: OrderChange, line: OrderLine, quantity: int) -> OrderChangeLine:
    gross = line.unit_price_minor * quantity
    return OrderChangeLine(
        change_id=change.id,
        action=ADD,
        variant_id=line.variant_id,
        product_id=line.product_id,
        sku=line.sku,
        title=line.title,
        quantity=quantity,
        unit_price_minor=line.unit_price_minor,
        gross_minor=gross,
        line_discount_minor=gross,
        tax_minor=0,
        net_minor=0,
        customisation=line.customisation,
    )
