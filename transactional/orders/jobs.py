"""Giving up what nobody pays for or agrees to, and the nightly comparison of orders with their histories."""

from datetime import timedelta

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.orders.changes import expire_changes
from transactional.orders.payment import expire_unpaid
from transactional.orders.verification import verify_orders

# One order a transaction: a batch would lock the stock of many orders out of order, and meet checkouts in a deadlock.
_BATCH = 1


@every(timedelta(minutes=1), name="orders.expire_unpaid")
def expire_unpaid_orders(database: Database) -> int:
    """Expire what is overdue; gives the number of orders."""
    total = 0
    while True:
        done = database.run(
            lambda session: expire_unpaid(session, now=database.clock.now(), limit=_BATCH), actor="worker"
        )
        total += done
        if done < _BATCH:
            return total


@every(timedelta(minutes=1), name="orders.expire_changes")
def expire_open_changes(database: Database) -> int:
    """Decline change sets whose time is over; gives their number."""
    total = 0
    while True:
        done = database.run(
            lambda session: expire_changes(session, now=database.clock.now(), limit=_BATCH), actor="worker"
        )
        total += done
        if done < _BATCH:
            return total


@every(timedelta(days=1), name="orders.verify")
def verify_recent_orders(database: Database) -> int:
    """Compare the orders of the last two days with their histories; gives the number that differ."""
    since = database.clock.now() - timedelta(days=2)
    return len(verify_orders(database, changed_since=since).differing)
