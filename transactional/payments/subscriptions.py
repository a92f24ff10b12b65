"""Subscriptions at the gateway: a plan charged again and again. Calls, typed answers, and the checkout's signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from transactional.payments import parsing
from transactional.payments.razorpay import RazorpayGateway, checked, parsed


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; `cancelled`, `completed` and `expired` are final."""

    CREATED = "created"
    AUTHENTICATED = "authenticated"
    """The customer agreed; nothing was charged yet."""
    ACTIVE = "active"
    PENDING = "pending"
    """A charge failed and is tried again, once a day for three days."""
    HALTED = "halted"
    """All tries failed. Missed invoices are not charged afterwards."""
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription at the gateway as it was at one moment; counts in cycles."""

    subscription_id: str
    plan_id: str
    status: SubscriptionStatus
    quantity: int
    total_count: int
    paid_count: int
    remaining_count: int
    current_start: datetime | None
    current_end: datetime | None
    charge_at: datetime | None


class RazorpaySubscriptions:
    """The gateway's calls on plans and subscriptions. Each may raise the errors of `gateway`.

    Creating is not idempotent: after `Unknown` somebody must look before repeating it.
    """

    def __init__(self, gateway: RazorpayGateway) -> None:
        self._gateway = gateway

    def create_plan(self, *, period: str, interval: int, name: str, amount_minor: int, currency: str) -> str:
        """What is charged, and how often (`weekly`, `monthly`, `quarterly`, `yearly`); gives the plan's id."""
        item = {"name": name, "amount": amount_minor, "currency": currency}
        answer = self._gateway.client.plan.create({"period": period, "interval": interval, "item": item})
        return parsed(lambda entity: parsing.text(entity, "id"), answer)

    def create(
        self, *, plan_id: str, total_count: int, quantity: int = 1, start_at: datetime | None = None
    ) -> SubscriptionSnapshot:
        """A subscription of so many cycles, to be authorised by the customer; charged at once without `start_at`."""
        data: dict[str, Any] = {"plan_id": plan_id, "total_count": total_count, "quantity": quantity}
        if start_at is not None:
            data["start_at"] = int(start_at.timestamp())
        return parsed(subscription_from, self._gateway.client.subscription.create(data))

    def fetch(self, subscription_id: str) -> SubscriptionSnapshot:
        """One subscription."""
        return parsed(subscription_from, self._gateway.client.subscription.fetch(subscription_id))

    def cancel(self, subscription_id: str, *, at_cycle_end: bool = False) -> SubscriptionSnapshot:
        """End it for good, now or when the cycle that was paid for is over."""
        data = {"cancel_at_cycle_end": at_cycle_end}
        return parsed(subscription_from, self._gateway.client.subscription.cancel(subscription_id, data))

    def pause(self, subscription_id: str) -> SubscriptionSnapshot:
        """Stop charging. Only an active one can be paused: one that is merely authenticated is cancelled by this."""
        answer = self._gateway.client.subscription.pause(subscription_id, {"pause_at": "now"})
        return parsed(subscription_from, answer)

    def resume(self, subscription_id: str) -> SubscriptionSnapshot:
        """Charge a paused one again."""
        answer = self._gateway.client.subscription.resume(subscription_id, {"resume_at": "now"})
        return parsed(subscription_from, answer)

    def verify_checkout(self, *, subscription_id: str, payment_id: str, signature: str) -> None:
        """Check what the browser brings back, against our stored subscription id. Raises SignatureInvalid."""
        parameters = {
            "razorpay_subscription_id": subscription_id,
            "razorpay_payment_id": payment_id,
            "razorpay_signature": signature,
        }
        checked(lambda: self._gateway.client.utility.verify_subscription_payment_signature(parameters))


def subscription_from(entity: Mapping[str, Any]) -> SubscriptionSnapshot:
    """A `subscription` entity. Raises parsing.Malformed."""
    try:
        status = SubscriptionStatus(parsing.text(entity, "status"))
    except ValueError as error:
        raise parsing.Malformed(f"subscription status {entity.get('status')!r} is unknown") from error
    return SubscriptionSnapshot(
        subscription_id=parsing.text(entity, "id"),
        plan_id=parsing.text(entity, "plan_id"),
        status=status,
        quantity=parsing.integer(entity, "quantity"),
        total_count=parsing.integer(entity, "total_count"),
        paid_count=parsing.integer(entity, "paid_count"),
        remaining_count=parsing.integer(entity, "remaining_count"),
        current_start=_moment(entity, "current_start"),
        current_end=_moment(entity, "current_end"),
        charge_at=_moment(entity, "charge_at"),
    )


def _moment(entity: Mapping[str, Any], name: str) -> datetime | None:
    seconds = parsing.optional_integer(entity, name)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
