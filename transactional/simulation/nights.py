"""The shop's daily work while the customers sleep: what ran out, what is owed, what the banks said, what to buy."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from transactional.orders import jobs as order_jobs
from transactional.orders.change_models import OPEN_CHANGES
from transactional.orders.service import Order, OrderChange, OrderStatus
from transactional.payments import cash
from transactional.payments import service as payments
from transactional.payments.service import Payment, Refund, RefundStatus
from transactional.simulation import marketing, news, procurement
from transactional.simulation.stage import STAFF, Stage

_BANK_TAKES_LONG = 0.06
_BANK_REFUSES = 0.5
_SUNDAY = 6
_AGAIN = "again:"
_WAITING = (OrderStatus.AWAITING_PAYMENT, OrderStatus.AWAITING_APPROVAL)


def work(stage: Stage) -> None:
    """Everything that is done once a day."""
    overdue, waiting = stage.look(lambda session: (_anything_overdue(session, stage.now), _pending(session)))
    if overdue:
        order_jobs.expire_unpaid_orders(stage.database)
        order_jobs.expire_open_changes(stage.database)
    _settle_refunds(stage, waiting)
    slow = stage.chance(_BANK_TAKES_LONG)
    if slow:
        stage.standin.change({"refund_outcome": "pending"})
    news.work_off(stage)
    if slow:
        stage.standin.change({"refund_outcome": "processed"})
    if stage.now.weekday() == _SUNDAY:
        payments.reconcile(stage.database, stage.gateway)
    if stage.now.day == 1:
        marketing.of_month(stage)
    if stage.now.weekday() == 0:
        procurement.monday(stage)


def last(stage: Stage) -> None:
    """Leave nothing undone: what the last night set in motion is worked off too, and all books are compared."""
    work(stage)
    _settle_refunds(stage, stage.look(_pending))
    marketing.last(stage)
    news.last(stage)
    report = payments.reconcile(stage.database, stage.gateway, since=stage.begin)
    stage.counts["gateway differences"] += len(report.differences)


def _anything_overdue(session: Session, now: datetime) -> bool:
    """Whether an order or a change of one has waited too long: one quick question instead of two jobs."""
    return bool(session.connection().execute(_overdue(), {"now": now}).scalar())


@cache
def _overdue() -> Select[bool]:
    """Built once: it is asked every night."""
    now = bindparam("now", type_=Order.expires_at.type)
    orders = select(Order.id).where(Order.expires_at <= now, Order.status.in_(_WAITING))
    changes = select(OrderChange.id).where(OrderChange.expires_at <= now, OrderChange.status.in_(OPEN_CHANGES))
    return select(or_(orders.exists(), changes.exists()))


def _settle_refunds(stage: Stage, waiting: Sequence[tuple[Refund, str]]) -> None:
    """Banks have the last word on refunds that they took their time for; staff pay back what was paid at the door."""
    for refund, gateway in waiting:
        if gateway == stage.gateway.name and refund.gateway_refund_id is not None:
            _hear_of(stage, refund, refund.gateway_refund_id)
    _pay_cash_back(stage, [refund.id for refund, gateway in waiting if gateway == cash.GATEWAY])


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


def _pay_cash_back(stage: Stage, refund_ids: Sequence[int]) -> None:
    """By a bank transfer that staff make."""

    def job(session: Session) -> None:
        for refund_id in refund_ids:
            cash.confirm_cash_refund(session, refund_id=refund_id, now=stage.now)

    if refund_ids:
        stage.work(STAFF, job)


def _pending(session: Session) -> list[tuple[Refund, str]]:
    """Refunds that nobody has settled yet, with the gateway of their payment."""
    return [(refund, gateway) for refund, gateway in session.execute(_pending_refunds())]


@cache
def _pending_refunds() -> Select[Refund, str]:
    return (
        select(Refund, Payment.gateway)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.status == RefundStatus.PENDING)
        .order_by(Refund.id)
    )
