"""Promotions over HTTP: staff make them, shoppers meet them."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.keys import keyed
from tests.support.offers import code, draft, offer, rule
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from transactional.core.uow import Database
from transactional.promotions.models import CouponBatch, Promotion

TEN = rule("percentage", bp=1_000)
STAFF = "/v1/staff/promotions"


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    """The whole app on SQLite, its clock standing still."""
    return make_client(database, tmp_path)


@pytest.fixture
def boss(kit: TradeKit, client: TestClient) -> dict[str, str]:
    """Somebody who may do everything."""
    make_staff(kit.database, "boss@example.com", "super_admin")
    return log_in(client, "boss@example.com")


def wanted(**changes: Any) -> dict[str, Any]:
    """The body of a promotion."""
    return {"name": "Ten off", "rule": TEN, "starts_at": "2026-01-01T00:00:00+05:30", "is_automatic": True} | changes


def test_the_life_of_an_offer(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    key = keyed(boss)
    made = client.post(STAFF, json=wanted(), headers=key)
    assert (made.status_code, made.json()["status"], made.json()["version"]) == (201, "draft", 1)
    again = client.post(STAFF, json=wanted(), headers=key)
    assert again.json() == made.json()
    assert kit.count(Promotion) == 1, "a repeated request makes no second one"
    url = f"{STAFF}/{made.json()['id']}"
    assert client.put(f"{url}/status", json={"status": "active"}, headers=boss).json()["status"] == "active"
    kit.buy({cup: 1})
    changed = client.put(url, json=wanted(rule=rule("percentage", bp=2_000)), headers=boss).json()
    assert changed["version"] == 2
    kit.buy({cup: 1})
    shown = client.get(url, headers=boss).json()
    assert (shown["orders"], shown["discount_minor"]) == (2, 30_000)
    versions = client.get(f"{url}/versions", headers=boss).json()
    assert [one["rule"]["args"]["bp"] for one in versions] == [1_000, 2_000]
    assert versions[1]["actor"].startswith("user:")
    assert client.put(f"{url}/status", json={"status": "ended"}, headers=boss).status_code == 200
    refused = client.put(f"{url}/status", json={"status": "active"}, headers=boss)
    assert (refused.status_code, "ended" in refused.json()["detail"]) == (409, True)
    listed = client.get(f"{STAFF}?status=ended", headers=boss).json()["items"]
    assert [one["id"] for one in listed] == [made.json()["id"]]


def test_a_bad_rule_is_refused_with_every_fault(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    bad = rule("percentage", bp=0, conditions={"min_spend": {"amount_minor": "much"}})
    answer = client.post(STAFF, json=wanted(rule=bad), headers=keyed(boss))
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"args.bp", "conditions.0.args.amount_minor"}
    assert kit.count(Promotion) == 0


def test_codes_and_batches(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    promotion_id = draft(kit, TEN)
    url = f"{STAFF}/{promotion_id}"
    body = {"code": "soft", "usage_limit": 5, "overdraft_limit": 2}
    made = client.post(f"{url}/codes", json=body, headers=keyed(boss)).json()
    assert (made["code"], made["overdraft_limit"], made["overdrawn"]) == ("SOFT", 2, 0)
    assert client.post(f"{url}/codes", json=body, headers=keyed(boss)).status_code == 409
    key = keyed(boss)
    batch = client.post(f"{url}/batches", json={"name": "News", "quantity": 3}, headers=key).json()
    assert client.post(f"{url}/batches", json={"name": "News", "quantity": 3}, headers=key).json() == batch
    assert kit.count(CouponBatch) == 1
    shown = client.get(f"{url}/batches/{batch['id']}", headers=boss).json()
    assert (sorted(shown["codes"]), shown["used"]) == (sorted(batch["codes"]), 0)
    assert client.get(f"{STAFF}/999/batches/{batch['id']}", headers=boss).status_code == 404
    too_many = client.post(f"{url}/batches", json={"name": "News", "quantity": 10_001}, headers=keyed(boss))
    assert too_many.status_code == 422


def test_groups_and_floors(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    cup, asha = kit.variant("CUP", stock=9), kit.customer()
    groups = "/v1/staff/customer-groups"
    assert client.post(groups, json={"name": "Firmen & Freunde"}, headers=keyed(boss)).status_code == 201
    members = client.put(f"{groups}/Firmen & Freunde/members", json={"customer_ids": [asha]}, headers=boss)
    assert members.json()["members"] == 1
    assert client.get(groups, headers=boss).json()[0]["members"] == 1
    floor = client.put(f"{STAFF}/floors/{cup}", json={"currency": "INR", "floor_minor": 95_000}, headers=boss)
    assert floor.status_code == 204
    offer(kit, TEN)
    assert kit.order(kit.buy({cup: 1})).discount_minor == 5_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/1"),
        ("PUT", "/1"),
        ("PUT", "/1/status"),
        ("GET", "/1/versions"),
        ("POST", "/1/codes"),
        ("POST", "/1/batches"),
        ("POST", "/1/preview"),
        ("PUT", "/floors/1"),
    ],
)
def test_shoppers_keep_out(client: TestClient, kit: TradeKit, method: str, path: str) -> None:
    register(kit.database)
    asha = log_in(client)
    assert client.request(method, STAFF + path, headers=keyed(asha), json={}).status_code == 403
    assert client.request(method, STAFF + path, headers=keyed(), json={}).status_code == 401


def test_a_shopper_collects_codes_and_sees_why(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    code(kit, "TEN", TEN)
    code(kit, "TWENTY", rule("percentage", bp=2_000))
    lines = [{"variant_id": cup, "quantity": 1}]
    cart = client.post("/v1/carts", json={"lines": lines}, headers=keyed()).json()["id"]
    url = f"/v1/carts/{cart}/coupons"
    assert client.post(url, json={"code": "ten"}).json()["discount_minor"] == 10_000
    both = client.post(url, json={"code": "twenty"}).json()
    assert (both["coupon_codes"], both["discount_minor"], both["issues"]) == (["TEN", "TWENTY"], 20_000, [])
    assert both["trace"]["refused"][0]["missing"] == {"better_by_minor": 10_000}
    refused = client.post(url, json={"code": "nope"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "unknown_code")
    left = client.delete(f"{url}/twenty").json()
    assert (left["coupon_codes"], left["coupon_code"], left["discount_minor"]) == (["TEN"], "TEN", 10_000)
    only = client.put(f"/v1/carts/{cart}/coupon", json={"code": "TWENTY"}).json()
    assert only["coupon_codes"] == ["TWENTY"]
    assert client.delete(f"/v1/carts/{cart}/coupon").json()["coupon_codes"] == []


def test_offers_open_to_a_shopper_are_those_of_checkout(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    offer(kit, TEN, name="Ten off")
    offer(kit, rule("fixed", amount_minor=50_000, conditions={"min_quantity": {"quantity": 3}}), name="Three")
    lines = [{"variant_id": cup, "quantity": 1}]
    cart = client.post("/v1/carts", json={"lines": lines}, headers=keyed()).json()
    found = client.get(f"/v1/offers?cart_id={cart['id']}&postal_code=560001").json()
    assert [(one["name"], one["state"], one["missing"]) for one in found] == [
        ("Ten off", "applies", {}),
        ("Three", "reachable", {"quantity": 2}),
    ]
    body = {"cart_id": cart["id"], "ship_to": ADDRESS, "email": "g@example.com", "phone": "9845012345"}
    placed = client.post("/v1/checkout", json=body, headers=keyed()).json()
    assert placed["discount_minor"] == found[0]["saving_minor"] == 10_000
    assert client.get("/v1/offers?cart_id=cart_nobodys").status_code == 404
    assert {one["state"] for one in client.get("/v1/offers").json()} == {"reachable"}


def test_a_phone_that_cannot_be_called_is_refused(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    cart = kit.basket({cup: 1})
    body = {"cart_id": cart, "ship_to": ADDRESS, "email": "g@example.com", "phone": "call me"}
    answer = client.post("/v1/checkout", json=body, headers=keyed())
    assert (answer.status_code, kit.level(cup)) == (422, (9, 0))


def test_staff_have_what_is_for_staff(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    offer(kit, rule("percentage", bp=1_000, conditions={"staff_only": {}}))
    lines = [{"variant_id": cup, "quantity": 1}]
    for headers, discount in ((boss, 10_000), ({}, 0)):
        cart = client.post("/v1/carts", json={"lines": lines}, headers=keyed(headers)).json()
        assert cart["discount_minor"] == discount
