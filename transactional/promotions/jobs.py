"""Scheduled offers start and those whose time is over end; what they give follows the clock without it."""

from datetime import timedelta

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.promotions import service


@every(timedelta(minutes=5), name="promotions.follow_the_clock")
def follow_the_clock(database: Database) -> int:
    """Bring the status of every promotion up to date; gives how many changed."""
    now = database.clock.now()
    return database.run(lambda session: service.follow_the_clock(session, now=now), actor="worker")
