"""Money that does not move although it should: what repetitions could not mend in a day needs somebody."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.payments.capturing import is_wanted
from transactional.payments.models import Payment, PaymentStatus, Refund, RefundStatus

PATIENCE = timedelta(days=1)
"""Authorisations lapse after three days: whoever is told after one can still act."""


def stuck_money(session: Session, *, gateway: str, now: datetime) -> list[str]:
    """Refunds that the gateway never took in and authorisations that were never captured, one line each."""
    return _unsent_refunds(session, gateway, now - PATIENCE) + _uncaptured(session, gateway, now - PATIENCE)


def _unsent_refunds(session: Session, gateway: str, before: datetime) -> list[str]:
    statement = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.gateway == gateway, Refund.status == RefundStatus.PENDING)
        .where(Refund.gateway_refund_id.is_(None), Refund.created_at < before)
        .order_by(Refund.id)
    )
    return [
        f"refund {refund.id} of order {refund.order_id} was ordered on {refund.created_at:%Y-%m-%d} and never sent"
        for refund in session.scalars(statement)
    ]


def _uncaptured(session: Session, gateway: str, before: datetime) -> list[str]:
    statement = (
        select(Payment)
        .where(Payment.gateway == gateway, Payment.status == PaymentStatus.AUTHORIZED)
        .where(Payment.authorized_at < before)
        .order_by(Payment.id)
    )
    return [
        f"{payment.gateway_payment_id} of order {payment.order_id} is authorised and was never captured"
        for payment in session.scalars(statement).all()
        if is_wanted(session, payment)
    ]
