"""Faults that can be armed for the next calls: what networks and proxies do to a payment."""

import threading
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong."""

    ANSWER_LOST = "answer_lost"
    """The work is done, the answer never arrives (over HTTP: a proxy's 504 page)."""
    HTML_502 = "html_502"
    """Nothing is done; a proxy answers with a page."""
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    """Nothing is done; the gateway says so in its own format."""


@dataclass(slots=True)
class _Armed:
    method: str
    path_prefix: str
    fault: Fault
    left: int


class Faults:
    """Faults waiting for their calls, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault, *, method: str = "POST", path_prefix: str = "/v1/", times: int = 1) -> None:
        """Let the next calls with this method and beginning of the path suffer."""
        with self._lock:
            self._armed.append(_Armed(method.upper(), path_prefix, fault, times))

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, if one is armed; uses it up."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if armed.method == method and path.startswith(armed.path_prefix):
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                    return armed.fault
        return None
