"""Procurement over HTTP, from the supplier to the goods on the shelf."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.suppliers.conftest import Buyer
from transactional.core.uow import Database
from transactional.suppliers.models import PurchaseOrder, PurchaseReceipt, Supplier

_keys = count()


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    """The whole app on SQLite."""
    with make_client(database, tmp_path) as client:
        yield client


@pytest.fixture
def manager(database: Database, client: TestClient) -> dict[str, str]:
    """Somebody who may buy."""
    make_staff(database, "boss@example.com")
    return log_in(client, "boss@example.com")


class Desk:
    """Requests of somebody who is logged in."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    def post(self, path: str, body: Any = None, *, status: int = 201, key: str | None = None) -> Any:
        """A POST with a key of its own."""
        keyed = {**self.headers, "Idempotency-Key": key or f"key-{next(_keys)}"}
        answer = self.client.post(f"/v1/staff{path}", json=body, headers=keyed)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Anything else."""
        answer = self.client.request(method, f"/v1/staff{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def desk(client: TestClient, manager: dict[str, str]) -> Desk:
    """The manager's."""
    return Desk(client, manager)


@pytest.fixture
def article(desk: Desk, buyer: Buyer) -> dict[str, Any]:
    """Cups, of a supplier, at terms."""
    supplier = desk.post("/suppliers", {"code": "toys", "name": "Channapatna Toys", "over_delivery_bp": 500})
    terms = {"cost_minor": 18_500, "currency": "INR", "lead_time_days": 14, "pack_size": 12}
    body = {"supplier_sku": "CT-1", "variant_id": buyer.kit.variant("CUP", stock=5), **terms}
    made: dict[str, Any] = desk.post(f"/suppliers/{supplier['id']}/products", body)
    return made


def test_from_the_suggestion_to_the_shelf(desk: Desk, article: dict[str, Any], buyer: Buyer) -> None:
    cup = article["variant_id"]
    rules = {"reorder_policy": "fixed", "reorder_point": 20, "low_stock_level": 6}
    level = desk.ask("PATCH", f"/inventory/levels/{cup}/1", rules)
    assert (level["free"], level["reorder_point"]) == (5, 20)
    assert [alert["saleable"] for alert in desk.ask("GET", "/inventory/alerts")["items"]] == [5]

    [suggestion] = desk.ask("GET", "/procurement/suggestions")
    assert (suggestion["quantity"], suggestion["inputs"]["projected"]) == (24, 5)
    assert "the reorder point of 20" in suggestion["in_words"]

    assert desk.post("/procurement/reorder", status=200) == {"written": 1, "removed": 0}
    assert desk.post("/procurement/reorder", status=200) == {"written": 0, "removed": 0}
    [draft] = desk.ask("GET", "/procurement/orders?status=draft")["items"]
    detail = desk.ask("GET", f"/procurement/orders/{draft['id']}")
    [line] = detail["lines"]
    assert (detail["origin"], line["quantity"], line["inputs"]["quantity"]) == ("reorder", 24, 24)
    assert desk.ask("GET", f"/procurement/lines/{line['id']}/explanation")["agrees"] is True
    [needed] = desk.ask("GET", "/procurement/requirements")["items"]
    assert (needed["source"], needed["purchase_order_line_id"]) == ("forecast", line["id"])

    placed = desk.post(f"/procurement/orders/{draft['id']}/place", status=200)
    assert (placed["status"], placed["lines"][0]["unit_cost_minor"]) == ("placed", 18_500)
    delivery = {"delivery_note": "DN 1", "lines": [{"line_id": line["id"], "quantity": 20, "damaged": 1}]}
    path = f"/procurement/orders/{draft['id']}/receipts"
    receipt = desk.post(path, delivery, key="delivery-note-1")
    assert desk.post(path, delivery, key="delivery-note-1") == receipt
    assert buyer.kit.level(cup) == (25, 0)
    assert desk.ask("GET", "/inventory/alerts")["items"] == []
    assert desk.ask("GET", path) == [receipt]
    [movement] = desk.ask("GET", f"/inventory/movements?variant_id={cup}&kind=receipt&limit=1")["items"]
    assert (movement["quantity"], movement["purchase_receipt_line_id"]) == (20, receipt["lines"][0]["id"])

    refused = desk.post(path, {"lines": [{"line_id": line["id"], "quantity": 5}]}, status=409)
    assert "24 units were ordered (tolerance 1), 21 have come" in refused["detail"]
    closed = desk.post(f"/procurement/orders/{draft['id']}/close", {"reason": "sold out"}, status=200)
    assert (closed["status"], closed["lines"][0]["short_quantity"]) == ("closed", 3)
    record = desk.ask("GET", f"/suppliers/{article['supplier_id']}/performance")
    assert (record["orders"], record["ordered"], record["received"], record["damaged"]) == (1, 24, 20, 1)


def test_a_draft_by_hand(desk: Desk, article: dict[str, Any]) -> None:
    body = {
        "supplier_id": article["supplier_id"],
        "lines": [{"supplier_product_id": article["id"], "quantity": 24}],
    }
    order = desk.post("/procurement/orders", body)
    path = f"/procurement/orders/{order['id']}"
    assert desk.ask("PUT", f"{path}/lines/{article['id']}", {"quantity": 36})["quantity"] == 36
    refused = desk.ask("PUT", f"{path}/lines/{article['id']}", {"quantity": 30}, status=422)
    assert "packs of 12" in refused["detail"]
    desk.ask("DELETE", f"{path}/lines/{article['id']}", status=204)
    desk.post(f"{path}/place", status=422)
    assert desk.post(f"{path}/cancel", {"reason": "a mistake"}, status=200)["status"] == "cancelled"
    desk.post(f"{path}/place", status=409)


def test_a_faulty_line_leaves_no_half_of_a_draft(desk: Desk, article: dict[str, Any], buyer: Buyer) -> None:
    lines = [{"supplier_product_id": article["id"], "quantity": 24}, {"supplier_product_id": 999, "quantity": 1}]
    desk.post("/procurement/orders", {"supplier_id": article["supplier_id"], "lines": lines}, status=404)
    assert buyer.kit.count(PurchaseOrder) == 0


def test_feeds_as_json_and_csv(desk: Desk, article: dict[str, Any]) -> None:
    path = f"/suppliers/{article['supplier_id']}/feeds"
    items = [{"supplier_sku": "CT-1", "quantity": 360}]
    assert desk.post(path, {"as_of": "2026-01-15T06:00:00Z", "items": items})["applied"] == 1
    twice = desk.post(path, {"as_of": "2026-01-15T07:00:00Z", "items": items * 2}, status=422)
    assert "twice" in twice["detail"]

    def post_csv(content: str, query: str = "") -> Any:
        headers = {**desk.headers, "Idempotency-Key": f"key-{next(_keys)}", "Content-Type": "text/csv"}
        return desk.client.post(f"/v1/staff{path}/csv{query}", content=content.encode(), headers=headers)

    older = post_csv("supplier_sku,quantity,as_of\nCT-1,1,2026-01-15T05:00:00Z\n")
    assert (older.status_code, older.json()["outdated"]) == (201, 1)
    newer = post_csv("supplier_sku,quantity\nCT-1,7\n", "?as_of=2026-01-15T08:00:00Z")
    assert (newer.status_code, newer.json()["applied"]) == (201, 1)
    faulty = post_csv("supplier_sku,quantity\nCT-1,x\n", "?as_of=2026-01-15T09:00:00Z")
    assert (faulty.status_code, "line 2" in faulty.json()["detail"]) == (422, True)
    [known] = desk.ask("GET", f"/suppliers/{article['supplier_id']}/stock")["items"]
    assert (known["supplier_sku"], known["quantity"], known["as_of"]) == ("CT-1", 7, "2026-01-15T08:00:00Z")


def test_suppliers_and_terms_change_by_what_is_given(desk: Desk, article: dict[str, Any]) -> None:
    changed = desk.ask("PATCH", f"/suppliers/{article['supplier_id']}", {"email": "toys@example.com"})
    assert (changed["name"], changed["email"], changed["over_delivery_bp"]) == (
        "Channapatna Toys",
        "toys@example.com",
        500,
    )
    assert desk.ask("PATCH", f"/supplier-products/{article['id']}", {"cost_minor": 1})["pack_size"] == 12
    assert [found["code"] for found in desk.ask("GET", "/suppliers")["items"]] == ["TOYS"]
    [known] = desk.ask("GET", f"/suppliers/{article['supplier_id']}/products")["items"]
    assert known["cost_minor"] == 1
    desk.post("/suppliers", {"code": "TOYS", "name": "Again"}, status=409)
    again = {"supplier_sku": "CT-1", "variant_id": 1, "cost_minor": 1, "currency": "INR", "lead_time_days": 1}
    desk.post(f"/suppliers/{article['supplier_id']}/products", again, status=409)


def test_requirements(desk: Desk, article: dict[str, Any]) -> None:
    wanted = {"variant_id": article["variant_id"], "quantity": 60, "needed_by": "2026-10-20", "note": "a wedding"}
    made = desk.post("/procurement/requirements", wanted)
    assert (made["state"], made["location_id"]) == ("open", 1)
    done = desk.post(f"/procurement/requirements/{made['id']}/cancel", status=200)
    assert done["state"] == "cancelled"
    desk.post(f"/procurement/requirements/{made['id']}/cancel", status=409)
    assert desk.ask("GET", "/procurement/requirements")["items"] == []
    assert len(desk.ask("GET", "/procurement/requirements?unmet_only=false")["items"]) == 1


BAD_BODIES: list[tuple[str, Any]] = [
    ("/suppliers", {"code": "", "name": "x"}),
    ("/suppliers", {"code": "A", "name": "x", "over_delivery_bp": 20_000}),
    ("/suppliers", {"code": "A", "name": "x", "email": "nobody"}),
    ("/suppliers", {"code": "A", "name": "x", "colour": "red"}),
    ("/procurement/orders", {"supplier_id": 2**70}),
    ("/procurement/orders", {"supplier_id": 1, "currency": "rupees"}),
    ("/procurement/orders/1/receipts", {"lines": []}),
    ("/procurement/orders/1/receipts", {"lines": [{"line_id": 1, "quantity": -1}]}),
    ("/procurement/requirements", {"variant_id": 1, "quantity": 0, "needed_by": "2026-10-20"}),
]


def test_bad_input_is_a_problem_and_writes_nothing(desk: Desk, buyer: Buyer) -> None:
    for path, body in BAD_BODIES:
        problem = desk.post(path, body, status=422)
        assert problem["type"].startswith("urn:"), body
    assert buyer.kit.count(Supplier) == buyer.kit.count(PurchaseOrder) == buyer.kit.count(PurchaseReceipt) == 0


def test_what_is_unknown_is_not_found(desk: Desk) -> None:
    for method, path in (
        ("GET", "/procurement/orders/9"),
        ("GET", "/procurement/orders/9/receipts"),
        ("GET", "/procurement/lines/9/explanation"),
        ("GET", "/suppliers/9/products"),
        ("GET", "/suppliers/9/stock"),
        ("GET", "/suppliers/9/performance"),
    ):
        desk.ask(method, path, status=404)
    desk.ask("PATCH", "/suppliers/9", {"name": "x"}, status=404)
    desk.post("/procurement/orders/9/place", status=404)


def test_shoppers_may_nothing_and_staff_may_not_change_suppliers(
    client: TestClient, database: Database, desk: Desk
) -> None:
    register(database, "shopper@example.com")
    shopper = Desk(client, log_in(client, "shopper@example.com"))
    for path in ("/suppliers", "/procurement/orders", "/procurement/suggestions"):
        shopper.ask("GET", path, status=403)
    make_staff(database, "packer@example.com", "staff")
    packer = Desk(client, log_in(client, "packer@example.com"))
    packer.ask("GET", "/suppliers")
    packer.post("/suppliers", {"code": "A", "name": "x"}, status=403)
    packer.post("/procurement/reorder", status=200)
