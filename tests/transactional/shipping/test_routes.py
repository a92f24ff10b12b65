"""Parcels over HTTP: staff, customers, and the carrier's webhook."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from tests.support.web import log_in, make_client, make_staff, register, settings_in
from tests.transactional.shipping.depot import TOKEN, Depot
from transactional.app import create_app
from transactional.settings import BANNED_IN_WEBHOOK_URLS, Settings
from transactional.shipping.routes import router

BOX = {"length_mm": 200, "width_mm": 150, "height_mm": 100}
KEY = {"Idempotency-Key": "7d0f2f0e-2a0e-4a8e-9a58-2a4b8b3c1d10"}


@pytest.fixture
def client(depot: Depot, tmp_path: Path) -> Iterator[TestClient]:
    """The shop with a webhook token."""
    settings = settings_in(tmp_path).model_copy(
        update={"parcel_webhook_token": Settings(parcel_webhook_token=TOKEN).parcel_webhook_token}
    )
    with TestClient(create_app(settings, depot.database)) as opened:
        yield opened


@pytest.fixture
def staff(depot: Depot, client: TestClient) -> dict[str, str]:
    """A manager's headers."""
    make_staff(depot.database, "mira@example.com")
    return log_in(client, "mira@example.com")


def pack(client: TestClient, depot: Depot, staff: dict[str, str], order_id: int, **more: object) -> dict[str, object]:
    number = depot.kit.order(order_id).order_number
    answer = client.post(
        f"/v1/staff/orders/{number}/parcels", headers=staff | KEY, json={"box": BOX, "weight_grams": 400, **more}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.slow
def test_a_parcel_from_packing_to_the_customer_s_door(depot: Depot, client: TestClient, staff: dict[str, str]) -> None:
    order_id = depot.order(2)
    made = pack(client, depot, staff, order_id)
    assert pack(client, depot, staff, order_id) == made, "the same key packs once"
    depot.work()
    path = f"/v1/staff/parcels/{made['id']}"
    detail = client.get(path, headers=staff).json()
    assert [call["step"] for call in detail["calls"]] == ["choose", "create", "assign", "pickup", "label", "manifest"]
    assert detail["parcel"]["label_url"].startswith("https://")
    assert detail["items"][0]["quantity"] == 2
    table = client.get(f"{path}/couriers", headers=staff).json()
    assert table[0]["chosen"]
    assert "rate" in table[0]["reasons"][0]
    (manifest,) = client.get("/v1/staff/manifests?day=2026-01-16", headers=staff).json()
    assert manifest["manifest_urls"] == [detail["parcel"]["manifest_url"]]
    order = depot.kit.order(order_id)
    follow = f"/v1/orders/{order.public_id}/parcels"
    (seen,) = client.get(follow).json()
    assert (seen["stage"], seen["items"][0]["sku"]) == ("packed", "LAMP")
    depot.advance(int(str(made["id"])), 20)
    for delivery in depot.standin.webhooks.listing():
        told = client.post("/v1/hooks/parcels", content=delivery.body, headers={"x-api-key": TOKEN})
        assert (told.status_code, told.json()) == (200, {"new": True})
    depot.work()
    (seen,) = client.get(follow).json()
    assert (seen["stage"], seen["status"]) == ("delivered", "delivered")
    assert [scan["status"] for scan in seen["scans"]][-2:] == ["out_for_delivery", "delivered"]
    again = log_in(client, "mira@example.com")  # a day has passed
    listed = client.get(f"/v1/staff/orders/{order.order_number}/parcels", headers=again).json()
    assert [row["status"] for row in listed] == ["delivered"]


def test_the_webhook_admits_only_who_knows_the_token(depot: Depot, client: TestClient, tmp_path: Path) -> None:
    body = b'{"awb": "unknown"}'
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": TOKEN[:-1]}, {"x-api-key": "é".encode()}):
        refused = client.post("/v1/hooks/parcels", content=body, headers=headers)
        assert (refused.status_code, refused.json()["status"]) == (401, 401)
    for _ in range(2):
        assert client.post("/v1/hooks/parcels", content=body, headers={"x-api-key": TOKEN}).status_code == 200
    assert client.post("/v1/hooks/parcels", content=body + b" ", headers={"x-api-key": TOKEN}).json() == {"new": True}
    too_large = client.post("/v1/hooks/parcels", content=b"x" * (2**20 + 1), headers={"x-api-key": TOKEN})
    assert too_large.status_code == 413
    closed = make_client(depot.database, tmp_path)
    assert closed.post("/v1/hooks/parcels", content=body, headers={"x-api-key": ""}).status_code == 503


def test_no_webhook_address_holds_a_word_that_the_carrier_bans() -> None:
    paths = [route.path for route in router.routes if "hooks" in getattr(route, "path", "")]
    for url in [Settings().parcel_webhook_url, *paths]:
        assert not [word for word in BANNED_IN_WEBHOOK_URLS if word in url.lower()], url
    assert any(Settings().parcel_webhook_url.endswith(path) for path in paths)
    for bad in ("https://shop.example/hooks/sr", "https://kr.example/hooks/parcels", "https://x/Shiprocket"):
        with pytest.raises(ValidationError, match="takes no webhook address"):
            Settings(parcel_webhook_url=bad)


IMPOSSIBLE: list[tuple[dict[str, object], int]] = [
    ({"weight_grams": 0}, 422),
    ({"box": {**BOX, "height_mm": 0}}, 422),
    ({"box": {**BOX, "height_mm": 5}}, 422),
    ({"box": {**BOX, "height_mm": 4_000}}, 422),
    ({"units": []}, 422),
    ({"units": [{"order_line_id": 99_999, "quantity": 1}]}, 422),
    ({"units": [{"order_line_id": 1, "quantity": 3}]}, 409),
    ({"nonsense": 1}, 422),
    ({"pickup_date": "2026-01-14"}, 422),
]


def test_parcels_that_cannot_be_are_refused(depot: Depot, client: TestClient, staff: dict[str, str]) -> None:
    path = f"/v1/staff/orders/{depot.kit.order(depot.order(2)).order_number}/parcels"
    for change, status in IMPOSSIBLE:
        answer = client.post(path, headers=staff | KEY, json={"box": BOX, "weight_grams": 1, **change})
        assert answer.status_code == status, (change, answer.text)
        assert answer.json()["detail"]
        assert client.get(path, headers=staff).json() == []


def test_an_order_that_is_not_paid_is_not_packed(depot: Depot, client: TestClient, staff: dict[str, str]) -> None:
    number = depot.kit.order(depot.kit.buy({depot.variant_id: 1}, pay=False)).order_number
    answer = client.post(
        f"/v1/staff/orders/{number}/parcels", headers=staff | KEY, json={"box": BOX, "weight_grams": 1}
    )
    assert answer.status_code == 409
    assert "awaiting_payment" in answer.json()["detail"]


def test_staff_looks_after_parcels(depot: Depot, client: TestClient, staff: dict[str, str]) -> None:
    depot.standin.switches.change({"awb": "fails"})
    made = pack(client, depot, staff, depot.order())
    depot.work()
    path = f"/v1/staff/parcels/{made['id']}"
    (halted,) = client.get("/v1/staff/parcels?needs_attention=true", headers=staff).json()["items"]
    assert "wallet" in halted["halted_reason"]
    assert client.put(f"{path}/pickup", headers=staff, json={"pickup_date": "2025-01-01"}).status_code == 422
    assert client.put(f"{path}/pickup", headers=staff, json={"pickup_date": "2026-01-17"}).status_code == 200
    depot.standin.switches.change({"awb": "immediate"})
    assert client.post(f"{path}/retry", headers=staff).status_code == 200
    assert client.post(f"{path}/retry", headers=staff).status_code == 409
    depot.work()
    assert client.get(path, headers=staff).json()["parcel"]["pickup_date"] == "2026-01-17"
    ndr = {"action": "re-attempt", "comments": "x", "deferred_date": "2026-01-24"}
    assert client.post(f"{path}/ndr", headers=staff, json=ndr).status_code == 409
    assert client.post(f"{path}/scans", headers=staff, json={"status": "delivered"}).status_code == 409
    fetch = {"units": [{"order_line_id": 1, "quantity": 1}]}
    other_key = {"Idempotency-Key": "another-thing-to-do"}
    assert client.post(f"{path}/return-pickup", headers=staff | other_key, json=fetch).status_code == 409
    assert client.post(f"{path}/cancel", headers=staff).status_code == 200
    depot.work()
    assert client.get("/v1/staff/parcels?status=cancelled", headers=staff).json()["items"][0]["id"] == made["id"]
    assert client.get("/v1/staff/parcels/999", headers=staff).status_code == 404


def test_strangers_see_nothing(depot: Depot, client: TestClient) -> None:
    order = depot.kit.order(depot.order())
    register(depot.database, "eve@example.com")
    eve = log_in(client, "eve@example.com")
    for path in ("/v1/staff/parcels", "/v1/staff/shipping/zones", "/v1/staff/manifests?day=2026-01-16"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=eve).status_code == 403
    assert client.get(f"/v1/orders/{order.order_number}/parcels", headers=eve).status_code == 404
    assert client.get(f"/v1/orders/{order.order_number}/parcels").status_code == 404


def test_what_only_a_webhook_claims_is_not_shown(depot: Depot, client: TestClient) -> None:
    parcel_id = depot.send()
    scan = {"date": "2026-01-15 15:00:00", "status": "X", "sr-status": 7}
    depot.tell(json.dumps({"awb": depot.parcel(parcel_id).tracking_number, "scans": [scan]}).encode())
    depot.work()
    (seen,) = client.get(f"/v1/orders/{depot.order_of(parcel_id).public_id}/parcels").json()
    assert (seen["stage"], seen["status"]) == ("packed", "pickup_scheduled")
    assert "delivered" not in [each["status"] for each in seen["scans"]]


def test_tariff_and_rules_are_the_shop_s_own(depot: Depot, client: TestClient, staff: dict[str, str]) -> None:
    zone = {"country": "IN", "prefix": "4140", "zone": "metro"}
    put = client.put("/v1/staff/shipping/zones", headers=staff, json=zone)
    assert put.status_code == 200
    assert zone.items() <= put.json().items()
    assert any(row["prefix"] == "4140" for row in client.get("/v1/staff/shipping/zones", headers=staff).json())
    assert client.delete(f"/v1/staff/shipping/zones/{put.json()['id']}", headers=staff).status_code == 204
    assert client.put("/v1/staff/shipping/zones", headers=staff, json={**zone, "country": "Narnia"}).status_code == 422
    rate = {"zone": "abroad", "currency": "INR", "slab_grams": 500, "first_minor": 1, "next_minor": 1}
    made = client.put("/v1/staff/shipping/rates", headers=staff, json=rate).json()
    assert len(client.get("/v1/staff/shipping/rates", headers=staff).json()) == 6
    assert client.delete(f"/v1/staff/shipping/rates/{made['id']}", headers=staff).status_code == 204
    assert client.put("/v1/staff/shipping/rates", headers=staff, json={**rate, "slab_grams": 0}).status_code == 422
    rule = {"name": "no air", "priority": 1, "action": "block", "courier_id": 33}
    stored = client.post("/v1/staff/courier-rules", headers=staff | KEY, json=rule)
    assert stored.status_code == 201
    path = f"/v1/staff/courier-rules/{stored.json()['id']}"
    assert client.put(path, headers=staff, json={**rule, "priority": 9}).json()["priority"] == 9
    assert [row["name"] for row in client.get("/v1/staff/courier-rules", headers=staff).json()] == ["no air"]
    assert client.put(path, headers=staff, json={**rule, "adjustment_minor": 5}).status_code == 422
    assert client.delete(path, headers=staff).status_code == 204
    assert client.get("/v1/staff/couriers/accuracy?month=2026-01-01", headers=staff).json() == []
