"""The shop's daily work while the customers sleep: what ran out, what is owed, what the banks said, what to buy."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.loyalty import jobs as loyalty_jobs
from transactional.orders import jobs as order_jobs
from transactional.payments import cash
from transactional.payments import service as payments
from transactional.payments.service import Payment, Refund, RefundStatus
from transactional.simulation import news, procurement
from transactional.simulation.stage import STAFF, Stage

_BANK_TAKES_LONG = 0.06
_BANK_REFUSES = 0.5
_CASH = "cash"
_SUNDAY = 6
_AGAIN = "again:"


def work(stage: Stage) -> None:
    """Everything that is done once a day."""
    order_jobs.expire_unpaid_orders(stage.database)
    order_jobs.expire_open_changes(stage.database)
    _hear_of_refunds(stage)
    slow = stage.chance(_BANK_TAKES_LONG)
    if slow:
        stage.standin.change({"refund_outcome": "pending"})
    news.work_off(stage)
    if slow:
        stage.standin.change({"refund_outcome": "processed"})
    if stage.now.weekday() == _SUNDAY:
        payments.reconcile(stage.database, stage.gateway)
    else:
        payments.poll_open(stage.database, stage.gateway)
    _pay_cash_back(stage)
    if stage.now.day == 1:
        # Balances are right without these jobs, which only move lots from one state to the next.
        loyalty_jobs.activate_due_points(stage.database)
        loyalty_jobs.expire_due_points(stage.database)
    if stage.now.weekday() == 0:
        procurement.monday(stage)


def last(stage: Stage) -> None:
    """Leave nothing undone: what the last night set in motion is worked off too, and all books are compared."""
    work(stage)
    _hear_of_refunds(stage)
    news.work_off(stage)
    report = payments.reconcile(stage.database, stage.gateway, since=stage.begin)
    stage.counts["gateway differences"] += len(report.differences)


def _hear_of_refunds(stage: Stage) -> None:
    """Banks have the last word on refunds that they took their time for; what fails is sent once more."""
    for refund in stage.look(lambda session: _pending(session, stage.gateway.name)):
        if refund.gateway_refund_id is not None:
            _hear_of(stage, refund, refund.gateway_refund_id)


def _hear_of(stage: Stage, refund: Refund, gateway_id: str) -> None:
    fails = not refund.idempotency_key.startswith(_AGAIN) and stage.chance(_BANK_REFUSES)
    stage.standin.settle_refund(gateway_id, "failed" if fails else "processed")
    snapshot = stage.gateway.fetch_refund(gateway_id)

    def job(session: Session) -> None:
        payments.apply_gateway_refund(session, snapshot=snapshot, source="poller", now=stage.now)
        if fails:
            _send_again(session, stage, refund)

    stage.work("payments", job)
    stage.counts["refunds that failed"] += fails


def _send_again(session: Session, stage: Stage, refund: Refund) -> None:
    assert refund.order_id is not None
    payments.request_refund(
        session,
        order_id=refund.order_id,
        amount_minor=refund.amount_minor,
        reason=refund.reason or "sent again",
        idempotency_key=f"{_AGAIN}{refund.id}",
        return_id=refund.return_id,
        now=stage.now,
    )


def _pay_cash_back(stage: Stage) -> None:
    """What was paid at the door goes back by a bank transfer that staff make."""
    paid_back = [refund.id for refund in stage.look(lambda session: _pending(session, _CASH))]

    def job(session: Session) -> None:
        for refund_id in paid_back:
            cash.confirm_cash_refund(session, refund_id=refund_id, now=stage.now)

    if paid_back:
        stage.work(STAFF, job)


def _pending(session: Session, gateway: str) -> Sequence[Refund]:
    statement = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING, Payment.gateway == gateway)
        .order_by(Refund.id)
    )
    return session.scalars(statement).all()
