"""What the worker does for stock."""

from datetime import timedelta

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.inventory.alerts import refresh


@every(timedelta(hours=1), name="inventory.refresh_alerts")
def refresh_alerts(database: Database) -> int:
    """Settle the alerts of levels that were written past the services (imports); gives how many.

    One level a transaction: a batch would lock levels in an order of its own, and meet checkouts in a deadlock.
    """
    total = 0
    while done := database.run(lambda session: refresh(session, now=database.clock.now()), actor="worker"):
        total += done
    return total
