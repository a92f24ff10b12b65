"""The way to the serving process: one question over HTTP within a time budget, or a reason why there is no answer."""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from transactional.recommendations.breaker import CircuitBreaker

_CALLS_AT_ONCE = 16
_MAX_BYTES = 2_000_000


class NoAnswer(Exception):
    """Serving gave no usable answer in time; the message says why, for the answer that falls back."""


class ServedReason(BaseModel):
    """Why an item is there, for programs."""

    kind: str
    product_id: int | None = None
    count: int | None = None
    total: int | None = None
    last_at: datetime | None = None
    days: int | None = None


class ServedItem(BaseModel):
    """One recommended product."""

    product_id: int = Field(gt=0)
    score: float
    reason: str
    because: ServedReason


class ServedShelf(BaseModel):
    """A ranked list and where it comes from."""

    shelf: str
    model: str
    version: str
    build_id: str
    items: list[ServedItem]


class Served(BaseModel):
    """An answer of the serving process; what else it may hold is not needed here."""

    build_id: str
    shelves: list[ServedShelf]


class ServingClient:
    """Asks the serving process; may be used from many threads."""

    def __init__(self, url: str, *, budget_seconds: float, breaker: CircuitBreaker | None = None) -> None:
        self._budget = budget_seconds
        self._breaker = breaker or CircuitBreaker()
        self._http = httpx.Client(base_url=url, timeout=budget_seconds, trust_env=False)
        # httpx limits each step of a request; only waiting on another thread limits the whole of it.
        self._threads = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="serving-client")

    def ask(self, question: Mapping[str, Any]) -> Served:
        """The answer, or NoAnswer after at most the budget."""
        if not self._breaker.admits():
            raise NoAnswer("serving failed repeatedly and is left alone for a few seconds")
        try:
            served = self._within_budget(self._threads.submit(self._post, dict(question)))
        except NoAnswer:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return served

    def _within_budget(self, call: "Future[Served]") -> Served:
        try:
            return call.result(timeout=self._budget)
        except (FutureTimeout, httpx.TimeoutException):
            call.cancel()
            raise NoAnswer(f"serving did not answer within {round(self._budget * 1000)} ms") from None
        except httpx.HTTPError as error:
            raise NoAnswer(f"serving cannot be reached ({type(error).__name__})") from error
        except ValidationError as error:
            raise NoAnswer("serving gave an answer that makes no sense") from error

    def _post(self, question: dict[str, Any]) -> Served:
        give_up_at = time.monotonic() + self._budget
        with self._http.stream("POST", "/v1/recommend", json=question) as response:
            if response.status_code != httpx.codes.OK:
                raise NoAnswer(f"serving answered {response.status_code}")
            body = bytearray()
            for part in response.iter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise NoAnswer("serving gave an answer without end")
                if time.monotonic() > give_up_at:
                    # Nobody waits any more: a server that sends drop by drop must not keep the thread.
                    raise NoAnswer("serving was too slow")
        return Served.model_validate_json(bytes(body))


@lru_cache(maxsize=8)
def client_for(url: str, budget_ms: int) -> ServingClient:
    """This process's client of a serving process: connections and the breaker's memory outlive a request."""
    return ServingClient(url, budget_seconds=budget_ms / 1000)
