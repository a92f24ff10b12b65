"""Returns: frozen money, shelf, points and refund move together, and sum to what was paid."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from tests.transactional.payments.till import Till
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.orders import service as orders
from transactional.payments.models import RefundStatus
from transactional.returns import service as returns
from transactional.returns.models import Return, ReturnStatus

WINDOW = 14


def lines(till: Till, order_id: int) -> list[orders.OrderLine]:
    with till.database.read() as session:
        return list(orders.lines_of(session, order_id))


def ask(till: Till, order_id: int, quantity: int = 1, *, line_id: int | None = None) -> Return:
    line_id = line_id or lines(till, order_id)[0].id
    return till.database.run(
        lambda session: returns.request_return(
            session,
            order_id=order_id,
            quantities={line_id: quantity},
            reason="does not fit",
            window_days=WINDOW,
            now=till.clock.now(),
        ),
        actor="test",
    )


def step(till: Till, work: Callable[..., Return], asked: Return, **more: object) -> Return:
    return till.database.run(
        lambda session: work(session, return_id=asked.id, now=till.clock.now(), **more), actor="test"
    )


def send_back(till: Till, order_id: int, quantity: int) -> Return:
    asked = ask(till, order_id, quantity)
    step(till, returns.approve, asked)
    return step(till, returns.process, asked, actor="test")


@pytest.fixture
def delivered(till: Till) -> int:
    order_id = till.buy(3)
    till.deliver(order_id)
    return order_id


def saleable(till: Till) -> int | None:
    with till.database.read() as session:
        return inventory.saleable(session, [till.variant_id])[till.variant_id]


def test_a_return_moves_money_shelf_and_points_together(till: Till, delivered: int) -> None:
    line, before = lines(till, delivered)[0], saleable(till)
    with till.database.read() as session:
        earned = loyalty.balance(session, till.customer_id, now=till.clock.now()).pending
    assert earned > 0
    done = send_back(till, delivered, 1)
    till.work()
    assert done.status is ReturnStatus.PROCESSED
    assert done.refund_minor == line.net_minor // 3
    assert saleable(till) == (before or 0) + 1
    refund = till.refunds(delivered)[0]
    assert (refund.status, refund.amount_minor, refund.return_id) == (
        RefundStatus.PROCESSED,
        done.refund_minor,
        done.id,
    )
    with till.database.read() as session:
        left = loyalty.balance(session, till.customer_id, now=till.clock.now()).pending
    assert left < earned
    till.check_books()


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.integers(1, 7), min_size=1, max_size=5).filter(lambda parts: sum(parts) == 7))
def test_partial_returns_of_all_units_sum_to_what_was_paid_for_them(till: Till, parts: list[int]) -> None:
    with till.database.read() as session:
        held = session.scalar(select(func.count()).select_from(Return)) or 0
    order_id = till.buy(7)
    till.deliver(order_id)
    paid = lines(till, order_id)[0].net_minor
    assert sum(send_back(till, order_id, part).refund_minor for part in parts) == paid
    till.work()
    order, payment = till.order(order_id), till.payments(order_id)[0]
    assert payment.refunded_minor == paid == order.total_minor - order.shipping_minor
    assert payment.refund_pending_minor == 0
    with till.database.read() as session:
        assert (session.scalar(select(func.count()).select_from(Return)) or 0) == held + len(parts)
    till.check_books()


def test_what_cannot_be_returned(till: Till, delivered: int) -> None:
    other = till.buy(1)
    with pytest.raises(returns.OutsideWindow, match="not delivered"):
        ask(till, other)
    with pytest.raises(Conflict, match="3 units"):
        ask(till, delivered, 4)
    with pytest.raises(InvalidInput, match="does not belong"):
        ask(till, delivered, line_id=lines(till, other)[0].id)
    with pytest.raises(InvalidInput, match="at least one unit"):
        ask(till, delivered, 0)
    with pytest.raises(NotFound):
        ask(till, 99_999, line_id=1)
    with pytest.raises(InvalidInput, match="at least one line"), till.database.unit_of_work(actor="test") as session:
        returns.request_return(
            session, order_id=delivered, quantities={}, reason="", window_days=WINDOW, now=till.clock.now()
        )


def test_units_asked_for_count_until_they_are_rejected(till: Till, delivered: int) -> None:
    first = ask(till, delivered, 2)
    with pytest.raises(Conflict, match="1 units"):
        ask(till, delivered, 2)
    step(till, returns.reject, first, note="used")
    ask(till, delivered, 3)


def test_the_window_closes_to_the_second(till: Till, delivered: int) -> None:
    till.clock.advance(timedelta(days=WINDOW))
    ask(till, delivered)
    till.clock.advance(timedelta(seconds=1))
    with pytest.raises(returns.OutsideWindow, match="14 days"):
        ask(till, delivered)


def test_each_step_happens_once_and_in_order(till: Till, delivered: int) -> None:
    asked = ask(till, delivered)
    with pytest.raises(IllegalTransition, match="requested and cannot become processed"):
        step(till, returns.process, asked, actor="test")
    step(till, returns.approve, asked, note="welcome back")
    with pytest.raises(IllegalTransition):
        step(till, returns.reject, asked)
    step(till, returns.process, asked, actor="test")
    with pytest.raises(IllegalTransition):
        step(till, returns.process, asked, actor="test")
    assert len(till.refunds(delivered)) == 1
    with pytest.raises(NotFound), till.database.unit_of_work(actor="test") as session:
        returns.approve(session, return_id=99, now=till.clock.now())


def test_damaged_goods_are_refunded_but_not_sold_again(till: Till, delivered: int) -> None:
    before = saleable(till)
    asked = ask(till, delivered)
    step(till, returns.approve, asked)
    with till.database.read() as session:
        line_id = returns.lines_of(session, asked.id)[0].id
    with pytest.raises(InvalidInput, match="do not belong"):
        step(till, returns.process, asked, actor="test", damaged=[line_id + 1])
    done = step(till, returns.process, asked, actor="test", damaged=[line_id])
    assert done.refund_minor > 0
    assert saleable(till) == before


@pytest.mark.parametrize("kept_back", [0, 100], ids=["nothing left", "one rupee left"])
def test_a_return_after_a_goodwill_refund_gives_back_what_is_left(till: Till, delivered: int, kept_back: int) -> None:
    asked = ask(till, delivered)
    step(till, returns.approve, asked)
    till.refund(delivered, till.order(delivered).total_minor - kept_back, "everything")
    before = saleable(till)
    done = step(till, returns.process, asked, actor="test")
    assert done.status is ReturnStatus.PROCESSED
    assert done.refund_minor == kept_back
    assert lines(till, delivered)[0].returned_quantity == 1
    assert saleable(till) == before + 1
    with till.database.read() as session:
        (decision,) = orders.decisions_of(session, delivered)
    assert decision.policy["paid_out"] == {
        "amount_minor": kept_back,
        "short_minor": decision.refund_minor - kept_back,
        "rule": "the rest of the order's payments was given back before",
    }
    till.work()
    assert sum(refund.amount_minor for refund in till.refunds(delivered)) == till.order(delivered).total_minor
    till.check_books()


def test_a_return_that_is_paid_in_full_says_nothing_of_a_shortfall(till: Till, delivered: int) -> None:
    asked = ask(till, delivered)
    step(till, returns.approve, asked)
    step(till, returns.process, asked, actor="test")
    with till.database.read() as session:
        (decision,) = orders.decisions_of(session, delivered)
    assert "paid_out" not in decision.policy


@pytest.mark.postgres
@pytest.mark.slow
def test_two_members_of_staff_process_one_return_once(pg_till: Till) -> None:
    import threading

    till = pg_till
    order_id = till.buy(3)
    till.deliver(order_id)
    asked = ask(till, order_id, 2)
    step(till, returns.approve, asked)
    barrier, outcomes = threading.Barrier(6), []

    def process() -> None:
        barrier.wait()
        try:
            outcomes.append(step(till, returns.process, asked, actor="test").status)
        except IllegalTransition as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=process) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(ReturnStatus.PROCESSED) == 1
    assert len(outcomes) == 6
    till.work()
    assert len(till.refunds(order_id)) == 1
    till.check_books()


def test_what_was_not_paid_at_the_door_yet_is_no_longer_due_instead_of_paid_back(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=40_000, stock=9), kit.variant("CARD", price=30_000, stock=9)
    order_id = kit.buy({cup: 1, card: 1}, pay=False, payment_mode="on_delivery")
    cups = kit.lines(order_id)[0].id

    def first_parcel_goes_back(session: Session) -> int:
        orders.pack(session, order_id=order_id, actor="t", now=kit.now)
        orders.ship_parcel(session, order_id=order_id, units={cups: 1}, actor="t", now=kit.now)
        orders.parcel_delivered(session, order_id=order_id, units={cups: 1}, actor="t", now=kit.now)
        due = orders.amount_due(session, order_id)
        asked = returns.request_return(
            session, order_id=order_id, quantities={cups: 1}, reason="", window_days=WINDOW, now=kit.now
        )
        returns.approve(session, return_id=asked.id, now=kit.now)
        done = returns.process(session, return_id=asked.id, actor="t", now=kit.now)
        assert done.refund_minor == 40_000
        return due - orders.amount_due(session, order_id)

    assert kit.run(first_parcel_goes_back) == 40_000
    kit.assert_sound()
