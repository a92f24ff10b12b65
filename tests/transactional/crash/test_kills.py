"""The process is killed at every step of what moves money and goods; restarted, the shop's books close."""

from collections.abc import Callable

import pytest

from tests.support.keys import keyed
from tests.transactional.crash.scene import Scene
from transactional.orders.models import OrderStatus
from transactional.payments import service as payments

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

Operation = Callable[[], object]


def statuses(scene: Scene) -> set[OrderStatus]:
    return {order.status for order in scene.orders()}


def test_checkout_and_nobody_comes_back(scene: Scene) -> None:
    """What was placed is given up in time, with all that it claimed."""

    def prepare() -> Operation:
        body, headers = scene.checkout_body(scene.fill_cart()), keyed(scene.headers)
        return lambda: scene.checkout(body, headers, doomed=True)

    assert scene.sweep(prepare) > 15
    assert statuses(scene) == {OrderStatus.AWAITING_PAYMENT}
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.EXPIRED}
    assert scene.kit.level(scene.variant_id) == (1_000, 0)
    scene.check_everything()


def test_checkout_repeated_after_the_restart(scene: Scene) -> None:
    """The same request once more gives one order with one payment, wherever the first one died."""
    tried: list[tuple[dict[str, object], dict[str, str]]] = []

    def prepare() -> Operation:
        body, headers = scene.checkout_body(scene.fill_cart()), keyed(scene.headers)
        tried.append((body, headers))
        return lambda: scene.checkout(body, headers, doomed=True)

    scene.sweep(prepare)
    for body, headers in tried:
        scene.verify(scene.pay_at_bank(scene.checkout(body, headers)))
    assert len(scene.orders()) == len(tried)
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.PAID}
    scene.check_everything()


def test_the_browsers_report_of_a_payment(scene: Scene) -> None:
    """The money is taken; the browser's report dies and is not repeated: the poller finds it."""

    def prepare() -> Operation:
        paid = scene.pay_at_bank(scene.place())
        return lambda: scene.verify(paid, doomed=True)

    assert scene.sweep(prepare) > 15
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.PAID}
    scene.check_everything()


def test_webhooks(scene: Scene) -> None:
    """Receiving and processing die; then every other event comes once more, all kinds of them, the rest never."""
    handed_over = 0

    def prepare() -> Operation:
        nonlocal handed_over
        scene.pay_at_bank(scene.place())
        queued = scene.standin.deliveries.listing()
        events = [each for each in queued[handed_over:] if each.event == "payment.captured"]
        handed_over = len(queued)

        def operation() -> None:
            scene.hand_over(events, doomed=True)
            scene.doomed_work()

        return operation

    assert scene.sweep(prepare) > 20
    scene.hand_over(scene.standin.deliveries.listing()[::2])
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.PAID}
    scene.check_everything()


def test_cancellation_of_a_paid_order(scene: Scene) -> None:
    """Called off again after the restart: every payment goes back once, in full."""

    def prepare() -> Operation:
        order = scene.order_by_number(scene.buy())

        def operation() -> None:
            scene.cancel(order.order_number, doomed=True)
            scene.doomed_work()

        return operation

    assert scene.sweep(prepare) > 20
    for order in scene.orders():
        if order.status is OrderStatus.PAID:
            scene.cancel(order.order_number)
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.CANCELLED}
    assert all(each.refunded_minor == each.amount_minor for each in scene.taken_at_gateway())
    assert scene.kit.level(scene.variant_id) == (1_000, 0)
    scene.check_everything()


def test_refund_of_a_part(scene: Scene) -> None:
    """Ordered again under its key after the restart: each order gets its refund once."""
    amount = 1_234

    def prepare() -> Operation:
        order = scene.order_by_number(scene.buy())

        def operation() -> None:
            scene.refund(order.id, amount, f"refund-{order.id}", doomed=True)
            scene.doomed_work()

        return operation

    assert scene.sweep(prepare) > 10
    for order in scene.orders():
        scene.refund(order.id, amount, f"refund-{order.id}")
    scene.let_time_pass()
    assert statuses(scene) == {OrderStatus.PAID}
    assert {each.refunded_minor for each in scene.taken_at_gateway()} == {amount}
    scene.check_everything()
    with scene.database.read() as session:
        per_order = [len(payments.refunds_of_order(session, order_id=order.id)) for order in scene.orders()]
    assert set(per_order) == {1}
