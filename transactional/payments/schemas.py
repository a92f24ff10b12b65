"""Payments over the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from transactional.payments.figures import OrderFigures
from transactional.payments.models import (
    Figure,
    GatewayOrder,
    InboxState,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    RunState,
)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class StartedPaymentOut(BaseModel):
    """What the gateway's checkout widget needs."""

    gateway: str = Field(examples=["razorpay"])
    key_id: str = Field(description="The public half of the shop's credentials", examples=["rzp_test_local"])
    gateway_order_id: str = Field(examples=["order_EKwxwAgItmmXdp"])
    amount_minor: int = Field(examples=[109_899])
    currency: str = Field(examples=["INR"])
    expires_at: datetime | None = Field(
        description="When the approval ends that this payment is for; null where none is needed"
    )

    @classmethod
    def of(cls, request: GatewayOrder, *, key_id: str) -> "StartedPaymentOut":
        """From our request, once the gateway knows it."""
        assert request.gateway_order_id is not None
        return cls(
            gateway=request.gateway,
            key_id=key_id,
            gateway_order_id=request.gateway_order_id,
            amount_minor=request.amount_minor,
            currency=request.currency,
            expires_at=request.expires_at,
        )


GatewayId = Annotated[str, Field(min_length=1, max_length=64)]


class VerifyIn(_In):
    """What the checkout widget hands to the browser after a success."""

    razorpay_order_id: GatewayId = Field(examples=["order_EKwxwAgItmmXdp"])
    razorpay_payment_id: GatewayId = Field(examples=["pay_29QQoUBi66xm2f"])
    razorpay_signature: str = Field(
        min_length=1,
        max_length=128,
        examples=["9ef4dffbfd84f1318f6739a3ce19f9d85851857ae648f114332d8401e0949a3d"],
    )


class VerificationOut(BaseModel):
    """How far order and payment are."""

    order_number: str = Field(examples=["MLT-2026-000123"])
    order_status: str = Field(examples=["paid"])
    payment_status: PaymentStatus | None = Field(
        description="Null while the gateway cannot be asked: ask for the order again in a moment"
    )


class PaymentOut(BaseModel):
    """A payment, for staff."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[5])
    gateway: str = Field(examples=["razorpay"])
    gateway_payment_id: str = Field(examples=["pay_29QQoUBi66xm2f"])
    method: str = Field(examples=["upi"])
    status: PaymentStatus
    currency: str = Field(examples=["INR"])
    amount_minor: int = Field(examples=[109_899])
    captured_minor: int = Field(examples=[109_899])
    refunded_minor: int = Field(examples=[0])
    refund_pending_minor: int = Field(examples=[0])
    fee_minor: int | None = Field(description="The gateway's fee with its GST", examples=[2_594])
    error_code: str | None
    error_description: str | None
    created_at: datetime
    captured_at: datetime | None

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        """From the row."""
        return cls.model_validate(payment)


class RefundOut(BaseModel):
    """A refund, for staff."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[9])
    payment_id: int | None = Field(examples=[5])
    gateway_refund_id: str | None = Field(examples=["rfnd_FP8QHiV938haTz"])
    status: RefundStatus
    amount_minor: int = Field(examples=[33_333])
    currency: str = Field(examples=["INR"])
    reason: str = Field(examples=["One of three lamps arrived broken"])
    created_at: datetime
    processed_at: datetime | None

    @classmethod
    def of(cls, refund: Refund) -> "RefundOut":
        """From the row."""
        return cls.model_validate(refund)


class OrderFiguresOut(BaseModel):
    """An order's money in minor units; what is `pending` was asked for and not answered."""

    model_config = ConfigDict(from_attributes=True)

    authorized_minor: int = Field(description="Reserved at the customer's bank, not taken", examples=[0])
    authorized_pending_minor: int = Field(description="Asked of the customer", examples=[0])
    captured_minor: int = Field(examples=[109_899])
    captured_pending_minor: int = Field(description="Reserved and about to be taken", examples=[0])
    refunded_minor: int = Field(examples=[33_333])
    refunded_pending_minor: int = Field(examples=[0])
    cancelled_minor: int = Field(description="Reserved and let go without having been taken", examples=[0])
    cancelled_pending_minor: int = Field(description="Reserved and left to lapse", examples=[0])
    fee_minor: int = Field(description="Kept by the gateway, with its GST", examples=[2_594])
    net_minor: int = Field(description="Captured less refunded less fee", examples=[73_972])

    @classmethod
    def of(cls, figures: OrderFigures) -> "OrderFiguresOut":
        """From the sums."""
        return cls.model_validate(figures)


class OrderPaymentsOut(BaseModel):
    """Everything about an order's money."""

    figures: OrderFiguresOut
    payments: list[PaymentOut]
    refunds: list[RefundOut]


class AttemptOut(BaseModel):
    """One attempt to pay, as its customer sees it."""

    model_config = ConfigDict(from_attributes=True)

    method: str = Field(examples=["upi"])
    status: PaymentStatus
    amount_minor: int = Field(examples=[109_899])
    refunded_minor: int = Field(examples=[0])
    error_description: str | None = Field(
        description="Why it failed", examples=["Your payment was not successful as it was declined by the bank."]
    )
    created_at: datetime


class GivenBackOut(BaseModel):
    """Money on its way back, as its customer sees it."""

    model_config = ConfigDict(from_attributes=True)

    status: RefundStatus
    amount_minor: int = Field(examples=[33_333])
    created_at: datetime
    processed_at: datetime | None


class MyPaymentsOut(BaseModel):
    """Where the money of one's order stands, in minor units."""

    currency: str = Field(examples=["INR"])
    due_minor: int = Field(description="What is to be paid now; 0 for nothing", examples=[0])
    paid_minor: int = Field(description="Taken, before refunds", examples=[109_899])
    refunded_minor: int = Field(examples=[33_333])
    refund_pending_minor: int = Field(description="On its way back", examples=[0])
    attempts: list[AttemptOut] = Field(description="Oldest first")
    refunds: list[GivenBackOut] = Field(description="Oldest first")


class RefundIn(_In):
    """Money to give back."""

    amount_minor: int = Field(gt=0, description="In minor units", examples=[33_333])
    reason: str = Field(min_length=1, max_length=200, examples=["One of three lamps arrived broken"])
    send_all_the_same: bool = Field(
        default=False,
        description="Of an order that has not left, all money may go back and it is sent nonetheless."
        " Otherwise such an order is called off.",
        examples=[False],
    )


class WebhookOut(BaseModel):
    """The event is stored."""

    new: bool = Field(description="False when the event was here before", examples=[True])


class GatewayEventOut(BaseModel):
    """An event of the gateway, as it was taken in."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[41])
    source: str = Field(examples=["razorpay"])
    event_id: str = Field(examples=["EmxRPmYHMsQvyC"])
    event_type: str = Field(examples=["payment.captured"])
    state: InboxState
    note: str | None = Field(description="Why it is in quarantine", examples=["gateway order order_X is not known"])
    received_at: datetime
    processed_at: datetime | None
    requeued_at: datetime | None
    requeued_by: str | None = Field(examples=["user:12"])


class EventDetail(GatewayEventOut):
    """With its body."""

    raw: str = Field(description="The body as it came", examples=['{"entity": "event"}'])


class GatewayDifferenceOut(BaseModel):
    """A figure that our books and the gateway's see differently."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[3])
    kind: Figure
    reference: str = Field(description="The refund's id where a refund differs", examples=["pay_29QQoUBi66xm2f"])
    gateway_payment_id: str = Field(examples=["pay_29QQoUBi66xm2f"])
    gateway_refund_id: str | None
    order_id: int | None = Field(examples=[12])
    currency: str = Field(examples=["INR"])
    ours_minor: int = Field(examples=[109_899])
    theirs_minor: int = Field(examples=[109_898])
    run_id: int = Field(description="The run that found it first", examples=[7])
    last_run_id: int = Field(examples=[9])
    found_at: datetime
    resolved_at: datetime | None = Field(description="Null while it is open")


class RunOut(BaseModel):
    """One comparison of the books."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[7])
    gateway: str = Field(examples=["razorpay"])
    window_start: datetime
    window_end: datetime
    state: RunState
    payments_compared: int = Field(examples=[120])
    refunds_compared: int = Field(examples=[4])
    differences_open: int = Field(examples=[0])
    error: str | None
    started_at: datetime
    finished_at: datetime | None
