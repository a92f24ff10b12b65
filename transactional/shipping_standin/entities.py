"""What the carrier keeps: orders, their parcels, scans."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Scan:
    """One event on a parcel's way."""

    at: datetime
    code: str
    """On the shipment scale; may be `NA`."""
    label: str | None
    courier_status: str
    activity: str
    location: str


@dataclass(slots=True)
class Parcel:
    """The shipment of an order."""

    id: int
    order_id: int
    awb: str | None = None
    courier_id: int | None = None
    courier_name: str | None = None
    rate_paise: int = 0
    awb_assigned_at: datetime | None = None
    reassigned_at: datetime | None = None
    pickup_date: datetime | None = None
    pickup_token: str | None = None
    expected_at: datetime | None = None
    label_url: str | None = None
    manifest_url: str | None = None
    code: int | None = None
    """Where it stands on the shipment scale."""
    scans: list[Scan] = field(default_factory=list)
    script: str = "normal"
    next_step: int = 0
    delivered_at: datetime | None = None
    charged_grams: int | None = None
    ndr: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """An order at the carrier."""

    id: int
    channel_order_id: str
    """Our id."""
    body: dict[str, Any]
    parcel: Parcel
    created_at: datetime
    status: int = 1
    """On the order scale."""
    is_return: bool = False
    cancel_pending: bool = False

    @property
    def is_cancelled(self) -> bool:
        """Whether it counts no more."""
        return self.status in {5, 27}
