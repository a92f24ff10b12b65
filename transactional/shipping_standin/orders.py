"""Orders: made, changed, listed, called off."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from transactional.shipping_standin import times, validation
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.entities import Order, Parcel
from transactional.shipping_standin.refusals import Refusal, broken, invalid

Json = dict[str, Any]

STATUS_NAMES = {
    1: "NEW", 3: "READY TO SHIP", 4: "PICKUP SCHEDULED", 5: "CANCELED", 6: "SHIPPED", 7: "DELIVERED",
    15: "RTO INITIATED", 16: "RTO DELIVERED", 18: "CANCELLATION REQUESTED", 19: "OUT FOR DELIVERY", 20: "IN TRANSIT",
    21: "RETURN PENDING", 22: "RETURN INITIATED", 27: "RETURN CANCELLED", 33: "LOST", 34: "OUT FOR PICKUP",
    36: "UNDELIVERED", 40: "DAMAGED", 51: "PICKED UP", 55: "RTO IN TRANSIT",
}  # fmt: skip
_CHANGEABLE = {1, 2, 3}


class OrderDesk:
    """Takes orders."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, body: Json) -> Json:
        """`POST /orders/create/adhoc`. What a repeated `order_id` does depends on the mood that is set."""
        switches = self._books.switches
        locations = {str(place["pickup_location"]) for place in self._books.locations}
        validation.check_order(body, locations=locations, accepts_paise=switches.accepts_paise)
        return self._take(body, is_return=False)

    def create_return(self, body: Json) -> Json:
        """`POST /orders/create/return`: from the customer to us."""
        validation.check_return(body, accepts_paise=self._books.switches.accepts_paise)
        return self._take(body, is_return=True)

    def _take(self, body: Json, *, is_return: bool) -> Json:
        reference = str(body["order_id"])
        same = self._books.same_reference(reference)
        if any(order.is_cancelled for order in same):
            # The id of a cancelled order is burnt; the carrier does not say so.
            raise invalid(order_id="The order id is invalid.")
        if same and self._books.switches.duplicate_orders == "refuse":
            raise invalid(order_id="The order id has already been taken.")
        if same and self._books.switches.duplicate_orders == "existing":
            return _created(same[0])
        order_id, shipment_id = self._books.number(), self._books.number()
        order = Order(
            id=order_id,
            channel_order_id=reference,
            body=dict(body),
            parcel=Parcel(id=shipment_id, order_id=order_id),
            created_at=self._books.clock.now(),
            status=21 if is_return else 1,
            is_return=is_return,
        )
        self._books.add(order)
        return _created(order)

    def update(self, body: Json) -> Json:
        """`POST /orders/update/adhoc`: the items only, and only before an AWB."""
        order = next(iter(self._books.same_reference(str(body.get("order_id")))), None)
        if order is None:
            raise broken()
        old = order.status
        if old not in _CHANGEABLE or order.parcel.awb is not None:
            raise Refusal("Order cannot be updated now", status=400)
        if isinstance(body.get("order_items"), list):
            order.body["order_items"] = body["order_items"]
        ignored = sorted(body.keys() - {"order_id", "order_items"})
        return {
            "partially_update": int(bool(ignored)),
            "not_updated_fields": ",".join(ignored),
            "new_order_status": order.status,
            "old_order_status": old,
        }

    def update_address(self, body: Json) -> None:
        """`POST /orders/address/update`: 202 with an empty body."""
        order = self._books.order(body.get("order_id"))
        for name, value in body.items():
            if name.startswith("shipping_"):
                order.body[name] = value

    def show(self, order_id: str) -> Json:
        """`GET /orders/show/:id`; an unknown one is an error inside a 200."""
        order = self._books.find_order(order_id)
        if order is None:
            return {"status": 404, "message": "Order does not exist!"}
        return {"data": _rendered(order, created_at=times.ordinal(order.created_at))}

    def listing(self, query: Mapping[str, str]) -> Json:
        """`GET /orders`: `search` takes an AWB or our id, `filter` codes of the order scale."""
        listed_until = self._books.clock.now() - timedelta(seconds=self._books.switches.list_lag_seconds)
        searched = query.get("search")
        candidates = self._books.found(searched) if searched else self._books.orders()
        known = [order for order in candidates if order.created_at <= listed_until]
        found = [order for order in known if _matches(order, query)]
        page, size = _positive(query, "page", 1), min(_positive(query, "per_page", 10), 100)
        shown = found[(page - 1) * size : page * size]
        pages = max(1, -(-len(found) // size))
        links = {} if page >= pages else {"next": f"/v1/external/orders?page={page + 1}&per_page={size}"}
        return {
            "data": [_rendered(order, created_at=times.with_comma(order.created_at)) for order in shown],
            "meta": {
                "pagination": {
                    "total": len(found),
                    "count": len(shown),
                    "per_page": size,
                    "current_page": page,
                    "total_pages": pages,
                    "links": links,
                }
            },
        }

    def shipments(self) -> Json:
        """`GET /shipments`."""
        return {"data": [self.shipment(str(order.parcel.id))["data"] for order in self._books.orders()]}

    def shipment(self, shipment_id: str) -> Json:
        """`GET /shipments/:id`; `{}` for an unknown one."""
        parcel = self._books.parcel(shipment_id)
        if parcel is None:
            return {}
        order = self._books.order_of(parcel)
        return {
            "data": {
                "id": parcel.id,
                "order_id": order.id,
                "awb": parcel.awb or "",
                "courier": parcel.courier_name,
                "status": parcel.code,
                "weight": order.body["weight"],
                "cost": parcel.rate_paise / 100,
                "pickup_scheduled_date": times.stamp(parcel.pickup_date) if parcel.pickup_date else None,
            }
        }


def total_of(order: Order) -> Decimal:
    """What the carrier believes that the order is worth: our sub total and the charges on it."""
    body = order.body
    charges = ("shipping_charges", "giftwrap_charges", "transaction_charges")
    total = sum((validation.number(body.get(name)) or Decimal(0) for name in charges), Decimal(0))
    discount = validation.number(body.get("total_discount")) or Decimal(0)
    return total + (validation.number(body["sub_total"]) or Decimal(0)) - discount


def _created(order: Order) -> Json:
    return {
        "order_id": order.id,
        "channel_order_id": order.channel_order_id,
        "shipment_id": order.parcel.id,
        "status": STATUS_NAMES.get(order.status, "NEW"),
        "status_code": order.status,
        "onboarding_completed_now": 0,
        "awb_code": order.parcel.awb,
        "courier_company_id": order.parcel.courier_id,
        "courier_name": order.parcel.courier_name,
    }


def _rendered(order: Order, *, created_at: str) -> Json:
    parcel = order.parcel
    return {
        "id": order.id,
        "channel_order_id": order.channel_order_id,
        "status": STATUS_NAMES.get(order.status, "UNMAPPED"),
        "status_code": order.status,
        "payment_method": str(order.body["payment_method"]).lower(),
        "total": str(total_of(order)),
        "products": order.body["order_items"],
        "shipments": [
            {
                "id": parcel.id,
                "awb": parcel.awb or "",
                "courier": parcel.courier_name,
                "courier_company_id": parcel.courier_id,
                "weight": order.body["weight"],
                "pickup_scheduled_date": times.without_comma(parcel.pickup_date) if parcel.pickup_date else None,
                "pickup_token_number": parcel.pickup_token,
                "label_url": parcel.label_url,
                "manifest_url": parcel.manifest_url,
            }
        ],
        "created_at": created_at,
    }


def _matches(order: Order, query: Mapping[str, str]) -> bool:
    if query.get("filter_by") == "status" and query.get("filter"):
        return str(order.status) in query["filter"].split(",")
    return True


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() else default
