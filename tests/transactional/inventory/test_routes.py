"""Stock over HTTP, for staff."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from transactional.core.uow import Database
from transactional.inventory.models import Location, StockMovement, StockTransfer

_keys = count()


class Desk:
    """Requests of somebody who is logged in."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    def post(self, path: str, body: Any, *, status: int = 201, key: str | None = None) -> Any:
        """A POST with a key of its own."""
        keyed = {**self.headers, "Idempotency-Key": key or f"key-{next(_keys)}"}
        answer = self.client.post(f"/v1/staff/inventory{path}", json=body, headers=keyed)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Anything else."""
        answer = self.client.request(method, f"/v1/staff/inventory{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    """The whole app on SQLite."""
    with make_client(database, tmp_path) as client:
        yield client


@pytest.fixture
def desk(client: TestClient, database: Database) -> Desk:
    """Of somebody who packs."""
    make_staff(database, "packer@example.com", "staff")
    return Desk(client, log_in(client, "packer@example.com"))


@pytest.mark.slow
def test_a_shelf_is_counted_moved_and_told(desk: Desk, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=10)
    back = desk.post("/locations", {"code": "back", "name": "Back room", "postal_code": "560001", "priority": 50})
    assert (back["code"], back["priority"], back["is_active"]) == ("BACK", 50, True)
    changed = desk.ask("PATCH", f"/locations/{back['id']}", {"is_active": False})
    assert (changed["is_active"], changed["name"], changed["postal_code"]) == (False, "Back room", "560001")

    body = {"variant_id": cup, "from_location_id": 1, "to_location_id": back["id"], "quantity": 4, "reason": "the fair"}
    moved = desk.post("/transfers", body, key="move-1")
    assert desk.post("/transfers", body, key="move-1") == moved
    assert kit.count(StockTransfer) == 1
    counted = desk.post("/counts", {"variant_id": cup, "counted": 5, "reason": "yearly"})
    assert counted["adjustment"]["quantity"] == -1
    assert desk.post("/counts", {"variant_id": cup, "counted": 5, "reason": "yearly"})["adjustment"] is None
    desk.post("/counts", {"variant_id": cup, "counted": 5}, status=422)

    levels = {level["location_id"]: level["on_hand"] for level in desk.ask("GET", "/levels")["items"]}
    assert levels == {1: 5, back["id"]: 4}
    only = desk.ask("GET", f"/movements?variant_id={cup}&location_id={back['id']}")["items"]
    assert [(movement["kind"], movement["quantity"], movement["transfer_id"]) for movement in only] == [
        ("transfer", 4, moved["id"])
    ]
    assert len(desk.ask("GET", "/movements?kind=transfer")["items"]) == 2
    first = desk.ask("GET", "/movements?limit=1")
    assert desk.ask("GET", f"/movements?limit=1&cursor={first['next_cursor']}")["items"] != first["items"]


def test_holds_and_the_position_of_a_moment(desk: Desk, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=10)
    order = kit.buy({cup: 3}, pay=False)
    [held] = desk.ask("GET", f"/holds?order_id={order}&state=live")["items"]
    assert (held["quantity"], held["bundle_variant_id"], held["expires_at"]) == (3, None, "2026-01-15T10:15:00Z")
    assert desk.ask("GET", "/holds?overdue=true")["items"] == []
    now = desk.ask("GET", f"/levels/{cup}/1/position")
    assert (now["on_hand"], now["reserved"]) == (10, 3)
    before = desk.ask("GET", f"/levels/{cup}/1/position?at=2026-01-15T09:59:59Z")
    assert (before["on_hand"], before["reserved"]) == (0, 0)
    desk.ask("GET", f"/levels/{cup}/1/position?at=2026-01-15T10:00:00", status=422)
    desk.ask("GET", f"/levels/{cup}/77/position", status=404)


def test_bundles(desk: Desk, kit: TradeKit) -> None:
    cup, box = kit.variant("CUP", stock=7), kit.variant("BOX")
    made = desk.ask("PUT", f"/bundles/{box}", {"components": {str(cup): 2}})
    assert (made["components"], made["saleable"]) == ({str(cup): 2}, 3)
    assert desk.ask("GET", f"/bundles/{box}") == made
    desk.ask("GET", f"/bundles/{cup}", status=404)
    desk.ask("PUT", f"/bundles/{box}", {"components": {}}, status=422)
    desk.ask("PUT", f"/bundles/{cup}", {"components": {str(box): 1}}, status=422)
    kit.buy({box: 1})
    desk.ask("PUT", f"/bundles/{box}", {"components": {str(cup): 1}}, status=409)
    assert [hold["variant_id"] for hold in desk.ask("GET", f"/holds?variant_id={box}")["items"]] == [cup]


@pytest.mark.slow
def test_rules_and_alerts(desk: Desk, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    level = desk.ask("PATCH", f"/levels/{cup}/1", {"low_stock_level": 5, "reorder_policy": "forecast"})
    assert (level["low_stock_level"], level["reorder_policy"], level["backorder_limit"]) == (5, "forecast", None)
    [alert] = desk.ask("GET", "/alerts")["items"]
    assert (alert["variant_id"], alert["saleable"], alert["closed_at"]) == (cup, 3, None)
    desk.ask("PATCH", f"/levels/{cup}/1", {"low_stock_level": 0})
    assert desk.ask("GET", "/alerts")["items"] == []
    assert len(desk.ask("GET", "/alerts?open_only=false")["items"]) == 1
    for body in ({}, {"service_level_bp": 10_000}, {"low_stock_level": -1}, {"colour": "red"}):
        desk.ask("PATCH", f"/levels/{cup}/1", body, status=422)
    desk.ask("PATCH", f"/levels/{cup}/77", {"threshold": 1}, status=404)
    desk.ask("PATCH", "/levels/999/1", {"threshold": 1}, status=404)


@pytest.mark.slow
def test_refusals_are_problems_and_write_nothing(desk: Desk, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    kit.buy({cup: 2})
    before = kit.count(StockMovement)
    body = {"variant_id": cup, "from_location_id": 1, "to_location_id": 1, "quantity": 1, "reason": "x"}
    assert "another location" in desk.post("/transfers", body, status=422)["detail"]
    taken = desk.post("/adjustments", {"variant_id": cup, "quantity": -2, "reason": "broken"}, status=409)
    assert "promised to orders" in taken["detail"]
    desk.post("/counts", {"variant_id": cup, "counted": 1, "reason": "x"}, status=409)
    desk.post("/receipts", {"variant_id": 2**70, "quantity": 1}, status=422)
    desk.post("/receipts", {"variant_id": 999, "quantity": 1}, status=404)
    desk.post("/locations", {"code": "MAIN", "name": "Again"}, status=409)
    desk.post("/locations", {"code": "X", "name": "X", "postal_code": "<b>"}, status=422)
    assert (kit.count(StockMovement), kit.count(Location)) == (before, 1)


def test_only_staff_may(client: TestClient, database: Database) -> None:
    register(database, "shopper@example.com")
    shopper = Desk(client, log_in(client, "shopper@example.com"))
    for path in ("/levels", "/movements", "/holds", "/alerts", "/locations"):
        shopper.ask("GET", path, status=403)
    shopper.post("/counts", {"variant_id": 1, "counted": 1, "reason": "x"}, status=403)
