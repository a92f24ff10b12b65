"""Gifts that are made after a design: the shop shows it, the customer agrees (or not), and only then pays."""

from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.orders.service import Order, OrderStatus
from transactional.simulation import paying
from transactional.simulation.paying import Then
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage, actor_of

_NEVER_ANSWERS = 0.07
_CALLS_OFF = 0.05
_WANTS_ANOTHER_DESIGN = 0.08
_FORGETS_TO_PAY = 0.04


def plan(stage: Stage, shopper: Shopper, order: Order, then: Then) -> None:
    """The design is ready within a day or two; `then` happens when the order is paid, or will be at the door."""
    if stage.chance(_NEVER_ANSWERS):
        stage.counts["designs never approved"] += 1
    elif stage.chance(_CALLS_OFF):
        stage.later(stage.after(4, 60), lambda: _call_off(stage, shopper, order.id))
    else:
        stage.later(stage.after(4, 60), lambda: _approve(stage, shopper, order, then))


def _approve(stage: Stage, shopper: Shopper, order: Order, then: Then) -> None:
    """Agree to what will be made. Some change their mind before they pay, and agree to the next design."""

    def job(session: Session) -> None:
        content = orders.content_sha256(orders.lines_of(session, order.id))
        orders.approve(session, order_id=order.id, content_sha256=content, actor=actor_of(shopper), now=stage.now)

    stage.work(actor_of(shopper), job)
    stage.counts["designs approved"] += 1
    if stage.chance(_WANTS_ANOTHER_DESIGN):
        stage.later(stage.after(0.5, 8), lambda: _send_back(stage, shopper, order, then))
    elif order.payment_mode is orders.PaymentMode.ON_DELIVERY or order.total_minor == 0:
        then()
    elif not stage.chance(_FORGETS_TO_PAY):
        stage.later(stage.after(0.05, 20), lambda: paying.pay(stage, shopper, order.id, then))


def _send_back(stage: Stage, shopper: Shopper, order: Order, then: Then) -> None:
    reason = "another picture, please"
    stage.work(
        actor_of(shopper),
        lambda session: (
            orders.void(session, order_id=order.id, actor=actor_of(shopper), reason=reason, now=stage.now).id
        ),
    )
    stage.counts["designs sent back"] += 1
    stage.later(stage.after(4, 40), lambda: _approve(stage, shopper, order, then))


def _call_off(stage: Stage, shopper: Shopper, order_id: int) -> None:
    def job(session: Session) -> None:
        if orders.get_order(session, order_id).status is OrderStatus.AWAITING_APPROVAL:
            orders.cancel(
                session, order_id=order_id, actor=actor_of(shopper), reason="does not like the design", now=stage.now
            )

    stage.work(actor_of(shopper), job)
    stage.counts["cancellations"] += 1
