"""Parcels, couriers and tariffs over the wire. Amounts in minor units, weights in grams, sizes in millimetres."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from transactional.shipping.models import (
    CarrierCall,
    CourierChoice,
    CourierRule,
    RuleAction,
    Shipment,
    ShipmentEvent,
    ShipmentItem,
    ShipmentKind,
    ShipmentStatus,
    ShippingRate,
    ShippingZone,
)
from transactional.shipping.ndr import NdrAction
from transactional.shipping.rules import CourierAccuracy, RuleValues

_TEXT = r"^[^\x00]*$"
_AMOUNT = 10**12
_Zone = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[a-z0-9_]+$", examples=["metro"])]
_Grams = Annotated[int, Field(ge=0, le=10_000_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ParcelOut(BaseModel):
    """A parcel as staff sees it in a list."""

    id: int = Field(examples=[12])
    order_id: int = Field(examples=[15])
    kind: ShipmentKind = Field(examples=["forward"])
    carrier: str = Field(examples=["shiprocket"])
    status: ShipmentStatus = Field(examples=["pickup_scheduled"])
    problem: str | None = Field(description="What the newest scan complains of", examples=[None])
    halted_reason: str | None = Field(description="Why its steps wait for somebody", examples=[None])
    tracking_number: str | None = Field(examples=["19041424751540"])
    courier_name: str | None = Field(examples=["Delhivery Surface"])
    weight_grams: int = Field(examples=[650])
    chargeable_grams: int | None = Field(examples=[1_200])
    declared_minor: int = Field(examples=[159_800])
    cod_minor: int = Field(description="What the courier collects at the door", examples=[0])
    quoted_minor: int | None = Field(examples=[6_600])
    predicted_cost_minor: int | None = Field(examples=[6_710])
    cost_minor: int | None = Field(examples=[None])
    pickup_date: date | None = Field(examples=["2026-01-16"])
    label_url: str | None = Field(examples=["https://files.example/labels/1.pdf"])
    manifest_url: str | None = Field(examples=["https://files.example/manifests/1.pdf"])
    expected_delivery_at: datetime | None = Field(examples=["2026-01-19T18:30:00Z"])
    created_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    shipped_at: datetime | None = Field(examples=[None])
    delivered_at: datetime | None = Field(examples=[None])
    cancel_requested_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, shipment: Shipment) -> "ParcelOut":
        """From the row."""
        return cls(**{name: getattr(shipment, name) for name in cls.model_fields})


class ItemOut(BaseModel):
    """Units in a parcel."""

    order_line_id: int = Field(examples=[210])
    sku: str = Field(examples=["DIYA-12"])
    title: str = Field(examples=["Hand-painted diya set"])
    quantity: int = Field(examples=[2])
    value_minor: int = Field(examples=[159_800])


class ParcelEventOut(BaseModel):
    """A scan as it was told."""

    occurred_at: datetime = Field(examples=["2026-01-16T05:30:00Z"])
    code: str = Field(description="On the carrier's shipment scale", examples=["18"])
    courier_status: str = Field(examples=["X-DLL2F"])
    activity: str = Field(examples=["Bag added to trip"])
    location: str = Field(examples=["Bengaluru_Peenya_H (Karnataka)"])
    status: ShipmentStatus | None = Field(description="Null: it changes nothing", examples=["in_transit"])
    problem: str | None = Field(examples=[None])
    source: str = Field(examples=["webhook"])
    confirmed: bool = Field(description="False: only a webhook says so", examples=[True])


class CallOut(BaseModel):
    """A step towards the carrier."""

    step: str = Field(examples=["assign"])
    attempt: int = Field(examples=[1])
    state: str = Field(examples=["done"])
    foreign_ids: dict[str, Any] = Field(examples=[{"awb": "19041424751540"}])
    note: str | None = Field(examples=[None])
    started_at: datetime = Field(examples=["2026-01-15T10:00:00Z"])
    finished_at: datetime | None = Field(examples=["2026-01-15T10:00:01Z"])


class ParcelDetailOut(BaseModel):
    """A parcel with everything that is known of it."""

    parcel: ParcelOut
    items: list[ItemOut]
    events: list[ParcelEventOut] = Field(description="In the order in which they happened")
    calls: list[CallOut] = Field(description="Oldest first")

    @classmethod
    def of(
        cls,
        shipment: Shipment,
        items: Sequence[ShipmentItem],
        events: Sequence[ShipmentEvent],
        calls: Sequence[CarrierCall],
    ) -> "ParcelDetailOut":
        """From the rows."""
        return cls(
            parcel=ParcelOut.of(shipment),
            items=[ItemOut(**_fields(ItemOut, item)) for item in items],
            events=[ParcelEventOut(**_fields(ParcelEventOut, event)) for event in events],
            calls=[CallOut(**_fields(CallOut, call)) for call in calls],
        )


class CourierChoiceOut(BaseModel):
    """A courier in the ranked table, and why it stands there."""

    attempt: int = Field(examples=[1])
    courier_id: int = Field(examples=[10])
    courier_name: str = Field(examples=["Delhivery Surface"])
    rank: int | None = Field(description="Null: it may not be taken", examples=[1])
    chosen: bool = Field(examples=[True])
    excluded_because: str | None = Field(examples=[None])
    rate_minor: int = Field(examples=[6_600])
    rto_charge_minor: int = Field(examples=[5_500])
    rto_probability_bp: int = Field(description="In hundredths of a percent", examples=[200])
    adjustment_minor: int = Field(examples=[0])
    predicted_cost_minor: int = Field(description="Rate + chance × cost of a return + rules", examples=[6_710])
    estimated_days: int | None = Field(examples=[4])
    reasons: list[str] = Field(examples=[["rate 6600", "return to origin: 2.00 % of 5500 = 110"]])

    @classmethod
    def of(cls, choice: CourierChoice) -> "CourierChoiceOut":
        """From the row."""
        values = _fields(cls, choice) | {"reasons": list(choice.reasons.get("reasons", []))}
        return cls(**values)


class PickupIn(_In):
    """When the courier shall come."""

    pickup_date: date = Field(description="In India; Sundays and holidays move on", examples=["2026-01-17"])


class NdrIn(_In):
    """What the courier shall do with a parcel that it could not deliver."""

    action: NdrAction = Field(examples=["re-attempt"])
    comments: str = Field(min_length=1, max_length=200, pattern=_TEXT, examples=["customer asked for Saturday"])
    phone: str | None = Field(default=None, pattern=r"^[0-9]{10}$", examples=["9812345678"])
    address1: str | None = Field(default=None, max_length=190, pattern=_TEXT, examples=["12 MG Road"])
    address2: str | None = Field(default=None, max_length=190, pattern=_TEXT, examples=["next to the bank"])
    deferred_date: date | None = Field(default=None, examples=["2026-01-24"])

    def more(self) -> dict[str, str]:
        """What was given besides action and comments, as texts."""
        given = self.model_dump(mode="json", exclude_none=True, exclude={"action", "comments"})
        return {name: str(value) for name, value in given.items()}


class HandScanIn(_In):
    """What staff knows of a parcel."""

    status: ShipmentStatus = Field(examples=["delivered"])
    note: str = Field(default="", max_length=300, pattern=_TEXT, examples=["handed to the neighbour"])
    occurred_at: AwareDatetime | None = Field(default=None, description="Now, when absent")


class ReturnUnitsIn(_In):
    """Units that come back."""

    order_line_id: int = Field(ge=1, le=2**63 - 1, examples=[210])
    quantity: int = Field(ge=1, le=1_000_000, examples=[1])


class ReturnPickupIn(_In):
    """What the courier shall fetch from the customer."""

    units: list[ReturnUnitsIn] = Field(min_length=1, max_length=500)


class ManifestOut(BaseModel):
    """What one courier fetches on one day."""

    courier_name: str = Field(examples=["Delhivery Surface"])
    pickup_date: date = Field(examples=["2026-01-16"])
    manifest_urls: list[str] = Field(examples=[["https://files.example/manifests/1.pdf"]])
    parcels: list[ParcelOut]


class AccuracyOut(BaseModel):
    """Predicted and real cost of one courier in a month."""

    courier_id: int = Field(examples=[10])
    courier_name: str = Field(examples=["Delhivery Surface"])
    parcels: int = Field(examples=[120])
    predicted_minor: int = Field(examples=[805_200])
    charged_minor: int = Field(examples=[812_400])

    @classmethod
    def of(cls, row: CourierAccuracy) -> "AccuracyOut":
        """From the sums."""
        return cls(**_fields(cls, row))


class RuleIn(_In):
    """A rule; what is null matches everything."""

    name: str = Field(min_length=1, max_length=120, pattern=_TEXT, examples=["nothing heavy by air"])
    priority: int = Field(ge=0, le=1_000_000, description="The lowest is looked at first", examples=[100])
    action: RuleAction = Field(examples=["block"])
    courier_id: int | None = Field(default=None, ge=1, le=2**62, examples=[33])
    zone: _Zone | None = None
    cod: bool | None = Field(default=None, examples=[None])
    min_grams: _Grams = 0
    max_grams: _Grams | None = None
    adjustment_minor: int = Field(default=0, ge=-_AMOUNT, le=_AMOUNT, examples=[0])
    is_active: bool = True

    def values(self) -> RuleValues:
        """As the service takes it."""
        return RuleValues(**self.model_dump())


class RuleOut(RuleIn):
    """A stored rule."""

    id: int = Field(examples=[3])

    @classmethod
    def of(cls, rule: CourierRule) -> "RuleOut":
        """From the row."""
        return cls(**_fields(cls, rule))


class ZoneIn(_In):
    """Which zone a prefix belongs to."""

    country: str = Field(min_length=2, max_length=40, pattern=_TEXT, examples=["IN"])
    prefix: str = Field(max_length=10, pattern=r"^[A-Z0-9]*$", description="Empty: the whole country", examples=["411"])
    zone: _Zone


class ZoneOut(ZoneIn):
    """A stored prefix."""

    id: int = Field(examples=[7])

    @classmethod
    def of(cls, row: ShippingZone) -> "ZoneOut":
        """From the row."""
        return cls(**_fields(cls, row))


class RateIn(_In):
    """What a zone costs."""

    zone: _Zone
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["INR"])
    slab_grams: int = Field(ge=1, le=1_000_000, examples=[500])
    first_minor: int = Field(ge=0, le=_AMOUNT, examples=[11_900])
    next_minor: int = Field(ge=0, le=_AMOUNT, examples=[3_000])
    free_from_minor: int | None = Field(default=None, ge=0, le=_AMOUNT, examples=[149_900])
    max_grams: int | None = Field(default=None, ge=1, le=10_000_000, examples=[None])


class RateOut(RateIn):
    """A stored rate."""

    id: int = Field(examples=[2])

    @classmethod
    def of(cls, row: ShippingRate) -> "RateOut":
        """From the row."""
        return cls(**_fields(cls, row))


class TakenOut(BaseModel):
    """Whether a webhook was new."""

    new: bool = Field(examples=[True])


def _fields(model: type[BaseModel], row: object) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields}
