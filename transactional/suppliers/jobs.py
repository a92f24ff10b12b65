"""What the worker does for procurement."""

from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from transactional.core.jobs import every
from transactional.core.uow import Database
from transactional.suppliers import drafting, requirements
from transactional.suppliers.drafting import Drafted


@every(timedelta(hours=6), name="suppliers.reorder")
def reorder(database: Database) -> Drafted:
    """Bring every supplier's reorder drafts up to date, one supplier a transaction; then what orders wait for."""
    total = Drafted()
    with database.read() as session:
        supplier_ids = list(drafting.active_suppliers(session))
    for supplier_id in supplier_ids:
        work = partial(drafting.draw_up_orders, supplier_id=supplier_id, now=database.clock.now())
        total += database.run(work, actor="worker")
    database.run(lambda session: _record_requirements(session, database), actor="worker")
    return total


def _record_requirements(session: Session, database: Database) -> int:
    return requirements.record_backorders(session, now=database.clock.now()) + requirements.cover_open(session)
