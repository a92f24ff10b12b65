"""Who is logged in: kept in this server's memory, found by a random number that the browser's cookie carries.

The cookie says nothing by itself: 256 random bits that only this store can tell from others, so there is nothing to
sign and nothing to forge. The store keeps their SHA-256, never the bits. Nothing lies on disk: after a restart of the
dashboards people log in again, and the shop's tokens cannot be read from a file.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from dashboards.lib.access import Credentials, LoginRefusedError, ShopAccounts, ShopUnreachableError, Viewer
from dashboards.settings import load_settings

COOKIE = "mlt_dashboards"
"""The cookie's name."""
LIFETIME_SECONDS = 12 * 3600
"""A login ends after so long, however busy: a working day."""
IDLE_SECONDS = 2 * 3600
"""And after so long without a look."""
RENEW_AFTER_SECONDS = 600
"""The shop is asked again after so long: a right that was taken away or a session that was ended closes the pages."""


@dataclass
class _Login:
    credentials: Credentials
    begun_at: float
    seen_at: float
    asked_at: float
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Two tabs must not use one refresh token twice: the shop would take that for a theft and end the session."""


class Logins:
    """Every live login of this server. `clock` counts seconds and never runs backwards."""

    def __init__(self, shop: ShopAccounts, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._shop = shop
        self._clock = clock
        self._by_digest: dict[bytes, _Login] = {}
        self._lock = threading.Lock()

    def begin(self, email: str, password: str) -> str:
        """Log somebody in; gives the cookie's value. Raises LoginRefusedError."""
        credentials = self._shop.log_in(email, password)
        token = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._forget_expired(now)
            self._by_digest[_digest(token)] = _Login(credentials, begun_at=now, seen_at=now, asked_at=now)
        return token

    def knows(self, token: str | None) -> bool:
        """Whether the cookie belongs to a live login, without asking the shop."""
        return self._live(token) is not None

    def viewer(self, token: str | None) -> Viewer | None:
        """Who this is; None for whoever is not logged in, and for whom the shop no longer lets in.

        Raises ShopUnreachableError when the shop has to be asked and does not answer; the login stays.
        """
        login = self._live(token)
        if login is None or token is None:
            return None
        with login.lock:
            now = self._clock()
            if not login.ended and now - login.asked_at >= RENEW_AFTER_SECONDS:
                try:
                    login.credentials = self._shop.renew(login.credentials)
                except ShopUnreachableError:
                    raise
                except LoginRefusedError:
                    login.ended = True
                    self._forget(token)
                login.asked_at = now
            login.seen_at = now
            return None if login.ended else login.credentials.viewer

    def end(self, token: str | None) -> None:
        """Log out, here and at the shop."""
        login = self._live(token)
        if login is None or token is None:
            return
        self._forget(token)
        with login.lock:
            login.ended = True
            # Here the login is over either way; what the shop still holds runs out by itself.
            with suppress(LoginRefusedError):
                self._shop.log_out(login.credentials)

    def _live(self, token: str | None) -> _Login | None:
        if not token:
            return None
        with self._lock:
            login = self._by_digest.get(_digest(token))
            return None if login is None or _is_over(login, self._clock()) else login

    def _forget(self, token: str) -> None:
        with self._lock:
            self._by_digest.pop(_digest(token), None)

    def _forget_expired(self, now: float) -> None:
        for digest in [digest for digest, login in self._by_digest.items() if _is_over(login, now)]:
            del self._by_digest[digest]


def _is_over(login: _Login, now: float) -> bool:
    return login.ended or now - login.begun_at >= LIFETIME_SECONDS or now - login.seen_at >= IDLE_SECONDS


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@lru_cache(maxsize=1)
def logins() -> Logins:
    """This server's logins: the pages and the entrance run in one process and share them."""
    return Logins(ShopAccounts.at(load_settings().shop_url))
