"""The stand-in speaks the carrier's API: shapes, statuses, oddities, and every way to misbehave."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from transactional.core.clock import ManualClock
from transactional.shipping_standin.carrier import Carrier
from transactional.shipping_standin.entities import Scan
from transactional.shipping_standin.faults import Fault
from transactional.shipping_standin.transport import InProcessTransport
from transactional.shipping_standin.webhooks import Credential, DeliveryState

ORDER: dict[str, Any] = {
    "order_id": "26011500000001",
    "order_date": "2026-01-15 15:30",
    "pickup_location": "Primary",
    "billing_customer_name": "Asha Rao",
    "billing_last_name": "",
    "billing_address": "12 Lake Road",
    "billing_city": "Pune",
    "billing_pincode": "411001",
    "billing_state": "Maharashtra",
    "billing_country": "India",
    "billing_email": "asha@example.com",
    "billing_phone": "9812345678",
    "shipping_is_billing": True,
    "order_items": [{"name": "Lamp", "sku": "LAMP", "units": 1, "selling_price": 333.33}],
    "payment_method": "Prepaid",
    "sub_total": 333.33,
    "length": 20,
    "breadth": 15,
    "height": 10,
    "weight": 0.4,
}


class Desk:
    """A client that is logged in."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.http = httpx.Client(transport=InProcessTransport(carrier), base_url="http://carrier/v1/external")
        self.log_in()

    def log_in(self) -> None:
        body = {"email": self.carrier.account.email, "password": self.carrier.account.password}
        token = self.http.post("/auth/login", json=body).json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: Any, *, status: int = 200) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def get(self, path: str, *, status: int = 200, **params: Any) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def create(self, **changes: Any) -> dict[str, Any]:
        return self.post("/orders/create/adhoc", {**ORDER, **changes})

    def ready(self) -> tuple[dict[str, Any], str]:
        """An order whose pickup is booked, and its number."""
        order = self.create()
        shipment = order["shipment_id"]
        awb = self.post("/courier/assign/awb", {"shipment_id": shipment})["response"]["data"]["awb_code"]
        self.post("/courier/generate/pickup", {"shipment_id": [shipment]})
        return order, awb


@pytest.fixture
def desk(clock: ManualClock) -> Desk:
    carrier = Carrier(clock=clock)
    carrier.switches.loose_types = False
    return Desk(carrier)


def test_only_who_has_a_token_is_answered(desk: Desk, clock: ManualClock) -> None:
    assert desk.post("/auth/login", {"email": "x", "password": "y"}, status=400)["status_code"] == 400
    clock.advance(timedelta(days=10))
    assert desk.get("/orders", status=401) == {"message": "Unauthenticated."}
    desk.log_in()
    assert desk.get("/orders")["data"] == []
    desk.carrier.tokens.expire_all()
    desk.get("/orders", status=401)
    desk.log_in()
    desk.post("/auth/logout", {})
    desk.get("/orders", status=401)


def test_unknown_paths_and_wrong_verbs(desk: Desk) -> None:
    assert desk.get("/nothing", status=404) == {"message": "404 Not Found", "status_code": 404}
    assert desk.get("/courier/assign/awb", status=405)["status_code"] == 405


def test_a_new_order(desk: Desk) -> None:
    made = desk.create()
    assert (made["status"], made["status_code"], made["awb_code"], made["onboarding_completed_now"]) == (
        "NEW",
        1,
        None,
        0,
    )
    shown = desk.get(f"/orders/show/{made['order_id']}")["data"]
    assert (shown["channel_order_id"], shown["total"]) == ("26011500000001", "333.33")
    listed = desk.get("/orders", search="26011500000001")
    assert [row["id"] for row in listed["data"]] == [made["order_id"]]
    assert listed["meta"]["pagination"]["total"] == 1
    assert desk.get("/orders/show/1") == {"status": 404, "message": "Order does not exist!"}
    assert desk.get("/shipments/1") == {}


@pytest.mark.parametrize(
    "change",
    [
        {"billing_city": "x" * 31},
        {"order_id": "1" * 51},
        {"height": 0.5},
        {"weight": 0},
        {"pickup_location": "Elsewhere"},
        {"billing_pincode": "56000"},
        {"order_items": []},
        {"order_items": [{"name": "Lamp"}]},
        {"payment_method": "cash"},
        {"sub_total": None},
        {"shipping_is_billing": False},
    ],
)
def test_orders_that_are_not_taken(desk: Desk, change: dict[str, Any]) -> None:
    refused = desk.post("/orders/create/adhoc", {**ORDER, **change}, status=422)
    assert refused["message"] == "Oops! Invalid Data."
    assert refused["errors"]
    assert desk.carrier.books.orders() == []


def test_the_three_moods_for_a_repeated_id(desk: Desk) -> None:
    first = desk.create()
    assert desk.create(sub_total=1)["order_id"] == first["order_id"]
    desk.carrier.switches.change({"duplicate_orders": "second"})
    assert desk.create()["order_id"] != first["order_id"]
    desk.carrier.switches.change({"duplicate_orders": "refuse"})
    desk.post("/orders/create/adhoc", ORDER, status=422)
    with pytest.raises(ValueError, match="no such switch: mood"):
        desk.carrier.switches.change({"mood": "good"})


def test_a_cancelled_id_is_burnt(desk: Desk) -> None:
    order = desk.create()
    assert desk.post("/orders/cancel", {"ids": [order["order_id"]]}, status=204) is None
    desk.post("/orders/create/adhoc", ORDER, status=422)
    desk.post("/orders/cancel", {"ids": [1]}, status=500)


def test_items_can_be_changed_before_a_number(desk: Desk) -> None:
    order = desk.create()
    items = [{"name": "Two", "sku": "TWO", "units": 2, "selling_price": 1}]
    changed = desk.post("/orders/update/adhoc", {"order_id": ORDER["order_id"], "order_items": items, "weight": 9})
    assert (changed["partially_update"], changed["not_updated_fields"]) == (1, "weight")
    address = {"order_id": order["order_id"], "shipping_city": "Goa"}
    assert desk.post("/orders/address/update", address, status=202) is None
    desk.post("/courier/assign/awb", {"shipment_id": order["shipment_id"]})
    desk.post("/orders/update/adhoc", {"order_id": ORDER["order_id"], "order_items": items}, status=400)


def test_serviceability_by_order_and_by_weight(desk: Desk) -> None:
    asked = {"pickup_postcode": "560001", "delivery_postcode": "411001"}
    by_weight = desk.get("/courier/serviceability/", **asked, weight="0.4", cod="0")
    order = desk.create(length=1, breadth=1, height=1)
    by_order = desk.get("/courier/serviceability/", **asked, order_id=order["order_id"])
    rates = [row["rate"] for row in by_weight["data"]["available_courier_companies"]]
    assert rates == [row["rate"] for row in by_order["data"]["available_courier_companies"]]
    assert len(rates) == 5
    cheapest = by_weight["data"]["recommended_courier_company_id"]
    assert (
        cheapest == min(by_weight["data"]["available_courier_companies"], key=lambda r: r["rate"])["courier_company_id"]
    )
    far = desk.get("/courier/serviceability/", **{**asked, "delivery_postcode": "797001"}, weight="0.4", cod="0")
    assert far["data"]["available_courier_companies"][0]["rate"] > rates[0]
    large = desk.get("/courier/serviceability/", **asked, weight="0.4", cod="0", length="50", breadth="40", height="30")
    assert large["data"]["available_courier_companies"][0]["charge_weight"] == 12.0
    for wrong in ({"delivery_postcode": "1"}, {"weight": "0"}, {"cod": "x"}):
        desk.get("/courier/serviceability/", **{**asked, "weight": "0.4", "cod": "0", **wrong}, status=422)


def test_the_moods_of_serviceability(desk: Desk) -> None:
    asked = {"pickup_postcode": "560001", "delivery_postcode": "411001", "weight": "0.4", "cod": "1"}

    def answer(mood: str) -> Any:
        desk.carrier.switches.change({"couriers": mood})
        return desk.get("/courier/serviceability/", **asked)

    assert answer("none") == {"status": 404, "message": "Courier is not serviceable for this pincode."}
    assert len(answer("all_blocked")["data"]["blocked_courier_companies"]) == 4
    assert answer("no_cod")["data"]["available_courier_companies"] == []
    assert isinstance(answer("hyperlocal")["data"], list)


def test_numbers_now_later_and_never(desk: Desk, clock: ManualClock) -> None:
    order = desk.create()
    body = {"shipment_id": order["shipment_id"], "courier_id": 10}
    desk.carrier.switches.change({"awb": "fails"})
    assert desk.post("/courier/assign/awb", body)["awb_assign_status"] == 0
    desk.carrier.switches.change({"awb": "asynchronous"})
    assert desk.post("/courier/assign/awb", body)["success"] is True
    assert desk.get(f"/orders/show/{order['order_id']}")["data"]["shipments"][0]["awb"]
    desk.post("/courier/assign/awb", body, status=400)
    desk.carrier.switches.change({"awb": "immediate"})
    reassign = {**body, "courier_id": 33, "status": "reassign"}
    desk.post("/courier/assign/awb", reassign, status=400)
    clock.advance(timedelta(hours=24))
    assert desk.post("/courier/assign/awb", reassign)["response"]["data"]["courier_name"] == "Blue Dart Air"
    desk.post("/courier/assign/awb", {"shipment_id": 1}, status=400)
    desk.post("/courier/assign/awb", {}, status=422)
    second = desk.create(order_id="2")
    desk.carrier.books.wallet_paise = 0
    answer = desk.post("/courier/assign/awb", {"shipment_id": second["shipment_id"]})
    assert "wallet" in answer["message"]


def test_pickup_once_and_never_on_a_sunday(desk: Desk) -> None:
    order = desk.create()
    body = {"shipment_id": [order["shipment_id"]]}
    desk.post("/courier/generate/pickup", body, status=400)
    desk.post("/courier/assign/awb", {"shipment_id": order["shipment_id"]})
    desk.post("/courier/generate/pickup", {"shipment_id": order["shipment_id"]}, status=422)
    booked = desk.post("/courier/generate/pickup", {**body, "pickup_date": ["2026-01-18"]})
    assert booked["response"]["pickup_scheduled_date"] == "2026-01-19 10:00:00"
    assert json.loads(booked["response"]["others"])
    assert "Duplicate request" in desk.post("/courier/generate/pickup", body, status=400)["message"]


def test_papers_and_their_oddities(desk: Desk) -> None:
    order, _ = desk.ready()
    shipment = order["shipment_id"]
    assert desk.post("/manifests/generate", {"shipment_id": []}) == {"status": 1, "manifest_url": ""}
    assert desk.post("/manifests/print", {"order_ids": [1]}) == {"manifest_url": ""}
    desk.post("/manifests/print", {"order_ids": "1"}, status=500)
    assert desk.post("/manifests/generate", {"shipment_id": [shipment]})["manifest_url"]
    again = desk.post("/manifests/generate", {"shipment_id": [shipment]}, status=400)
    assert again["already_manifested_shipment_ids"] == [shipment]
    assert desk.post("/manifests/print", {"order_ids": [order["order_id"]]})["manifest_url"]
    assert desk.post("/courier/generate/label", {"shipment_id": [1]})["label_created"] == 0
    desk.post("/courier/generate/label", {"shipment_id": 1}, status=422)
    assert desk.post("/courier/generate/label", {"shipment_id": [shipment, 1]})["not_created"] == [1]
    both = desk.post("/courier/generate/label-invoice", {"shipment_ids": [shipment, 1]})
    assert (both["success_count"], both["error_count"]) == (1, 1)
    assert desk.post("/orders/print/invoice", {"ids": [order["order_id"]]})["invoice_url"]
    desk.post("/orders/print/invoice", {"ids": [1]}, status=400)


def test_tracking_in_four_ways(desk: Desk) -> None:
    order, awb = desk.ready()
    desk.carrier.journeys.advance(desk.carrier.books.by_awb(awb), 3)  # type: ignore[arg-type]
    data = desk.get(f"/courier/track/awb/{awb}")["tracking_data"]
    assert (data["track_status"], data["shipment_status"]) == (1, 6)
    assert [each["sr-status"] for each in data["shipment_track_activities"]] == ["6", "42", "19", "3", "1"]
    assert desk.get(f"/courier/track/shipment/{order['shipment_id']}")["tracking_data"] == data
    assert desk.post("/courier/track/awbs", {"awbs": [awb, "1"]}) == {awb: {"tracking_data": data}}
    assert desk.post("/courier/track/awbs", {"awbs": ["1"]}) == {}
    desk.post("/courier/track/awbs", {"awbs": ["1"] * 51}, status=400)
    desk.post("/courier/track/awbs", {"awbs": [1]}, status=422)
    assert desk.get("/courier/track", order_id=ORDER["order_id"]) == [{"tracking_data": data}]
    nothing = desk.get("/courier/track/awb/1")["tracking_data"]
    assert nothing["track_status"] == 0
    assert nothing["error"].startswith("Aahh!")


def test_what_is_out_for_pickup_cannot_be_called_off(desk: Desk) -> None:
    order, awb = desk.ready()
    desk.carrier.journeys.advance(desk.carrier.books.by_awb(awb))  # type: ignore[arg-type]
    desk.post("/orders/cancel", {"ids": [order["order_id"]]}, status=400)
    assert "in progress" in desk.post("/orders/cancel/shipment/awbs", {"awbs": [awb]})["message"]
    assert not desk.carrier.books.order(order["order_id"]).is_cancelled


def test_a_cancellation_that_completes_later(desk: Desk) -> None:
    order, awb = desk.ready()
    desk.carrier.switches.change({"cancellation": "later", "cancel_status": 200})
    assert desk.post("/orders/cancel", {"ids": [order["order_id"]]})["message"]
    kept = desk.carrier.books.order(order["order_id"])
    assert kept.status == 18
    desk.carrier.aftercare.complete_cancellation(kept)
    assert desk.get(f"/courier/track/awb/{awb}")["tracking_data"]["shipment_status"] == 8
    with pytest.raises(ValueError, match="waits for no cancellation"):
        desk.carrier.aftercare.complete_cancellation(kept)


def test_parcels_that_nobody_took_in(desk: Desk) -> None:
    _, awb = desk.ready()
    parcel = desk.carrier.books.by_awb(awb)
    assert parcel is not None
    assert desk.get(f"/ndr/{awb}")["data"] == []
    desk.carrier.journeys.set_script(parcel, "ndr")
    desk.carrier.journeys.advance(parcel, 8)
    assert desk.get("/ndr/all")["data"][0]["awb_code"] == awb
    desk.post(f"/ndr/{awb}/action", {"action": "eat it", "comments": "x"}, status=422)
    told = desk.post(f"/ndr/{awb}/action", {"action": "return", "comments": "she moved"}, status=202)
    assert told == {"status": "Data Updated Sucessfully"}
    desk.carrier.journeys.advance(parcel)
    assert parcel.code == 9


def test_returns_wallet_addresses_and_disputes(desk: Desk) -> None:
    home = desk.get("/settings/company/pickup")["data"]["shipping_address"][0]
    back = {
        **{name.replace("billing_", "pickup_"): value for name, value in ORDER.items()},
        **{f"shipping_{name}": home[name] for name in ("address", "city", "state", "country", "phone")},
        "shipping_customer_name": home["name"],
        "shipping_pincode": home["pin_code"],
    }
    made = desk.post("/orders/create/return", back)
    assert (made["status"], made["status_code"]) == ("RETURN PENDING", 21)
    desk.post("/orders/create/return", {**back, "pickup_pincode": "x"}, status=422)
    desk.post("/settings/company/addpickup", {"pickup_location": "x" * 37, "address": "a"}, status=422)
    desk.post("/settings/company/addpickup", {"pickup_location": "Second", "address": "1 Other Road"})
    assert len(desk.get("/settings/company/pickup")["data"]["shipping_address"]) == 2
    desk.carrier.switches.change({"overweight_grams": 700})
    _, awb = _second(desk)
    assert desk.get("/billing/discrepancy")["data"][0]["awb_code"] == awb
    assert desk.get("/account/details/statement")["data"][0]["awb"] == awb
    desk.carrier.books.wallet_paise = -29_153_983
    assert desk.get("/account/details/wallet-balance")["data"]["balance_amount"] == "-291539.83"


def _second(desk: Desk) -> tuple[dict[str, Any], str]:
    order = desk.create(order_id="77")
    awb = desk.post("/courier/assign/awb", {"shipment_id": order["shipment_id"]})["response"]["data"]["awb_code"]
    return order, awb


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [
        (Fault.HTML_502, 502, 0),
        (Fault.PHP_500, 500, 0),
        (Fault.RATE_LIMITED, 429, 0),
        (Fault.EMPTY, 200, 0),
        (Fault.ERROR_IN_200, 200, 0),
        (Fault.EMPTY_URLS, 200, 1),
        (Fault.TOKEN_EXPIRED, 401, 0),
    ],
)
def test_faults(desk: Desk, fault: Fault, status: int, made: int) -> None:
    desk.carrier.faults.arm(fault, path_part="/orders/create")
    assert desk.http.post("/orders/create/adhoc", json=ORDER).status_code == status
    assert len(desk.carrier.books.orders()) == made


def test_a_lost_answer_has_done_its_work(desk: Desk) -> None:
    desk.carrier.faults.arm(Fault.ANSWER_LOST, path_part="/orders/create")
    with pytest.raises(httpx.ReadTimeout):
        desk.http.post("/orders/create/adhoc", json=ORDER)
    assert len(desk.carrier.books.orders()) == 1


def test_loose_types_are_loose(desk: Desk) -> None:
    desk.carrier.switches.loose_types = True
    kinds = {type(desk.create(order_id=str(number))["order_id"]) for number in range(20)}
    assert kinds == {int, str}


def test_webhooks_are_held_reordered_dropped_repeated_and_forged(desk: Desk) -> None:
    arrived: list[tuple[bytes, str | None]] = []

    def take(_url: str, body: bytes, headers: Any) -> int:
        arrived.append((body, headers.get("x-api-key")))
        return 200

    webhooks = desk.carrier.webhooks
    webhooks.set_sender(take)
    with pytest.raises(ValueError, match="must not contain sr"):
        webhooks.set_receiver("http://shop/hooks/sr", "token")
    webhooks.set_receiver("http://shop/v1/hooks/parcels", "token")
    webhooks.hold()
    _, awb = desk.ready()
    parcel = desk.carrier.books.by_awb(awb)
    assert parcel is not None
    for _ in range(4):
        desk.carrier.journeys.advance(parcel)
    assert webhooks.deliver_due() == 0
    webhooks.drop([2])
    webhooks.release([3, 1], credential=Credential.NONE)
    webhooks.replay(3, credential=Credential.WRONG)
    webhooks.replay(3)
    assert [key for _, key in arrived] == [None, None, "wrong-token", "token"]
    third, first = json.loads(arrived[0][0]), json.loads(arrived[1][0])
    assert len(third["scans"]) == len(first["scans"]) + 2, "the history grows, oldest first"
    assert first["order_id"] == ORDER["order_id"] + "-1"
    assert (third["current_status_id"], third["shipment_status_id"]) == (6, 6)
    states = [delivery.state for delivery in webhooks.listing()]
    assert states == [DeliveryState.SENT, DeliveryState.DROPPED, DeliveryState.SENT, DeliveryState.HELD]
    desk.carrier.journeys.add(parcel, Scan(desk.carrier.clock.now() - timedelta(days=1), "3", None, "LATE", "", ""))
    assert parcel.code == 18, "a late scan of yesterday moves nothing"
    assert webhooks.deliver_due() == 1
    with pytest.raises(LookupError):
        webhooks.replay(99)


def test_scripts_need_a_pickup_and_a_name(desk: Desk) -> None:
    order = desk.create()
    parcel = desk.carrier.books.order(order["order_id"]).parcel
    with pytest.raises(ValueError, match="no pickup"):
        desk.carrier.journeys.advance(parcel)
    with pytest.raises(ValueError, match="no such script"):
        desk.carrier.journeys.set_script(parcel, "magic")
