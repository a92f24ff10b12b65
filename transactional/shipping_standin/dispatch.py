"""From an order to a parcel in the courier's hands: air waybill number, pickup, papers."""

import json
from datetime import datetime, timedelta
from typing import Any

from transactional.shipping_standin import couriers, times, validation
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.entities import Parcel, Scan
from transactional.shipping_standin.refusals import FIELD_MISSING, Refusal, broken, invalid

Json = dict[str, Any]

_FILES = "https://files.standin.example"
_REASSIGN_EVERY = timedelta(hours=24)
_SUNDAY = 6
_MOST_AWBS = 200


class DispatchDesk:
    """Assigns couriers, calls them, prints."""

    def __init__(self, books: Books) -> None:
        self._books = books

    # --- air waybill numbers ----------------------------------------------------------------------------------------

    def assign(self, body: Json) -> Json:
        """`POST /courier/assign/awb`. Without a courier the account's default: the cheapest."""
        parcel = self._parcel(body.get("shipment_id"))
        order = self._books.order_of(parcel)
        if order.is_cancelled:
            raise Refusal("Order is cancelled", status=400)
        if body.get("status") == "reassign":
            self._may_reassign(parcel)
        elif parcel.awb is not None:
            raise Refusal("Oops! Cannot reassign courier for this shipment.", status=400)
        courier = self._courier(parcel, body.get("courier_id"))
        rate = couriers.rate_paise(courier, self._zone(parcel), self._grams(parcel))
        if self._books.switches.awb == "fails" or rate > self._books.wallet_paise:
            return {"awb_assign_status": 0, "message": "Please recharge your wallet. Insufficient balance."}
        parcel.courier_id, parcel.courier_name, parcel.rate_paise = courier.id, courier.name, rate
        if self._books.switches.awb == "asynchronous":
            self._books.awaiting_awb.append(parcel)
            return {"success": True, "message": "We are processing your request"}
        self.complete_awb(parcel)
        return {"awb_assign_status": 1, "response": {"data": self._assigned(parcel)}}

    def complete_awb(self, parcel: Parcel) -> None:
        """The number arrives."""
        now = self._books.clock.now()
        self._books.give_awb(parcel)
        parcel.awb_assigned_at, parcel.code = now, 1
        self._books.wallet_paise -= parcel.rate_paise
        parcel.charged_grams = self._grams(parcel) + self._books.switches.overweight_grams
        order = self._books.order_of(parcel)
        order.status = 22 if order.is_return else 3
        parcel.scans.append(Scan(now, "1", "AWB ASSIGNED", "AWB_GEN", "AWB assigned", "NA"))

    def _may_reassign(self, parcel: Parcel) -> None:
        now = self._books.clock.now()
        last = parcel.reassigned_at or parcel.awb_assigned_at
        if parcel.awb is None or (last is not None and now - last < _REASSIGN_EVERY):
            raise Refusal("Oops! Cannot reassign courier for this shipment.", status=400)
        parcel.reassigned_at = now

    def _courier(self, parcel: Parcel, courier_id: object) -> couriers.Courier:
        if courier_id is None or courier_id == "":
            zone, grams = self._zone(parcel), self._grams(parcel)
            return min(couriers.COURIERS, key=lambda each: couriers.rate_paise(each, zone, grams))
        number = validation.number(courier_id)
        if number is None:
            raise broken()
        return couriers.find(int(number))

    def _zone(self, parcel: Parcel) -> str:
        body = self._books.order_of(parcel).body
        pickup = str(body.get("pickup_pincode") or self._books.account.pickup_postcode)
        delivery = str(body.get("shipping_pincode") or body.get("billing_pincode"))
        return couriers.zone_between(pickup, delivery)

    def _grams(self, parcel: Parcel) -> int:
        body = self._books.order_of(parcel).body
        sides = [float(body[name]) for name in ("length", "breadth", "height")]
        return couriers.charged_grams(validation.grams_of(body), sides)

    def _assigned(self, parcel: Parcel) -> Json:
        order = self._books.order_of(parcel)
        assert parcel.awb_assigned_at is not None
        return {
            "courier_company_id": parcel.courier_id,
            "awb_code": parcel.awb,
            "cod": int(order.body["payment_method"] == "COD"),
            "order_id": order.id,
            "shipment_id": parcel.id,
            "awb_code_status": 1,
            "assigned_date_time": times.php(parcel.awb_assigned_at),
            "applied_weight": self._grams(parcel) / 1_000,
            "company_id": 1,
            "courier_name": parcel.courier_name,
            "child_courier_name": None,
            "freight_charges": parcel.rate_paise / 100,
            "pickup_scheduled_date": None,
            "routing_code": "BLR/AAA",
            "rto_routing_code": "",
            "invoice_no": f"INV{order.id}",
            "transporter_id": "",
            "shipped_by": {"shipper_company_name": "My Little Things", "rto_pincode": "560001"},
        }

    # --- pickup -----------------------------------------------------------------------------------------------------

    def pickup(self, body: Json) -> Json:
        """`POST /courier/generate/pickup`: one shipment a call; Sundays move to Monday."""
        parcel = self._parcel(_only(body.get("shipment_id"), "shipment_id"))
        if parcel.awb is None:
            raise Refusal("AWB not assigned to this shipment", status=400)
        if parcel.pickup_token is not None and body.get("status") != "retry":
            raise Refusal("Duplicate request for pickup generation", status=400)
        parcel.pickup_date = self._appointment(body.get("pickup_date"))
        courier = couriers.find(parcel.courier_id or 0)
        days = couriers.days_between(courier, self._zone(parcel))
        parcel.expected_at = parcel.pickup_date + timedelta(days=days)
        parcel.pickup_token = f"Reference No: {parcel.id}_BIGFOOT"
        parcel.code = 3
        order = self._books.order_of(parcel)
        order.status = 28 if order.is_return else 4
        now = self._books.clock.now()
        parcel.scans.append(Scan(now, "3", "PICKUP SCHEDULED", "PKP_SCH", "Pickup scheduled", "NA"))
        return {
            "pickup_status": 1,
            "response": {
                "pickup_scheduled_date": times.stamp(parcel.pickup_date),
                "pickup_token_number": parcel.pickup_token,
                "status": 3,
                "others": json.dumps({"tier_id": 5, "etd_zone": "z_c", "is_new_pickup": True}),
                "pickup_generated_date": times.php(now),
                "data": f"Pickup is confirmed by {parcel.courier_name} For AWB :- {parcel.awb}",
            },
        }

    def _appointment(self, wanted: object) -> datetime:
        now = self._books.clock.now()
        if wanted in (None, [], ""):
            at = times.local(now) + timedelta(days=1)
        else:
            day = _only(wanted, "pickup_date")
            try:
                at = datetime.strptime(str(day), "%Y-%m-%d").replace(tzinfo=times.INDIA)
            except ValueError:
                raise invalid(pickup_date="The pickup date does not match the format Y-m-d.") from None
            if at.date() < times.local(now).date():
                raise invalid(pickup_date="The pickup date must be a date after or equal to today.")
        at = at.replace(hour=10, minute=0, second=0, microsecond=0)
        return at + timedelta(days=1) if at.weekday() == _SUNDAY else at

    # --- papers -----------------------------------------------------------------------------------------------------

    def label(self, body: Json) -> Json:
        """`POST /courier/generate/label`; nothing valid is a 200 that says 0."""
        wanted = body.get("shipment_id")
        if not isinstance(wanted, list):
            raise invalid(shipment_id="The shipment id must be an array.")
        found = [parcel for parcel in map(self._books.parcel, wanted) if parcel is not None and parcel.awb]
        known = {parcel.id for parcel in found}
        missing = [each for each in wanted if str(each) not in {str(number) for number in known}]
        if not found:
            return {"label_created": 0, "response": "Label could not be created", "not_created": missing}
        url = f"{_FILES}/labels/{'-'.join(str(number) for number in sorted(known))}.pdf"
        for parcel in found:
            parcel.label_url = url
        return {
            "label_created": 1,
            "label_url": url,
            "response": "Label has been created and uploaded successfully!",
            "not_created": missing,
        }

    def label_and_invoice(self, body: Json) -> Json:
        """`POST /courier/generate/label-invoice`; `completed` does not mean success."""
        wanted = body.get("shipment_ids")
        if not isinstance(wanted, list) or len(wanted) > _MOST_AWBS:
            raise invalid(shipment_ids=f"The shipment ids must be an array of at most {_MOST_AWBS}.")
        good = [each for each in wanted if (found := self._books.parcel(each)) is not None and found.awb]
        return {
            "completed": True,
            "file_url": f"{_FILES}/label-invoices/{len(good)}.pdf" if good else "",
            "error_file_url": "" if len(good) == len(wanted) else f"{_FILES}/errors.csv",
            "success_count": len(good),
            "error_count": len(wanted) - len(good),
        }

    def manifest(self, body: Json) -> Json:
        """`POST /manifests/generate`, after the pickup; nothing asked is a success with an empty address."""
        wanted = body.get("shipment_id")
        if not isinstance(wanted, list):
            raise broken("Invalid argument supplied for foreach()")
        if not wanted:
            return {"status": 1, "manifest_url": ""}
        parcels = [self._parcel(each) for each in wanted]
        again = [parcel.id for parcel in parcels if parcel.manifest_url]
        if again:
            raise Refusal(
                "Manifest already generated for some of the shipments",
                status=400,
                already_manifested_shipment_ids=again,
            )
        if any(parcel.pickup_token is None for parcel in parcels):
            raise Refusal("Pickup not generated for this shipment", status=400)
        url = f"{_FILES}/manifests/{'-'.join(str(parcel.id) for parcel in parcels)}.pdf"
        for parcel in parcels:
            parcel.manifest_url = url
        return {"status": 1, "manifest_url": url}

    def print_manifest(self, body: Json) -> Json:
        """`POST /manifests/print`: unknown ids give an empty address, a text instead of a list breaks it."""
        wanted = body.get("order_ids")
        if not isinstance(wanted, list):
            raise broken("Invalid argument supplied for foreach()")
        orders = [self._books.find_order(each) for each in wanted]
        urls = [order.parcel.manifest_url for order in orders if order is not None and order.parcel.manifest_url]
        return {"manifest_url": urls[0] if urls else ""}

    def invoice(self, body: Json) -> Json:
        """`POST /orders/print/invoice`."""
        wanted = body.get("ids")
        good = [each for each in wanted if self._books.find_order(each)] if isinstance(wanted, list) else []
        if not good:
            raise Refusal("Invoice could not be created", status=400)
        return {"is_invoice_created": True, "invoice_url": f"{_FILES}/invoices/{good[0]}.pdf", "not_created": []}

    def _parcel(self, shipment_id: object) -> Parcel:
        if shipment_id in (None, ""):
            raise Refusal(FIELD_MISSING, status=422, errors={"shipment_id": ["The shipment id field is required."]})
        parcel = self._books.parcel(shipment_id)
        if parcel is None:
            raise Refusal("Invalid shipment id", status=400)
        return parcel


def _only(value: object, name: str) -> object:
    if not isinstance(value, list) or len(value) != 1:
        raise invalid(**{name: f"The {name.replace('_', ' ')} must be an array of one."})
    return value[0]
