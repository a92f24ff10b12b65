"""Who bought what, for domains that recommend: only orders that count as sales."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from transactional.orders.models import Order, OrderLine, OrderStatus, PaymentMode

_NOT_SOLD = (OrderStatus.DRAFT, OrderStatus.AWAITING_APPROVAL, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Bought:
    """A product of somebody's order."""

    product_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Sold:
    """A product and how many distinct customers bought it; a guest's order counts as one customer."""

    product_id: int
    customers: int


def purchases_of(session: Session, *, customer_id: int, limit: int = 1000) -> Sequence[Bought]:
    """What a customer bought, newest first, a row an order line."""
    statement = (
        select(OrderLine.product_id, Order.placed_at)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.customer_id == customer_id, _is_sale())
        .order_by(Order.placed_at.desc(), OrderLine.id.desc())
        .limit(limit)
    )
    return [Bought(product_id, at) for product_id, at in session.execute(statement)]


def sold_products(session: Session, *, since: datetime, limit: int) -> Sequence[Sold]:
    """The products sold since a moment, those with the most distinct customers first."""
    # A guest without a customer row is told apart by the order, negated so that the two kinds of id never meet.
    buyers = func.count(func.distinct(func.coalesce(Order.customer_id, -Order.id)))
    statement = (
        select(OrderLine.product_id, buyers)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.placed_at >= since, Order.is_test.is_(False), _is_sale())
        .group_by(OrderLine.product_id)
        .order_by(buyers.desc(), OrderLine.product_id)
        .limit(limit)
    )
    return [Sold(product_id, customers) for product_id, customers in session.execute(statement)]


def _is_sale() -> ColumnElement[bool]:
    """Paid, or payable on delivery or outside of the shop and not called off: the rule of the warehouse."""
    return or_(
        Order.paid_at.is_not(None),
        and_(
            Order.payment_mode.in_((PaymentMode.ON_DELIVERY, PaymentMode.EXTERNAL)),
            Order.status.not_in(_NOT_SOLD),
        ),
    )
