"""Plans, subscriptions and the listing of orders, by the unmodified client library."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import razorpay
import requests

from transactional.core.clock import ManualClock
from transactional.payments_standin.bank import Method, Outcome
from transactional.payments_standin.events import sign
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.transport import InProcessAdapter

BASE = "http://razorpay.local"
PLAN = {"period": "monthly", "interval": 1, "item": {"name": "Flowers", "amount": 69_900, "currency": "INR"}}


@pytest.fixture
def gateway(clock: ManualClock) -> Gateway:
    gateway = Gateway(clock=clock)
    gateway.deliveries.set_webhook("http://shop/hook", "webhook-secret")
    gateway.deliveries.set_sender(lambda *_: 200)
    return gateway


@pytest.fixture
def client(gateway: Gateway) -> razorpay.Client:
    session = requests.Session()
    session.mount(BASE, InProcessAdapter(gateway))
    return razorpay.Client(session=session, auth=(gateway.config.key_id, gateway.config.key_secret), base_url=BASE)


def refused(call: Callable[..., Any], *args: object) -> str:
    with pytest.raises(razorpay.errors.BadRequestError) as caught:
        call(*args)
    return str(caught.value)


def events(gateway: Gateway, prefix: str = "subscription.") -> list[str]:
    return [each.event.removeprefix(prefix) for each in gateway.deliveries.listing() if each.event.startswith(prefix)]


def subscribe(client: razorpay.Client, **more: object) -> str:
    plan = client.plan.create(PLAN)
    return client.subscription.create({"plan_id": plan["id"], "total_count": 3, **more})["id"]


def test_plans(client: razorpay.Client) -> None:
    plan = client.plan.create({**PLAN, "notes": {"box": "small"}})
    assert (plan["item"]["unit_amount"], plan["item"]["type"], plan["item"]["active"]) == (69_900, "plan", True)
    assert client.plan.fetch(plan["id"]) == plan
    assert client.plan.all()["items"] == [plan]
    assert "invalid" in refused(client.plan.create, {**PLAN, "period": "hourly"})
    assert "too short" in refused(client.plan.create, {**PLAN, "period": "daily", "interval": 6})
    assert "INR 1.00" in refused(client.plan.create, {**PLAN, "item": {**PLAN["item"], "amount": 1}})


def test_a_subscription_runs_to_its_end(client: razorpay.Client, gateway: Gateway) -> None:
    subscription_id = subscribe(client)
    created = client.subscription.fetch(subscription_id)
    assert (created["status"], created["customer_id"], created["notes"]) == ("created", None, [])
    answer = gateway.authorize_subscription(subscription_id)
    message = f"{answer['razorpay_payment_id']}|{subscription_id}"
    assert answer["razorpay_signature"] == sign(message.encode(), gateway.config.key_secret)
    assert client.utility.verify_subscription_payment_signature(answer)
    active = client.subscription.fetch(subscription_id)
    assert (active["status"], active["paid_count"], active["remaining_count"]) == ("active", 1, 2)
    gateway.advance(timedelta(days=65))
    assert client.subscription.fetch(subscription_id)["paid_count"] == 3
    gateway.advance(timedelta(days=31))
    done = client.subscription.fetch(subscription_id)
    assert (done["status"], done["remaining_count"], done["charge_at"]) == ("completed", 0, None)
    assert events(gateway) == ["activated", "charged", "charged", "charged", "completed"]
    charges = [each for each in gateway.deliveries.listing() if each.event == "subscription.charged"]
    assert all(b'"1"' in each.body for each in charges)
    assert "completed status" in refused(client.subscription.cancel, subscription_id, {})


def test_the_31st_does_not_drift(client: razorpay.Client, gateway: Gateway, clock: ManualClock) -> None:
    clock.set(datetime(2026, 1, 31, 9, 0, tzinfo=UTC))
    subscription_id = subscribe(client, total_count=4)
    gateway.authorize_subscription(subscription_id)
    ends = []
    for _ in range(3):
        current = client.subscription.fetch(subscription_id)
        ends.append(datetime.fromtimestamp(current["current_end"], UTC).strftime("%d.%m."))
        clock.set(datetime.fromtimestamp(current["current_end"], UTC))
    assert ends == ["28.02.", "31.03.", "30.04."]


def test_a_later_start_is_authenticated_first(client: razorpay.Client, gateway: Gateway) -> None:
    start = int((gateway.clock.now() + timedelta(days=10)).timestamp())
    subscription_id, forgotten = subscribe(client, start_at=start), subscribe(client, start_at=start)
    gateway.authorize_subscription(subscription_id)
    waiting = client.subscription.fetch(subscription_id)
    assert (waiting["status"], waiting["paid_count"], waiting["charge_at"]) == ("authenticated", 0, start)
    gateway.advance(timedelta(days=10))
    assert client.subscription.fetch(subscription_id)["status"] == "active"
    assert client.subscription.fetch(forgotten)["status"] == "expired"
    assert "expired status" in refused(client.subscription.cancel, forgotten, {})
    with pytest.raises(ValueError, match="expired"):
        gateway.authorize_subscription(forgotten)
    assert events(gateway) == ["authenticated", "activated", "charged"]


def test_failing_charges_are_retried_then_halted_and_missed_ones_stay_unpaid(
    client: razorpay.Client, gateway: Gateway
) -> None:
    subscription_id = subscribe(client, total_count=6)
    gateway.authorize_subscription(subscription_id)
    gateway.decide_charges(subscription_id, [False, False, True, False, False, False, False])
    gateway.advance(timedelta(days=31))
    assert client.subscription.fetch(subscription_id)["status"] == "pending"
    gateway.advance(timedelta(days=2))
    assert client.subscription.fetch(subscription_id)["status"] == "active"
    gateway.advance(timedelta(days=31))
    halted = client.subscription.fetch(subscription_id)
    assert (halted["status"], halted["paid_count"]) == ("halted", 2)
    gateway.advance(timedelta(days=31))
    halted = client.subscription.fetch(subscription_id)
    assert (halted["status"], halted["paid_count"], halted["remaining_count"]) == ("halted", 2, 2)
    gateway.recover_subscription(subscription_id)
    gateway.advance(timedelta(days=62))
    assert client.subscription.fetch(subscription_id)["paid_count"] == 4
    seen = events(gateway)
    assert seen.count("pending") == 2 + 3
    assert seen.count("halted") == 1
    with pytest.raises(ValueError, match="active"):
        gateway.recover_subscription(subscription_id)


def test_pause_resume_cancel(client: razorpay.Client, gateway: Gateway) -> None:
    subscription_id = subscribe(client)
    assert "created state" in refused(client.subscription.pause, subscription_id, {"pause_at": "now"})
    gateway.authorize_subscription(subscription_id)
    assert "must be now" in refused(client.subscription.pause, subscription_id, {"pause_at": "later"})
    assert client.subscription.pause(subscription_id, {"pause_at": "now"})["status"] == "paused"
    gateway.advance(timedelta(days=90))
    assert client.subscription.fetch(subscription_id)["paid_count"] == 1
    assert client.subscription.resume(subscription_id, {"resume_at": "now"})["status"] == "active"
    gateway.advance(timedelta(days=1))
    assert client.subscription.fetch(subscription_id)["paid_count"] == 2
    at_end = client.subscription.cancel(subscription_id, {"cancel_at_cycle_end": True})
    assert at_end["status"] == "active"
    gateway.advance(timedelta(days=31))
    assert client.subscription.fetch(subscription_id)["status"] == "cancelled"
    start = int((gateway.clock.now() + timedelta(days=10)).timestamp())
    later = subscribe(client, start_at=start)
    gateway.authorize_subscription(later)
    assert client.subscription.pause(later, {"pause_at": "now"})["status"] == "cancelled"
    assert events(gateway)[-1] == "cancelled"


def test_changes_now_and_at_the_end_of_the_cycle(client: razorpay.Client, gateway: Gateway) -> None:
    subscription_id = subscribe(client)
    assert "created state" in refused(client.subscription.edit, subscription_id, {"quantity": 2})
    gateway.authorize_subscription(subscription_id)
    assert client.subscription.edit(subscription_id, {"quantity": 2})["quantity"] == 2
    dear = client.plan.create({**PLAN, "item": {**PLAN["item"], "amount": 99_900}})["id"]
    scheduled = client.subscription.edit(subscription_id, {"plan_id": dear, "schedule_change_at": "cycle_end"})
    assert scheduled["has_scheduled_changes"] is True
    assert client.subscription.pending_update(subscription_id)["plan_id"] == dear
    client.subscription.cancel_scheduled_changes(subscription_id)
    assert "No pending update" in refused(client.subscription.pending_update, subscription_id)
    client.subscription.edit(
        subscription_id, {"plan_id": dear, "remaining_count": 5, "schedule_change_at": "cycle_end"}
    )
    gateway.advance(timedelta(days=31))
    changed = client.subscription.fetch(subscription_id)
    assert (changed["plan_id"], changed["remaining_count"], changed["has_scheduled_changes"]) == (dear, 4, False)
    assert client.payment.all()["items"][0]["amount"] == 2 * 99_900
    assert "Nothing to update" in refused(client.subscription.edit, subscription_id, {})
    assert client.subscription.all({"plan_id": dear})["count"] == 1


@pytest.mark.parametrize(
    "change", [{"total_count": 0}, {"quantity": 0}, {"start_at": 1}, {"customer_notify": 7}, {"plan_id": 5}]
)
def test_bad_subscriptions_are_refused(client: razorpay.Client, change: dict) -> None:
    plan = client.plan.create(PLAN)["id"]
    refused(client.subscription.create, {"plan_id": plan, "total_count": 3, **change})
    assert client.subscription.all()["count"] == 0


def test_orders_show_their_payments_and_cards_when_asked(client: razorpay.Client, gateway: Gateway) -> None:
    paid, silent = (client.order.create({"amount": 500, "currency": "INR"})["id"] for _ in range(2))
    gateway.pay(paid, outcome=Outcome.FAILED)
    gateway.pay(paid, method=Method.CARD)
    plain = client.order.all()
    assert "payments" not in plain["items"][0]
    one, other = client.order.all({"expand[]": "payments"})["items"]
    assert (one["id"], one["payments"]["count"]) == (silent, 0)
    assert [each["status"] for each in other["payments"]["items"]] == ["captured", "failed"]
    assert "card" not in other["payments"]["items"][0]
    deep = client.order.all({"expand[]": ["payments", "payments.card"]})["items"][1]
    assert deep["payments"]["items"][0]["card"]["network"] == "Visa"
    assert client.order.fetch(paid, {"expand[]": "payments"})["payments"]["count"] == 2
    assert [each["id"] for each in client.order.all({"authorized": 1})["items"]] == [paid]
    assert [each["id"] for each in client.order.all({"authorized": 0})["items"]] == [silent]


def test_listings_are_cut_by_time_and_page(client: razorpay.Client, gateway: Gateway) -> None:
    begin = int(gateway.clock.now().timestamp())
    ids = []
    for _ in range(3):
        ids.append(client.order.create({"amount": 500, "currency": "INR"})["id"])
        gateway.advance(timedelta(seconds=10))
    assert [each["id"] for each in client.order.all({"from": begin + 10})["items"]] == [ids[2], ids[1]]
    assert [each["id"] for each in client.order.all({"to": begin + 10, "count": 1, "skip": 1})["items"]] == [ids[0]]
    assert "between 1 and 100" in refused(client.order.all, {"count": 101})
    assert "integer" in refused(client.order.all, {"skip": "-1"})
