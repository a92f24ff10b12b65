"""The core's own periodic jobs."""

from datetime import timedelta

from transactional.core.idempotency import purge_expired
from transactional.core.jobs import every
from transactional.core.uow import Database


@every(timedelta(hours=1), name="core.purge_idempotency_keys")
def purge_idempotency_keys(database: Database) -> int:
    """Forget answers whose time is over."""
    return database.run(lambda session: purge_expired(session, now=database.clock.now()), actor="job:housekeeping")
