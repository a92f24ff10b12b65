"""Staff accounts of the shop: the shop decides who may look at its figures, this module only asks it."""

from dataclasses import dataclass
from typing import Any

import httpx

PERMISSION = "read_analytics"
_TIMEOUT = httpx.Timeout(10.0)


class LoginRefusedError(Exception):
    """The shop said no; the message is for the person at the screen."""


class ShopUnreachableError(LoginRefusedError):
    """The shop could not be asked, so nobody can be let in or kept in."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the dashboards, with the keys that the shop gave them."""

    email: str
    permissions: frozenset[str]

    def may(self, permission: str) -> bool:
        """Whether the viewer holds a permission."""
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Credentials:
    """A session at the shop. The refresh token works once: whoever uses it must keep its successor."""

    viewer: Viewer
    access_token: str
    refresh_token: str


class ShopAccounts:
    """The shop's API as far as people are concerned. `client` has the shop's address as its base URL."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def at(cls, shop_url: str) -> "ShopAccounts":
        """The shop at this address."""
        return cls(httpx.Client(base_url=shop_url, timeout=_TIMEOUT))

    def log_in(self, email: str, password: str) -> Credentials:
        """Open a session; raises LoginRefusedError for wrong credentials or a missing permission."""
        return self._credentials(self._call("POST", "/v1/auth/login", json={"email": email, "password": password}))

    def renew(self, credentials: Credentials) -> Credentials:
        """Ask again who this is and what they may; raises LoginRefusedError where the session or the right ended."""
        body = {"refresh_token": credentials.refresh_token}
        return self._credentials(self._call("POST", "/v1/auth/refresh", json=body))

    def log_out(self, credentials: Credentials) -> None:
        """End the session at the shop as well; raises LoginRefusedError where it had ended before."""
        self._call("POST", "/v1/auth/logout", headers=_bearer(credentials.access_token))

    def _credentials(self, tokens: dict[str, Any]) -> Credentials:
        me = self._call("GET", "/v1/me", headers=_bearer(tokens["access_token"]))
        permissions = frozenset(me["permissions"])
        if PERMISSION not in permissions:
            raise LoginRefusedError(
                "This account may not read the shop's figures (permission read_analytics is missing)."
            )
        return Credentials(Viewer(me["email"], permissions), tokens["access_token"], tokens["refresh_token"])

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = self._client.request(method, path, **request)
        except httpx.HTTPError as error:
            address = self._client.base_url
            raise ShopUnreachableError(f"The shop does not answer at {address}: is it running? ({error})") from error
        if response.status_code in {400, 401, 403, 422}:
            raise LoginRefusedError("E-mail or password is not right, or the session has ended.")
        if response.is_error:
            raise ShopUnreachableError(f"The shop answered {response.status_code}; try again in a moment.")
        content: dict[str, Any] = response.json() if response.content else {}
        return content


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
