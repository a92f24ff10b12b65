"""Refunds: first our row with its own key, then the gateway's call, then the posting.

Always 0 ≤ refunded + pending ≤ captured, per payment: a request reserves its amount on the locked row, a constraint
is the last line.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.errors import Conflict, IdempotencyMismatch, InvalidInput
from transactional.orders import service as orders
from transactional.payments import ledger
from transactional.payments.alerts import raise_alert
from transactional.payments.models import Payment, PaymentStatus, Refund, RefundStatus

log = structlog.stdlib.get_logger("transactional.payments")

SEND_TOPIC = "payments.send_refund"
NOTE = "refund_key"
"""The note by which a report of the gateway finds our row, even before the answer to our call was posted."""

_MAX_REASON = 200
_MAX_KEY = 64


class RefundTooLarge(Conflict):
    """More than was captured and is not yet refunded or on its way."""

    code = "refund-too-large"
    title = "The refund exceeds what can be given back"


def request_refund(
    session: Session,
    *,
    order_id: int,
    amount_minor: int,
    reason: str,
    idempotency_key: str,
    return_id: int | None = None,
    now: datetime,
) -> Refund:
    """Order a refund of an order's payments; the outbox sends it after the commit. The same key gives the same refund.

    One payment takes it whole where it can; else it is spread over the order's payments, oldest first, and the first
    part is given. Raises RefundTooLarge when the order's payments together have less left, IdempotencyMismatch when
    the key belongs to another refund, InvalidInput for an amount below 1, NotFound for an unknown order.
    """
    if amount_minor < 1:
        raise InvalidInput("a refund needs an amount of at least 1 minor unit", field="amount_minor")
    orders.lock_order(session, order_id)
    payments = _locked_payments(session, order_id)
    keys = [_stored_key(_part_key(idempotency_key, part)) for part in range(max(1, len(payments)))]
    known = session.scalars(select(Refund).where(Refund.idempotency_key.in_(keys)).order_by(Refund.id)).all()
    if known:
        if {part.order_id for part in known} != {order_id} or sum(part.amount_minor for part in known) != amount_minor:
            raise IdempotencyMismatch(f"the key {idempotency_key!r} belongs to another refund")
        return known[0]
    parts = [
        open_refund(session, payment=payment, amount_minor=share, reason=reason, key=key, return_id=return_id, now=now)
        for key, (payment, share) in zip(keys, _spread(payments, amount_minor), strict=False)
    ]
    return parts[0]


def refund_due(
    session: Session,
    *,
    order_id: int,
    amount_minor: int,
    reason: str,
    idempotency_key: str,
    now: datetime,
    return_id: int | None = None,
) -> Refund | None:
    """Give back what an order gave up, or as much of it as staff have not given back before; None when nothing is left.

    Raises RefundTooLarge while no payment of the order is known, else as `request_refund` does.
    """
    orders.lock_order(session, order_id)
    known = session.scalar(select(Refund).where(Refund.idempotency_key == _stored_key(idempotency_key)))
    if known is not None:
        return known
    left = refundable_of_order(session, order_id=order_id)
    amount = amount_minor if left is None else min(amount_minor, left)
    if amount < amount_minor:
        raise_alert(
            session,
            cause=f"refund-due:{idempotency_key}",
            subject="Less could be given back than an order gave up",
            body=f"Order {order_id}: {amount_minor} were due ({reason}), {left} were left of its payments.",
            now=now,
        )
    if amount == 0:
        return None
    return request_refund(
        session,
        order_id=order_id,
        amount_minor=amount,
        reason=reason,
        idempotency_key=idempotency_key,
        return_id=return_id,
        now=now,
    )


def refundable_of_order(session: Session, *, order_id: int) -> int | None:
    """What a locked order's payments together can still give back, in minor units; None while none was captured."""
    payments = _locked_payments(session, order_id)
    if not any(payment.captured_minor for payment in payments):
        return None
    return sum(refundable(payment) for payment in payments)


def _part_key(key: str, part: int) -> str:
    """The key of the first part is the request's own."""
    return key if part == 0 else f"{key}#{part + 1}"


def _spread(payments: Sequence[Payment], amount_minor: int) -> list[tuple[Payment, int]]:
    """How much each payment gives back: one all of it, else the oldest as much as they can."""
    for payment in payments:
        if refundable(payment) >= amount_minor:
            return [(payment, amount_minor)]
    left = sum(refundable(payment) for payment in payments)
    if left < amount_minor:
        raise RefundTooLarge(f"{amount_minor} were asked for, {left} can be given back", refundable_minor=left)
    shares, missing = [], amount_minor
    for payment in payments:
        share = min(missing, refundable(payment))
        if share:
            shares.append((payment, share))
            missing -= share
    return shares


def refund_whole_payment(session: Session, *, payment: Payment, reason: str, now: datetime) -> Refund | None:
    """Order all that is left of a locked payment back, once; None when nothing is left."""
    amount = refundable(payment)
    if amount == 0:
        return None
    key = f"whole:{payment.gateway_payment_id}"
    return open_refund(session, payment=payment, amount_minor=amount, reason=reason, key=key, now=now)


def refundable(payment: Payment) -> int:
    """What can still be given back of a payment, in minor units."""
    return payment.captured_minor - payment.refunded_minor - payment.refund_pending_minor


def gateway_key(refund: Refund, payment: Payment) -> str:
    """The idempotency key of the gateway's call: 64 hexadecimal characters, whatever characters our key has.

    The gateway's payment id is part of it, for our own keys name rows by number: another database that the same account
    served (a restored backup, a second shop) has used the same ones for other money.
    """
    return hashlib.sha256(f"refund:{payment.gateway_payment_id}:{refund.idempotency_key}".encode()).hexdigest()


def _stored_key(key: str) -> str:
    """Keys that fit are kept readable."""
    return key if len(key) <= _MAX_KEY else hashlib.sha256(key.encode()).hexdigest()


def _locked_payments(session: Session, order_id: int) -> list[Payment]:
    statement = (
        select(Payment)
        .where(Payment.order_id == order_id)
        .order_by(Payment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def open_refund(
    session: Session,
    *,
    payment: Payment,
    amount_minor: int,
    reason: str,
    key: str,
    now: datetime,
    return_id: int | None = None,
    gateway_refund_id: str | None = None,
) -> Refund:
    """Reserve an amount on a locked payment and write its refund down; ours go out, the gateway's own need not."""
    payment.refund_pending_minor += amount_minor
    refund = Refund(
        payment_id=payment.id,
        order_id=payment.order_id,
        return_id=return_id,
        idempotency_key=_stored_key(key),
        gateway_refund_id=gateway_refund_id,
        status=RefundStatus.PENDING,
        amount_minor=amount_minor,
        currency=payment.currency,
        reason=reason[:_MAX_REASON],
        created_at=now,
    )
    session.add(refund)
    session.flush()
    if gateway_refund_id is None:
        outbox.publish(session, SEND_TOPIC, {"refund_id": refund.id}, dedup_key=f"{SEND_TOPIC}:{refund.id}", now=now)
    return refund


def fail(session: Session, refund: Refund, payment: Payment, *, now: datetime) -> None:
    """A pending refund of a locked payment came to nothing: its amount can be given back again."""
    refund.status = RefundStatus.FAILED
    refund.failed_at = now
    payment.refund_pending_minor -= refund.amount_minor
    session.flush()
    log.error("refund failed", refund_id=refund.id, order_id=refund.order_id, amount_minor=refund.amount_minor)


def post_processed(
    session: Session,
    refund: Refund,
    payment: Payment,
    *,
    reference: str,
    now: datetime,
    account: ledger.Account = ledger.Account.GATEWAY,
) -> None:
    """A pending refund of a locked payment was made: post it under its `reference`."""
    refund.status = RefundStatus.PROCESSED
    refund.processed_at = now
    payment.refund_pending_minor -= refund.amount_minor
    payment.refunded_minor += refund.amount_minor
    if payment.refunded_minor == payment.captured_minor:
        payment.status = PaymentStatus.REFUNDED
    ledger.post_refund(
        session,
        refund_id=reference,
        order_id=refund.order_id,
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        now=now,
        account=account,
    )
    session.flush()
