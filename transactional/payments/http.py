"""The HTTP session under the gateway's client: a time-out on every call, and errors that keep what matters.

The client library has no default time-out, drops the HTTP status (a 409 or 429 looks like a 400), prints on
connection errors and raises a JSON error for a proxy's HTML page. Everything is decided here, before it sees any of it.
"""

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from transactional.payments.gateway import (
    Conflict,
    Declined,
    GatewayError,
    Invalid,
    RateLimited,
    Unavailable,
    Unknown,
)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class GatewaySession(requests.Session):
    """A session whose calls end in a decodable success or in one of the gateway's error classes."""

    def __init__(self, *, base_url: str, timeout: tuple[float, float], adapter: BaseAdapter | None = None) -> None:
        super().__init__()
        self._timeout = timeout
        # A proxy of the environment has no business with a local gateway; certificates are the client's own.
        self.trust_env = adapter is None and urlsplit(base_url).hostname not in _LOOPBACK
        if adapter is not None:
            self.mount(base_url, adapter)

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with the time-out and translate whatever goes wrong."""
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        kwargs["allow_redirects"] = False  # an API that redirects is not the one we trust with credentials
        try:
            response = super().request(method, url, *args, **kwargs)
        except requests.exceptions.RequestException as error:
            raise _from_transport(error) from error
        fault = _from_response(response)
        if fault is not None:
            raise fault
        return response


def _from_transport(error: requests.exceptions.RequestException) -> GatewayError:
    """Nothing was sent when no connection came about; else nobody knows."""
    if isinstance(error, requests.exceptions.ConnectTimeout) or _never_connected(error):
        return Unavailable("the payment gateway cannot be reached")
    return Unknown(f"the payment gateway's answer was lost ({type(error).__name__})")


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def _from_response(response: requests.Response) -> GatewayError | None:
    """The error of an answer, None for a success. A success without a body (204) stays one."""
    status = response.status_code
    if status == 204:
        return None
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        body = None
    if 200 <= status < 300 and isinstance(body, dict):
        return None
    if status == 429:
        return RateLimited("the payment gateway asks for patience")
    if not isinstance(body, dict) or status >= 500 or status < 400:
        return _unreadable(status, body)
    return _refusal(status, body)


def _unreadable(status: int, body: object) -> GatewayError:
    return Unknown(f"the payment gateway answered {status}{'' if isinstance(body, dict) else ' without readable JSON'}")


def _refusal(status: int, body: dict[str, Any]) -> GatewayError:
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    description = str(error.get("description") or f"HTTP {status}")
    if status == 409:
        return Conflict(description)
    if error.get("code") == "GATEWAY_ERROR" or error.get("source") in {"bank", "customer", "issuer_bank"}:
        return Declined(description)
    return Invalid(description)
