"""The carrier's HTTP API: time-outs, tokens, retries of what may be retried, and errors that say what is known."""

import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from transactional.core.uow import Database
from transactional.shipping.carrier import Absent, Refused, Unavailable, Unknown
from transactional.shipping.scalars import text
from transactional.shipping.tokens import Token, TokenStore

_READS = 4
_FIRST_PAUSE_SECONDS = 0.25
_CONNECT_SECONDS = 5.0
_LONGEST_WORD = 200

Pause = Callable[[float], object]


class CarrierApi:
    """Calls with a valid token. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        *,
        base_url: str,
        email: str,
        password: SecretStr,
        timeout_seconds: float = 15.0,
        transport: httpx.BaseTransport | None = None,
        pause: Pause | None = None,
    ) -> None:
        """`transport` replaces the network, `pause` the waiting between tries, in tests."""
        timeout = httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds))
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"), timeout=timeout, transport=transport, trust_env=transport is None
        )
        self._email = email
        self._password = password
        self._pause: Pause = pause or threading.Event().wait
        self._tokens = TokenStore(database, account=f"{base_url.rstrip('/')} {email}"[:160], log_in=self._log_in)

    def get(self, path: str, params: Mapping[str, str | int | float] | None = None) -> Any:
        """Read, several times if need be. Raises Unavailable when nothing helps, Refused."""
        for attempt in range(_READS):
            try:
                return self._send("GET", path, params=params)
            except (Unknown, Unavailable) as error:
                if attempt == _READS - 1:
                    raise Unavailable(str(error)) from error
                self._pause(_FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311  jitter
        raise AssertionError("unreachable: the last attempt returns or raises")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Write, once. Raises Unavailable (nothing was done), Unknown (who knows), Refused."""
        return self._send("POST", path, body=body)

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        token = self._tokens.current()
        response = self._exchange(method, path, params, body, token)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            # The carrier did nothing but look at the token, so even a POST may be sent again; once.
            response = self._exchange(method, path, params, body, self._tokens.renewed(token.version))
        return _content(response)

    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int | float] | None,
        body: Mapping[str, Any] | None,
        token: Token | None,
    ) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token.value}"}
        try:
            return self._client.request(method, path, params=params, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unavailable(f"the carrier cannot be reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise Unknown(f"no answer from the carrier: {type(error).__name__}") from error

    def _log_in(self) -> str:
        credentials = {"email": self._email, "password": self._password.get_secret_value()}
        try:
            answer = _content(self._exchange("POST", "/auth/login", None, credentials, None))
        except Unknown as error:
            # A log-in that nobody heard the answer of does no harm.
            raise Unavailable(str(error)) from error
        token = text(answer.get("token")) if isinstance(answer, Mapping) else None
        if token is None:
            raise Unavailable("the carrier's answer to the log-in holds no token")
        return token


def _content(response: httpx.Response) -> Any:
    """The parsed body, `{}` for an empty one; errors by status, also those that hide inside a 200."""
    status = response.status_code
    content = _parsed(response)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Unavailable("the carrier asks to slow down")
    if status >= 500:
        raise Unknown(f"the carrier failed with {status}: {_message(content)}")
    if status == httpx.codes.UNAUTHORIZED:
        # Even a new token was not taken: nothing was done, and another log-in may help later.
        raise Unavailable("the carrier takes no token of ours")
    hidden = text(content.get("status")) if isinstance(content, Mapping) and "message" in content else None
    if status == httpx.codes.NOT_FOUND or hidden == "404":
        raise Absent(f"{_message(content)} (404)")
    if status >= 400 or hidden in {"400", "422"}:
        raise Refused(f"{_message(content)} ({hidden or status})")
    if content is None:
        raise Unknown("the carrier's answer cannot be read")
    return content


def _parsed(response: httpx.Response) -> Any:
    if not response.content.strip():
        return {}
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def _message(content: Any) -> str:
    if not isinstance(content, Mapping):
        return "unreadable answer"
    said = text(content.get("message")) or "no message"
    errors = content.get("errors")
    if isinstance(errors, Mapping):
        details = "; ".join(
            f"{name}: {texts[0] if isinstance(texts, list) and texts else texts}" for name, texts in errors.items()
        )
        said = f"{said} {details}"
    return said[:_LONGEST_WORD]
