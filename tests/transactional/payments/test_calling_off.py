"""Nothing leaves the house of which all the money was given back, unless staff say so."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.support.web import log_in, make_client, make_staff
from tests.transactional.payments.till import Till
from transactional.core.errors import IllegalTransition
from transactional.core.models import OutboxMessage
from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus
from transactional.orders.verification import verify_orders
from transactional.payments import service
from transactional.payments.models import PaymentStatus
from transactional.payments_standin.gateway import ApiRequest

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


def do(till: Till, work: Callable[..., Any], order_id: int, **more: Any) -> Any:
    return till.database.run(
        lambda session: work(session, order_id=order_id, actor="asif", now=till.clock.now(), **more), actor="asif"
    )


def give_back(till: Till, order_id: int, amount_minor: int, key: str = "sorry", **more: Any) -> None:
    do(till, service.refund_by_staff, order_id, amount_minor=amount_minor, reason="sorry", idempotency_key=key, **more)


def saleable(till: Till) -> int | None:
    with till.database.read() as session:
        return inventory.saleable(session, [till.variant_id])[till.variant_id]


def check(till: Till, order_id: int, status: OrderStatus) -> None:
    """Everything agrees, and nobody was alarmed."""
    till.work()
    assert till.order(order_id).status is status
    payment = till.payments(order_id)[0]
    assert (payment.status, payment.refunded_minor) == (PaymentStatus.REFUNDED, payment.captured_minor)
    assert verify_orders(till.database).differing == []
    with till.database.read() as session:
        alerts = select(func.count()).where(OutboxMessage.dedup_key.contains("alert:"))
        assert session.scalar(alerts) == 0
    till.check_books()


@pytest.mark.parametrize("packed", [False, True])
def test_an_order_whose_money_all_went_back_is_called_off(till: Till, packed: bool) -> None:
    before = saleable(till)
    order_id = till.buy()
    if packed:
        do(till, orders.pack, order_id)
    total = till.order(order_id).total_minor
    give_back(till, order_id, total - 100, "most")
    assert till.order(order_id).status is (OrderStatus.PACKED if packed else OrderStatus.PAID)
    give_back(till, order_id, 100, "the rest")
    give_back(till, order_id, 100, "the rest")  # told twice
    check(till, order_id, OrderStatus.CANCELLED)
    assert saleable(till) == before
    assert sum(refund.amount_minor for refund in till.refunds(order_id)) == total
    with till.database.read() as session:
        (decision,) = orders.decisions_of(session, order_id)
    assert decision.policy["paid_out"]["short_minor"] == total
    for step in (orders.pack, orders.ship):
        with pytest.raises(IllegalTransition):
            do(till, step, order_id)


def test_staff_may_send_it_all_the_same(till: Till) -> None:
    order_id = till.buy()
    give_back(till, order_id, till.order(order_id).total_minor, send_all_the_same=True)
    till.deliver(order_id)
    check(till, order_id, OrderStatus.DELIVERED)


def test_what_has_left_is_not_called_off(till: Till) -> None:
    order_id = till.buy()
    do(till, orders.pack, order_id)
    do(till, orders.ship, order_id)
    give_back(till, order_id, till.order(order_id).total_minor)
    check(till, order_id, OrderStatus.SHIPPED)


def test_money_given_back_at_the_gateway_calls_the_order_off_as_well(till: Till) -> None:
    before = saleable(till)
    order_id = till.buy()
    payment_id = till.payments(order_id)[0].gateway_payment_id
    till.standin.handle(ApiRequest("POST", f"/v1/payments/{payment_id}/refund", headers=AUTH))
    for _ in range(2):
        till.take_in(till.standin.deliveries.listing())
    check(till, order_id, OrderStatus.CANCELLED)
    assert saleable(till) == before


def test_units_called_off_after_goodwill_leave_nothing_to_pay_for_the_rest(till: Till) -> None:
    order_id = till.buy(3)
    with till.database.read() as session:
        (line,) = orders.lines_of(session, order_id)
    give_back(till, order_id, till.order(order_id).total_minor - 100)
    do(till, orders.cancel_units, order_id, units={line.id: 1}, reason="one less")
    till.work()
    assert till.order(order_id).status is OrderStatus.CANCELLED
    assert sum(refund.amount_minor for refund in till.refunds(order_id)) == till.order(order_id).total_minor
    assert verify_orders(till.database).differing == []
    till.check_books()


def test_staff_say_over_http_that_a_present_goes_out(till: Till, tmp_path: Any) -> None:
    client = make_client(till.database, tmp_path)
    make_staff(till.database, "manager@example.com")
    staff = log_in(client, "manager@example.com")
    for present, status in ((True, "paid"), (False, "cancelled")):
        order = till.order(till.buy())
        answer = client.post(
            f"/v1/staff/orders/{order.order_number}/refunds",
            json={"amount_minor": order.total_minor, "reason": "a present", "send_all_the_same": present},
            headers={**staff, "Idempotency-Key": f"a key of its own: {present}"},
        )
        assert answer.status_code == 201, answer.text
        assert till.order(order.id).status == status
