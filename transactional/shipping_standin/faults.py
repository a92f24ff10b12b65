"""Faults that can be armed for the next calls: what networks, proxies and the carrier's PHP do to them."""

import threading
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong."""

    ANSWER_LOST = "answer_lost"
    """The work is done, the answer never arrives."""
    HTML_502 = "html_502"
    """Nothing is done; a proxy answers with a page."""
    PHP_500 = "php_500"
    """Nothing is done; the carrier's PHP shows its stack."""
    RATE_LIMITED = "rate_limited"
    EMPTY = "empty"
    """200 and `{}`."""
    ERROR_IN_200 = "error_in_200"
    """200 around an error body."""
    EMPTY_URLS = "empty_urls"
    """The work is done, but every URL of the answer is empty."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  no secret
    """All tokens die just before this call."""


@dataclass(slots=True)
class _Armed:
    method: str
    path_part: str
    fault: Fault
    left: int


class Faults:
    """Faults waiting for their calls, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault, *, method: str = "POST", path_part: str = "", times: int = 1) -> None:
        """Let the next calls with this method and this part of the path suffer."""
        with self._lock:
            self._armed.append(_Armed(method.upper(), path_part, fault, times))

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, if one is armed; uses it up."""
        with self._lock:
            for armed in self._armed:
                if armed.method == method and armed.path_part in path:
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                    return armed.fault
        return None
