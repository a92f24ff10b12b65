"""One order looked at as a whole: commission and referral are brought in line with it. Repeating changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import BindParameter, Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from transactional.affiliates.models import AffiliateCode, OrderAttribution, OrderReferral
from transactional.affiliates.referrals import due_referrals, settle_referral
from transactional.affiliates.settling import due_orders, settle_commission
from transactional.affiliates.worth import worth_of
from transactional.orders import service as orders
from transactional.settings import Settings, get_settings


def settle(session: Session, *, order_id: int, now: datetime, settings: Settings | None = None) -> None:
    """Attribute a paid order; earn, take back and approve its commission; begin, grant or reverse its referral.

    Computed from what the order is now, so it does not matter which news came first or twice. Raises NotFound.
    """
    order = orders.lock_order(session, order_id)
    if order.paid_at is None or order.is_test:
        return
    config = settings or get_settings()
    worth = worth_of(session, order, return_window_days=config.return_window_days)
    settle_commission(session, order, worth, now=now)
    settle_referral(session, order, worth, now=now)


def may_concern(session: Session, order_id: int) -> bool:
    """False where nobody can earn by an order: told by one statement, without a lock."""
    return bool(session.scalar(_statement(), {"order_id": order_id}))


def orders_to_look_at(session: Session, *, now: datetime, after_order_id: int, limit: int) -> Sequence[int]:
    """Orders that wait for the end of their window, by id."""
    due = due_orders(session, now=now, after_order_id=after_order_id, limit=limit)
    waiting = due_referrals(session, after_order_id=after_order_id, limit=limit)
    return sorted({*due, *waiting})[:limit]


def recently_given_back(session: Session, *, since: datetime) -> Sequence[int]:
    """Orders with an affiliate or an invitation of which units were given back lately."""
    concerned = or_(
        exists().where(OrderAttribution.order_id == orders.OrderUnitMove.order_id),
        exists().where(OrderReferral.order_id == orders.OrderUnitMove.order_id),
    )
    return session.scalars(
        select(orders.OrderUnitMove.order_id)
        .where(orders.OrderUnitMove.occurred_at >= since, orders.OrderUnitMove.first_unit.is_not(None), concerned)
        .distinct()
        .order_by(orders.OrderUnitMove.order_id)
    ).all()


@cache
def _statement() -> Select[tuple[bool]]:
    """Built once: it is asked after every payment, delivery and refund."""
    order_id: BindParameter[int] = bindparam("order_id")
    order = orders.Order
    said = exists().where(OrderReferral.order_id == order_id)
    known = exists().where(OrderAttribution.order_id == order_id)
    coupon = exists().where(order.id == order_id, AffiliateCode.code == func.upper(order.coupon_code))
    bound = exists().where(order.id == order_id, OrderAttribution.customer_id == order.customer_id)
    return select(said | known | coupon | bound)
