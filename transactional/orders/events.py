"""What the shop tells the customer about each step of their order."""

from typing import Any

from sqlalchemy.orm import Session

from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.orders.models import OrderStatus
from transactional.orders.queries import get_order
from transactional.orders.transitions import STATUS_CHANGED

_NEWS: dict[OrderStatus, tuple[str, str]] = {
    OrderStatus.PAID: ("Thank you for your order {n}", "Your order {n} is paid and will be packed soon."),
    OrderStatus.SHIPPED: ("Your order {n} is on its way", "Your order {n} has left our house."),
    OrderStatus.DELIVERED: ("Your order {n} has arrived", "Your order {n} was delivered. We hope it brings joy."),
    OrderStatus.CANCELLED: (
        "Your order {n} is cancelled",
        "Your order {n} is cancelled. Paid money comes back to you.",
    ),
    OrderStatus.EXPIRED: ("Your order {n} has run out", "Your order {n} was not paid in time and has been given up."),
}
"""The steps that a customer hears of: subject and text."""


@handles(STATUS_CHANGED)
def tell_customer(database: Database, payload: dict[str, Any]) -> None:
    """Queue a mail about a step that the customer cares for; repeating it queues nothing."""
    news = _NEWS.get(OrderStatus(payload["to"]))
    if news is None:
        return
    subject, body = news

    def work(session: Session) -> None:
        order = get_order(session, payload["order_id"])
        if order.email:
            queue_mail(
                session,
                to=order.email,
                subject=subject.format(n=order.order_number),
                body=body.format(n=order.order_number),
                dedup_key=f"order:{order.id}:{payload['to']}",
                now=database.clock.now(),
            )

    database.run(work, actor="worker")
