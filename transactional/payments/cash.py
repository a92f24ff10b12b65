"""Cash on delivery: payments and refunds that no gateway knows of."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import Conflict, NotFound
from transactional.orders import service as orders
from transactional.payments import ledger
from transactional.payments.models import Payment, PaymentStatus, Refund, RefundStatus
from transactional.payments.refunds import post_processed
from transactional.payments.state import lock_payment

COLLECTED_TOPIC = orders.COLLECTED
GATEWAY = "cash"


def record_collection(session: Session, *, order_id: int, amount_minor: int, currency: str, now: datetime) -> Payment:
    """Post what was collected at the door, once per order."""
    orders.lock_order(session, order_id)
    reference = f"cash_{order_id}"
    row = {
        "order_id": order_id,
        "gateway": GATEWAY,
        "gateway_payment_id": reference,
        "method": "cash",
        "status": PaymentStatus.CAPTURED,
        "currency": currency,
        "amount_minor": amount_minor,
        "captured_minor": amount_minor,
        "refunded_minor": 0,
        "refund_pending_minor": 0,
        "created_at": now,
        "authorized_at": now,
        "captured_at": now,
    }
    session.execute(
        insert_into(session, Payment)
        .values(row)
        .on_conflict_do_nothing(index_elements=["gateway", "gateway_payment_id"])
    )
    ledger.post_capture(
        session,
        payment_id=reference,
        order_id=order_id,
        amount_minor=amount_minor,
        currency=currency,
        now=now,
        account=ledger.Account.CASH,
    )
    return lock_payment(session, gateway=GATEWAY, gateway_payment_id=reference)


def confirm_cash_refund(session: Session, *, refund_id: int, now: datetime) -> Refund:
    """Staff paid a pending refund of a cash payment out by hand: post it.

    Raises NotFound, and Conflict for a refund that the gateway makes or that is settled already.
    """
    refund = session.get(Refund, refund_id)
    payment = session.scalar(select(Payment).where(Payment.id == refund.payment_id)) if refund else None
    if refund is None or payment is None:
        raise NotFound("there is no such refund")
    if payment.gateway != GATEWAY:
        raise Conflict("this refund is made by the gateway")
    orders.lock_order(session, payment.order_id)
    locked = lock_payment(session, gateway=GATEWAY, gateway_payment_id=payment.gateway_payment_id)
    session.refresh(refund)
    if refund.status is not RefundStatus.PENDING:
        raise Conflict(f"this refund is {refund.status} already")
    post_processed(session, refund, locked, reference=f"cash_{refund.id}", now=now, account=ledger.Account.CASH)
    return refund
