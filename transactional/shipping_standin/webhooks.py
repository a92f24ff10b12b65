"""Deliveries of the tracking webhook: one receiver, a shared token instead of a signature, no promise of repetition."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

PATIENCE_SECONDS = 5.0
BANNED_WORDS = ("shiprocket", "kartrocket", "sr", "kr")

Sender = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to a URL and gives the HTTP status; raises httpx.HTTPError when there is no answer."""


class Credential(StrEnum):
    """Which token goes along."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    HELD = "held"
    SENT = "sent"
    DROPPED = "dropped"


@dataclass(slots=True)
class Delivery:
    """One webhook."""

    number: int
    body: bytes
    state: DeliveryState
    statuses: list[int] = field(default_factory=list)
    """The answers so far; 0 stands for none."""


def send_over_http(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST with little patience, past any proxy of the environment."""
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        return client.post(url, content=body, headers=dict(headers)).status_code


class Webhooks:
    """The queue to the receiver. Thread-safe; nothing is sent until `deliver_due` is called."""

    def __init__(self, sender: Sender = send_over_http) -> None:
        self._sender = sender
        self._lock = threading.RLock()
        self._url: str | None = None
        self._token = ""
        self._holding = False
        self._log: list[Delivery] = []
        self.queued = threading.Event()
        """Set whenever something may be due; a delivery thread waits for it."""

    def set_receiver(self, url: str, token: str) -> None:
        """Send to this URL from now on. Raises ValueError for an address that the panel would refuse."""
        found = [word for word in BANNED_WORDS if word in url.lower()]
        if found:
            raise ValueError(f"the URL must not contain {', '.join(found)}")
        with self._lock:
            self._url, self._token = url, token

    def set_sender(self, sender: Sender) -> None:
        """Hand webhooks to a function instead of the network."""
        self._sender = sender

    def listing(self) -> list[Delivery]:
        """Every delivery so far, oldest first."""
        with self._lock:
            return list(self._log)

    def enqueue(self, body: dict[str, Any]) -> None:
        """Queue a webhook; it is kept even where nobody listens."""
        with self._lock:
            state = DeliveryState.HELD if self._holding or self._url is None else DeliveryState.QUEUED
            self._log.append(Delivery(len(self._log) + 1, json.dumps(body).encode(), state))
        self.queued.set()

    def hold(self) -> None:
        """Keep everything that comes from now on."""
        with self._lock:
            self._holding = True

    def release(
        self, numbers: Iterable[int] | None = None, *, credential: Credential = Credential.RIGHT
    ) -> list[Delivery]:
        """Send held deliveries now, in the order given (all, oldest first, without one); end holding."""
        with self._lock:
            self._holding = False
            held = {each.number: each for each in self._log if each.state is DeliveryState.HELD}
            wanted = [held[number] for number in numbers] if numbers is not None else list(held.values())
        for delivery in wanted:
            self._send(delivery, credential)
        return wanted

    def replay(self, number: int, *, credential: Credential = Credential.RIGHT) -> Delivery:
        """Send a delivery once more. Raises LookupError."""
        delivery = self._get(number)
        self._send(delivery, credential)
        return delivery

    def drop(self, numbers: Iterable[int]) -> None:
        """Never send these. Raises LookupError."""
        for number in numbers:
            self._get(number).state = DeliveryState.DROPPED

    def deliver_due(self) -> int:
        """Send what is queued, once each: retries are not promised; gives how many."""
        with self._lock:
            due = [each for each in self._log if each.state is DeliveryState.QUEUED]
        for delivery in due:
            self._send(delivery, Credential.RIGHT)
        return len(due)

    def _get(self, number: int) -> Delivery:
        with self._lock:
            if not 1 <= number <= len(self._log):
                raise LookupError(f"there is no delivery {number}")
            return self._log[number - 1]

    def _send(self, delivery: Delivery, credential: Credential) -> None:
        if self._url is None:
            raise LookupError("nobody listens: no receiver is set")
        headers = {"Content-Type": "application/json"}
        if credential is not Credential.NONE:
            headers["x-api-key"] = ("" if credential is Credential.RIGHT else "wrong-") + self._token
        try:
            status = self._sender(self._url, delivery.body, headers)
        except httpx.HTTPError:
            status = 0
        with self._lock:
            delivery.statuses.append(status)
            delivery.state = DeliveryState.SENT
