"""What the shop wants of a carrier: calls, typed answers and errors that say whether trying again is safe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from transactional.shipping.weights import Box

Answer = Mapping[str, Any]
"""A raw answer, kept for whoever must look into it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A person at a door."""

    name: str
    phone: str
    email: str
    line1: str
    line2: str
    city: str
    state: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Item:
    """Units of one article in a parcel; `value_minor` is what all of them cost the buyer, tax included."""

    sku: str
    title: str
    quantity: int
    value_minor: int
    hsn_code: str | None = None


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be carried. The carrier collects `goods_minor + charges_minor` at the door if `cod`, else nothing.

    `charges_minor` is below zero where less is due than the goods cost.
    """

    reference: str
    placed_at: datetime
    address: Address
    items: Sequence[Item]
    goods_minor: int
    charges_minor: int
    cod: bool
    weight_grams: int
    box: Box

    @property
    def total_minor(self) -> int:
        """What the order is worth at the carrier."""
        return self.goods_minor + self.charges_minor


@dataclass(frozen=True, slots=True)
class CourierOffer:
    """One courier's price and promise for a parcel; money in minor units."""

    courier_id: int
    name: str
    rate_minor: int
    rto_charge_minor: int
    cod: bool
    max_grams: int | None
    estimated_days: int | None
    expected_at: datetime | None
    rating_milli: int | None
    suppressed: bool
    """The carrier announces days on which this courier does not come."""
    blocked_because: str | None = None


@dataclass(frozen=True, slots=True)
class CarrierOrder:
    """An order at the carrier as it was at one moment."""

    order_id: str
    shipment_id: str
    reference: str | None
    status_code: int | None
    """On the order scale."""
    total_minor: int | None
    awb: str | None
    courier_name: str | None
    courier_id: int | None
    pickup_date: date | None
    raw: Answer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssignedAwb:
    """The courier's number for a parcel."""

    awb: str
    courier_id: int | None
    courier_name: str | None
    raw: Answer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BookedPickup:
    """When the courier comes."""

    pickup_date: date | None
    token: str | None
    raw: Answer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paper:
    """A printable document."""

    url: str
    raw: Answer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawScan:
    """A scan as the carrier tells it, with its time in UTC."""

    code: str
    courier_status: str
    activity: str
    location: str
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the carrier knows of a parcel; scans oldest first."""

    awb: str
    code: str
    """Where it stands on the shipment scale; empty when nothing is known."""
    scans: Sequence[RawScan]
    url: str | None
    expected_at: datetime | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A parcel that was billed for another weight than declared."""

    awb: str
    charged_grams: int | None
    charged_minor: int | None


class CarrierError(Exception):
    """A call to the carrier did not give what it should."""


class Refused(CarrierError):
    """The request breaks one of the carrier's rules; repeating it changes nothing."""


class Absent(Refused):
    """The carrier knows no such thing."""


class ReferenceBurnt(Refused):
    """Our id belongs to a cancelled order and is never taken again."""


class Unavailable(CarrierError):
    """Nothing was done; trying again is safe."""


class Unknown(CarrierError):
    """Nobody knows whether it was done: read before repeating."""


class Pending(Unknown):
    """The carrier has taken it in and will do it later."""


class Carrier(Protocol):
    """A carrier. Every call may raise the errors above; none may be made inside of a database transaction.

    `look_first` says that the same call may have been made before: its effect is looked for before it is repeated.
    """

    name: str

    def quote(
        self, *, postal_code: str, weight_grams: int, box: Box, cod: bool, declared_minor: int
    ) -> list[CourierOffer]:
        """Who carries such a parcel, at which price."""
        ...

    def create(self, consignment: Consignment, *, look_first: bool) -> CarrierOrder:
        """Hand the order in, once however often it is called."""
        ...

    def create_return(self, consignment: Consignment, *, look_first: bool) -> CarrierOrder:
        """The same for a parcel that is fetched from the customer."""
        ...

    def find(self, reference: str) -> list[CarrierOrder]:
        """Every order under our id, lowest id first."""
        ...

    def assign(
        self, *, order_id: str, shipment_id: str, courier_id: int | None, look_first: bool, reassign: bool = False
    ) -> AssignedAwb:
        """Get the courier's number."""
        ...

    def pickup(self, *, order_id: str, shipment_id: str, on: date | None, look_first: bool) -> BookedPickup:
        """Call the courier."""
        ...

    def label(self, *, shipment_id: str) -> Paper:
        """The label to stick on; printing it again is harmless."""
        ...

    def manifest(self, *, order_id: str, shipment_id: str) -> Paper:
        """The list that the courier signs."""
        ...

    def track(self, awbs: Sequence[str]) -> dict[str, Tracking]:
        """Where parcels are; numbers that the carrier does not know are absent."""
        ...

    def cancel(self, order_id: str) -> bool:
        """Call an order off: True when it is, False when the carrier will do it later."""
        ...

    def is_called_off(self, order: CarrierOrder) -> bool:
        """Whether an order counts no more, or soon will not."""
        ...

    def ndr_action(self, *, awb: str, action: str, comments: str, more: Mapping[str, str]) -> None:
        """Say what to do with a parcel that could not be delivered."""
        ...

    def discrepancies(self) -> list[Discrepancy]:
        """Parcels billed for another weight than declared."""
        ...
