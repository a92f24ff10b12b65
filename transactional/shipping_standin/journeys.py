"""What happens to a parcel between two doors: scripts of scans that the control API plays."""

from collections.abc import Callable
from dataclasses import dataclass

from transactional.shipping_standin.books import Books
from transactional.shipping_standin.entities import Parcel, Scan


@dataclass(frozen=True, slots=True)
class Step:
    """One scan to come: its code on the shipment scale, the order's on the other, and how the courier calls it."""

    code: str
    order_status: int
    label: str | None
    courier_status: str
    activity: str
    location: str = "Bengaluru_Peenya_H (Karnataka)"


_OUT_FOR_PICKUP = Step("19", 34, "OUT FOR PICKUP", "OFP", "Out for pickup")
_PICKED_UP = Step("42", 51, "PICKED UP", "PUD-PKP", "Shipment picked up from seller")
_SHIPPED = Step("6", 6, "SHIPPED", "X-UCI", "Shipment received at facility")
_IN_TRANSIT = Step("18", 20, "IN TRANSIT", "X-DLL2F", "Bag added to trip")
_HUB = Step("38", 43, None, "X-IBD1F", "Received at destination hub", "Destination_Hub")
_UNKNOWN = Step("NA", 20, None, "X-???", "Weight captured", "Destination_Hub")
_OUT = Step("17", 19, "OUT FOR DELIVERY", "OFD", "Out for delivery", "Destination_Dc")
_FAILED = Step("21", 36, "UNDELIVERED", "EOD-11", "Consignee unavailable", "Destination_Dc")
_DELIVERED = Step("7", 7, "DELIVERED", "EOD-38", "Delivered to consignee", "Destination_Dc")
_TO_DOOR = (_OUT_FOR_PICKUP, _PICKED_UP, _SHIPPED, _IN_TRANSIT, _HUB, _UNKNOWN, _OUT)

SCRIPTS: dict[str, tuple[Step, ...]] = {
    "normal": (*_TO_DOOR, _DELIVERED),
    "ndr": (*_TO_DOOR, _FAILED, _OUT, _DELIVERED),
    "rto": (
        *_TO_DOOR,
        _FAILED,
        Step("9", 15, "RTO INITIATED", "RT-101", "Return to origin started", "Destination_Dc"),
        Step("46", 55, "RTO IN TRANSIT", "RT-110", "On the way back"),
        Step("41", 45, "RTO OFD", "RT-111", "Out for return delivery"),
        Step("10", 16, "RTO DELIVERED", "RT-120", "Returned to seller"),
    ),
    "lost": (*_TO_DOOR[:4], Step("12", 33, "LOST", "LST-1", "Shipment cannot be traced")),
    "damaged": (*_TO_DOOR[:5], Step("25", 40, "DAMAGED", "DMG-1", "Shipment found damaged", "Destination_Hub")),
    "pickup_trouble": (
        Step("13", 14, "PICKUP ERROR", "PKE-1", "Seller not reachable"),
        Step("15", 13, "PICKUP RESCHEDULED", "PKR-1", "Pickup moved to tomorrow"),
        *_TO_DOOR,
        _DELIVERED,
    ),
}

Told = Callable[[Parcel], None]
"""Hears of every parcel that moved."""


class Journeys:
    """Plays the scripts."""

    def __init__(self, books: Books, told: Told) -> None:
        self._books = books
        self._told = told

    def set_script(self, parcel: Parcel, name: str) -> None:
        """Choose what will happen. Raises ValueError for an unknown script."""
        if name not in SCRIPTS:
            raise ValueError(f"no such script: {name}; there are {', '.join(SCRIPTS)}")
        parcel.script = name

    def advance(self, parcel: Parcel, steps: int = 1) -> int:
        """Play the next steps; gives how many there were. Raises ValueError before the pickup is booked."""
        if parcel.pickup_token is None:
            raise ValueError(f"no pickup is booked for parcel {parcel.id}")
        script = SCRIPTS[parcel.script][parcel.next_step : parcel.next_step + steps]
        for step in script:
            if self._books.order_of(parcel).is_cancelled:
                break
            parcel.next_step += 1
            self._happen(parcel, step)
        return len(script)

    def advance_all(self) -> int:
        """One step for every parcel under way; gives how many moved."""
        ready = [parcel for parcel in self._books.parcels() if parcel.pickup_token is not None]
        return sum(self.advance(parcel) for parcel in ready)

    def add(self, parcel: Parcel, scan: Scan, *, order_status: int | None = None) -> None:
        """A scan out of any script: late, early, of an unknown code."""
        parcel.scans.append(scan)
        # A late scan of earlier days does not change where the carrier believes the parcel to be.
        if scan.at >= max(each.at for each in parcel.scans) and scan.code.isdecimal():
            parcel.code = int(scan.code)
            if order_status is not None:
                self._books.order_of(parcel).status = order_status
        self._told(parcel)

    def _happen(self, parcel: Parcel, step: Step) -> None:
        now = self._books.clock.now()
        parcel.scans.append(Scan(now, step.code, step.label, step.courier_status, step.activity, step.location))
        if step.code.isdecimal():
            parcel.code = int(step.code)
        self._books.order_of(parcel).status = step.order_status
        if step.code == "7":
            parcel.delivered_at = now
        if step.code == "21":
            parcel.ndr.append({"reason": step.activity, "at": now, "action": None})
        self._told(parcel)
