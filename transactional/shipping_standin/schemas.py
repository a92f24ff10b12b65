"""Bodies of the control API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from transactional.shipping_standin.entities import Order
from transactional.shipping_standin.faults import Fault
from transactional.shipping_standin.webhooks import Credential, Delivery, DeliveryState

JsonBody = dict[str, Any]


class FaultIn(BaseModel):
    """A fault for the next calls."""

    fault: Fault
    method: str = "POST"
    path_part: str = ""
    times: Annotated[int, Field(ge=1)] = 1


class ReceiverIn(BaseModel):
    """Who gets the tracking webhook."""

    url: Annotated[str, Field(pattern=r"^https?://")]
    token: str


class ReleaseIn(BaseModel):
    """Deliveries by number, in this order; all when absent."""

    numbers: list[int] | None = None
    credential: Credential = Credential.RIGHT


class NumbersIn(BaseModel):
    """Deliveries by number."""

    numbers: list[int]


class ReplayIn(BaseModel):
    """How a delivery is repeated."""

    credential: Credential = Credential.RIGHT


class ScriptIn(BaseModel):
    """What will happen to a parcel."""

    script: str


class AdvanceIn(BaseModel):
    """How far."""

    steps: Annotated[int, Field(ge=1, le=100)] = 1


class ScanIn(BaseModel):
    """A scan out of any script."""

    code: str
    courier_status: str = "X-MANUAL"
    activity: str = ""
    location: str = ""
    label: str | None = None
    at: AwareDatetime | None = None
    order_status: int | None = None


class ClockIn(BaseModel):
    """How far the clock is moved."""

    hours: Annotated[float, Field(gt=0)]


class WalletIn(BaseModel):
    """The balance, in paise."""

    paise: int


class OrderOut(BaseModel):
    """An order with its parcel."""

    order_id: int
    reference: str
    status: int
    cancelled: bool
    shipment_id: int
    awb: str | None
    courier: str | None
    code: int | None
    scans: int

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        """From the books."""
        parcel = order.parcel
        return cls(
            order_id=order.id,
            reference=order.channel_order_id,
            status=order.status,
            cancelled=order.is_cancelled,
            shipment_id=parcel.id,
            awb=parcel.awb,
            courier=parcel.courier_name,
            code=parcel.code,
            scans=len(parcel.scans),
        )


class DeliveryOut(BaseModel):
    """A webhook as the control API lists it."""

    number: int
    body: str
    state: DeliveryState
    statuses: list[int]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """From the log."""
        return cls(
            number=delivery.number,
            body=delivery.body.decode(),
            state=delivery.state,
            statuses=list(delivery.statuses),
        )


class RequestOut(BaseModel):
    """A recorded request."""

    at: datetime
    method: str
    path: str
    body: str
    status: int
