"""How often one address, and anybody at one account, may try a password."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from transactional.accounts.emails import normalise_email
from transactional.core.errors import InvalidInput
from transactional.core.ratelimit import Limit, RateLimiter
from transactional.settings import Settings


@dataclass(frozen=True, slots=True)
class Throttle:
    """The limits as they apply to one request."""

    limiter: RateLimiter
    settings: Settings
    address: str
    now: datetime

    def log_in(self, email: str) -> None:
        """Count a try by address and by account, whether or not the account exists."""
        self._hit(f"login@{self.address}", self.settings.login_attempts_per_address)
        self._hit(_account_key(email), self.settings.login_attempts_per_account)

    def logged_in(self, email: str) -> None:
        """A success clears the account's count (not the address's: one known password must not buy more guesses)."""
        self.limiter.forget(_account_key(email))

    def registration(self) -> None:
        """Count a registration by address."""
        self._hit(f"register@{self.address}", self.settings.registrations_per_address)

    def password_check(self, user_id: int) -> None:
        """Count a try at the present password of a logged-in user."""
        self._hit(f"password:{user_id}", self.settings.login_attempts_per_account)

    def _hit(self, key: str, attempts: int) -> None:
        window = timedelta(minutes=self.settings.attempts_window_minutes)
        self.limiter.hit(key, Limit(attempts, window), now=self.now)


def _account_key(email: str) -> str:
    try:
        return f"login:{normalise_email(email)}"  # else another spelling of the address would buy more guesses
    except InvalidInput:
        return "login:no-address"
