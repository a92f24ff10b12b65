"""What customers read of their order's timeline: the few things that matter to them, each told once.

Staff see every step, scan and decision; who waits for a gift wants to know where it is and where the money is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from transactional.orders.models import OrderStatus, UnitMove
from transactional.shipping.service import ShipmentStatus


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `actor` and `reason` are for staff."""

    at: datetime
    kind: str
    """status, units, payment, refund, decision, parcel, return_parcel, change, approval or document."""
    what: str
    details: dict[str, Any] = field(default_factory=dict)
    actor: str | None = None
    reason: str | None = None


PLACED = "placed"
"""How customers call the first step, wherever it led."""

_STATUSES = frozenset(
    {
        OrderStatus.PAID,
        OrderStatus.AWAITING_EXTRA_PAYMENT,
        OrderStatus.PACKED,
        OrderStatus.PARTIALLY_SHIPPED,
        OrderStatus.SHIPPED,
        OrderStatus.PARTIALLY_DELIVERED,
        OrderStatus.DELIVERED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
    }
)
_ONCE = frozenset({OrderStatus.PAID, OrderStatus.PACKED})
"""An order that was changed passes these again, which is news to nobody."""
_SCANS = frozenset(
    {
        ShipmentStatus.OUT_FOR_DELIVERY,
        ShipmentStatus.UNDELIVERED,
        ShipmentStatus.RTO_INITIATED,
        ShipmentStatus.LOST,
        ShipmentStatus.DAMAGED,
    }
)
"""What the order's own steps do not say."""
_SENT_BACK = frozenset({ShipmentStatus.PICKUP_SCHEDULED, ShipmentStatus.PICKED_UP, ShipmentStatus.DELIVERED})
"""Of a parcel that travels from the customer to the shop."""
_MONEY = frozenset({"captured", "failed"})
_REFUNDS = frozenset({"ordered", "paid_back"})
_PARCELS = ("parcel", "return_parcel")
_THREADS = ("status", *_PARCELS)
"""Where the same word twice in a row is told once."""
_PARCEL_DETAILS = ("carrier", "tracking_number", "location")


def story(entries: Sequence[Entry]) -> list[Entry]:
    """The customer's part of a timeline in the order of time, without actors, reasons and raw words of carriers."""
    told: list[Entry] = []
    last: dict[object, str] = {}
    for entry in _worth_telling(entries):
        thread = (entry.kind, entry.details.get("tracking_number")) if entry.kind in _THREADS else None
        if thread is not None and last.get(thread) == entry.what:
            continue
        last[thread] = entry.what
        told.append(entry)
    return told


def _worth_telling(entries: Sequence[Entry]) -> Iterator[Entry]:
    paid_by_step = {entry.at for entry in entries if entry.kind == "status" and entry.what == OrderStatus.PAID}
    seen: set[str] = set()
    for entry in entries:
        if entry.kind == "status" and "from" not in entry.details:
            yield Entry(entry.at, "status", PLACED)
        elif entry.kind == "payment" and entry.what == "captured" and entry.at in paid_by_step:
            continue  # the order's step says it
        elif _TOLD[entry.kind](entry) and not (entry.kind == "status" and entry.what in seen & _ONCE):
            seen.add(entry.what)
            yield Entry(entry.at, entry.kind, entry.what, _details(entry))


def _details(entry: Entry) -> dict[str, Any]:
    if entry.kind == "status":
        return {}
    if entry.kind in _PARCELS:
        return {name: entry.details.get(name) for name in _PARCEL_DETAILS}
    return entry.details


def _among(words: Iterable[str]) -> Callable[[Entry], bool]:
    known = frozenset(words)
    return lambda entry: entry.what in known


def _always(_entry: Entry) -> bool:
    return True


def _never(_entry: Entry) -> bool:
    return False


_TOLD: Mapping[str, Callable[[Entry], bool]] = {
    "status": _among(_STATUSES),
    "units": _among({UnitMove.RETURNED}),
    "payment": _among(_MONEY),
    "refund": _among(_REFUNDS),
    "parcel": _among(_SCANS),
    "return_parcel": _among(_SENT_BACK),
    "change": _always,
    "approval": _always,
    "document": _always,
    "decision": _never,
}
"""Of each kind, what is told."""
