"""Deliveries of webhooks: at least once, in any order, again and again for a day; every one is kept for assertions."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import requests

from transactional.core.clock import Clock
from transactional.payments_standin.events import sign
from transactional.payments_standin.ids import IdGenerator

PATIENCE_SECONDS = 5.0
"""A receiver that takes longer gets the event again."""
_GIVE_UP_AFTER = timedelta(hours=24)
_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)

Sender = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to a URL and gives the HTTP status; raises OSError when there is no answer."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    HELD = "held"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    GIVEN_UP = "given_up"


@dataclass(slots=True)
class Webhook:
    """A receiver and its present secret."""

    url: str
    secret: str = field(repr=False)
    active: bool = True


@dataclass(slots=True)
class Delivery:
    """One event for one receiver, signed with the secret of the moment at which the event happened."""

    number: int
    webhook: Webhook
    event_id: str
    event: str
    body: bytes
    signature: str
    due_at: datetime
    state: DeliveryState = DeliveryState.QUEUED
    first_tried_at: datetime | None = None
    statuses: list[int] = field(default_factory=list)
    """The answers so far; 0 stands for none."""

    @property
    def headers(self) -> dict[str, str]:
        """As the gateway sends them."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Signature": self.signature,
            "X-Razorpay-Event-Id": self.event_id,
        }


def send_over_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST with the gateway's patience of five seconds."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment must not see local traffic
        return session.post(url, data=body, headers=dict(headers), timeout=PATIENCE_SECONDS).status_code


class Deliveries:
    """The queue to all receivers. Thread-safe; nothing is sent until `deliver_due` is called."""

    def __init__(self, clock: Clock, ids: IdGenerator, sender: Sender = send_over_http) -> None:
        self._clock = clock
        self._ids = ids
        self._sender = sender
        self._lock = threading.RLock()
        self._webhooks: list[Webhook] = []
        self._log: list[Delivery] = []
        self._open: list[Delivery] = []
        self._holding = False
        self.queued = threading.Event()
        """Set whenever something may be due; a delivery thread waits for it."""

    def set_webhook(self, url: str, secret: str) -> Webhook:
        """Send events to this URL from now on; a known URL gets the new secret for events to come."""
        with self._lock:
            for webhook in self._webhooks:
                if webhook.url == url:
                    webhook.secret, webhook.active = secret, True
                    return webhook
            webhook = Webhook(url, secret)
            self._webhooks.append(webhook)
            return webhook

    def set_sender(self, sender: Sender) -> None:
        """Hand events to a function instead of the network."""
        self._sender = sender

    def webhooks(self) -> list[Webhook]:
        """All receivers."""
        with self._lock:
            return list(self._webhooks)

    def has_receivers(self) -> bool:
        """Whether anybody listens."""
        with self._lock:
            return any(webhook.active for webhook in self._webhooks)

    def enqueue(self, event_id: str, event: str, body: bytes) -> None:
        """Queue an event for every active receiver."""
        with self._lock:
            for webhook in self._webhooks:
                if webhook.active:
                    self._add(webhook, event_id, event, body, sign(body, webhook.secret))
        self.queued.set()

    def _add(self, webhook: Webhook, event_id: str, event: str, body: bytes, signature: str) -> Delivery:
        state = DeliveryState.HELD if self._holding else DeliveryState.QUEUED
        number = len(self._log) + 1
        delivery = Delivery(number, webhook, event_id, event, body, signature, self._clock.now(), state)
        self._log.append(delivery)
        if state is DeliveryState.QUEUED:
            self._open.append(delivery)
        return delivery

    def listing(self) -> list[Delivery]:
        """Every delivery so far, oldest first."""
        with self._lock:
            return list(self._log)

    def hold(self) -> None:
        """Keep back what happens from now on."""
        with self._lock:
            self._holding = True

    def release(self, numbers: Iterable[int] | None = None) -> list[Delivery]:
        """Stop holding and queue what was held, in the order of `numbers` (all, oldest first, when None).

        Held deliveries that are not named stay held. Raises LookupError for a number that is not held.
        """
        with self._lock:
            held = {delivery.number: delivery for delivery in self._log if delivery.state is DeliveryState.HELD}
            chosen = list(held) if numbers is None else list(numbers)
            missing = [number for number in chosen if number not in held]
            if missing:
                raise LookupError(f"not held: {missing}")
            self._holding = False
            released = [held[number] for number in chosen]
            for delivery in released:
                delivery.state = DeliveryState.QUEUED
                self._open.append(delivery)
        self.queued.set()
        return released

    def drop(self, numbers: Iterable[int]) -> None:
        """Lose deliveries for ever."""
        with self._lock:
            for number in numbers:
                delivery = self._numbered(number)
                delivery.state = DeliveryState.DROPPED
                self._open = [other for other in self._open if other is not delivery]

    def replay(self, number: int, *, new_event_id: bool = False) -> Delivery:
        """Send an event again, as the dashboard's button does; whether its id stays is not known of the real one."""
        with self._lock:
            old = self._numbered(number)
            event_id = self._ids.token() if new_event_id else old.event_id
            again = self._add(old.webhook, event_id, old.event, old.body, old.signature)
        self.queued.set()
        return again

    def _numbered(self, number: int) -> Delivery:
        if not 1 <= number <= len(self._log):
            raise LookupError(f"no delivery {number}")
        return self._log[number - 1]

    def deliver_due(self) -> int:
        """Try once everything that is due, in queue order; gives the number of receivers that took their event.

        The lock is not held while sending: a receiver may call the gateway back.
        """
        now = self._clock.now()
        with self._lock:
            due = [delivery for delivery in self._open if delivery.due_at <= now]
            self._open = [delivery for delivery in self._open if delivery.due_at > now]
        return sum(self._attempt(delivery) for delivery in due)

    def _attempt(self, delivery: Delivery) -> bool:
        try:
            status = self._sender(delivery.webhook.url, delivery.body, delivery.headers)
        except OSError:  # also what `requests` raises for time-outs and refused connections
            status = 0
        with self._lock:
            delivery.statuses.append(status)
            if 200 <= status < 300:
                delivery.state = DeliveryState.DELIVERED
                return True
            self._try_later(delivery)
        return False

    def _try_later(self, delivery: Delivery) -> None:
        now = self._clock.now()
        delivery.first_tried_at = delivery.first_tried_at or now
        if now - delivery.first_tried_at >= _GIVE_UP_AFTER:
            delivery.state = DeliveryState.GIVEN_UP
            delivery.webhook.active = False
            return
        delivery.due_at = now + min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** (len(delivery.statuses) - 1))
        self._open.append(delivery)
