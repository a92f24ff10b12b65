"""Bodies of the control API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from transactional.payments_standin.bank import SUCCESS_VPA, Method, Outcome
from transactional.payments_standin.deliveries import Delivery, DeliveryState
from transactional.payments_standin.faults import Fault


class PayIn(BaseModel):
    """A shopper pays."""

    method: Method = Method.UPI
    outcome: Outcome | None = None
    vpa: str = SUCCESS_VPA
    email: str = "shopper@example.com"
    contact: str = "+919000090000"


class LateIn(BaseModel):
    """A bank answers late."""

    capture: bool = False


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
    """Whether a replayed event comes under a new id."""

    new_event_id: bool = False


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


JsonBody = dict[str, Any]
