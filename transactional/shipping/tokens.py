"""The carrier's access token: one row that all processes share, renewed by one of them.

No transaction stays open while the carrier is asked: whoever renews takes a lease on the row, logs in, and writes the
token. Threads of a process queue at a lock, other processes look at the row until the token is there.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.uow import Database
from transactional.shipping.carrier import Unavailable
from transactional.shipping.models import CarrierToken

LIFETIME = timedelta(days=9)
"""Ten days are published; a day before that the token is renewed without waiting for a refusal."""
_LEASE = timedelta(seconds=60)
_LOOK_AGAIN_SECONDS = 0.05
_LOOKS = 1_200


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its number: renewing asks for a later one than the caller has seen fail."""

    value: str
    version: int
    issued_at: datetime

    def __repr__(self) -> str:
        return f"Token(version={self.version})"


class TokenStore:
    """Gives the token; logs in when there is none, when it is old, or when the carrier takes it no more."""

    def __init__(self, database: Database, *, account: str, log_in: Callable[[], str]) -> None:
        self._database = database
        self._account = account
        self._log_in = log_in
        self._lock = threading.Lock()
        self._pause = threading.Event()
        self._cached: Token | None = None

    def current(self) -> Token:
        """A token that should be good."""
        cached = self._cached
        if cached is not None and not self._is_old(cached):
            return cached
        return self.renewed(0 if cached is None else cached.version)

    def renewed(self, seen_version: int) -> Token:
        """A token later than the one that was seen to fail; only the first of many callers logs in.

        Raises whatever the log-in raises, and Unavailable when somebody else's takes too long.
        """
        with self._lock:
            for _ in range(_LOOKS):
                stored = self._read()
                if stored is not None and stored.version > seen_version and not self._is_old(stored):
                    self._cached = stored
                    return stored
                if self._database.run(_lease_of(self._account, stored, self._database.clock.now()), actor="shipping"):
                    self._cached = self._renew()
                    return self._cached
                self._pause.wait(_LOOK_AGAIN_SECONDS)
        raise Unavailable("another process has been logging in to the carrier for too long")

    def _is_old(self, token: Token) -> bool:
        return self._database.clock.now() - token.issued_at >= LIFETIME

    def _read(self) -> Token | None:
        with self._database.read() as session:
            row = session.scalar(select(CarrierToken).where(CarrierToken.account == self._account))
        if row is None or row.token is None or row.issued_at is None:
            return None
        return Token(row.token, row.version, row.issued_at)

    def _renew(self) -> Token:
        try:
            value = self._log_in()
        except BaseException:
            self._database.run(self._give_back_lease, actor="shipping")
            raise
        return self._database.run(lambda session: self._store(session, value), actor="shipping")

    def _give_back_lease(self, session: Session) -> None:
        session.execute(update(CarrierToken).where(CarrierToken.account == self._account).values(leased_until=None))

    def _store(self, session: Session, value: str) -> Token:
        now = self._database.clock.now()
        version = session.scalar(
            update(CarrierToken)
            .where(CarrierToken.account == self._account)
            .values(token=value, version=CarrierToken.version + 1, issued_at=now, leased_until=None)
            .returning(CarrierToken.version)
        )
        assert version is not None
        return Token(value, version, now)


def _lease_of(account: str, seen: Token | None, now: datetime) -> Callable[[Session], bool]:
    """Takes the lease unless somebody holds it, or has renewed since we looked."""

    def work(session: Session) -> bool:
        session.execute(
            insert_into(session, CarrierToken)
            .values(account=account, version=0)
            .on_conflict_do_nothing(index_elements=["account"])
        )
        taken = session.scalar(
            update(CarrierToken)
            .where(CarrierToken.account == account, CarrierToken.version == (seen.version if seen else 0))
            .where((CarrierToken.leased_until.is_(None)) | (CarrierToken.leased_until <= now))
            .values(leased_until=now + _LEASE)
            .returning(CarrierToken.id)
        )
        return taken is not None

    return work
