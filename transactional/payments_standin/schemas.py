"""Bodies of the control API. Durations are seconds."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transactional.payments_standin.bank import SUCCESS_VPA, Method, Outcome
from transactional.payments_standin.deliveries import Delivery, DeliveryState
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import RecordedRequest


class PayIn(BaseModel):
    """A shopper pays."""

    method: Method = Method.UPI
    outcome: Outcome | None = None
    vpa: str = SUCCESS_VPA
    email: str = "shopper@example.com"
    contact: str = "+919000090000"
    delay: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(0)


class PayTwiceIn(BaseModel):
    """A shopper pays in two windows."""

    captured: bool = False


class LateIn(BaseModel):
    """A bank answers late; the order's own terms decide about the capture unless it is given."""

    capture: bool | None = None


class ChargesIn(BaseModel):
    """Whether the next charges succeed."""

    outcomes: list[bool]


class AdvanceIn(BaseModel):
    """How far to move the clock."""

    by: timedelta


class ClockOut(BaseModel):
    """The gateway's time."""

    now: datetime


class SwitchesIn(BaseModel):
    """Switches to turn; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    unique_receipts: bool | None = None
    authentication_status: Literal[400, 401] | None = None
    bare_errors: bool | None = None
    rate_limit_body: Literal["json", "html", "empty"] | None = None
    refund_outcome: Literal["processed", "pending"] | None = None
    refunds_late_duplicates: bool | None = None
    replay_keeps_event_id: bool | None = None
    speed_fields_always: bool | None = None
    instant_refunds: bool | None = None
    oddities: bool | None = None
    bank_timeout: timedelta | None = None
    authorisation_window: timedelta | None = None
    late_window: timedelta | None = None
    refund_window: timedelta | None = None
    receiver_patience: timedelta | None = None
    first_retry: timedelta | None = None
    longest_retry: timedelta | None = None
    webhook_give_up: timedelta | None = None


class SettleRefundIn(BaseModel):
    """The bank's last word on a refund."""

    status: Literal["processed", "failed"]


class WebhookIn(BaseModel):
    """A receiver of events."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    secret: Annotated[str, Field(min_length=1)]


class WebhookOut(BaseModel):
    """A receiver, without its secret."""

    url: str
    active: bool


class NumbersIn(BaseModel):
    """Deliveries by number; all when absent."""

    numbers: list[int] | None = None


class ReplayIn(BaseModel):
    """Whether a replayed event comes under a new id; the switch decides unless it is given."""

    new_event_id: bool | None = None


class DelayIn(NumbersIn):
    """How long deliveries wait."""

    by: Annotated[timedelta, Field(ge=timedelta(0))]


class TamperIn(BaseModel):
    """Other values for the entities of an event, and whether the forger knows the secret."""

    changes: dict[str, int | str | None]
    signed: bool = True


class FaultIn(BaseModel):
    """A fault for the next calls."""

    fault: Fault
    method: str = "POST"
    path_prefix: str = "/v1/"
    times: Annotated[int, Field(ge=1)] = 1


class DeliveryOut(BaseModel):
    """A delivery as the control API lists it."""

    number: int
    url: str
    event_id: str
    event: str
    body: str
    signature: str
    state: DeliveryState
    statuses: list[int]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """From the log."""
        return cls(
            number=delivery.number,
            url=delivery.webhook.url,
            event_id=delivery.event_id,
            event=delivery.event,
            body=delivery.body.decode(),
            signature=delivery.signature,
            state=delivery.state,
            statuses=list(delivery.statuses),
        )


class RequestOut(BaseModel):
    """A recorded request."""

    at: str
    method: str
    path: str
    idempotency_key: str | None
    body: str
    status: int

    @classmethod
    def of(cls, record: RecordedRequest) -> "RequestOut":
        """From the log."""
        return cls(
            at=record.at.isoformat(),
            method=record.method,
            path=record.path,
            idempotency_key=record.idempotency_key,
            body=record.body,
            status=record.status,
        )


JsonBody = dict[str, Any]
