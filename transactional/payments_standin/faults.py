"""Faults that can be armed for the next calls: what networks and proxies do to a payment."""

import threading
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.refusals import (
    RATE_LIMITED,
    REFUND_KEY_BUSY,
    REFUND_KEY_STORE_DOWN,
    Refusal,
)
from transactional.payments_standin.wire import ApiResponse, refused

_HTML_PAGE = b"<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_TOO_MANY_PAGE = b"<html><body><h1>429 Too Many Requests</h1></body></html>"


class Fault(StrEnum):
    """What goes wrong."""

    ANSWER_LOST = "answer_lost"
    """The work is done, the answer never arrives (over HTTP: a proxy's 504 page)."""
    UNREADABLE = "unreadable"
    """The work is done, the answer arrives cut off."""
    HTML_502 = "html_502"
    """Nothing is done; a proxy answers with a page."""
    RATE_LIMITED = "rate_limited"
    """Nothing is done; too many requests."""
    SERVER_ERROR = "server_error"
    """Nothing is done; the gateway says so in its own format."""
    KEY_IN_PROGRESS = "key_in_progress"
    """Nothing is done; another request under the same idempotency key is running."""

    @property
    def after_the_work(self) -> bool:
        """Whether the call does its work before it goes wrong."""
        return self in {Fault.ANSWER_LOST, Fault.UNREADABLE}


@dataclass(slots=True)
class _Armed:
    method: str
    path: str
    fault: Fault
    left: int

    def meets(self, method: str, path: str) -> bool:
        return self.method in {method, "*"} and fnmatchcase(path, self.path)


class Faults:
    """Faults waiting for their calls, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault, *, method: str = "POST", path_prefix: str = "/v1/", times: int = 1) -> None:
        """Let the next calls with this method (`*`: any) and beginning of the path suffer.

        `*` within the path stands for anything, as in `/v1/payments/*/capture`.
        """
        with self._lock:
            self._armed.append(_Armed(method.upper(), f"{path_prefix}*", fault, times))

    def disarm(self) -> None:
        """Forget what has not struck yet."""
        with self._lock:
            self._armed.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault of this call, if one is armed; uses it up."""
        if not self._armed:
            return None
        with self._lock:
            for armed in self._armed:
                if armed.meets(method, path):
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                    return armed.fault
        return None


def answer_instead(fault: Fault, config: StandInConfig) -> ApiResponse:
    """What a call hears whose work is not done."""
    if fault is Fault.HTML_502:
        return ApiResponse(502, _HTML_PAGE, "text/html")
    if fault is Fault.RATE_LIMITED:
        return _too_many(config)
    if fault is Fault.KEY_IN_PROGRESS:
        return refused(Refusal(REFUND_KEY_BUSY, status=409), bare=config.bare_errors)
    return refused(Refusal(REFUND_KEY_STORE_DOWN, status=500, code="SERVER_ERROR"), bare=config.bare_errors)


def _too_many(config: StandInConfig) -> ApiResponse:
    if config.rate_limit_body == "html":
        return ApiResponse(429, _TOO_MANY_PAGE, "text/html")
    if config.rate_limit_body == "empty":
        return ApiResponse(429, b"")
    return refused(Refusal(RATE_LIMITED, status=429), bare=config.bare_errors)


def cut_off(response: ApiResponse) -> ApiResponse:
    """An answer of which only the first half arrived."""
    return ApiResponse(response.status, response.body[: len(response.body) // 2])
