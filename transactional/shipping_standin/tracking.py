"""Where parcels are, as the carrier tells it: four calls, one of which answers with a list, and the webhook's body."""

from collections.abc import Mapping
from typing import Any

from transactional.shipping_standin import times
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.entities import Parcel, Scan
from transactional.shipping_standin.orders import STATUS_NAMES
from transactional.shipping_standin.refusals import NO_ACTIVITIES, Refusal, broken, invalid

Json = dict[str, Any]
_MOST_AWBS = 50


class TrackingDesk:
    """Answers questions about parcels."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def by_awb(self, awb: str) -> Json:
        """`GET /courier/track/awb/:awb`."""
        return {"tracking_data": self._data(self._books.by_awb(awb))}

    def by_shipment(self, shipment_id: str) -> Json:
        """`GET /courier/track/shipment/:id`."""
        return {"tracking_data": self._data(self._books.parcel(shipment_id))}

    def by_awbs(self, body: Json) -> Json:
        """`POST /courier/track/awbs`: keyed by number, unknown ones are absent."""
        wanted = body.get("awbs")
        if not isinstance(wanted, list):
            raise broken("Invalid argument supplied for foreach()")
        if len(wanted) > _MOST_AWBS:
            raise Refusal(f"Maximum {_MOST_AWBS} awbs are allowed", status=400)
        if any(not isinstance(awb, str) for awb in wanted):
            raise invalid(awbs="The awbs must be strings.")
        found = {awb: self._books.by_awb(awb) for awb in wanted}
        return {awb: {"tracking_data": self._data(parcel)} for awb, parcel in found.items() if parcel is not None}

    def by_order(self, query: Mapping[str, str]) -> list[Json]:
        """`GET /courier/track?order_id=<ours>`: a list."""
        orders = self._books.same_reference(query.get("order_id", ""))
        return [{"tracking_data": self._data(order.parcel)} for order in orders]

    def _data(self, parcel: Parcel | None) -> Json:
        if parcel is None or not parcel.scans:
            return {
                "track_status": 0,
                "shipment_status": 0,
                "shipment_track": [{"id": 0, "awb_code": "", "current_status": "", "edd": None}],
                "shipment_track_activities": None,
                "track_url": "",
                "error": NO_ACTIVITIES,
            }
        order = self._books.order_of(parcel)
        return {
            "track_status": 1,
            "shipment_status": parcel.code,
            "shipment_track": [
                {
                    "id": parcel.id,
                    "awb_code": parcel.awb,
                    "courier_company_id": parcel.courier_id,
                    "shipment_id": None if parcel.id % 2 else parcel.id,
                    "order_id": order.id,
                    "pickup_date": times.stamp(parcel.pickup_date) if parcel.pickup_date else None,
                    "delivered_date": times.stamp(parcel.delivered_at) if parcel.delivered_at else None,
                    "weight": str(order.body["weight"]),
                    "packages": 1,
                    "current_status": STATUS_NAMES.get(order.status, "IN TRANSIT").title(),
                    "delivered_to": order.body.get("billing_city"),
                    "destination": order.body.get("billing_city"),
                    "origin": "Bengaluru",
                    "courier_name": parcel.courier_name,
                    "edd": None,
                    "pod": "Not Available",
                    "pod_status": "https://files.standin.example/pod",
                }
            ],
            "shipment_track_activities": [activity(scan) for scan in reversed(parcel.scans)],
            "track_url": f"https://track.standin.example/tracking/{parcel.awb}",
            "etd": times.stamp(parcel.expected_at) if parcel.expected_at else "",
        }


def activity(scan: Scan) -> Json:
    """A scan; its label may be absent."""
    told = {
        "date": times.stamp(scan.at),
        "status": scan.courier_status,
        "activity": scan.activity,
        "location": scan.location,
        "sr-status": scan.code,
    }
    return told if scan.label is None else {**told, "sr-status-label": scan.label}


def webhook_body(books: Books, parcel: Parcel) -> Json:
    """What the tracking webhook says of a parcel now: the whole history, oldest first."""
    order = books.order_of(parcel)
    name = STATUS_NAMES.get(order.status, "IN TRANSIT")
    return {
        "awb": parcel.awb,
        "courier_name": parcel.courier_name,
        "current_status": name,
        "current_status_id": order.status,
        "shipment_status": name,
        "shipment_status_id": parcel.code,
        "current_timestamp": times.spaced(books.clock.now()),
        "order_id": order.channel_order_id + books.switches.webhook_order_id_suffix,
        "sr_order_id": order.id,
        "awb_assigned_date": times.stamp(parcel.awb_assigned_at) if parcel.awb_assigned_at else None,
        "pickup_scheduled_date": times.stamp(parcel.pickup_date) if parcel.pickup_date else None,
        "etd": None,
        "scans": [activity(scan) for scan in parcel.scans],
        "is_return": int(order.is_return),
        "channel_id": 1,
        "pod_status": "OTP Based Delivery",
        "pod": "Not Available",
    }
