"""Parcels, what is in them and what befell them; how couriers are chosen and what sending costs."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, Minor, UtcDateTime, enum_type


class ShipmentStatus(StrEnum):
    """The normalised states of a parcel, whatever the carrier calls them."""

    CREATED = "created"
    AWB_ASSIGNED = "awb_assigned"
    PICKUP_SCHEDULED = "pickup_scheduled"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    RTO_INITIATED = "rto_initiated"
    RTO_IN_TRANSIT = "rto_in_transit"
    RTO_DELIVERED = "rto_delivered"
    CANCELLED = "cancelled"
    LOST = "lost"
    DAMAGED = "damaged"


class ShipmentKind(StrEnum):
    """Which way a parcel travels."""

    FORWARD = "forward"
    RETURN = "return"


class ScanSource(StrEnum):
    """Who told of a scan. A webhook carries no signature, so it proves nothing that moves money."""

    SHOP = "shop"
    WEBHOOK = "webhook"
    TRACKING = "tracking"
    STAFF = "staff"


class CallState(StrEnum):
    """What became of a call to the carrier."""

    INTENDED = "intended"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No usable answer: read before repeating."""


class RuleAction(StrEnum):
    """What a courier rule does to the couriers that it matches."""

    BLOCK = "block"
    ALLOW = "allow"
    """Ends the search: rules of lower priority do not apply any more."""
    ADJUST = "adjust"
    """Adds `adjustment_minor` to the predicted cost; a negative one prefers the courier."""


class ClaimCause(StrEnum):
    """What the courier did to a parcel."""

    LOST = "lost"
    DAMAGED = "damaged"


class ClaimDecision(StrEnum):
    """What becomes of a parcel that never arrived whole."""

    REFUND = "refund"
    RESEND = "resend"
    WITHDRAWN = "withdrawn"
    """It turned up before anybody had decided."""


class TrackingInboxState(StrEnum):
    """What became of a tracking webhook."""

    RECEIVED = "received"
    PROCESSED = "processed"
    IGNORED = "ignored"


class Shipment(Base):
    """One parcel. Its status is folded from its events, never set by hand; weights in grams, sizes in millimetres."""

    __tablename__ = "shipments"
    __table_args__ = (
        CheckConstraint("cod_minor >= 0 AND declared_minor >= 0", name="amounts"),
        Index("ix_shipments_status_polled_at", "status", "polled_at"),
        Index("ix_shipments_postal_code_status", "postal_code", "status"),
    )

    id: Mapped[IntPk]
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("customers.id"), index=True)
    kind: Mapped[ShipmentKind] = mapped_column(
        enum_type(ShipmentKind), default=ShipmentKind.FORWARD, server_default=ShipmentKind.FORWARD
    )
    return_of_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("shipments.id"))
    """The parcel whose goods a return parcel fetches."""
    carrier: Mapped[str] = mapped_column(String(64))
    tracking_number: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The courier's air waybill number (AWB)."""
    status: Mapped[ShipmentStatus] = mapped_column(enum_type(ShipmentStatus))
    problem: Mapped[str | None] = mapped_column(String(40))
    """What the newest scan complains of, such as `pickup_error`; needs somebody's eye."""
    halted_reason: Mapped[str | None] = mapped_column(String(300))
    """Why the chain of steps stopped and waits for staff."""
    attempt: Mapped[int] = mapped_column(default=1, server_default="1")
    """A carrier never takes the id of a cancelled order again, so every new try has a number of its own."""
    reference: Mapped[str | None] = mapped_column(String(50), unique=True)
    """Our id at the carrier: digits only, written before the carrier hears of it."""
    carrier_order_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    carrier_shipment_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    courier_id: Mapped[int | None] = mapped_column(BigInt)
    courier_name: Mapped[str | None] = mapped_column(String(80))
    zone: Mapped[str | None] = mapped_column(String(20))
    postal_code: Mapped[str | None] = mapped_column(String(16))
    ship_to: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """The address and contact as they were when the parcel was made."""
    currency: Mapped[str | None] = mapped_column(String(3))
    declared_minor: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What the buyer owes or paid for the goods inside, after discounts."""
    cod_minor: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What the courier collects at the door; 0 for a prepaid order."""
    weight_grams: Mapped[int] = mapped_column(default=0)
    """The dead weight."""
    length_mm: Mapped[int | None]
    width_mm: Mapped[int | None]
    height_mm: Mapped[int | None]
    volumetric_grams: Mapped[int | None]
    chargeable_grams: Mapped[int | None]
    charged_grams: Mapped[int | None]
    """The weight that the carrier billed."""
    quoted_minor: Mapped[int | None] = mapped_column(BigInt)
    """The chosen courier's rate when it was chosen."""
    predicted_cost_minor: Mapped[int | None] = mapped_column(BigInt)
    """Rate plus expected cost of a return to origin."""
    cost_minor: Mapped[int | None] = mapped_column(BigInt)
    """What the carrier charged in the end."""
    pickup_date: Mapped[date | None] = mapped_column(Date)
    pickup_token: Mapped[str | None] = mapped_column(String(64))
    label_url: Mapped[str | None] = mapped_column(String(500))
    manifest_url: Mapped[str | None] = mapped_column(String(500))
    tracking_url: Mapped[str | None] = mapped_column(String(500))
    expected_delivery_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    awb_assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pickup_scheduled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    label_printed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    manifested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shipped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The first scan that shows the parcel in the carrier's hands."""
    in_transit_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    out_for_delivery_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undelivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rto_initiated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rto_in_transit_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rto_delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lost_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    damaged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    polled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ShipmentItem(Base):
    """So many units of an order line in a parcel, as the carrier's papers name them."""

    __tablename__ = "shipment_items"
    __table_args__ = (
        UniqueConstraint("shipment_id", "order_line_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[IntPk]
    shipment_id: Mapped[int] = mapped_column(BigInt, ForeignKey("shipments.id"))
    order_line_id: Mapped[int] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInt)
    sku: Mapped[str] = mapped_column(String(64), default="", server_default="")
    title: Mapped[str] = mapped_column(String(200), default="", server_default="")
    hsn_code: Mapped[str | None] = mapped_column(String(8))
    value_minor: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What these units cost the buyer after discounts, tax included."""


class ShipmentEvent(Base):
    """A scan as it was told, once however often it was told; the parcel's status is folded from these rows."""

    __tablename__ = "shipment_events"
    __table_args__ = (UniqueConstraint("shipment_id", "scan_key"),)

    id: Mapped[IntPk]
    shipment_id: Mapped[int] = mapped_column(BigInt, ForeignKey("shipments.id"))
    scan_key: Mapped[str] = mapped_column(String(64))
    """SHA-256 of carrier code, time and the courier's own status: what makes two reports the same scan."""
    code: Mapped[str] = mapped_column(String(16))
    """The carrier's code on the shipment scale, as text; may be empty or `NA`."""
    courier_status: Mapped[str] = mapped_column(String(64))
    activity: Mapped[str] = mapped_column(String(300))
    location: Mapped[str] = mapped_column(String(160))
    status: Mapped[ShipmentStatus | None] = mapped_column(enum_type(ShipmentStatus))
    """What the code means; NULL changes nothing."""
    problem: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[ScanSource] = mapped_column(enum_type(ScanSource))
    confirmed: Mapped[bool]
    """Told by somebody who can be believed where money moves: the carrier's own API, or staff."""
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourierChoice(Base):
    """One courier in the ranked table of a choice, with what spoke for or against it. Money in minor units."""

    __tablename__ = "courier_choices"
    __table_args__ = (UniqueConstraint("shipment_id", "attempt", "courier_id"),)

    id: Mapped[IntPk]
    shipment_id: Mapped[int] = mapped_column(BigInt, ForeignKey("shipments.id"))
    attempt: Mapped[int]
    courier_id: Mapped[int] = mapped_column(BigInt)
    courier_name: Mapped[str] = mapped_column(String(80))
    rank: Mapped[int | None]
    """1 is best; NULL for a courier that may not be taken."""
    chosen: Mapped[bool]
    excluded_because: Mapped[str | None] = mapped_column(String(200))
    rate_minor: Mapped[Minor]
    rto_charge_minor: Mapped[Minor]
    rto_probability_bp: Mapped[int]
    """Chance of a return to origin, in hundredths of a percent."""
    adjustment_minor: Mapped[Minor] = mapped_column(default=0)
    predicted_cost_minor: Mapped[Minor]
    estimated_days: Mapped[int | None]
    rating_milli: Mapped[int | None]
    """The carrier's rating of the courier, in thousandths."""
    reasons: Mapped[Json]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CourierRule(Base):
    """A rule for choosing couriers. Empty conditions match everything; the lowest priority is looked at first."""

    __tablename__ = "courier_rules"
    __table_args__ = (
        CheckConstraint("min_grams >= 0 AND (max_grams IS NULL OR max_grams >= min_grams)", name="grams"),
    )

    id: Mapped[IntPk]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    priority: Mapped[int]
    action: Mapped[RuleAction] = mapped_column(enum_type(RuleAction))
    courier_id: Mapped[int | None] = mapped_column(BigInt)
    zone: Mapped[str | None] = mapped_column(String(20))
    cod: Mapped[bool | None]
    min_grams: Mapped[int] = mapped_column(default=0)
    max_grams: Mapped[int | None]
    adjustment_minor: Mapped[Minor] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ShippingZone(Base):
    """Which tariff zone a destination belongs to: the longest prefix of its postal code decides."""

    __tablename__ = "shipping_zones"
    __table_args__ = (UniqueConstraint("country", "prefix"),)

    id: Mapped[IntPk]
    country: Mapped[str] = mapped_column(String(2))
    prefix: Mapped[str] = mapped_column(String(10))
    """May be empty: the whole country."""
    zone: Mapped[str] = mapped_column(String(20))


class ShippingRate(Base):
    """What the shop charges in a zone: so much for the first slab of weight, so much for each further one."""

    __tablename__ = "shipping_rates"
    __table_args__ = (
        UniqueConstraint("zone", "currency"),
        CheckConstraint("slab_grams > 0", name="slab"),
        CheckConstraint("first_minor >= 0 AND next_minor >= 0", name="amounts"),
    )

    id: Mapped[IntPk]
    zone: Mapped[str] = mapped_column(String(20))
    currency: Mapped[Currency]
    slab_grams: Mapped[int]
    first_minor: Mapped[Minor]
    next_minor: Mapped[Minor]
    free_from_minor: Mapped[int | None] = mapped_column(BigInt)
    """Merchandise of this value and more travels free; NULL: never."""
    max_grams: Mapped[int | None]
    """Heavier orders are not carried there; NULL: any weight is."""


class CarrierToken(Base):
    """The one access token of a carrier account, shared by all processes; renewed by whoever gets the lease."""

    __tablename__ = "carrier_tokens"
    __table_args__ = {"info": {"journal": False}}

    id: Mapped[IntPk]
    account: Mapped[str] = mapped_column(String(160), unique=True)
    """Base URL and user; the token is of no use elsewhere."""
    token: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInt, default=0)
    """Counts the log-ins, so that fifty callers who saw the same stale token log in once."""
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CarrierCall(Base):
    """A step towards the carrier: written before the call, completed after it. Holds addresses, so never journaled."""

    __tablename__ = "carrier_calls"
    __table_args__ = {"info": {"journal": False}}

    id: Mapped[IntPk]
    shipment_id: Mapped[int] = mapped_column(BigInt, ForeignKey("shipments.id"), index=True)
    attempt: Mapped[int]
    step: Mapped[str] = mapped_column(String(20))
    state: Mapped[CallState] = mapped_column(enum_type(CallState))
    request: Mapped[Json] = mapped_column(default=dict)
    answer: Mapped[Json | None]
    foreign_ids: Mapped[Json] = mapped_column(default=dict)
    note: Mapped[str | None] = mapped_column(String(300))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TrackingInbox(Base):
    """A tracking webhook as it came, stored before anything is done about it; the same body once."""

    __tablename__ = "tracking_inbox"
    __table_args__ = (
        Index("ix_tracking_inbox_state_received_at", "state", "received_at"),
        {"info": {"journal": False}},
    )

    id: Mapped[IntPk]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    raw: Mapped[str] = mapped_column(Text)
    state: Mapped[TrackingInboxState] = mapped_column(enum_type(TrackingInboxState))
    note: Mapped[str | None] = mapped_column(String(300))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CarrierClaim(Base):
    """A parcel that the courier lost or broke, until somebody says what the buyer gets: their money or new goods."""

    __tablename__ = "carrier_claims"
    __table_args__ = (
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        Index("ix_carrier_claims_decision_id", "decision", "id"),
    )

    id: Mapped[IntPk]
    shipment_id: Mapped[int] = mapped_column(BigInt, ForeignKey("shipments.id"), unique=True)
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    cause: Mapped[ClaimCause] = mapped_column(enum_type(ClaimCause))
    claimed_minor: Mapped[Minor]
    """What the courier is asked for: the parcel's declared value."""
    currency: Mapped[str | None] = mapped_column(String(3))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[ClaimDecision | None] = mapped_column(enum_type(ClaimDecision))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    note: Mapped[str | None] = mapped_column(String(300))
    replacement_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("shipments.id"))
    """The parcel that carries the goods once more."""


class UnservedPostalCode(Base):
    """A destination to which the carrier said that nobody goes, for parcels of this weight and more."""

    __tablename__ = "unserved_postal_codes"
    __table_args__ = (UniqueConstraint("postal_code", "cod"),)

    id: Mapped[IntPk]
    postal_code: Mapped[str] = mapped_column(String(16))
    cod: Mapped[bool]
    """True: nobody collects money there; who only carries may exist."""
    grams: Mapped[int]
    """The lightest parcel that was refused: a lighter one may still be carried."""
    refused_at: Mapped[datetime] = mapped_column(UtcDateTime)
