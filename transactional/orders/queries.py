"""Reading orders."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page
from transactional.orders.models import Order, OrderLine, OrderStatus, OrderStatusChange

_GIVEN_UP = (OrderStatus.DRAFT, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
_AT_ONCE = 500

# Asked several times in the life of every order: built once.
_LOCKED_ORDER = (
    select(Order).where(Order.id == bindparam("order_id")).with_for_update().execution_options(populate_existing=True)
)
_LINES_OF_ORDER = (
    select(OrderLine)
    .where(OrderLine.order_id == bindparam("order_id"))
    .order_by(OrderLine.id)
    .execution_options(populate_existing=True)
)


def get_order(session: Session, order_id: int) -> Order:
    """The order. Raises NotFound."""
    order = session.get(Order, order_id)
    if order is None:
        raise NotFound("there is no such order")
    return order


def lock_order(session: Session, order_id: int) -> Order:
    """The order as it is now, its row locked until the commit. Raises NotFound."""
    order = session.scalar(_LOCKED_ORDER, {"order_id": order_id})
    if order is None:
        raise NotFound("there is no such order")
    return order


def find_order(session: Session, reference: str) -> Order | None:
    """The order with this number or public id."""
    column = Order.public_id if reference.startswith("ord_") else Order.order_number
    return session.scalar(select(Order).where(column == reference))


def order_by_reference(session: Session, reference: str) -> Order:
    """The order with this number or public id, for staff. Raises NotFound."""
    order = find_order(session, reference)
    if order is None:
        raise NotFound("there is no such order")
    return order


def get_visible_order(session: Session, reference: str, *, customer_id: int | None) -> Order:
    """The order for its customer; a guest's order for whoever knows its public id. Raises NotFound for all others."""
    order = find_order(session, reference)
    if order is not None and order.customer_id is not None:
        own = order.customer_id == customer_id
        guests = reference == order.public_id and get_customer(session, order.customer_id).is_guest
        if own or guests:
            return order
    raise NotFound("there is no such order")


def order_of_cart(session: Session, cart_id: int) -> Order | None:
    """The order that a cart became."""
    return session.scalar(select(Order).where(Order.cart_id == cart_id))


def has_ordered(
    session: Session,
    *,
    customer_id: int | None,
    identity_key: str | None,
    phone: str | None,
    before: int | None = None,
) -> bool:
    """Whether a person has an order that was not given up: by customer, un-aliased e-mail or normalised phone.

    `before` asks for orders older than that one.
    """
    keys = ((Order.customer_id, customer_id), (Order.identity_key, identity_key), (Order.phone, phone))
    of_person = [column == key for column, key in keys if key is not None]
    if not of_person:
        return False
    found = select(Order.id).where(or_(*of_person), Order.status.not_in(_GIVEN_UP)).limit(1)
    if before is not None:
        found = found.where(Order.id < before)
    return session.scalar(found) is not None


def placed_between(session: Session, *, since: datetime, until: datetime, currency: str, limit: int) -> Sequence[Order]:
    """The latest orders placed in a period that were not given up, oldest first."""
    latest = (
        select(Order)
        .where(Order.placed_at >= since, Order.placed_at < until)
        .where(Order.currency == currency, Order.status.not_in(_GIVEN_UP))
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(limit)
    )
    return session.scalars(latest).all()[::-1]


def lines_by_order(session: Session, order_ids: Sequence[int]) -> dict[int, list[OrderLine]]:
    """The lines of many orders, in their order."""
    found: dict[int, list[OrderLine]] = {}
    for start in range(0, len(order_ids), _AT_ONCE):
        some = select(OrderLine).where(OrderLine.order_id.in_(order_ids[start : start + _AT_ONCE]))
        for line in session.scalars(some.order_by(OrderLine.id)):
            found.setdefault(line.order_id, []).append(line)
    return found


def lines_of(session: Session, order_id: int) -> Sequence[OrderLine]:
    """The order's lines as they stand, in the order in which they were placed."""
    return session.scalars(_LINES_OF_ORDER, {"order_id": order_id}).all()


def get_line(session: Session, order_line_id: int) -> OrderLine:
    """One line. Raises NotFound."""
    line = session.get(OrderLine, order_line_id, populate_existing=True)
    if line is None:
        raise NotFound("there is no such order line")
    return line


def status_history(session: Session, order_id: int) -> Sequence[OrderStatusChange]:
    """Every step of the order's life, oldest first."""
    return session.scalars(
        select(OrderStatusChange).where(OrderStatusChange.order_id == order_id).order_by(OrderStatusChange.id)
    ).all()


def page_of_orders(
    session: Session, cursor: Cursor, *, customer_id: int | None = None, status: OrderStatus | None = None
) -> tuple[Sequence[Order], str | None]:
    """Orders, newest first: of one customer, in one status, or all."""
    statement = select(Order)
    if customer_id is not None:
        statement = statement.where(Order.customer_id == customer_id)
    if status is not None:
        statement = statement.where(Order.status == status)
    return fetch_page(session, statement, cursor, by=Order.id)
