"""The record of reconciliations: runs, their sums, and the differences that stay open until a run finds them gone."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.uow import Database
from transactional.payments.alerts import raise_alert
from transactional.payments.comparison import Comparison, Difference, Theirs
from transactional.payments.models import GatewayDifference, ReconciliationRun, ReconciliationTotal, RunState

_MAX_ERROR = 300
_ACTOR = "payments"


def start_run(database: Database, gateway: str, since: datetime, until: datetime) -> int:
    """Write down that a comparison begins; gives its id."""

    def work(session: Session) -> int:
        run = ReconciliationRun(
            gateway=gateway,
            window_start=since,
            window_end=until,
            state=RunState.RUNNING,
            started_at=database.clock.now(),
        )
        session.add(run)
        session.flush()
        return run.id

    return database.run(work, actor=_ACTOR)


def fail_run(database: Database, run_id: int, error: Exception) -> None:
    """The comparison could not be finished."""

    def work(session: Session) -> None:
        run = session.get_one(ReconciliationRun, run_id)
        run.state = RunState.FAILED
        run.error = f"{type(error).__name__}: {error}"[:_MAX_ERROR]
        run.finished_at = database.clock.now()
        run.differences_open = _count_open(session, run.gateway)

    database.run(work, actor=_ACTOR)


def finish_run(database: Database, run_id: int, gateway: str, theirs: Theirs, comparison: Comparison) -> None:
    """Keep what a comparison found: open what is new, resolve what it looked at and found agreed."""

    def work(session: Session) -> None:
        now = database.clock.now()
        run = session.get_one(ReconciliationRun, run_id)
        _write_totals(session, run_id, comparison)
        found = {(each.kind, each.reference): each for each in comparison.differences}
        for row in open_differences(session, gateway, lock=True):
            difference = found.pop((row.kind, row.reference), None)
            if difference is not None:
                row.last_run_id, row.ours_minor = run_id, difference.ours_minor
                row.theirs_minor, row.order_id = difference.theirs_minor, difference.order_id
            elif row.reference in theirs.payments or row.reference in theirs.refunds:
                row.resolved_at = now
        for difference in found.values():
            if _open(session, difference, gateway, run_id, now):
                _tell(session, difference, gateway, run_id, now)
        session.flush()
        run.payments_compared, run.refunds_compared = comparison.payments, comparison.refunds
        run.differences_open = _count_open(session, gateway)
        run.state, run.finished_at = RunState.FINISHED, now

    database.run(work, actor=_ACTOR)


def open_differences(session: Session, gateway: str, *, lock: bool = False) -> Sequence[GatewayDifference]:
    """What nobody has explained yet, oldest first."""
    statement = (
        select(GatewayDifference)
        .where(GatewayDifference.gateway == gateway, GatewayDifference.resolved_at.is_(None))
        .order_by(GatewayDifference.id)
    )
    return session.scalars(statement.with_for_update() if lock else statement).all()


def _count_open(session: Session, gateway: str) -> int:
    statement = select(func.count()).where(
        GatewayDifference.gateway == gateway, GatewayDifference.resolved_at.is_(None)
    )
    return session.scalar(statement) or 0


def _write_totals(session: Session, run_id: int, comparison: Comparison) -> None:
    for currency, figure in sorted(comparison.ours.keys() | comparison.theirs.keys()):
        session.add(
            ReconciliationTotal(
                run_id=run_id,
                currency=currency,
                figure=figure,
                ours_minor=comparison.ours.get((currency, figure), 0),
                theirs_minor=comparison.theirs.get((currency, figure), 0),
            )
        )


def _open(session: Session, difference: Difference, gateway: str, run_id: int, now: datetime) -> bool:
    """Write a new difference down; False when another run at the same time has done so."""
    row = {
        "run_id": run_id,
        "last_run_id": run_id,
        "gateway": gateway,
        "kind": difference.kind,
        "reference": difference.reference,
        "gateway_payment_id": difference.gateway_payment_id,
        "gateway_refund_id": difference.gateway_refund_id,
        "order_id": difference.order_id,
        "currency": difference.currency,
        "ours_minor": difference.ours_minor,
        "theirs_minor": difference.theirs_minor,
        "found_at": now,
    }
    statement = (
        insert_into(session, GatewayDifference)
        .values(row)
        .on_conflict_do_nothing(
            index_elements=["gateway", "kind", "reference"], index_where=GatewayDifference.resolved_at.is_(None)
        )
    )
    return session.scalar(statement.returning(GatewayDifference.id)) is not None


def _tell(session: Session, difference: Difference, gateway: str, run_id: int, now: datetime) -> None:
    raise_alert(
        session,
        cause=f"gateway-difference:{gateway}:{difference.kind}:{difference.reference}:{run_id}",
        subject="Our books differ from the payment gateway's",
        body=(
            f"{difference.kind} of {difference.reference}: ours {difference.ours_minor},"
            f" theirs {difference.theirs_minor} (minor units of {difference.currency}), run {run_id}."
        ),
        now=now,
    )
