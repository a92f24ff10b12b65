"""Log-in with the shop's staff accounts: the shop decides who may look, this module only asks it."""

import time
from dataclasses import dataclass
from typing import Any

import httpx
import streamlit as st

PERMISSION = "read_analytics"
_REFRESH_AFTER_SECONDS = 600
_TIMEOUT = httpx.Timeout(10.0)


class LoginRefusedError(Exception):
    """The shop said no, or could not be asked; the message is for the person at the screen."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the dashboards, with the keys that the shop gave them."""

    email: str
    permissions: frozenset[str]
    refresh_token: str
    checked_at: float

    def may(self, permission: str) -> bool:
        """Whether the viewer holds a permission."""
        return permission in self.permissions


def log_in(shop_url: str, email: str, password: str) -> Viewer:
    """Ask the shop for a session; raises LoginRefusedError for wrong credentials or a missing permission."""
    tokens = _call("POST", f"{shop_url}/v1/auth/login", json={"email": email, "password": password})
    return _viewer(shop_url, tokens)


def renew(shop_url: str, viewer: Viewer) -> Viewer:
    """Ask again after a while, so that a revoked permission or an ended session closes the dashboards too."""
    if time.monotonic() - viewer.checked_at < _REFRESH_AFTER_SECONDS:
        return viewer
    tokens = _call("POST", f"{shop_url}/v1/auth/refresh", json={"refresh_token": viewer.refresh_token})
    return _viewer(shop_url, tokens)


def _viewer(shop_url: str, tokens: dict[str, Any]) -> Viewer:
    me = _call("GET", f"{shop_url}/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    permissions = frozenset(me["permissions"])
    if PERMISSION not in permissions:
        raise LoginRefusedError("This account may not read the shop's figures (permission read_analytics is missing).")
    return Viewer(
        email=me["email"],
        permissions=permissions,
        refresh_token=tokens["refresh_token"],
        checked_at=time.monotonic(),
    )


def _call(method: str, url: str, **kwargs: Any) -> dict[str, Any]:
    try:
        response = httpx.request(method, url, timeout=_TIMEOUT, **kwargs)
    except httpx.HTTPError as error:
        raise LoginRefusedError(f"The shop does not answer at {url}: is it running? ({error})") from error
    if response.status_code in {400, 401, 403, 422}:
        raise LoginRefusedError("E-mail or password is not right, or the session has ended.")
    if response.is_error:
        raise LoginRefusedError(f"The shop answered {response.status_code}; try again in a moment.")
    content: dict[str, Any] = response.json()
    return content


def require_viewer(shop_url: str) -> Viewer:  # noqa: RET503  `st.stop` never returns
    """The logged-in viewer; otherwise shows the log-in form and stops the page."""
    viewer: Viewer | None = st.session_state.get("viewer")
    if viewer is not None:
        try:
            st.session_state["viewer"] = viewer = renew(shop_url, viewer)
        except LoginRefusedError as error:
            del st.session_state["viewer"]
            st.warning(f"Please log in again: {error}")
        else:
            return viewer
    _form(shop_url)
    st.stop()


def _form(shop_url: str) -> None:
    st.title("My Little Things")
    st.caption("Log in with your staff account of the shop.")
    with st.form("login", width=420):
        email = st.text_input("E-mail")
        password = st.text_input("Password", type="password")
        submitted = st.form_submit_button("Log in", type="primary")
    if not submitted:
        return
    try:
        st.session_state["viewer"] = log_in(shop_url, email, password)
    except LoginRefusedError as error:
        st.error(str(error))
        return
    st.rerun()
