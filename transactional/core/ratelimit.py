"""How often somebody may try: a sliding window in this process's memory.

Each process counts for itself, so N processes admit N times as much; it slows down guessing, it is no quota.
"""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from transactional.core.errors import TooManyRequests

_MAX_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts within so long."""

    attempts: int
    window: timedelta


class RateLimiter:
    """Attempts by key (an address, an account), counted with the shop's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, deque[datetime]] = {}

    def hit(self, key: str, limit: Limit, *, now: datetime) -> None:
        """Count one attempt; TooManyRequests, with the seconds to wait, when the window is full."""
        with self._lock:
            attempts = self._seen.setdefault(key, deque())
            while attempts and attempts[0] <= now - limit.window:
                attempts.popleft()
            if len(attempts) >= limit.attempts:
                wait = int((attempts[0] + limit.window - now).total_seconds()) + 1
                raise TooManyRequests("too many attempts; wait a little", retry_after=wait)
            attempts.append(now)
            self._forget_oldest()

    def forget(self, key: str) -> None:
        """Start anew for a key: after a log-in that succeeded."""
        with self._lock:
            self._seen.pop(key, None)

    def _forget_oldest(self) -> None:
        # Bounds the memory that an attacker with many addresses can take.
        while len(self._seen) > _MAX_KEYS:
            self._seen.pop(next(iter(self._seen)))
