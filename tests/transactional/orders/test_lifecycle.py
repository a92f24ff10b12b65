"""Payment, expiry, cancellation and delivery, with everything that hangs on them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.parallel import at_once, failures
from tests.support.trade import TradeKit
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.errors import IllegalTransition, NotFound
from transactional.core.models import OutboxMessage
from transactional.inventory.models import StockHold
from transactional.inventory.service import HoldState
from transactional.orders import events, jobs, service
from transactional.orders.models import OrderStatus
from transactional.orders.service import PaidOutcome
from transactional.promotions.models import CouponRedemption
from transactional.promotions.service import RedemptionState

HOLD = timedelta(minutes=15)


def cancel(kit: TradeKit, order_id: int) -> None:
    """The shopper changes their mind."""
    kit.run(lambda s: service.cancel(s, order_id=order_id, actor="test", reason="changed my mind", now=kit.now).id)


def messages(kit: TradeKit, topic: str) -> list[dict[str, Any]]:
    """The payloads published on a topic."""
    with kit.database.read() as session:
        return list(session.scalars(select(OutboxMessage.payload).where(OutboxMessage.topic == topic)))


def rich_order(kit: TradeKit, *, pay: bool = False) -> tuple[int, int, int]:
    """An order with coupon and points; gives order, variant and customer."""
    cup = kit.variant("CUP", price=100_000, stock=2)
    asha = kit.customer()
    kit.give_points(asha, 60)
    kit.coupon("TEN", usage_limit=1)
    return kit.buy({cup: 2}, customer_id=asha, coupon="TEN", redeem_points=60, pay=pay), cup, asha


def test_payment_takes_for_good_what_was_held(kit: TradeKit) -> None:
    order_id, cup, asha = rich_order(kit)
    assert kit.pay(order_id) is PaidOutcome.CONFIRMED
    order = kit.order(order_id)
    assert (order.status, order.paid_at, order.expires_at) == (OrderStatus.PAID, kit.now, None)
    assert kit.level(cup) == (2, 2)
    assert kit.count(StockHold, StockHold.expires_at.is_(None)) == 1
    assert kit.count(CouponRedemption, CouponRedemption.state == RedemptionState.REDEEMED) == 1
    points = kit.points(asha)
    assert (points.held, points.spent, points.pending) == (0, 60, 16)  # two units of 87,000 paise net
    kit.assert_sound()


def test_a_second_payment_changes_nothing(kit: TradeKit) -> None:
    order_id, _, asha = rich_order(kit, pay=True)
    assert kit.pay(order_id) is PaidOutcome.ALREADY_PAID
    assert kit.points(asha).pending == 16
    kit.assert_sound()


def test_an_unknown_order_is_not_found(kit: TradeKit) -> None:
    with pytest.raises(NotFound):
        kit.pay(404)


def test_an_order_expires_exactly_when_its_time_is_over(kit: TradeKit, clock: ManualClock) -> None:
    order_id, cup, asha = rich_order(kit)
    clock.advance(HOLD - timedelta(seconds=1))
    assert jobs.expire_unpaid_orders(kit.database) == 0
    clock.advance(timedelta(seconds=1))
    assert jobs.expire_unpaid_orders(kit.database) == 1
    assert jobs.expire_unpaid_orders(kit.database) == 0
    assert kit.order(order_id).status is OrderStatus.EXPIRED
    assert kit.level(cup) == (2, 0)
    assert kit.count(StockHold, StockHold.state == HoldState.EXPIRED) == 1
    assert kit.coupon_uses("TEN") == 0
    assert (kit.points(asha).active, kit.points(asha).held) == (60, 0)
    kit.assert_sound()


def test_paid_and_cash_orders_never_expire(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=2)
    kit.buy({cup: 1})
    kit.buy({cup: 1}, pay=False, payment_mode="on_delivery")
    clock.advance(timedelta(days=30))
    assert jobs.expire_unpaid_orders(kit.database) == 0
    assert kit.level(cup) == (2, 2)


def test_payment_after_the_time_but_before_the_job_confirms(kit: TradeKit, clock: ManualClock) -> None:
    order_id, _, _ = rich_order(kit)
    clock.advance(HOLD * 2)
    assert kit.pay(order_id) is PaidOutcome.CONFIRMED
    assert jobs.expire_unpaid_orders(kit.database) == 0


def test_a_late_payment_revives_an_expired_order_with_all_its_claims(kit: TradeKit, clock: ManualClock) -> None:
    order_id, cup, asha = rich_order(kit)
    clock.advance(HOLD)
    jobs.expire_unpaid_orders(kit.database)
    clock.advance(timedelta(hours=3))
    assert kit.pay(order_id) is PaidOutcome.REVIVED
    assert kit.pay(order_id) is PaidOutcome.ALREADY_PAID
    assert kit.order(order_id).status is OrderStatus.PAID
    assert kit.level(cup) == (2, 2)
    assert kit.coupon_uses("TEN") == 1
    assert (kit.points(asha).held, kit.points(asha).spent) == (0, 60)
    kit.assert_sound()
    kit.deliver(order_id)
    assert kit.level(cup) == (0, 0)
    kit.assert_sound()


@pytest.mark.parametrize("taken", ["stock", "coupon", "points"])
def test_a_late_payment_is_due_back_when_anything_is_gone(kit: TradeKit, clock: ManualClock, taken: str) -> None:
    order_id, cup, asha = rich_order(kit)
    clock.advance(HOLD)
    jobs.expire_unpaid_orders(kit.database)
    if taken == "stock":
        kit.buy({cup: 1})
    elif taken == "coupon":
        kit.buy({kit.variant("LAMP", stock=1): 1}, coupon="TEN")
    else:
        kit.buy({kit.variant("LAMP", stock=1): 1}, customer_id=asha, redeem_points=1)
    before = (kit.level(cup), kit.coupon_uses("TEN"), kit.points(asha))
    assert kit.pay(order_id) is PaidOutcome.REFUND_DUE
    assert kit.order(order_id).status is OrderStatus.CANCELLED
    assert (kit.level(cup), kit.coupon_uses("TEN"), kit.points(asha)) == before, "nothing is half-claimed"
    assert kit.pay(order_id) is PaidOutcome.REFUND_DUE, "a second late payment goes back as well"
    assert messages(kit, service.REFUND_DUE) == [], "whoever took the money refunds it; twice would be wrong"
    kit.assert_sound()


def test_cancelling_unpaid_frees_everything_once(kit: TradeKit) -> None:
    order_id, cup, asha = rich_order(kit)
    cancel(kit, order_id)
    with pytest.raises(IllegalTransition, match="is cancelled"):
        cancel(kit, order_id)
    assert kit.level(cup) == (2, 0)
    assert kit.coupon_uses("TEN") == 0
    assert (kit.points(asha).active, kit.points(asha).held) == (60, 0)
    assert messages(kit, service.REFUND_DUE) == []
    assert kit.pay(order_id) is PaidOutcome.REFUND_DUE
    kit.assert_sound()


@pytest.mark.slow
def test_cancelling_paid_sends_the_money_back_and_leaves_the_customer_as_before(kit: TradeKit) -> None:
    order_id, cup, asha = rich_order(kit, pay=True)
    cancel(kit, order_id)
    order = kit.order(order_id)
    (refund,) = messages(kit, service.REFUND_DUE)
    assert (refund["order_id"], refund["amount_minor"]) == (order_id, order.total_minor)
    assert refund["key"] == f"cancel:{order_id}"
    assert kit.level(cup) == (2, 0)
    assert kit.coupon_uses("TEN") == 1, "by this code's policy a paid use stays used"
    points = kit.points(asha)
    assert (points.active, points.pending, points.owed, points.held) == (60, 0, 0, 0)
    kit.assert_sound()


def test_a_code_can_be_freed_by_a_full_refund_if_its_policy_says_so(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=2)
    kit.coupon("AGAIN", usage_limit=1, frees_on_full_refund=True)
    cancel(kit, kit.buy({cup: 1}, coupon="AGAIN"))
    assert kit.coupon_uses("AGAIN") == 0
    kit.buy({cup: 1}, coupon="AGAIN")
    kit.assert_sound()


def test_a_sent_order_cannot_be_called_off(kit: TradeKit) -> None:
    order_id, cup, _ = rich_order(kit, pay=True)
    kit.ship(order_id)
    with pytest.raises(IllegalTransition, match="is shipped"):
        cancel(kit, order_id)
    assert kit.level(cup) == (0, 0)


def test_cash_on_delivery_is_paid_at_the_door(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=2)
    asha = kit.customer()
    kit.give_points(asha, 10)
    order_id = kit.buy({cup: 1}, customer_id=asha, pay=False, payment_mode="on_delivery", redeem_points=10)
    kit.ship(order_id)
    assert kit.points(asha).held == 10
    kit.run(lambda s: service.deliver(s, order_id=order_id, actor="test", now=kit.now).id)
    order = kit.order(order_id)
    assert (order.status, order.paid_at, order.delivered_at) == (OrderStatus.DELIVERED, kit.now, kit.now)
    assert (kit.points(asha).spent, kit.points(asha).pending) == (10, 9)
    (collected,) = messages(kit, service.COLLECTED)
    assert (collected["order_id"], collected["amount_minor"]) == (order_id, order.total_minor)
    kit.assert_sound()


def test_guests_earn_no_points(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=2)
    order = kit.order(kit.buy({cup: 1}))
    assert order.customer_id is not None
    assert kit.points(order.customer_id).pending == 0


def test_the_customer_hears_of_each_step_once(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    order_id = kit.buy({cup: 1}, email="ma@example.com")
    kit.deliver(order_id)
    for payload in messages(kit, service.STATUS_CHANGED) * 2:
        events.tell_customer(kit.database, payload)
    mails = messages(kit, "mail.send")
    number = kit.order(order_id).order_number
    assert [mail["subject"] for mail in mails] == [
        f"Thank you for your order {number}",
        f"Your order {number} is on its way",
        f"Your order {number} has arrived",
    ]
    assert {mail["to"] for mail in mails} == {"ma@example.com"}


def test_the_message_about_a_step_has_its_handler() -> None:
    with pytest.raises(ValueError, match="has a handler already"):
        outbox.handles(service.STATUS_CHANGED)(lambda _database, _payload: None)


@pytest.mark.postgres
@pytest.mark.slow
def test_payment_and_expiry_at_once_end_in_one_of_two_states(pg_kit: TradeKit, clock: ManualClock) -> None:
    cup = pg_kit.variant("CUP", stock=40)
    orders = [pg_kit.buy({cup: 1}, pay=False, email=f"b{n}@example.com") for n in range(10)]
    clock.advance(HOLD)
    works: list[Any] = [lambda: jobs.expire_unpaid_orders(pg_kit.database)] * 4
    works += [lambda order_id=order_id: pg_kit.pay(order_id) for order_id in orders for _ in range(2)]
    outcomes = at_once(works)
    assert failures(outcomes) == []
    assert {pg_kit.order(order_id).status for order_id in orders} == {OrderStatus.PAID}
    assert sorted(outcomes[4:]).count(PaidOutcome.ALREADY_PAID) == len(orders)
    assert pg_kit.level(cup) == (40, 10)
    pg_kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_payment_and_cancellation_at_once_never_lose_the_money(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", stock=40)
    orders = [pg_kit.buy({cup: 1}, pay=False, email=f"b{n}@example.com") for n in range(10)]
    works: list[Any] = [lambda order_id=order_id: pg_kit.pay(order_id) for order_id in orders]
    works += [lambda order_id=order_id: cancel(pg_kit, order_id) for order_id in orders]
    outcomes = at_once(works)
    assert failures(outcomes) == []
    sent_back = {payload["order_id"] for payload in messages(pg_kit, service.REFUND_DUE)}
    for order_id, outcome in zip(orders, outcomes, strict=False):
        assert pg_kit.order(order_id).status is OrderStatus.CANCELLED
        # Paid first: cancelling refunds. Cancelled first: the payment's own outcome says so.
        assert (outcome is PaidOutcome.CONFIRMED) == (order_id in sent_back)
        assert outcome in {PaidOutcome.CONFIRMED, PaidOutcome.REFUND_DUE}
    assert pg_kit.level(cup) == (40, 0)
    pg_kit.assert_sound()
