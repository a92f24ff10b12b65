"""Real threads on PostgreSQL: callback beside webhook, parallel refunds, parallel starts."""

import threading
from collections.abc import Callable, Sequence

import pytest

from tests.transactional.payments.till import GatewayOrder, Till
from transactional.core.errors import ShopError
from transactional.orders.service import OrderStatus
from transactional.payments import inbox, service
from transactional.payments.models import GatewayDifference, WebhookInbox
from transactional.payments_standin.bank import Outcome

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def at_once(tasks: Sequence[Callable[[], object]]) -> list[BaseException | None]:
    """Run the tasks in threads that start together; gives each one's error."""
    barrier = threading.Barrier(len(tasks))
    errors: list[BaseException | None] = [None] * len(tasks)

    def run(position: int, task: Callable[[], object]) -> None:
        barrier.wait()
        try:
            task()
        except BaseException as error:  # noqa: BLE001  the test looks at it
            errors[position] = error

    threads = [threading.Thread(target=run, args=(position, task)) for position, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_callback_webhook_and_poller_in_parallel_post_one_capture(pg_till: Till) -> None:
    till = pg_till
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
    deliveries = till.standin.deliveries.listing()

    def hear(position: int) -> None:
        delivery = deliveries[position]
        till.database.run(
            lambda session: inbox.receive(session, raw=delivery.body, event_id=delivery.event_id, now=till.clock.now()),
            actor="test",
        )

    tasks = [
        *(lambda: till.verify(paid) for _ in range(4)),
        *(lambda position=position: hear(position) for position in (0, 1, 2, 1, 2)),
        *(till.work for _ in range(3)),
        *(lambda: service.poll_open(till.database, till.gateway) for _ in range(2)),
    ]
    assert at_once(tasks) == [None] * len(tasks)
    till.work()
    assert till.captures() == 1
    assert len(till.payments(order_id)) == 1
    assert till.order(order_id).status is OrderStatus.PAID
    assert till.count(WebhookInbox) == 3
    till.check_books()


def test_fifty_deliveries_and_the_browser_post_one_capture(pg_till: Till) -> None:
    till = pg_till
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
    deliveries = till.standin.deliveries.listing()

    def hear(number: int) -> None:
        """Each event several times under its own id, and more often under new ones, as replays by hand may come."""
        delivery = deliveries[number % 3]
        event_id = delivery.event_id if number % 2 else f"evt_again_{number}"
        till.database.run(
            lambda session: inbox.receive(session, raw=delivery.body, event_id=event_id, now=till.clock.now()),
            actor="test",
        )
        till.work()

    tasks = [
        *(lambda number=number: hear(number) for number in range(50)),
        *(lambda: till.verify(paid) for _ in range(8)),
    ]
    assert at_once(tasks) == [None] * len(tasks)
    till.work()
    assert till.captures() == 1
    assert len(till.payments(order_id)) == 1
    assert till.refunds(order_id) == []
    assert till.order(order_id).status is OrderStatus.PAID
    till.check_books()


def test_reconciliations_at_once_keep_one_row_a_difference(pg_till: Till) -> None:
    till = pg_till
    payment = till.payments(till.buy())[0]
    with till.database.unit_of_work(actor="vandal") as session:
        session.get_one(service.Payment, payment.id).fee_minor = 1
    assert at_once([lambda: service.reconcile(till.database, till.gateway)] * 4) == [None] * 4
    with till.database.read() as session:
        found = session.query(GatewayDifference).all()
    assert [(row.kind, row.resolved_at) for row in found] == [("fee", None)]
    with till.database.unit_of_work(actor="repair") as session:
        session.get_one(service.Payment, payment.id).fee_minor = payment.fee_minor
    assert at_once([lambda: service.reconcile(till.database, till.gateway)] * 4) == [None] * 4
    with till.database.read() as session:
        assert [row.resolved_at for row in session.query(GatewayDifference)] == [till.clock.now()]


def test_parallel_refunds_never_exceed_the_capture(pg_till: Till) -> None:
    till = pg_till
    order_id = till.buy()
    total = till.order(order_id).total_minor
    share = total // 4
    errors = at_once([lambda n=n: till.refund(order_id, share, f"key-{n}") for n in range(12)])
    assert sum(error is None for error in errors) == 4
    assert all(isinstance(error, service.RefundTooLarge) for error in errors if error is not None)
    assert at_once([till.work] * 4) == [None] * 4
    payment = till.payments(order_id)[0]
    assert (payment.refunded_minor, payment.refund_pending_minor) == (4 * share, 0)
    assert till.gateway.fetch_payment(payment.gateway_payment_id).refunded_minor == 4 * share
    till.check_books()


def test_the_same_refund_ordered_many_times_is_one(pg_till: Till) -> None:
    till = pg_till
    order_id = till.buy()
    errors = at_once([lambda: till.refund(order_id, 10_000, "the-key")] * 8)
    assert all(error is None or isinstance(error, ShopError) for error in errors)
    assert errors == [None] * 8
    assert len(till.refunds(order_id)) == 1


def test_parallel_starts_give_one_gateway_order(pg_till: Till) -> None:
    till = pg_till
    order_id = till.place()
    found: list[str] = []
    assert at_once([lambda: found.append(till.start(order_id))] * 8) == [None] * 8
    assert len(set(found)) == 1
    assert till.count(GatewayOrder) == 1


def test_two_captured_payments_of_one_order_in_parallel_keep_one(pg_till: Till) -> None:
    from dataclasses import replace

    till = pg_till
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
    real = till.gateway.fetch_payment(paid.payment_id)
    twins = [real, replace(real, payment_id="pay_" + "B" * 14)]

    def report(snapshot: service.PaymentSnapshot) -> None:
        till.database.run(
            lambda session: service.apply_gateway_payment(
                session, snapshot=snapshot, source="webhook", now=till.clock.now()
            ),
            actor="test",
        )

    assert at_once([lambda twin=twin: report(twin) for twin in twins * 4]) == [None] * 8
    assert till.captures() == 2
    assert sorted(payment.refund_pending_minor > 0 for payment in till.payments(order_id)) == [False, True]
    till.check_books()
