"""The one state function of payments: browser, webhook and poller all end here, in any order, any number of times.

A payment only moves up: created → failed → authorized → captured → refunded (`failed` may still become `authorized`).
So every permutation and repetition of reports ends in the same state. Its capture is posted once, under a key made of
the gateway's payment id; `refunded` is reached through refund postings alone.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.db import insert_into
from transactional.orders import service as orders
from transactional.payments import ledger
from transactional.payments.alerts import raise_alert
from transactional.payments.effects import Applied, Effect
from transactional.payments.gateway import PaymentSnapshot
from transactional.payments.handing_over import hand_over
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus

log = structlog.stdlib.get_logger("transactional.payments")

CAPTURE_TOPIC = "payments.capture"

_RANK = {
    PaymentStatus.CREATED: 0,
    PaymentStatus.FAILED: 1,
    PaymentStatus.AUTHORIZED: 2,
    PaymentStatus.CAPTURED: 3,
    PaymentStatus.REFUNDED: 4,
}


def apply_gateway_payment(session: Session, *, snapshot: PaymentSnapshot, source: str, now: datetime) -> Applied:
    """Take in what the gateway says about a payment; `source` names who heard it (browser, webhook, poller).

    A first capture is posted and marks the order paid, or is refunded whole when the order cannot take it: it was
    paid already, cancelled, expired with its goods gone, or approved anew with another content. A first authorisation
    orders its capture. Reports of an unknown order change nothing, those of another amount or currency alert somebody.
    """
    requested = _request_of(session, snapshot.order_id)
    if requested is None:
        return Applied(Effect.UNKNOWN, note=f"gateway order {snapshot.order_id} is not known")
    order = orders.lock_order(session, requested.order_id)  # two payments of one order queue
    difference = _difference(requested, snapshot)
    if difference is not None:
        _tell_of_difference(session, requested, snapshot, difference, source=source, now=now)
        return Applied(Effect.MISMATCH, note=difference)
    payment, is_new = _locked_payment(session, requested, snapshot, now)
    changed = _advance(session, _Report(order, requested, payment, snapshot, source, now))
    effect = Effect.CHANGED if changed or is_new else Effect.UNCHANGED
    return Applied(effect, payment.id, payment=payment, order=order)


def _request_of(session: Session, gateway_order_id: str | None) -> GatewayOrder | None:
    """Our request for this payment."""
    statement = select(GatewayOrder).where(GatewayOrder.gateway_order_id == gateway_order_id)
    return session.scalar(statement) if gateway_order_id is not None else None


def _difference(requested: GatewayOrder, snapshot: PaymentSnapshot) -> str | None:
    if (snapshot.amount_minor, snapshot.currency) == (requested.amount_minor, requested.currency):
        return None
    return (
        f"payment {snapshot.payment_id} is over {snapshot.amount_minor} {snapshot.currency},"
        f" requested were {requested.amount_minor} {requested.currency}"
    )


def _tell_of_difference(
    session: Session, requested: GatewayOrder, snapshot: PaymentSnapshot, difference: str, *, source: str, now: datetime
) -> None:
    log.error("payment quarantined", payment=snapshot.payment_id, order_id=requested.order_id, reason=difference)
    raise_alert(
        session,
        cause=f"payment-mismatch:{requested.gateway}:{snapshot.payment_id}:{snapshot.amount_minor}{snapshot.currency}",
        subject="A payment differs from what was asked for",
        body=f"Heard from the {source}: {difference} (request {requested.receipt}). Nothing was posted.",
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Report:
    """A report about a locked payment of a locked order."""

    order: orders.Order
    requested: GatewayOrder
    payment: Payment
    snapshot: PaymentSnapshot
    source: str
    now: datetime


def _locked_payment(
    session: Session, requested: GatewayOrder, snapshot: PaymentSnapshot, now: datetime
) -> tuple[Payment, bool]:
    """The payment's row, locked; made at the first report."""
    row = {
        "order_id": requested.order_id,
        "gateway_order_id": requested.id,
        "gateway": requested.gateway,
        "gateway_payment_id": snapshot.payment_id,
        "method": snapshot.method[:16],
        "status": PaymentStatus.CREATED,
        "currency": requested.currency,
        "amount_minor": requested.amount_minor,
        "captured_minor": 0,
        "refunded_minor": 0,
        "refund_pending_minor": 0,
        "created_at": now,
    }
    statement = (
        insert_into(session, Payment)
        .values(row)
        .on_conflict_do_nothing(index_elements=["gateway", "gateway_payment_id"])
    )
    new = session.scalar(statement.returning(Payment))
    if new is not None:
        return new, True
    return lock_payment(session, gateway=requested.gateway, gateway_payment_id=snapshot.payment_id), False


def lock_payment(session: Session, *, gateway: str, gateway_payment_id: str) -> Payment:
    """A payment's row as it is now, locked until the commit. Raises NoResultFound."""
    statement = (
        select(Payment)
        .where(Payment.gateway == gateway, Payment.gateway_payment_id == gateway_payment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalars(statement).one()


def _advance(session: Session, report: _Report) -> bool:
    payment = report.payment
    target = _target(report.snapshot)
    changed = False
    if _RANK[target] > _RANK[payment.status]:
        _STEPS[target](session, report)
        changed = True
    elif payment.captured_minor and _learn_fee(report):
        _post_fee(session, report)
        changed = True
    session.flush()
    return changed


def _target(snapshot: PaymentSnapshot) -> PaymentStatus:
    """How far a report carries by itself: a refund of taken money is posted from the refund, not from here."""
    if snapshot.status is PaymentStatus.REFUNDED and snapshot.captured:
        return PaymentStatus.CAPTURED
    return snapshot.status


def _to_failed(_session: Session, report: _Report) -> None:
    payment, snapshot = report.payment, report.snapshot
    payment.status = PaymentStatus.FAILED
    payment.failed_at = report.now
    payment.error_code = (snapshot.error_code or "")[:64] or None
    payment.error_description = (snapshot.error_description or "")[:300] or None


def _to_authorized(session: Session, report: _Report) -> None:
    payment = report.payment
    payment.status = PaymentStatus.AUTHORIZED
    payment.authorized_at = report.now
    payment.error_code = payment.error_description = None
    outbox.publish(
        session,
        CAPTURE_TOPIC,
        {"payment_id": payment.id},
        dedup_key=f"{CAPTURE_TOPIC}:{payment.gateway}:{payment.gateway_payment_id}",
        now=report.now,
    )


def _to_captured(session: Session, report: _Report) -> None:
    payment, now = report.payment, report.now
    payment.status = PaymentStatus.CAPTURED
    payment.captured_minor = payment.amount_minor
    payment.authorized_at = payment.authorized_at or now
    payment.captured_at = now
    payment.error_code = payment.error_description = None
    _learn_fee(report)
    ledger.post_capture(
        session,
        payment_id=payment.gateway_payment_id,
        order_id=payment.order_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        now=now,
    )
    _post_fee(session, report)
    hand_over(session, report.order, report.requested, payment, source=report.source, now=now)


def _to_given_back(_session: Session, report: _Report) -> None:
    """An authorisation that nobody captured went back by itself: no money moved, nothing is posted."""
    report.payment.status = PaymentStatus.REFUNDED


_STEPS = {
    PaymentStatus.FAILED: _to_failed,
    PaymentStatus.AUTHORIZED: _to_authorized,
    PaymentStatus.CAPTURED: _to_captured,
    PaymentStatus.REFUNDED: _to_given_back,
}


def _learn_fee(report: _Report) -> bool:
    """Keep the gateway's fee as soon as a report knows it; whether it was new."""
    payment, snapshot = report.payment, report.snapshot
    if payment.fee_minor is not None or snapshot.fee_minor is None:
        return False
    payment.fee_minor = snapshot.fee_minor
    payment.fee_tax_minor = snapshot.fee_tax_minor or 0
    return True


def _post_fee(session: Session, report: _Report) -> None:
    """Post the fee of a captured payment once it is known."""
    payment = report.payment
    if payment.fee_minor is None:
        return
    ledger.post_fee(
        session,
        payment_id=payment.gateway_payment_id,
        order_id=payment.order_id,
        fee_minor=payment.fee_minor,
        tax_minor=payment.fee_tax_minor or 0,
        currency=payment.currency,
        now=report.now,
    )
