"""The catalogue over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from transactional.core.clock import ManualClock
from transactional.core.uow import Database

LAMP = {"name": "Brass lamp", "sku": "LAMP-1", "price_minor": 120_000, "currency": "INR"}


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(database, tmp_path) as client:
        yield client


@pytest.fixture
def staff(database: Database, client: TestClient) -> dict[str, str]:
    make_staff(database, "boss@example.com", "super_admin")
    return log_in(client, "boss@example.com")


def post(client: TestClient, path: str, body: dict[str, Any], headers: dict[str, str], key: str = "k1") -> Any:
    return client.post(path, json=body, headers={**headers, "Idempotency-Key": key})


@pytest.fixture
def lamp(client: TestClient, staff: dict[str, str]) -> dict[str, Any]:
    category = post(client, "/v1/staff/categories", {"name": "Lights"}, staff, "c1").json()
    created = post(client, "/v1/staff/products", {**LAMP, "category_id": category["id"]}, staff, "p1")
    assert created.status_code == 201, created.text
    product: dict[str, Any] = created.json()
    return product


def test_shoppers_see_price_stock_and_rating(client: TestClient, lamp: dict[str, Any], database: Database) -> None:
    shown = client.get(f"/v1/products/{lamp['id']}").json()
    assert shown["from_price_minor"] == 120_000
    assert shown["in_stock"] is False
    assert shown["variants"][0]["available"] == 0
    assert shown["rating"] == {"count": 0, "mean": None, "bayesian_mean": None}
    TradeKit(database).variant("OTHER", stock=3)
    listed = client.get("/v1/products").json()
    assert [(p["name"], p["in_stock"]) for p in listed["items"]] == [("Brass lamp", False), ("Gift OTHER", True)]
    assert listed["next_cursor"] is None


def test_a_list_is_read_page_by_page(client: TestClient, database: Database) -> None:
    kit = TradeKit(database)
    for number in range(5):
        kit.variant(f"S{number}")
    seen, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/products", params=parameters).json()
        seen += [product["name"] for product in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Gift S{number}" for number in range(5)]


def test_a_withdrawn_product_is_gone_for_shoppers_and_there_for_staff(
    client: TestClient, lamp: dict[str, Any], staff: dict[str, str]
) -> None:
    for _ in range(2):
        answer = client.post(f"/v1/staff/products/{lamp['id']}/deactivate", headers=staff)
        assert answer.json()["is_active"] is False
    assert client.get(f"/v1/products/{lamp['id']}").status_code == 404
    assert client.get(f"/v1/staff/products/{lamp['id']}", headers=staff).status_code == 200
    back = client.patch(f"/v1/staff/products/{lamp['id']}", json={"is_active": True}, headers=staff)
    assert back.json()["is_active"] is True
    assert client.get(f"/v1/products/{lamp['id']}").status_code == 200


def test_a_price_change_shows_at_once_and_stays_in_the_history(
    client: TestClient, lamp: dict[str, Any], staff: dict[str, str], clock: ManualClock
) -> None:
    variant = lamp["variants"][0]["id"]
    clock.advance(timedelta(hours=1))
    # The access token outlives the hour in no case: log in again.
    staff = log_in(client, "boss@example.com")
    body = {"amount_minor": 99_000, "currency": "INR"}
    for _ in range(2):
        assert client.put(f"/v1/staff/variants/{variant}/price", json=body, headers=staff).status_code == 200
    shown = client.get(f"/v1/products/{lamp['id']}").json()
    assert shown["from_price_minor"] == 99_000
    assert shown["variants"][0]["lowest_30_days_minor"] == 99_000
    history = client.get(f"/v1/staff/variants/{variant}/prices", headers=staff).json()
    assert [price["amount_minor"] for price in history] == [120_000, 99_000]


def test_creating_twice_with_one_key_creates_once(
    client: TestClient, lamp: dict[str, Any], staff: dict[str, str]
) -> None:
    again = post(client, "/v1/staff/products", {**LAMP, "category_id": lamp["category_id"]}, staff, "p1")
    assert again.status_code == 201
    assert again.json()["id"] == lamp["id"]
    other = post(client, "/v1/staff/products", {**LAMP, "category_id": lamp["category_id"]}, staff, "p2")
    assert other.status_code == 409


def test_shoppers_may_not_change_anything(client: TestClient, database: Database, lamp: dict[str, Any]) -> None:
    register(database)
    shopper = log_in(client)
    assert post(client, "/v1/staff/categories", {"name": "X"}, shopper).status_code == 403
    assert client.patch(f"/v1/staff/products/{lamp['id']}", json={"name": "X"}, headers=shopper).status_code == 403
    assert client.patch(f"/v1/staff/products/{lamp['id']}", json={"name": "X"}).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"price_minor": -1},
        {"price_minor": 1.5},
        {"currency": "rupees"},
        {"colour": "red"},
        {"name": "   "},
        {"tax_rate_bp": 10_001},
    ],
)
def test_a_bad_product_is_refused_by_field(
    client: TestClient, lamp: dict[str, Any], staff: dict[str, str], change: dict[str, Any]
) -> None:
    body = {**LAMP, "sku": "LAMP-9", "category_id": lamp["category_id"], **change}
    refused = post(client, "/v1/staff/products", body, staff, "bad")
    assert refused.status_code == 422
    assert next(iter(change)) in refused.text


def test_filters_over_http(client: TestClient, lamp: dict[str, Any]) -> None:
    assert client.get("/v1/products", params={"q": "brass"}).json()["items"]
    assert not client.get("/v1/products", params={"q": "gold"}).json()["items"]
    assert not client.get("/v1/products", params={"currency": "GBP"}).json()["items"]
    assert client.get("/v1/products", params={"tier": "golden"}).status_code == 422
    assert client.get("/v1/products", params={"cursor": "???"}).status_code == 422


def test_a_ring_of_categories_is_refused(client: TestClient, lamp: dict[str, Any], staff: dict[str, str]) -> None:
    parent = lamp["category_id"]
    child = post(client, "/v1/staff/categories", {"name": "Oil lamps", "parent_id": parent}, staff, "c2").json()
    moved = client.put(f"/v1/staff/categories/{parent}/parent", json={"parent_id": child["id"]}, headers=staff)
    assert moved.status_code == 409
    assert [c["name"] for c in client.get("/v1/categories").json()] == ["Lights", "Oil lamps"]


def test_the_tier_by_hand(client: TestClient, lamp: dict[str, Any], staff: dict[str, str]) -> None:
    path = f"/v1/staff/products/{lamp['id']}/tier"
    fixed = client.put(path, json={"tier": "premium"}, headers=staff).json()
    assert (fixed["gift_tier"], fixed["gift_tier_source"]) == ("premium", "admin")
    freed = client.put(path, json={"tier": None}, headers=staff).json()
    assert (freed["gift_tier"], freed["gift_tier_source"]) == ("budget", "rule")


def test_occasions(client: TestClient, lamp: dict[str, Any], staff: dict[str, str]) -> None:
    body = {"key": "diwali", "name": "Diwali"}
    assert post(client, "/v1/staff/occasions", body, staff, "o1").status_code == 201
    path = f"/v1/staff/products/{lamp['id']}"
    assert client.patch(path, json={"occasions": ["diwali"]}, headers=staff).json()["occasions"] == ["diwali"]
    assert client.get("/v1/products", params={"occasion": "diwali"}).json()["items"]
    assert client.patch(path, json={"occasions": ["easter"]}, headers=staff).status_code == 404
