"""What staff do with orders and stock over HTTP."""

import pytest
from fastapi.testclient import TestClient

from tests.support.keys import keyed
from tests.support.trade import TradeKit
from tests.support.web import log_in, make_staff, register


def test_staff_take_an_order_through_its_life(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=5)
    number = kit.order(kit.buy({cup: 2})).order_number
    make_staff(kit.database, "boss@example.com")
    boss = log_in(client, "boss@example.com")
    url = f"/v1/staff/orders/{number}"
    assert [o["order_number"] for o in client.get("/v1/staff/orders?status=paid", headers=boss).json()["items"]] == [
        number
    ]
    early = client.post(f"{url}/deliver", headers=boss)
    assert (early.status_code, early.json()["type"]) == (409, "urn:my-little-things:problem:illegal-transition")
    assert client.post(f"{url}/pack", headers=boss).json()["status"] == "packed"
    assert client.post(f"{url}/pack", headers=boss).status_code == 409
    parcel = {"carrier": "Bluedart", "tracking_number": "BD1", "weight_grams": 500}
    assert client.post(f"{url}/ship", json=parcel, headers=boss).json()["shipments"][0]["tracking_number"] == "BD1"
    delivered = client.post(f"{url}/deliver", headers=boss).json()
    assert (delivered["status"], delivered["shipments"][0]["status"]) == ("delivered", "delivered")
    assert client.post(f"{url}/cancel", json={}, headers=boss).status_code == 409
    assert len(client.get(url, headers=boss).json()["history"]) == 5
    assert client.get("/v1/staff/orders/MLT-1999-000001", headers=boss).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/staff/orders"),
        ("POST", "/v1/staff/orders/MLT-2025-000001/pack"),
        ("GET", "/v1/staff/inventory/levels"),
        ("GET", "/v1/staff/coupons"),
        ("GET", "/v1/staff/customers/1/points"),
    ],
)
def test_shoppers_have_no_business_there(client: TestClient, kit: TradeKit, method: str, path: str) -> None:
    register(kit.database)
    assert client.request(method, path).status_code == 401
    assert client.request(method, path, headers=log_in(client)).status_code == 403


def test_staff_receive_and_correct_stock(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP")
    make_staff(kit.database, "boss@example.com", "super_admin")
    boss = log_in(client, "boss@example.com")
    headers = keyed(boss)
    for _ in range(2):  # a repetition with the same key receives once
        received = client.post("/v1/staff/inventory/receipts", json={"variant_id": cup, "quantity": 9}, headers=headers)
        assert received.status_code == 201, received.text
    correction = {"variant_id": cup, "quantity": -10, "reason": "count"}
    url = "/v1/staff/inventory/adjustments"
    assert client.post(url, json=correction, headers=keyed(boss)).status_code == 409
    assert client.post(url, json=correction | {"quantity": -2}, headers=keyed(boss)).status_code == 201
    assert client.post(url, json=correction | {"quantity": 0}, headers=keyed(boss)).status_code == 422
    (level,) = client.get(f"/v1/staff/inventory/levels?variant_id={cup}", headers=boss).json()["items"]
    assert (level["on_hand"], level["reserved"], level["free"]) == (7, 0, 7)
    entries = client.get(f"/v1/staff/inventory/movements?variant_id={cup}", headers=boss).json()["items"]
    assert [entry["quantity"] for entry in entries] == [-2, 9]
    assert client.get("/v1/staff/inventory/locations", headers=boss).json()[0]["code"] == "MAIN"
    unknown = client.post("/v1/staff/inventory/receipts", json={"variant_id": 99, "quantity": 1}, headers=keyed(boss))
    assert unknown.status_code == 404
