"""The accounts' periodic work."""

from datetime import timedelta

from transactional.accounts.sessions import purge_outlived_tokens
from transactional.core.jobs import every
from transactional.core.uow import Database


@every(timedelta(days=1), name="accounts.purge_refresh_tokens")
def purge_refresh_tokens(database: Database) -> int:
    """Forget refresh tokens that can do nothing any more."""
    return database.run(lambda session: purge_outlived_tokens(session, now=database.clock.now()), actor="job:accounts")
