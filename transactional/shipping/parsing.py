"""The carrier's answers as typed values; what is missing or empty is an error or None, never a crash."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transactional.shipping import scalars
from transactional.shipping.carrier import (
    AssignedAwb,
    BookedPickup,
    CarrierOrder,
    CourierOffer,
    Discrepancy,
    Pending,
    RawScan,
    Refused,
    Tracking,
    Unknown,
)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing when it is none."""
    return (row for row in (value if isinstance(value, list) else ()) if isinstance(row, Mapping))


def offers_from(answer: Any) -> list[CourierOffer]:
    """Serviceability. The hyperlocal variant (`data` is a list, couriers without ids) offers nothing to assign."""
    data = mapping(mapping(answer).get("data"))
    offers = [offer for offer in map(_offer, rows(data.get("available_courier_companies"))) if offer is not None]
    blocked = [offer for offer in map(_blocked, rows(data.get("blocked_courier_companies"))) if offer is not None]
    return offers + blocked


def _offer(row: Mapping[str, Any]) -> CourierOffer | None:
    courier_id, rate = scalars.integer(row.get("courier_company_id")), scalars.paise(row.get("rate"))
    if courier_id is None or rate is None:
        return None
    most = scalars.grams(row.get("surface_max_weight"))
    rating = scalars.decimal(row.get("rating"))
    return CourierOffer(
        courier_id=courier_id,
        name=(scalars.text(row.get("courier_name")) or f"courier {courier_id}")[:80],
        rate_minor=rate,
        rto_charge_minor=scalars.paise(row.get("rto_charges")) or 0,
        cod=scalars.flag(row.get("cod")),
        max_grams=most or None,
        estimated_days=scalars.integer(row.get("estimated_delivery_days")),
        expected_at=scalars.moment(row.get("etd")),
        rating_milli=None if rating is None else int(rating * 1_000),
        suppressed=bool(mapping(row.get("suppression_dates"))),
        blocked_because="blocked by the carrier" if scalars.flag(row.get("blocked")) else None,
    )


def _blocked(row: Mapping[str, Any]) -> CourierOffer | None:
    courier_id = scalars.integer(row.get("courier_company_id"))
    if courier_id is None:
        return None
    return CourierOffer(
        courier_id=courier_id,
        name=(scalars.text(row.get("courier_name")) or f"courier {courier_id}")[:80],
        rate_minor=0,
        rto_charge_minor=0,
        cod=False,
        max_grams=None,
        estimated_days=None,
        expected_at=None,
        rating_milli=None,
        suppressed=False,
        blocked_because=scalars.text(row.get("block_reason")) or "blocked by the carrier",
    )


def created_from(answer: Any) -> CarrierOrder:
    """The answer to a new order. Raises Unknown where an id is missing: it may exist all the same."""
    body = mapping(answer)
    order_id, shipment_id = scalars.identifier(body.get("order_id")), scalars.identifier(body.get("shipment_id"))
    if order_id is None or shipment_id is None:
        raise Unknown("the carrier's answer to the new order holds no ids")
    return CarrierOrder(
        order_id=order_id,
        shipment_id=shipment_id,
        reference=scalars.text(body.get("channel_order_id")),
        status_code=scalars.integer(body.get("status_code")),
        total_minor=None,
        awb=scalars.text(body.get("awb_code")),
        courier_name=scalars.text(body.get("courier_name")),
        courier_id=scalars.integer(body.get("courier_company_id")),
        pickup_date=None,
        raw=body,
    )


def order_from(row: Any) -> CarrierOrder | None:
    """One order of a list or a single one; None where it holds no ids."""
    body = mapping(row)
    parcels = list(rows(body.get("shipments"))) or [mapping(body.get("shipments"))]
    parcel = parcels[0]
    order_id, shipment_id = scalars.identifier(body.get("id")), scalars.identifier(parcel.get("id"))
    if order_id is None or shipment_id is None:
        return None
    return CarrierOrder(
        order_id=order_id,
        shipment_id=shipment_id,
        reference=scalars.text(body.get("channel_order_id")),
        status_code=scalars.integer(body.get("status_code")),
        total_minor=scalars.paise(body.get("total")),
        awb=scalars.text(parcel.get("awb")) or scalars.text(parcel.get("awb_code")),
        courier_name=scalars.text(parcel.get("courier")) or scalars.text(parcel.get("courier_name")),
        courier_id=scalars.integer(parcel.get("courier_company_id")),
        pickup_date=scalars.day(parcel.get("pickup_scheduled_date")),
        raw=body,
    )


def awb_from(answer: Any) -> AssignedAwb:
    """The answer to an assignment. Raises Pending for an asynchronous one, Refused for a failure inside a 200."""
    body = mapping(answer)
    data = mapping(mapping(body.get("response")).get("data"))
    awb = scalars.text(data.get("awb_code"))
    if awb is not None and scalars.text(body.get("awb_assign_status")) != "0":
        return AssignedAwb(
            awb, scalars.integer(data.get("courier_company_id")), scalars.text(data.get("courier_name")), body
        )
    said = scalars.text(body.get("message")) or scalars.text(data.get("awb_assign_error"))
    if scalars.flag(body.get("success")):
        raise Pending(said or "the carrier is assigning a number")
    if scalars.text(body.get("awb_assign_status")) == "0":
        raise Refused(said or "the carrier assigned no number and does not say why")
    raise Unknown("the carrier's answer holds no number")


def pickup_from(answer: Any) -> BookedPickup:
    """The answer to a pickup request. Raises Unknown where it does not say that one is booked."""
    body = mapping(answer)
    response = mapping(body.get("response"))
    token = scalars.text(response.get("pickup_token_number"))
    on = scalars.day(response.get("pickup_scheduled_date"))
    if not scalars.flag(body.get("pickup_status")) or (token is None and on is None):
        raise Unknown("the carrier does not say that a pickup is booked")
    return BookedPickup(on, token, body)


def tracking_from(awb: str, answer: Any) -> Tracking:
    """`tracking_data` of one parcel; scans oldest first."""
    data = mapping(mapping(answer).get("tracking_data"))
    head = next(rows(data.get("shipment_track")), {})
    told = list(rows(data.get("shipment_track_activities")))
    return Tracking(
        awb=awb,
        code=_code(data.get("shipment_status")),
        scans=scans_from(reversed(told)),
        url=scalars.text(data.get("track_url")),
        expected_at=scalars.moment(head.get("edd")) or scalars.moment(data.get("etd")),
        delivered_at=scalars.moment(head.get("delivered_date")),
    )


def scans_from(activities: Iterator[Mapping[str, Any]] | Sequence[Mapping[str, Any]]) -> list[RawScan]:
    """Scans as they come, in the given order."""
    return [
        RawScan(
            code=_code(row.get("sr-status")) or "NA",
            courier_status=(scalars.text(row.get("status")) or "")[:64],
            activity=(scalars.text(row.get("activity")) or scalars.text(row.get("sr-status-label")) or "")[:300],
            location=(scalars.text(row.get("location")) or "")[:160],
            occurred_at=scalars.moment(row.get("date")),
        )
        for row in activities
    ]


def _code(value: Any) -> str:
    """A status code as text: 7, "7" and 7.0 are the same scan."""
    number = scalars.integer(value)
    return str(number) if number else (scalars.text(value) or "")[:16].strip("0")


def discrepancies_from(answer: Any) -> list[Discrepancy]:
    """Weight disputes; rows without a number are of no use."""
    found = []
    for row in rows(mapping(answer).get("data")):
        awb = scalars.text(row.get("awb_code"))
        if awb is not None:
            weight, amount = scalars.grams(row.get("charged_weight")), scalars.paise(row.get("charged_amount"))
            found.append(Discrepancy(awb, weight, amount))
    return found


def webhook_from(raw: str) -> Mapping[str, Any] | None:
    """The object in a webhook's body; None for anything else."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, Mapping) else None
