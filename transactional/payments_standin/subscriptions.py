"""Subscriptions: their states, and the calls on them. What time does to them is in `billing`."""

from collections.abc import Mapping
from typing import Any

from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json
from transactional.payments_standin.recurring import SubscriptionEntity
from transactional.payments_standin.refusals import Refusal, invalid_field
from transactional.payments_standin.validation import Body, flag_of, integer, notes_of, only_fields

_CREATE = {
    "plan_id",
    "total_count",
    "quantity",
    "start_at",
    "expire_by",
    "customer_notify",
    "addons",
    "offer_id",
    "notes",
}
_CHANGEABLE = {"plan_id", "quantity", "remaining_count", "offer_id", "customer_notify", "start_at"}
_EDIT = _CHANGEABLE | {"schedule_change_at"}
_MOST_CYCLES = 1200


class SubscriptionDesk:
    """The calls under `/v1/subscriptions`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, body: Body) -> Json:
        """A new subscription, to be authorised by the customer."""
        only_fields(body, _CREATE)
        plan = self._books.plan(_text(body, "plan_id"))
        subscription = SubscriptionEntity(
            id=self._books.ids.next("sub"),
            plan_id=plan.id,
            total_count=_between(body, "total_count", 1, _MOST_CYCLES),
            quantity=_between(body, "quantity", 1, 500) if "quantity" in body else 1,
            notes=notes_of(body),
            created_at=self._books.now(),
            customer_notify=flag_of(body, "customer_notify", default=True),
            start_at=self._moment(body, "start_at"),
            expire_by=self._moment(body, "expire_by"),
            offer_id=body.get("offer_id"),
        )
        self._books.subscriptions[subscription.id] = subscription
        return subscription.render()

    def fetch(self, subscription_id: str) -> Json:
        """One subscription."""
        return self._books.subscription(subscription_id).render()

    def listing(self, query: Mapping[str, str]) -> Json:
        """Subscriptions, newest first; `plan_id` narrows them."""
        plan_id = query.get("plan_id")
        chosen = [each for each in self._books.subscriptions.values() if plan_id in {None, each.plan_id}]
        return page_of(chosen, query)

    def edit(self, subscription_id: str, body: Body) -> Json:
        """Change plan, quantity or length: now, or at the end of the cycle."""
        only_fields(body, _EDIT)
        subscription = self._books.subscription(subscription_id)
        if subscription.status not in {"authenticated", "active"}:
            raise Refusal(f"Subscription cannot be updated when it is in {subscription.status} state.")
        when = body.get("schedule_change_at", "now")
        if when not in {"now", "cycle_end"}:
            raise invalid_field("The schedule_change_at must be now or cycle_end.", "schedule_change_at")
        changes = self._checked_changes(body)
        if when == "cycle_end":
            subscription.scheduled = changes
        else:
            apply_changes(subscription, changes)
            self._tell("updated", subscription)
        return subscription.render()

    def _checked_changes(self, body: Body) -> dict[str, Any]:
        changes = {name: body[name] for name in sorted(_CHANGEABLE & set(body))}
        if not changes:
            raise Refusal("Nothing to update.")
        if "plan_id" in changes:
            self._books.plan(_text(body, "plan_id"))
        for name in ("quantity", "remaining_count"):
            if name in changes:
                _between(body, name, 1, _MOST_CYCLES)
        if "start_at" in changes:
            self._moment(body, "start_at")
        return changes

    def cancel(self, subscription_id: str, body: Body) -> Json:
        """End it, at once or with the running cycle. Final."""
        only_fields(body, {"cancel_at_cycle_end"})
        subscription = self._books.subscription(subscription_id)
        if subscription.is_over:
            raise Refusal(f"Subscription is not cancellable in {subscription.status} status.")
        if flag_of(body, "cancel_at_cycle_end", default=False):
            if subscription.status != "active":
                raise Refusal("Subscription cannot be cancelled at cycle end: no billing cycle is going on.")
            subscription.cancel_at_cycle_end = True
            return subscription.render()
        finish(self._books, subscription, "cancelled")
        return subscription.render()

    def pause(self, subscription_id: str, body: Body) -> Json:
        """Stop charging. One that is only authenticated is cancelled by this."""
        only_fields(body, {"pause_at"})
        _only_now(body, "pause_at")
        subscription = self._books.subscription(subscription_id)
        if subscription.status == "authenticated":
            finish(self._books, subscription, "cancelled")
            return subscription.render()
        if subscription.status != "active":
            raise Refusal(f"Subscription cannot be paused in {subscription.status} state.")
        subscription.status = "paused"
        subscription.charge_at = None
        self._tell("paused", subscription)
        return subscription.render()

    def resume(self, subscription_id: str, body: Body) -> Json:
        """Charge again, from the end of the cycle that was paid for."""
        only_fields(body, {"resume_at"})
        _only_now(body, "resume_at")
        subscription = self._books.subscription(subscription_id)
        if subscription.status != "paused":
            raise Refusal(f"Subscription cannot be resumed in {subscription.status} state.")
        subscription.status = "active"
        subscription.charge_at = max(subscription.current_end or 0, self._books.now())
        self._tell("resumed", subscription)
        return subscription.render()

    def pending_update(self, subscription_id: str) -> Json:
        """How it will look after its scheduled changes."""
        subscription = self._books.subscription(subscription_id)
        if subscription.scheduled is None:
            raise Refusal("No pending update found for the subscription.")
        return subscription.render() | subscription.scheduled

    def cancel_scheduled_changes(self, subscription_id: str) -> Json:
        """Forget the scheduled changes."""
        subscription = self._books.subscription(subscription_id)
        if subscription.scheduled is None:
            raise Refusal("No pending update found for the subscription.")
        subscription.scheduled = None
        return subscription.render()

    def _tell(self, event: str, subscription: SubscriptionEntity) -> None:
        tell(self._books, event, subscription, at=self._books.now())

    def _moment(self, body: Body, name: str) -> int | None:
        if body.get(name) is None:
            return None
        moment = integer(body, name)
        if moment < self._books.now():
            raise invalid_field(f"The {name} must be in the future.", name)
        return moment


def apply_changes(subscription: SubscriptionEntity, changes: Mapping[str, Any]) -> None:
    """Take over checked changes; `remaining_count` moves the total."""
    for name, value in changes.items():
        if name == "remaining_count":
            subscription.total_count = subscription.cycles + value
        else:
            setattr(subscription, name, value)


def finish(books: Books, subscription: SubscriptionEntity, status: str, *, at: int | None = None) -> None:
    """Bring a subscription to a state without return, and tell of it (an expiry has no event)."""
    moment = books.now() if at is None else at
    subscription.status = status
    subscription.ended_at = moment
    subscription.charge_at = None
    if status != "expired":
        tell(books, status, subscription, at=moment)


def tell(books: Books, event: str, subscription: SubscriptionEntity, *, at: int) -> None:
    """Publish `subscription.<event>`; with the latest payment if there was an attempt."""
    last = subscription.last_payment_id
    payment = books.payments[last] if last is not None else None
    books.events.subscription(f"subscription.{event}", subscription.render(), payment, at=at)


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise invalid_field(f"The {name} field is required.", name)
    return value


def _between(body: Body, name: str, least: int, most: int) -> int:
    value = integer(body, name)
    if not least <= value <= most:
        raise invalid_field(f"The {name} must be between {least} and {most}.", name)
    return value


def _only_now(body: Body, name: str) -> None:
    if body.get(name) != "now":
        raise invalid_field(f"The {name} must be now.", name)
