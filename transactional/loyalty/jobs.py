"""Points become available when their return window ends, and expire when their time is up."""

from collections.abc import Callable
from datetime import timedelta

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.loyalty import service

_BATCH = 500


@every(timedelta(hours=1), name="loyalty.activate_due")
def activate_due_points(database: Database) -> int:
    """Activate what is due, a batch of customers a transaction; gives the number of lots."""
    return _in_batches(database, service.activate_due)


@every(timedelta(hours=1), name="loyalty.expire_due")
def expire_due_points(database: Database) -> int:
    """Expire what is due, a batch of customers a transaction; gives the number of lots."""
    return _in_batches(database, service.expire_due)


def _in_batches(database: Database, step: Callable[..., int]) -> int:
    total = 0
    while True:
        moved = database.run(lambda session: step(session, now=database.clock.now(), limit=_BATCH), actor="worker")
        total += moved
        if moved == 0:
            return total
