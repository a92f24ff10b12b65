"""Access tokens: opaque, of a limited life, unannounced when they end."""

import hmac
from datetime import datetime, timedelta
from typing import Any

from transactional.shipping_standin.config import Account, Switches
from transactional.shipping_standin.refusals import Refusal, Unauthenticated
from transactional.shipping_standin.times import VirtualClock


class Tokens:
    """Who may ask."""

    def __init__(self, account: Account, switches: Switches, clock: VirtualClock) -> None:
        self._account = account
        self._switches = switches
        self._clock = clock
        self._issued: dict[str, datetime] = {}
        self.log_ins = 0

    def log_in(self, body: dict[str, Any]) -> dict[str, Any]:
        """`POST /auth/login`; no word about when the token ends."""
        right = hmac.compare_digest(str(body.get("password", "")).encode(), self._account.password.encode())
        if not right or body.get("email") != self._account.email:
            raise Refusal("Invalid email and password combination", status=400)
        self.log_ins += 1
        token = f"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.{self._account.seed:06d}.{self.log_ins:08d}"
        self._issued[token] = self._clock.now()
        return {
            "id": 1_234,
            "first_name": "API",
            "last_name": "USER",
            "email": self._account.email,
            "company_id": 4_321,
            "created_at": "2024-01-01 10:00:00",
            "token": token,
        }

    def log_out(self, header: str | None) -> dict[str, Any]:
        """`POST /auth/logout`."""
        self._issued.pop(_token(header), None)
        return {"message": "Logged out"}

    def check(self, header: str | None) -> None:
        """Raise Unauthenticated unless the header carries a token that lives."""
        issued = self._issued.get(_token(header))
        if issued is None or self._clock.now() - issued >= timedelta(hours=self._switches.token_hours):
            raise Unauthenticated

    def expire_all(self) -> None:
        """Every token is dead from now on."""
        self._issued.clear()


def _token(header: str | None) -> str:
    return (header or "").removeprefix("Bearer ")
