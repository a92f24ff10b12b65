"""What other domains may ask of payments."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.payments.calling_off import refund_by_staff
from transactional.payments.comparison import Difference
from transactional.payments.effects import Applied, Effect
from transactional.payments.figures import OrderFigures, order_figures
from transactional.payments.gateway import (
    GatewayError,
    PaymentGateway,
    PaymentSnapshot,
    RefundSnapshot,
    SignatureInvalid,
)
from transactional.payments.inbox import receive as receive_webhook
from transactional.payments.models import GatewayOrder, Payment, PaymentStatus, Refund, RefundStatus
from transactional.payments.polling import poll_open
from transactional.payments.provider import current_gateway, gateway_in_use, gateway_of_process
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments.reconciliation import ReconciliationReport, reconcile
from transactional.payments.refund_reports import apply_gateway_refund
from transactional.payments.refunds import RefundTooLarge, refund_due, refundable, refundable_of_order, request_refund
from transactional.payments.schemas import StartedPaymentOut
from transactional.payments.starting import NotApproved, NotPayable, start_payment
from transactional.payments.state import apply_gateway_payment
from transactional.payments.verification import Verification, verify_checkout
from transactional.payments.with_checkout import hand_to_gateway, request_for_new_order

__all__ = [
    "Applied",
    "Difference",
    "Effect",
    "GatewayError",
    "GatewayOrder",
    "NotApproved",
    "NotPayable",
    "OrderFigures",
    "Payment",
    "PaymentGateway",
    "PaymentSnapshot",
    "PaymentStatus",
    "RazorpayGateway",
    "ReconciliationReport",
    "Refund",
    "RefundSnapshot",
    "RefundStatus",
    "RefundTooLarge",
    "SignatureInvalid",
    "StartedPaymentOut",
    "Verification",
    "apply_gateway_payment",
    "apply_gateway_refund",
    "current_gateway",
    "gateway_in_use",
    "gateway_of_process",
    "hand_to_gateway",
    "order_figures",
    "payments_of_order",
    "poll_open",
    "receive_webhook",
    "reconcile",
    "refund_by_staff",
    "refund_due",
    "refundable",
    "refundable_of_order",
    "refunds_of_order",
    "request_for_new_order",
    "request_refund",
    "start_payment",
    "verify_checkout",
]


def payments_of_order(session: Session, *, order_id: int) -> Sequence[Payment]:
    """All payments of an order, oldest first."""
    return session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)).all()


def refunds_of_order(session: Session, *, order_id: int) -> Sequence[Refund]:
    """All refunds of an order, oldest first."""
    return session.scalars(select(Refund).where(Refund.order_id == order_id).order_by(Refund.id)).all()
