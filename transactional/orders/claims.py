"""What an order claims besides its goods: coupon uses and points, taken for good when the money is here."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.core.errors import Conflict
from transactional.core.money import allocate
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.loyalty.service import EarningLine
from transactional.orders.models import Order, OrderLine
from transactional.promotions import service as promotions


def claim_again(session: Session, order: Order, lines: Sequence[OrderLine], now: datetime) -> bool:
    """Whether stock, coupon uses and points of an expired order could be had anew; all of them or none."""
    demand: dict[int, int] = {}
    for line in lines:
        demand[line.variant_id] = demand.get(line.variant_id, 0) + line.quantity
    try:
        with session.begin_nested():
            inventory.hold(session, order_id=order.id, demand=demand, expires_at=None, now=now)
            promotions.claim_again(session, order_id=order.id, now=now)
            if order.points_redeemed and order.customer_id is not None:
                loyalty.hold(
                    session,
                    customer_id=order.customer_id,
                    order_id=order.id,
                    points=order.points_redeemed,
                    now=now,
                )
    except Conflict:
        return False
    return True


def settle_claims(session: Session, order: Order, lines: Sequence[OrderLine], actor: str, now: datetime) -> None:
    """The money is here: what was held is taken for good, and what was earned is given.

    Units that were given back before (an order paid on delivery) earn nothing, and what they cost in points returns.
    """
    inventory.confirm_holds(session, order.id)
    if order.coupon_code is not None or order.price_trace.get("applied"):
        promotions.redeem(session, order_id=order.id, now=now)
    if order.points_redeemed:
        loyalty.capture(session, order_id=order.id, now=now, actor=actor)
    if not _may_earn(session, order):
        return
    spent = allocate(order.points_redeemed, [line.points_discount_minor for line in lines])
    _earn(session, order, list(zip(lines, spent, strict=True)), actor, now, whole_order=True)
    for line in lines:
        if line.given_back_quantity:
            loyalty.reverse_for_return(
                session, order_line_id=line.id, first=0, count=line.given_back_quantity, now=now, actor=actor
            )


def earn_for_added(session: Session, order: Order, lines: Sequence[OrderLine], actor: str, now: datetime) -> None:
    """Lines that joined a paid order earn their points; none of the order's own points paid for them."""
    if _may_earn(session, order):
        _earn(session, order, [(line, 0) for line in lines], actor, now)


def _may_earn(session: Session, order: Order) -> bool:
    """Nobody could ever spend a guest's points."""
    return order.customer_id is not None and not get_customer(session, order.customer_id).is_guest


def _earn(
    session: Session,
    order: Order,
    lines: Sequence[tuple[OrderLine, int]],
    actor: str,
    now: datetime,
    *,
    whole_order: bool = False,
) -> None:
    assert order.customer_id is not None
    loyalty.earn_for_order(
        session,
        order_id=order.id,
        customer_id=order.customer_id,
        lines=[_earning_line(order, line, points) for line, points in lines],
        shipping_minor=order.shipping_minor if whole_order else 0,
        wrap_minor=order.wrap_minor if whole_order else 0,
        now=now,
        actor=actor,
    )


def _earning_line(order: Order, line: OrderLine, points_spent: int) -> EarningLine:
    return EarningLine(
        order_line_id=line.id,
        quantity=line.quantity,
        net_minor=line.net_minor,
        points_spent=points_spent,
        tax_minor=line.tax_minor,
        tax_included=order.tax_included,
        product_id=line.product_id,
    )


def release_claims(session: Session, order: Order, *, actor: str, now: datetime) -> None:
    """The order comes to nothing before it was paid: reserved coupon uses and held points are free again."""
    promotions.release(session, order_id=order.id, now=now)
    loyalty.release(session, order_id=order.id, now=now, actor=actor)
