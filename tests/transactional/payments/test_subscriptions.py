"""The gateway's subscriptions through the adapter: typed answers and the swapped signature."""

from datetime import timedelta

import pytest

from transactional.core.clock import ManualClock
from transactional.payments.gateway import Invalid, SignatureInvalid, Unknown
from transactional.payments.parsing import Malformed
from transactional.payments.subscriptions import RazorpaySubscriptions, SubscriptionStatus, subscription_from
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.in_process import connect


@pytest.fixture
def standin(clock: ManualClock) -> Gateway:
    return Gateway(clock=clock)


@pytest.fixture
def subscriptions(standin: Gateway) -> RazorpaySubscriptions:
    return RazorpaySubscriptions(connect(standin))


def plan(subscriptions: RazorpaySubscriptions) -> str:
    return subscriptions.create_plan(period="monthly", interval=1, name="Flowers", amount_minor=69_900, currency="INR")


def test_the_life_of_a_subscription(subscriptions: RazorpaySubscriptions, standin: Gateway, clock: ManualClock) -> None:
    start = clock.now() + timedelta(days=3)
    created = subscriptions.create(plan_id=plan(subscriptions), total_count=3, quantity=2, start_at=start)
    assert (created.status, created.quantity, created.remaining_count) == (SubscriptionStatus.CREATED, 2, 3)
    checkout = standin.authorize_subscription(created.subscription_id)
    subscriptions.verify_checkout(
        subscription_id=created.subscription_id,
        payment_id=checkout["razorpay_payment_id"],
        signature=checkout["razorpay_signature"],
    )
    waiting = subscriptions.fetch(created.subscription_id)
    assert (waiting.status, waiting.charge_at) == (SubscriptionStatus.AUTHENTICATED, start)
    standin.advance(timedelta(days=3))
    active = subscriptions.fetch(created.subscription_id)
    assert (active.status, active.paid_count, active.current_start) == (SubscriptionStatus.ACTIVE, 1, start)
    assert subscriptions.pause(created.subscription_id).status is SubscriptionStatus.PAUSED
    assert subscriptions.resume(created.subscription_id).status is SubscriptionStatus.ACTIVE
    assert subscriptions.cancel(created.subscription_id, at_cycle_end=True).status is SubscriptionStatus.ACTIVE
    assert subscriptions.cancel(created.subscription_id).status is SubscriptionStatus.CANCELLED
    with pytest.raises(Invalid, match="cancelled status"):
        subscriptions.cancel(created.subscription_id)


def test_the_signature_of_an_order_is_none_of_a_subscription(
    subscriptions: RazorpaySubscriptions, standin: Gateway
) -> None:
    created = subscriptions.create(plan_id=plan(subscriptions), total_count=1)
    checkout = standin.authorize_subscription(created.subscription_id)
    good = checkout["razorpay_signature"]
    for payment_id, signature in (
        (checkout["razorpay_payment_id"], f"{int(good[0], 16) ^ 1:x}{good[1:]}"),
        (checkout["razorpay_payment_id"], "ż"),
        ("pay_" + "A" * 14, good),
        (created.subscription_id, good),
    ):
        with pytest.raises(SignatureInvalid):
            subscriptions.verify_checkout(
                subscription_id=created.subscription_id, payment_id=payment_id, signature=signature
            )


def test_a_lost_answer_is_unknown(subscriptions: RazorpaySubscriptions, standin: Gateway) -> None:
    plan_id = plan(subscriptions)
    standin.faults.arm(Fault.ANSWER_LOST, path_prefix="/v1/subscriptions")
    with pytest.raises(Unknown):
        subscriptions.create(plan_id=plan_id, total_count=1)


def test_an_unknown_status_is_not_guessed() -> None:
    with pytest.raises(Malformed, match="'asleep' is unknown"):
        subscription_from({"id": "sub_1", "plan_id": "plan_1", "status": "asleep"})
