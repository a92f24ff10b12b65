"""Deliveries of webhooks: at least once, in any order, again and again for a day; every one is kept for assertions."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import requests

from transactional.core.clock import Clock
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.events import sign
from transactional.payments_standin.ids import IdGenerator

_MOST_DOUBLINGS = 20

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


def http_sender(config: StandInConfig) -> Sender:
    """POSTs over the network with the gateway's patience."""

    def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the environment must not see local traffic
            patience = config.receiver_patience.total_seconds()
            return session.post(url, data=body, headers=dict(headers), timeout=patience).status_code

    return send


class Deliveries:
    """The queue to all receivers. Thread-safe; nothing is sent until `deliver_due` is called."""

    def __init__(self, config: StandInConfig, clock: Clock, ids: IdGenerator, sender: Sender | None = None) -> None:
        """`sender` hands events over; over HTTP when None."""
        self._config = config
        self._clock = clock
        self._ids = ids
        self._sender = sender or http_sender(config)
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

    def replay(self, number: int, *, new_event_id: bool | None = None) -> Delivery:
        """Send an event again, as the dashboard's button does, signed as it was; its id stays or not by the switch."""
        with self._lock:
            old = self._numbered(number)
            renew = not self._config.replay_keeps_event_id if new_event_id is None else new_event_id
            event_id = self._ids.token() if renew else old.event_id
            again = self._add(old.webhook, event_id, old.event, old.body, old.signature)
        self.queued.set()
        return again

    def tamper(self, number: int, changes: Mapping[str, Any], *, signed: bool) -> Delivery:
        """Send an event under a new id with other values in its entities, with a right signature or the old one."""
        with self._lock:
            old = self._numbered(number)
            event = json.loads(old.body)
            for wrapper in event["payload"].values():
                if isinstance(wrapper, dict):
                    wrapper["entity"] |= {name: value for name, value in changes.items() if name in wrapper["entity"]}
            body = json.dumps(event).encode()
            signature = sign(body, old.webhook.secret) if signed else old.signature
            forged = self._add(old.webhook, self._ids.token(), old.event, body, signature)
        self.queued.set()
        return forged

    def delay(self, numbers: Iterable[int] | None, by: timedelta) -> list[Delivery]:
        """Let queued deliveries (all, when None) wait so long."""
        with self._lock:
            chosen = list(self._open) if numbers is None else [self._numbered(number) for number in numbers]
            for delivery in chosen:
                delivery.due_at = self._clock.now() + by
        return chosen

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
        config = self._config
        if now - delivery.first_tried_at >= config.webhook_give_up:
            delivery.state = DeliveryState.GIVEN_UP
            delivery.webhook.active = False
            return
        doublings = min(len(delivery.statuses) - 1, _MOST_DOUBLINGS)
        delivery.due_at = now + min(config.longest_retry, config.first_retry * 2**doublings)
        self._open.append(delivery)
