"""The one state function of refunds: answer, webhook and poller all end here, in any order, any number of times."""

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.payments.alerts import raise_alert
from transactional.payments.calling_off import call_off_unfunded
from transactional.payments.effects import Applied, Effect
from transactional.payments.gateway import RefundSnapshot
from transactional.payments.models import Payment, PaymentStatus, Refund, RefundStatus
from transactional.payments.refunds import NOTE, fail, gateway_key, open_refund, post_processed, refundable

log = structlog.stdlib.get_logger("transactional.payments")


def apply_gateway_refund(session: Session, *, snapshot: RefundSnapshot, source: str, now: datetime) -> Applied:
    """Take in what the gateway says about a refund: pending → processed | failed, each posted once.

    Refunds that were not ordered here (from the gateway's dashboard, or by the gateway itself) get a row too. Reports
    of an unknown payment, of another amount or currency, or of more than is left change nothing.
    """
    payment = _locked_payment(session, snapshot.payment_id)
    unknown = _why_unknown(payment, snapshot)
    if payment is None or unknown is not None:
        return Applied(Effect.UNKNOWN, note=unknown)
    if payment.captured_minor == 0:
        return Applied(Effect.UNCHANGED, note="an authorisation went back that was never captured")
    refund = _matching(session, payment, snapshot)
    difference = _difference(payment, refund, snapshot)
    if difference is not None:
        note = f"refund {snapshot.refund_id} over {snapshot.amount_minor} {snapshot.currency}: {difference}"
        log.error("refund quarantined", refund=snapshot.refund_id, reason=note)
        raise_alert(
            session,
            cause=f"refund-mismatch:{snapshot.refund_id}:{snapshot.amount_minor}{snapshot.currency}",
            subject="A refund differs from what was ordered",
            body=f"Heard from the {source}: {note}. Nothing was posted.",
            now=now,
        )
        return Applied(Effect.MISMATCH, note=note)
    is_new = refund is None
    if refund is None:
        refund = _adopt(session, payment, snapshot, source, now)
        order = orders.get_order(session, payment.order_id)
        call_off_unfunded(session, order=order, actor=f"payments:{source}", now=now)
    changed = _settle(session, refund, payment, snapshot, now)
    return Applied(Effect.CHANGED if changed or is_new else Effect.UNCHANGED, refund.id)


def _locked_payment(session: Session, gateway_payment_id: str) -> Payment | None:
    """The payment as it is now, its order locked before it: everybody locks in this sequence."""
    statement = select(Payment).where(Payment.gateway_payment_id == gateway_payment_id)
    payment = session.scalar(statement)
    if payment is None:
        return None
    orders.lock_order(session, payment.order_id)
    return session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def _why_unknown(payment: Payment | None, snapshot: RefundSnapshot) -> str | None:
    if payment is None:
        return f"payment {snapshot.payment_id} is not known"
    if payment.captured_minor == 0 and payment.status is not PaymentStatus.REFUNDED:
        return f"the capture of {snapshot.payment_id} is not known"
    return None


def _matching(session: Session, payment: Payment, snapshot: RefundSnapshot) -> Refund | None:
    """Our row for a report: by the gateway's id, by our key in the notes, or an unsent one that it makes needless."""
    refunds = session.scalars(select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id)).all()
    for refund in refunds:
        if refund.gateway_refund_id == snapshot.refund_id:
            return refund
    unsent = [
        refund for refund in refunds if refund.gateway_refund_id is None and refund.status is RefundStatus.PENDING
    ]
    for refund in unsent:
        if gateway_key(refund, payment) == snapshot.notes.get(NOTE):
            return refund
    if NOTE not in snapshot.notes and refundable(payment) < snapshot.amount_minor:
        # The gateway gave back by itself what we were about to give back: one money, one row.
        return next((refund for refund in unsent if refund.amount_minor == snapshot.amount_minor), None)
    return None


def _difference(payment: Payment, refund: Refund | None, snapshot: RefundSnapshot) -> str | None:
    if snapshot.currency != payment.currency:
        return f"its payment is in {payment.currency}"
    if refund is not None:
        return None if refund.amount_minor == snapshot.amount_minor else f"ordered were {refund.amount_minor}"
    left = refundable(payment)
    return None if snapshot.amount_minor <= left else f"only {left} of its payment are left"


def _adopt(session: Session, payment: Payment, snapshot: RefundSnapshot, source: str, now: datetime) -> Refund:
    """A row for a refund that was not ordered here."""
    return open_refund(
        session,
        payment=payment,
        amount_minor=snapshot.amount_minor,
        reason=f"refunded at the gateway, heard from the {source}",
        key=f"gateway:{snapshot.refund_id}",
        gateway_refund_id=snapshot.refund_id,
        now=now,
    )


def _settle(session: Session, refund: Refund, payment: Payment, snapshot: RefundSnapshot, now: datetime) -> bool:
    """Move a refund to what the report says; True when something changed."""
    learned_id = refund.gateway_refund_id is None
    if learned_id:
        refund.gateway_refund_id = snapshot.refund_id
        session.flush()
    if refund.status is not RefundStatus.PENDING or snapshot.status is RefundStatus.PENDING:
        return learned_id
    if snapshot.status is RefundStatus.FAILED:
        fail(session, refund, payment, now=now)
    else:
        post_processed(session, refund, payment, reference=snapshot.refund_id, now=now)
    return True
