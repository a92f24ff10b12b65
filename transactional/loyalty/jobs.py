"""Points become available when their return window ends, and expire when their time is up; customers hear of it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.loyalty import notices, service

_BATCH = 500


@every(timedelta(hours=1), name="loyalty.activate_due")
def activate_due_points(database: Database) -> int:
    """Activate what is due, a batch of customers a transaction; gives the number of lots."""
    return _in_batches(database, service.activate_due)


@every(timedelta(hours=1), name="loyalty.expire_due")
def expire_due_points(database: Database) -> int:
    """Expire what is due, a batch of customers a transaction; gives the number of lots."""
    return _in_batches(database, service.expire_due)


@every(timedelta(hours=6), name="loyalty.review_tiers")
def review_tiers(database: Database) -> int:
    """Renew or lower the tiers whose period is over; gives the number of customers."""
    return _in_batches(database, service.review_tiers)


@every(timedelta(hours=12), name="loyalty.send_notices")
def send_notices(database: Database) -> None:
    """Tell customers of points and tiers that end soon, each once."""
    _one_after_another(database, notices.notify_expiries)
    _one_after_another(database, notices.notify_tier_ends)


def _in_batches(database: Database, step: Callable[..., int]) -> int:
    total = 0
    while True:
        moved = database.run(lambda session: step(session, now=database.clock.now(), limit=_BATCH), actor="worker")
        total += moved
        if moved == 0:
            return total


def _one_after_another(database: Database, step: Callable[..., int | None]) -> None:
    """Go through all customers, a batch a transaction."""
    last: int | None = 0
    while last is not None:
        batch = partial(step, now=database.clock.now(), after_customer_id=last)
        last = database.run(batch, actor="worker")
