"""Requests and answers of the gateway's API, free of any HTTP library."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from transactional.payments_standin.entities import Json
from transactional.payments_standin.refusals import Refusal


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    expand: frozenset[str] = frozenset()
    """The values of `expand[]`, the one parameter that may be repeated."""

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises Refusal for anything else."""
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            raise Refusal("The request body is not valid JSON.") from None
        if body == []:  # the SDK sends an empty list where it has nothing to say
            return {}
        if not isinstance(body, dict):
            raise Refusal("The request body must be an object.")
        return body

    @property
    def refund_key(self) -> str | None:
        """The idempotency key of a refund."""
        return self.headers.get("x-refund-idempotency")


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


Answer = Callable[[ApiRequest, re.Match[str]], Json]
"""Does one call."""


def request_of(
    method: str, path: str, parameters: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]], body: bytes
) -> ApiRequest:
    """A request from what any HTTP library knows of it."""
    pairs = list(parameters)
    return ApiRequest(
        method=method.upper(),
        path=path,
        query={name: value for name, value in pairs if name != "expand[]"},
        headers={name.lower(): value for name, value in headers},
        body=body,
        expand=frozenset(value for name, value in pairs if name == "expand[]"),
    )


def refused(refusal: Refusal, *, bare: bool = False) -> ApiResponse:
    """A refusal as an answer."""
    return ApiResponse(refusal.status, json.dumps(refusal.body(bare=bare)).encode())
