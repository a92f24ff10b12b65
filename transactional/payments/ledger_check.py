"""The nightly proof: debits equal credits, every payment's row says what the ledger holds, and nothing is stuck."""

from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy import Subquery, func, literal, select
from sqlalchemy.orm import Session

from transactional.core.uow import Database
from transactional.payments import cash
from transactional.payments.alerts import raise_alert
from transactional.payments.ledger import Account, unbalanced_transactions
from transactional.payments.models import LedgerPosting, LedgerTransaction, Payment, Refund, RefundStatus
from transactional.payments.stuck import stuck_money

log = structlog.stdlib.get_logger("transactional.payments")

_SHOWN = 20
"""So many faults fit into a mail that somebody reads."""


def ledger_faults(session: Session, *, gateways: Collection[str]) -> list[str]:
    """What does not add up, one line each; empty in a sound ledger. Imported histories are kept by other rules."""
    faults = [f"{key}: debits and credits differ" for key in unbalanced_transactions(session)]
    return faults + _wrong_captures(session, gateways) + _wrong_refunds(session, gateways)


def _wrong_captures(session: Session, gateways: Collection[str]) -> list[str]:
    posted = _posted("capture")
    statement = (
        select(Payment.gateway_payment_id, Payment.captured_minor, func.coalesce(posted.c.amount_minor, 0))
        .join(posted, posted.c.business_key == literal("capture:") + Payment.gateway_payment_id, isouter=True)
        .where(Payment.gateway.in_(gateways), Payment.captured_minor != func.coalesce(posted.c.amount_minor, 0))
        .order_by(Payment.id)
    )
    return [
        f"{payment_id}: captured {captured}, posted {amount}"
        for payment_id, captured, amount in session.execute(statement)
    ]


def _wrong_refunds(session: Session, gateways: Collection[str]) -> list[str]:
    refunded = func.sum(Refund.amount_minor)
    statement = (
        select(Payment.gateway_payment_id, Payment.refunded_minor, func.coalesce(refunded, 0))
        .join(Refund, (Refund.payment_id == Payment.id) & (Refund.status == RefundStatus.PROCESSED), isouter=True)
        .where(Payment.gateway.in_(gateways))
        .group_by(Payment.id, Payment.gateway_payment_id, Payment.refunded_minor)
        .having(Payment.refunded_minor != func.coalesce(refunded, 0))
        .order_by(Payment.id)
    )
    return [
        f"{payment_id}: refunded {row}, its processed refunds sum to {total}"
        for payment_id, row, total in session.execute(statement)
    ]


def _posted(kind: str) -> Subquery:
    """What customers paid, by business key of one kind of transaction."""
    return (
        select(LedgerTransaction.business_key, (-func.sum(LedgerPosting.amount_minor)).label("amount_minor"))
        .join(LedgerPosting, LedgerPosting.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.kind == kind, LedgerPosting.account == Account.CUSTOMERS)
        .group_by(LedgerTransaction.business_key)
        .subquery()
    )


def check_ledger(database: Database, *, gateway: str) -> list[str]:
    """Look for faults and stuck money, and tell of them once a day; gives them."""
    now = database.clock.now()
    with database.read() as session:
        faults = ledger_faults(session, gateways=(gateway, cash.GATEWAY))
        faults += stuck_money(session, gateway=gateway, now=now)
    if faults:
        log.error("ledger faults", count=len(faults), first=faults[0])
        database.run(lambda session: _tell(session, faults, now), actor="payments")
    return faults


def _tell(session: Session, faults: list[str], now: datetime) -> None:
    raise_alert(
        session,
        cause=f"ledger:{now.date().isoformat()}",
        subject="The payments' ledger needs a look",
        body="\n".join([f"{len(faults)} faults:", *faults[:_SHOWN]]),
        now=now,
    )
