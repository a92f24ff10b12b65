"""Shiprocket through its HTTP API; nothing of its units, types and habits leaks out of this file and its parsers.

The carrier knows no idempotency key. So a write is never repeated blindly: whatever an unheard answer may have done is
looked for first, and what is there already counts as done.
"""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from transactional.shipping import parsing, scalars
from transactional.shipping.api import CarrierApi
from transactional.shipping.carrier import (
    Absent,
    AssignedAwb,
    BookedPickup,
    CarrierError,
    CarrierOrder,
    Consignment,
    CourierOffer,
    Discrepancy,
    Paper,
    ReferenceBurnt,
    Refused,
    Tracking,
    Unavailable,
    Unknown,
)
from transactional.shipping.codes import OrderCode
from transactional.shipping.payloads import accepted_totals, adhoc_order, return_order
from transactional.shipping.weights import Box

BATCH = 50
_DEAD = {OrderCode.CANCELLED, OrderCode.RETURN_CANCELLED, OrderCode.RETURN_PICKUP_CANCELLED}
_DYING = {OrderCode.CANCELLATION_REQUESTED, OrderCode.RETURN_CANCELLATION_REQUESTED}
_UNBOOKED = {
    OrderCode.NEW,
    OrderCode.INVOICED,
    OrderCode.READY_TO_SHIP,
    OrderCode.RETURN_PENDING,
    OrderCode.RETURN_INITIATED,
}


class Shiprocket:
    """The carrier's adapter. Safe to share between threads."""

    name = "shiprocket"

    def __init__(
        self,
        api: CarrierApi,
        *,
        pickup_location: str,
        pickup_postal_code: str,
        pickup_address: Mapping[str, str] | None = None,
    ) -> None:
        """`pickup_address` is where returns go; without it the carrier's own record of the pickup location is asked."""
        self._api = api
        self._pickup_postal_code = pickup_postal_code
        self._pickup_location = pickup_location
        self._home = pickup_address

    # --- prices -----------------------------------------------------------------------------------------------------

    def quote(
        self, *, postal_code: str, weight_grams: int, box: Box, cod: bool, declared_minor: int
    ) -> list[CourierOffer]:
        """Every courier with its price; none where nobody goes."""
        params: dict[str, str | int | float] = {
            "pickup_postcode": self._pickup_postal_code,
            "delivery_postcode": postal_code,
            "cod": int(cod),
            "weight": scalars.kilograms(weight_grams),
            "length": scalars.centimetres(box.length_mm),
            "breadth": scalars.centimetres(box.width_mm),
            "height": scalars.centimetres(box.height_mm),
            "declared_value": scalars.rupees(declared_minor),
        }
        try:
            return parsing.offers_from(self._api.get("/courier/serviceability/", params))
        except Absent:
            return []

    # --- orders -----------------------------------------------------------------------------------------------------

    def create(self, consignment: Consignment, *, look_first: bool) -> CarrierOrder:
        """Hand an order in, once. Raises ReferenceBurnt where our id was cancelled before."""
        return self._create(
            "/orders/create/adhoc", adhoc_order(consignment, self._pickup_location), consignment, look_first
        )

    def create_return(self, consignment: Consignment, *, look_first: bool) -> CarrierOrder:
        """The same for a parcel that is fetched from the customer."""
        body = return_order(consignment, self._home_address())
        return self._create("/orders/create/return", body, consignment, look_first)

    def find(self, reference: str) -> list[CarrierOrder]:
        """Every order under our id, lowest id first."""
        answer = self._api.get("/orders", {"search": reference, "per_page": BATCH})
        if "data" not in parsing.mapping(answer):
            # An empty answer is no proof that there is nothing.
            raise Unavailable("the carrier's list of orders cannot be read")
        found = [parsing.order_from(row) for row in parsing.rows(parsing.mapping(answer).get("data"))]
        matching = [order for order in found if order is not None and order.reference == reference]
        return sorted(matching, key=lambda order: int(order.order_id))

    def _create(self, path: str, body: dict[str, Any], consignment: Consignment, look_first: bool) -> CarrierOrder:
        present = self._settled(consignment) if look_first else None
        if present is not None:
            return present
        try:
            return parsing.created_from(self._post_order(path, body, consignment))
        except Unknown as error:
            present = self._settled(consignment)
            if present is None:
                raise Unknown(str(error)) from error
            return present
        except Refused as error:
            # The unexplained refusal of an id that is there already, or that was burnt.
            present = self._settled(consignment)
            if present is None:
                raise error
            return present

    def _post_order(self, path: str, body: dict[str, Any], consignment: Consignment) -> Any:
        """Exact paise first. Where they are refused, a prepaid parcel is declared in whole rupees."""
        try:
            return self._api.post(path, body)
        except Refused as error:
            exact, whole = accepted_totals(consignment)
            if exact == whole or consignment.cod or "sub total" not in str(error).replace("_", " "):
                raise
        return self._api.post(path, {**body, "sub_total": scalars.rupees(whole)})

    def _settled(self, consignment: Consignment) -> CarrierOrder | None:
        """The one live order under our id; of two the later is called off. None if there never was one.

        Raises ReferenceBurnt if only cancelled ones are left, Refused if the live one has another total.
        """
        found = self.find(consignment.reference)
        live = [order for order in found if not self.is_called_off(order)]
        if found and not live:
            raise ReferenceBurnt(f"the id {consignment.reference} belongs to a cancelled order")
        for surplus in live[1:]:
            self.cancel(surplus.order_id)
        if not live:
            return None
        if live[0].total_minor is not None and live[0].total_minor not in accepted_totals(consignment):
            raise Refused(
                f"the carrier's order {live[0].order_id} is worth {live[0].total_minor}, ours {consignment.total_minor}"
            )
        return live[0]

    def _read(self, order_id: str) -> CarrierOrder:
        answer = parsing.mapping(self._api.get(f"/orders/show/{order_id}"))
        order = parsing.order_from(answer.get("data") or answer)
        if order is None:
            raise Unavailable(f"the carrier's order {order_id} cannot be read")
        return order

    # --- numbers, pickup, papers ------------------------------------------------------------------------------------

    def assign(
        self, *, order_id: str, shipment_id: str, courier_id: int | None, look_first: bool, reassign: bool = False
    ) -> AssignedAwb:
        """Get the courier's number; one that is there already counts, unless another courier is wanted."""
        if look_first and not reassign:
            present = self._present_awb(order_id)
            if present is not None:
                return present
        body: dict[str, Any] = {"shipment_id": shipment_id}
        if courier_id is not None:
            body["courier_id"] = courier_id
        if reassign:
            body["status"] = "reassign"
        try:
            return parsing.awb_from(self._api.post("/courier/assign/awb", body))
        except (Unknown, Refused):
            present = None if reassign else self._present_awb(order_id)
            if present is None:
                raise
            return present

    def _present_awb(self, order_id: str) -> AssignedAwb | None:
        order = self._read(order_id)
        return None if order.awb is None else AssignedAwb(order.awb, order.courier_id, order.courier_name, order.raw)

    def pickup(self, *, order_id: str, shipment_id: str, on: date | None, look_first: bool) -> BookedPickup:
        """Call the courier; a pickup that is booked already counts."""
        if look_first:
            present = self._present_pickup(order_id)
            if present is not None:
                return present
        body: dict[str, Any] = {"shipment_id": [shipment_id]}
        if on is not None:
            body["pickup_date"] = [on.isoformat()]
        try:
            return parsing.pickup_from(self._api.post("/courier/generate/pickup", body))
        except (Unknown, Refused) as error:
            present = self._present_pickup(order_id)
            if present is not None:
                return present
            if "duplicate request" in str(error).lower():
                return BookedPickup(None, None)
            raise

    def _present_pickup(self, order_id: str) -> BookedPickup | None:
        order = self._read(order_id)
        if order.status_code is None or order.status_code in _UNBOOKED | _DEAD | _DYING:
            return None
        return BookedPickup(order.pickup_date, None, order.raw)

    def label(self, *, shipment_id: str) -> Paper:
        """The label's address. Raises Unknown while the carrier gives an empty one."""
        answer = parsing.mapping(self._api.post("/courier/generate/label", {"shipment_id": [shipment_id]}))
        if scalars.text(answer.get("label_created")) == "0":
            raise Refused(scalars.text(answer.get("response")) or "the carrier printed no label")
        return _paper(answer, "label_url")

    def manifest(self, *, order_id: str, shipment_id: str) -> Paper:
        """The manifest's address; one that exists is printed again."""
        try:
            return _paper(self._api.post("/manifests/generate", {"shipment_id": [shipment_id]}), "manifest_url")
        except (Unknown, Refused) as error:
            with contextlib.suppress(CarrierError):
                return _paper(self._api.post("/manifests/print", {"order_ids": [order_id]}), "manifest_url")
            raise error

    # --- the way ----------------------------------------------------------------------------------------------------

    def track(self, awbs: Sequence[str]) -> dict[str, Tracking]:
        """Where parcels are, fifty a call."""
        found: dict[str, Tracking] = {}
        for start in range(0, len(awbs), BATCH):
            batch = list(awbs[start : start + BATCH])
            answer = parsing.mapping(self._api.post("/courier/track/awbs", {"awbs": batch}))
            found |= {awb: parsing.tracking_from(awb, answer[awb]) for awb in batch if awb in answer}
        return found

    def cancel(self, order_id: str) -> bool:
        """Call an order off. Raises Refused when the courier was faster."""
        if self._cancelled(order_id):
            return True
        try:
            self._api.post("/orders/cancel", {"ids": [int(order_id)]})
        except Unknown:
            if not self._cancelled(order_id):
                raise
        return self._cancelled(order_id)

    def is_called_off(self, order: CarrierOrder) -> bool:
        """Whether an order counts no more, or soon will not."""
        return order.status_code in _DEAD | _DYING

    def _cancelled(self, order_id: str) -> bool:
        return self._read(order_id).status_code in _DEAD

    def ndr_action(self, *, awb: str, action: str, comments: str, more: Mapping[str, str]) -> None:
        """Say what to do with a parcel that could not be delivered."""
        answer = parsing.mapping(self._api.post(f"/ndr/{awb}/action", {"action": action, "comments": comments, **more}))
        if answer and "updated" not in (scalars.text(answer.get("status")) or "updated").lower():
            raise Refused(scalars.text(answer.get("message")) or "the carrier did not take the instruction")

    def discrepancies(self) -> list[Discrepancy]:
        """Parcels billed for another weight than declared."""
        return parsing.discrepancies_from(self._api.get("/billing/discrepancy"))

    def _home_address(self) -> Mapping[str, Any]:
        """The address behind our pickup location, asked once a process."""
        if self._home is None:
            answer = parsing.mapping(self._api.get("/settings/company/pickup"))
            places = parsing.rows(parsing.mapping(answer.get("data")).get("shipping_address"))
            home = next((place for place in places if place.get("pickup_location") == self._pickup_location), None)
            if home is None:
                raise Refused(f"the carrier knows no pickup location {self._pickup_location!r}")
            self._home = home
        return self._home


def _paper(answer: Any, name: str) -> Paper:
    url = scalars.text(parsing.mapping(answer).get(name))
    if url is None or not url.startswith(("https://", "http://")):
        raise Unknown(f"the carrier's answer holds no {name}")
    return Paper(url[:500], parsing.mapping(answer))
