"""Giving up what nobody pays for or agrees to, and the nightly comparison of orders with their histories."""

from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.orders.changes import expire_changes
from transactional.orders.payment import expire_unpaid
from transactional.orders.verification import verify_orders


@every(timedelta(minutes=1), name="orders.expire_unpaid")
def expire_unpaid_orders(database: Database) -> int:
    """Expire what is overdue; gives the number of orders."""
    return _one_by_one(database, expire_unpaid)


@every(timedelta(minutes=1), name="orders.expire_changes")
def expire_open_changes(database: Database) -> int:
    """Decline change sets whose time is over; gives their number."""
    return _one_by_one(database, expire_changes)


@every(timedelta(days=1), name="orders.verify")
def verify_recent_orders(database: Database) -> int:
    """Compare the orders of the last two days with their histories; gives the number that differ."""
    since = database.clock.now() - timedelta(days=2)
    return len(verify_orders(database, changed_since=since).differing)


class _Expire(Protocol):
    def __call__(self, session: Session, *, now: datetime, limit: int) -> int: ...


def _one_by_one(database: Database, expire: _Expire) -> int:
    """One order a transaction: a batch would lock the stock of many out of order, and meet checkouts in a deadlock."""
    total = 0
    while database.run(lambda session: expire(session, now=database.clock.now(), limit=1), actor="worker"):
        total += 1
    return total
