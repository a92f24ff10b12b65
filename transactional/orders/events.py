"""What orders do on the news of others, and what the shop tells the customer about each step."""

from typing import Any

from sqlalchemy.orm import Session

from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.orders import carrier_news
from transactional.orders.carrier_news import CARRIER, Parcel
from transactional.orders.changes import ORDER_CHANGED
from transactional.orders.models import Order, OrderStatus
from transactional.orders.queries import get_order
from transactional.orders.transitions import STATUS_CHANGED
from transactional.shipping.service import DELIVERED, PICKED_UP, RETURNED

_NEWS: dict[OrderStatus, tuple[str, str]] = {
    OrderStatus.AWAITING_APPROVAL: (
        "Please look at your order {n}",
        "We make a part of your order {n} for you alone. Please look at it and agree, so that we can begin.",
    ),
    OrderStatus.PAID: ("Thank you for your order {n}", "Your order {n} is paid and will be packed soon."),
    OrderStatus.AWAITING_EXTRA_PAYMENT: (
        "Your order {n} waits for a payment",
        "The change of your order {n} costs a little more. Please pay the difference, so that we can go on.",
    ),
    OrderStatus.PARTIALLY_SHIPPED: (
        "A part of your order {n} is on its way",
        "A first parcel of your order {n} has left our house. The rest follows.",
    ),
    OrderStatus.SHIPPED: ("Your order {n} is on its way", "Your order {n} has left our house."),
    OrderStatus.DELIVERED: ("Your order {n} has arrived", "Your order {n} was delivered. We hope it brings joy."),
    OrderStatus.CANCELLED: (
        "Your order {n} is cancelled",
        "Your order {n} is cancelled. Paid money comes back to you.",
    ),
    OrderStatus.EXPIRED: ("Your order {n} has run out", "Your order {n} was not paid in time and has been given up."),
}
"""The steps that a customer hears of: subject and text."""

_EVERY_TIME = (OrderStatus.AWAITING_APPROVAL, OrderStatus.AWAITING_EXTRA_PAYMENT)
"""The customer has to do something each time; of the other steps they hear once."""


@handles(STATUS_CHANGED)
def tell_customer(database: Database, payload: dict[str, Any]) -> None:
    """Queue a mail about a step that the customer cares for; repeating it queues nothing."""
    status = OrderStatus(payload["to"])
    news = _NEWS.get(status)
    if news is not None:
        key = f"{status}:{payload['occurred_at']}" if status in _EVERY_TIME else str(status)
        _write(database, payload["order_id"], news, key=key)


@handles(ORDER_CHANGED)
def tell_of_change(database: Database, payload: dict[str, Any]) -> None:
    """Queue a mail about a change set that was applied."""
    news = (
        "Your order {n} was changed",
        "Your order {n} was changed as agreed. You find all parts of it in your account.",
    )
    _write(database, payload["order_id"], news, key=f"change:{payload['change_id']}")


@handles(PICKED_UP)
def parcel_picked_up(database: Database, payload: dict[str, Any]) -> None:
    """The parcel's units have left the house."""

    def work(session: Session) -> Order:
        return carrier_news.picked_up(session, Parcel.of(payload), now=database.clock.now())

    database.run(work, actor=CARRIER)


@handles(DELIVERED)
def parcel_delivered(database: Database, payload: dict[str, Any]) -> None:
    """The parcel's units have arrived."""

    def work(session: Session) -> Order:
        return carrier_news.delivered(session, Parcel.of(payload), now=database.clock.now())

    database.run(work, actor=CARRIER)


@handles(RETURNED)
def parcel_returned(database: Database, payload: dict[str, Any]) -> None:
    """The parcel's units came home, or never will."""

    def work(session: Session) -> Order:
        return carrier_news.came_back(
            session,
            Parcel.of(payload),
            reason=str(payload.get("reason") or "could not be delivered"),
            restock=bool(payload.get("restock", True)),
            ours=bool(payload.get("ours", False)),
            now=database.clock.now(),
        )

    database.run(work, actor=CARRIER)


def _write(database: Database, order_id: int, news: tuple[str, str], *, key: str) -> None:
    subject, body = news

    def work(session: Session) -> None:
        order = get_order(session, order_id)
        if order.email:
            queue_mail(
                session,
                to=order.email,
                subject=subject.format(n=order.order_number),
                body=body.format(n=order.order_number),
                dedup_key=f"order:{order.id}:{key}",
                now=database.clock.now(),
            )

    database.run(work, actor="worker")
