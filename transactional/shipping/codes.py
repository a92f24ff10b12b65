"""Shiprocket's two status scales, which use the same numbers for different things, and what theirs mean to us."""

from dataclasses import dataclass
from enum import IntEnum

from transactional.shipping.models import ShipmentStatus


class ShipmentCode(IntEnum):
    """The shipment scale: `sr-status`, `shipment_status`, `shipment_status_id`."""

    AWB_ASSIGNED = 1
    LABEL_GENERATED = 2
    PICKUP_SCHEDULED = 3
    PICKUP_QUEUED = 4
    MANIFEST_GENERATED = 5
    SHIPPED = 6
    DELIVERED = 7
    CANCELLED = 8
    RTO_INITIATED = 9
    RTO_DELIVERED = 10
    PENDING = 11
    LOST = 12
    PICKUP_ERROR = 13
    RTO_ACKNOWLEDGED = 14
    PICKUP_RESCHEDULED = 15
    CANCELLATION_REQUESTED = 16
    OUT_FOR_DELIVERY = 17
    IN_TRANSIT = 18
    OUT_FOR_PICKUP = 19
    PICKUP_EXCEPTION = 20
    UNDELIVERED = 21
    DELAYED = 22
    PARTIALLY_DELIVERED = 23
    DESTROYED = 24
    DAMAGED = 25
    FULFILLED = 26
    PICKUP_BOOKED = 27
    REACHED_DESTINATION_HUB = 38
    MISROUTED = 39
    RTO_NDR = 40
    RTO_OUT_FOR_DELIVERY = 41
    PICKED_UP = 42
    SELF_FULFILLED = 43
    DISPOSED_OFF = 44
    CANCELLED_BEFORE_DISPATCHED = 45
    RTO_IN_TRANSIT = 46
    QC_FAILED = 47
    REACHED_WAREHOUSE = 48
    CUSTOM_CLEARED = 49
    IN_FLIGHT = 50
    HANDOVER_TO_COURIER = 51
    SHIPMENT_BOOKED = 52
    IN_TRANSIT_OVERSEAS = 54
    CONNECTION_ALIGNED = 55
    REACHED_OVERSEAS_WAREHOUSE = 56
    CUSTOM_CLEARED_OVERSEAS = 57
    BOX_PACKING = 59
    FC_ALLOCATED = 60
    PICKLIST_GENERATED = 61
    READY_TO_PACK = 62
    PACKED = 63
    FC_MANIFEST_GENERATED = 67
    PROCESSED_AT_WAREHOUSE = 68
    HANDOVER_EXCEPTION = 71
    PACKED_EXCEPTION = 72
    RTO_LOCK = 75
    UNTRACEABLE = 76
    RECIPIENT_ISSUE = 77
    BACK_AT_SELLER_CITY = 78


class OrderCode(IntEnum):
    """The order scale: `status_code`, `current_status_id`, filters of lists. Never to be read as the other."""

    NEW = 1
    INVOICED = 2
    READY_TO_SHIP = 3
    PICKUP_SCHEDULED = 4
    CANCELLED = 5
    SHIPPED = 6
    DELIVERED = 7
    EPAYMENT_FAILED = 8
    RETURNED = 9
    UNMAPPED = 10
    UNFULFILLABLE = 11
    PICKUP_QUEUE = 12
    PICKUP_RESCHEDULED = 13
    PICKUP_ERROR = 14
    RTO_INITIATED = 15
    RTO_DELIVERED = 16
    RTO_ACKNOWLEDGED = 17
    CANCELLATION_REQUESTED = 18
    OUT_FOR_DELIVERY = 19
    IN_TRANSIT = 20
    RETURN_PENDING = 21
    RETURN_INITIATED = 22
    RETURN_PICKUP_QUEUED = 23
    RETURN_PICKUP_ERROR = 24
    RETURN_IN_TRANSIT = 25
    RETURN_DELIVERED = 26
    RETURN_CANCELLED = 27
    RETURN_PICKUP_GENERATED = 28
    RETURN_CANCELLATION_REQUESTED = 29
    RETURN_PICKUP_CANCELLED = 30
    RETURN_PICKUP_RESCHEDULED = 31
    RETURN_PICKED_UP = 32
    LOST = 33
    OUT_FOR_PICKUP = 34
    PICKUP_EXCEPTION = 35
    UNDELIVERED = 36
    DELIVERY_DELAYED = 37
    PARTIAL_DELIVERED = 38
    DESTROYED = 39
    DAMAGED = 40
    FULFILLED = 41
    ARCHIVED = 42
    REACHED_DESTINATION_HUB = 43
    MISROUTED = 44
    RTO_OFD = 45
    RTO_NDR = 46
    RETURN_OUT_FOR_PICKUP = 47
    RETURN_OUT_FOR_DELIVERY = 48
    RETURN_PICKUP_EXCEPTION = 49
    RETURN_UNDELIVERED = 50
    PICKED_UP = 51
    SELF_FULFILLED = 52
    DISPOSED_OFF = 53
    CANCELLED_BEFORE_DISPATCHED = 54
    RTO_IN_TRANSIT = 55
    QC_FAILED = 57
    RETURN_ACKNOWLEDGED = 68
    BOX_PACKING = 69
    PICKUP_BOOKED = 70
    RTO_LOCK = 87
    UNTRACEABLE = 88
    RECIPIENT_ISSUE = 89
    BACK_AT_SELLER_CITY = 90


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says: a state of ours, or nothing; and a complaint, if it is one."""

    status: ShipmentStatus | None
    problem: str | None = None


def _meanings() -> dict[ShipmentCode, Meaning]:
    code, status = ShipmentCode, ShipmentStatus
    plain = {
        status.AWB_ASSIGNED: (code.AWB_ASSIGNED, code.LABEL_GENERATED, code.SHIPMENT_BOOKED),
        status.PICKUP_SCHEDULED: (
            code.PICKUP_SCHEDULED,
            code.PICKUP_QUEUED,
            code.MANIFEST_GENERATED,
            code.PICKUP_RESCHEDULED,
            code.OUT_FOR_PICKUP,
            code.PICKUP_BOOKED,
        ),
        status.PICKED_UP: (code.SHIPPED, code.PICKED_UP, code.HANDOVER_TO_COURIER),
        status.IN_TRANSIT: (
            code.IN_TRANSIT,
            code.REACHED_DESTINATION_HUB,
            code.REACHED_WAREHOUSE,
            code.CUSTOM_CLEARED,
            code.IN_FLIGHT,
            code.IN_TRANSIT_OVERSEAS,
            code.CONNECTION_ALIGNED,
            code.REACHED_OVERSEAS_WAREHOUSE,
            code.CUSTOM_CLEARED_OVERSEAS,
        ),
        status.OUT_FOR_DELIVERY: (code.OUT_FOR_DELIVERY,),
        status.DELIVERED: (code.DELIVERED,),
        status.UNDELIVERED: (code.UNDELIVERED, code.RECIPIENT_ISSUE),
        status.RTO_INITIATED: (code.RTO_INITIATED,),
        status.RTO_IN_TRANSIT: (
            code.RTO_NDR,
            code.RTO_OUT_FOR_DELIVERY,
            code.RTO_IN_TRANSIT,
            code.RTO_LOCK,
            code.BACK_AT_SELLER_CITY,
        ),
        status.RTO_DELIVERED: (code.RTO_DELIVERED, code.RTO_ACKNOWLEDGED),
        status.CANCELLED: (code.CANCELLED, code.CANCELLED_BEFORE_DISPATCHED),
        status.LOST: (code.LOST, code.UNTRACEABLE),
        status.DAMAGED: (code.DESTROYED, code.DAMAGED, code.DISPOSED_OFF),
    }
    found = {each: Meaning(state) for state, codes in plain.items() for each in codes}
    flagged = {
        code.PICKUP_ERROR: status.PICKUP_SCHEDULED,
        code.PICKUP_EXCEPTION: status.PICKUP_SCHEDULED,
        code.DELAYED: status.IN_TRANSIT,
        code.MISROUTED: status.IN_TRANSIT,
        # A delivery that somebody must look at: it moves nothing until staff says that it is one.
        code.PARTIALLY_DELIVERED: None,
        code.FULFILLED: None,
        code.SELF_FULFILLED: None,
        code.CANCELLATION_REQUESTED: None,
    }
    return found | {each: Meaning(state, each.name.lower()) for each, state in flagged.items()}


MEANINGS = _meanings()
_NOTHING = Meaning(None)


def meaning_of(code: str) -> Meaning:
    """What a code of the shipment scale says, given as text; unknown ones, `NA` and nothing say nothing."""
    if not (code.isascii() and code.isdecimal()) or int(code) not in ShipmentCode._value2member_map_:
        return _NOTHING
    return MEANINGS.get(ShipmentCode(int(code)), _NOTHING)


def is_known(code: str) -> bool:
    """Whether the shipment scale has such a code, even if it changes nothing."""
    return code.isascii() and code.isdecimal() and int(code) in ShipmentCode._value2member_map_
