"""Writing a new order: its number, its frozen lines, the first row of its history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from transactional.core.counters import next_ordinals
from transactional.core.ids import public_id
from transactional.orders.approvals import TIME_TO_APPROVE, needs_approval
from transactional.orders.models import Order, OrderLine, OrderStatus, PaymentMode
from transactional.orders.transitions import record

_FIRST_MONTH_OF_FINANCIAL_YEAR = 4


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line with its frozen shares, in minor units; see `OrderLine` for how they add up."""

    variant_id: int
    product_id: int
    sku: str
    title: str
    quantity: int
    unit_price_minor: int
    gross_minor: int
    order_discount_minor: int
    points_discount_minor: int
    tax_minor: int
    net_minor: int
    customisation: dict[str, Any] = field(default_factory=dict)
    line_discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class NewOrder:
    """Everything that placement freezes, in minor units of `currency`."""

    customer_id: int
    cart_id: int
    email: str | None
    currency: str
    channel: str
    payment_mode: PaymentMode
    gross_minor: int
    discount_minor: int
    points_redeemed: int
    points_discount_minor: int
    shipping_minor: int
    tax_minor: int
    total_minor: int
    coupon_code: str | None
    price_trace: dict[str, Any]
    ship_to: dict[str, Any]
    occasion: str | None
    gift_message: str | None
    expires_at: datetime | None
    lines: Sequence[NewLine]
    identity_key: str | None = None
    """The buyer's un-aliased e-mail."""
    phone: str | None = None
    """The buyer's own, normalised."""


def financial_year(now: datetime, time_zone: str) -> int:
    """The year in which the Indian financial year (April to March) of a moment began, by the shop's own clock."""
    local = now.astimezone(ZoneInfo(time_zone))
    return local.year if local.month >= _FIRST_MONTH_OF_FINANCIAL_YEAR else local.year - 1


def next_order_number(session: Session, *, now: datetime, time_zone: str) -> str:
    """`MLT-2026-000123`: the next number of the financial year's series. It may have gaps: an order is no document."""
    year = financial_year(now, time_zone)
    (number,) = next_ordinals(session, f"orders:{year}")
    return f"MLT-{year}-{number:06d}"


def write_order(session: Session, new: NewOrder, *, actor: str, now: datetime, time_zone: str) -> Order:
    """Write the order, awaiting payment, with its lines and first history row.

    Where a customisation is made only after the customer has agreed to it, the order awaits that first, for as long as
    `approvals.TIME_TO_APPROVE`. The unique cart makes a second order of one cart impossible (IntegrityError).
    """
    status, expires_at = OrderStatus.AWAITING_PAYMENT, new.expires_at
    if needs_approval(line.customisation for line in new.lines):
        status, expires_at = OrderStatus.AWAITING_APPROVAL, now + TIME_TO_APPROVE
    order = Order(
        public_id=public_id("ord"),
        order_number=next_order_number(session, now=now, time_zone=time_zone),
        customer_id=new.customer_id,
        cart_id=new.cart_id,
        email=new.email,
        identity_key=new.identity_key,
        phone=new.phone,
        status=status,
        payment_mode=new.payment_mode,
        channel=new.channel,
        currency=new.currency,
        gross_minor=new.gross_minor,
        discount_minor=new.discount_minor,
        points_redeemed=new.points_redeemed,
        points_discount_minor=new.points_discount_minor,
        shipping_minor=new.shipping_minor,
        wrap_minor=0,
        tax_minor=new.tax_minor,
        tax_included=True,
        total_minor=new.total_minor,
        coupon_code=new.coupon_code,
        price_trace=new.price_trace,
        ship_to=new.ship_to,
        ship_country=new.ship_to.get("country"),
        ship_city=new.ship_to.get("city"),
        occasion=new.occasion,
        gift_message=new.gift_message,
        placed_at=now,
        expires_at=expires_at,
    )
    session.add(order)
    session.flush()
    session.execute(insert(OrderLine), [_line(order.id, line) for line in new.lines])
    record(session, order, None, actor=actor, now=now, stamps={"expires_at": expires_at})
    return order


def _line(order_id: int, new: NewLine) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "variant_id": new.variant_id,
        "product_id": new.product_id,
        "sku": new.sku,
        "title": new.title[:200],
        "quantity": new.quantity,
        "unit_price_minor": new.unit_price_minor,
        "gross_minor": new.gross_minor,
        "line_discount_minor": new.line_discount_minor,
        "order_discount_minor": new.order_discount_minor,
        "points_discount_minor": new.points_discount_minor,
        "tax_minor": new.tax_minor,
        "net_minor": new.net_minor,
        "customisation": new.customisation,
    }
