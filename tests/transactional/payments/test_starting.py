"""Starting a payment: one request per order, whatever gets lost."""

from datetime import timedelta

import pytest

from tests.transactional.payments.till import GatewayOrder, Till
from transactional.core.errors import NotFound
from transactional.payments import service
from transactional.payments.gateway import RateLimited, Unknown
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.faults import Fault


def orders_at_gateway(till: Till) -> list[str]:
    return [record.path for record in till.standin.requests() if (record.method, record.path) == ("POST", "/v1/orders")]


def test_starting_again_gives_the_same_gateway_order(till: Till) -> None:
    order_id = till.place()
    first = till.start(order_id)
    till.clock.advance(timedelta(minutes=1))
    assert till.start(order_id) == first
    assert len(orders_at_gateway(till)) == 1
    request = till.gateway.fetch_order(first)
    assert request.amount_minor == till.order(order_id).total_minor
    assert request.receipt == f"{till.order(order_id).order_number}-1"


def test_the_row_is_there_before_the_call(till: Till) -> None:
    order_id = till.place()
    till.standin.faults.arm(Fault.RATE_LIMITED, path_prefix="/v1/orders")
    with pytest.raises(RateLimited):
        till.start(order_id)
    assert till.count(GatewayOrder) == 1
    till.start(order_id)
    assert till.count(GatewayOrder) == 1


def test_a_lost_answer_is_found_by_its_receipt(till: Till) -> None:
    order_id = till.place()
    till.standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/orders")
    gateway_order_id = till.start(order_id)
    assert len(orders_at_gateway(till)) == 1
    assert [order.order_id for order in till.gateway.orders_by_receipt(f"{till.order(order_id).order_number}-1")] == [
        gateway_order_id
    ]


def test_a_process_that_died_after_the_call_finds_the_order_again(till: Till) -> None:
    order_id = till.place()
    till.standin.faults.arm(Fault.ANSWER_LOST, method="POST", path_prefix="/v1/orders")
    till.standin.faults.arm(Fault.HTML_502, method="GET", path_prefix="/v1/orders")
    with pytest.raises(Unknown):
        till.start(order_id)
    till.clock.advance(timedelta(minutes=1))
    till.start(order_id)
    assert len(orders_at_gateway(till)) == 1


def test_the_poller_finds_it_too(till: Till) -> None:
    order_id = till.place()
    till.standin.faults.arm(Fault.ANSWER_LOST, method="POST", path_prefix="/v1/orders")
    till.standin.faults.arm(Fault.HTML_502, method="GET", path_prefix="/v1/orders")
    with pytest.raises(Unknown):
        till.start(order_id)
    till.clock.advance(timedelta(minutes=2))
    service.poll_open(till.database, till.gateway)
    with till.database.read() as session:
        request = session.get_one(GatewayOrder, 1)
    till.standin.pay(request.gateway_order_id or "", outcome=Outcome.CAPTURED)
    service.poll_open(till.database, till.gateway)
    assert till.order(order_id).status == "paid"


def test_only_orders_that_wait_for_an_online_payment_can_be_paid(till: Till) -> None:
    paid, on_delivery, late = till.buy(), till.place(mode="on_delivery"), till.place()
    till.clock.advance(timedelta(minutes=15))
    for order_id, reason in ((paid, "is paid"), (on_delivery, "not paid online"), (late, "is over")):
        with pytest.raises(service.NotPayable, match=reason):
            till.start(order_id)
    with pytest.raises(NotFound):
        till.start(99_999)
