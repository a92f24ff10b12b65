"""The table of steps, and the one function that takes them."""

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.core.errors import Conflict, IllegalTransition
from transactional.core.models import OutboxMessage
from transactional.orders import service
from transactional.orders.models import Order, OrderStatus, OrderStatusChange
from transactional.orders.transitions import STATUS_CHANGED, TRANSITIONS, transition


def test_the_table_knows_every_status_and_ends_where_life_ends() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    ends = {status for status, steps in TRANSITIONS.items() if not steps}
    assert ends == {OrderStatus.CANCELLED}
    assert all(status not in steps for status, steps in TRANSITIONS.items())


def test_every_step_outside_the_table_is_refused(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    order_id = kit.buy({cup: 1}, pay=False)
    for status in OrderStatus:
        for to in set(OrderStatus) - TRANSITIONS[status]:

            def attempt(session: Session, status: OrderStatus = status, to: OrderStatus = to) -> None:
                order = service.get_order(session, order_id)
                order.status = status
                session.flush()
                transition(session, order, to, actor="test", now=kit.now)

            with pytest.raises(IllegalTransition, match="cannot become"):
                kit.run(attempt)
    assert kit.count(OrderStatusChange) == 1


def test_only_an_order_paid_on_delivery_is_packed_unpaid(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=2)
    online = kit.buy({cup: 1}, pay=False)
    with pytest.raises(IllegalTransition):
        kit.run(lambda s: service.pack(s, order_id=online, actor="test", now=kit.now).id)
    cash = kit.buy({cup: 1}, pay=False, payment_mode="on_delivery")
    kit.run(lambda s: service.pack(s, order_id=cash, actor="test", now=kit.now).id)
    assert kit.order(cash).status is OrderStatus.PACKED


def test_a_step_from_an_outdated_view_is_a_conflict(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    order_id = kit.buy({cup: 1}, pay=False)

    def attempt(session: Session) -> None:
        order = service.get_order(session, order_id)
        session.execute(
            update(Order).where(Order.id == order_id).values(status=OrderStatus.EXPIRED),
            execution_options={"synchronize_session": False},
        )
        transition(session, order, OrderStatus.PAID, actor="test", now=kit.now)

    with pytest.raises(Conflict, match="changed meanwhile"):
        kit.run(attempt)


def test_every_step_leaves_a_history_row_and_a_message(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    order_id = kit.buy({cup: 1})
    kit.deliver(order_id)
    with kit.database.read() as session:
        steps = [(row.from_status, row.to_status) for row in service.status_history(session, order_id)]
    assert steps == [
        (None, "awaiting_payment"),
        ("awaiting_payment", "paid"),
        ("paid", "packed"),
        ("packed", "shipped"),
        ("shipped", "delivered"),
    ]
    assert kit.count(OutboxMessage, OutboxMessage.topic == STATUS_CHANGED) == len(steps)
