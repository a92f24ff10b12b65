"""A circuit breaker: after repeated failures the callee is left alone for a while, so that nobody waits in vain."""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Closed until `failures` calls in a row fail; then open for `pause_seconds`; then one probe decides.

    `monotonic` gives seconds that never go back; the shop's own clock may be set, this one must not.
    """

    def __init__(
        self, *, failures: int = 5, pause_seconds: float = 5.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause = pause_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failed = 0
        self._closed_again_at = 0.0

    def admits(self) -> bool:
        """Whether a call may go out now. Open with the pause over: yes to the first who asks, no to the others."""
        with self._lock:
            if self._failed < self._limit:
                return True
            now = self._monotonic()
            if now < self._closed_again_at:
                return False
            self._closed_again_at = now + self._pause  # until this probe has an answer, nobody else goes out
            return True

    def succeeded(self) -> None:
        """A call was answered."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """A call was not answered, or not with sense."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._closed_again_at = self._monotonic() + self._pause
