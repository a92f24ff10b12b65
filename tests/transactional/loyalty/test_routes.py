"""Points over HTTP: whose they are, who may adjust, plan and replay, and what is refused."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff
from transactional.core.clock import ManualClock

Headers = dict[str, str]


@pytest.fixture
def client(kit: TradeKit, tmp_path: Path) -> TestClient:
    """The shop."""
    return make_client(kit.database, tmp_path)


@pytest.fixture
def asha(kit: TradeKit) -> int:
    """A customer who bought for ₹2,000 (20 points, pending) and was given 30 points."""
    customer_id = kit.customer()
    cup = kit.variant("CUP", price=100_000, stock=9)
    kit.buy({cup: 2}, customer_id=customer_id)
    kit.give_points(customer_id, 30)
    return customer_id


@pytest.fixture
def boss(kit: TradeKit, client: TestClient) -> Headers:
    """Somebody who may do everything."""
    make_staff(kit.database, "boss@example.com", "super_admin")
    return log_in(client, "boss@example.com")


@pytest.fixture
def second(kit: TradeKit, client: TestClient) -> Headers:
    """Somebody else who may."""
    make_staff(kit.database, "second@example.com", "super_admin")
    return log_in(client, "second@example.com")


def keyed(headers: Headers, key: str = "0f8fad5b-d9cb-469f-a165-70867728950e") -> Headers:
    return {**headers, "Idempotency-Key": key}


def test_a_customer_sees_wallets_tier_and_what_expires(client: TestClient, asha: int, clock: ManualClock) -> None:
    assert client.get("/v1/points").status_code == 401
    me = log_in(client)
    seen = client.get("/v1/points", headers=me).json()
    assert (seen["active"], seen["pending"], seen["redeemable"], seen["expires_soon"]) == (30, 20, 30, 0)
    assert seen["wallets"] == [
        {"wallet": "earned", "active": 30, "pending": 20, "owed": 0},
        {"wallet": "promotional", "active": 0, "pending": 0, "owed": 0},
    ]
    assert (seen["tier"]["name"], seen["tier"]["next_name"], seen["tier"]["points_to_next"]) == ("Bronze", "Silver", 30)
    assert client.get("/v1/points/expiring", headers=me).json() == []
    lots = client.get("/v1/points/expiring?days=366", headers=me).json()
    assert [(lot["points"], lot["source"]) for lot in lots] == [(20, "order"), (30, "adjustment")]
    assert client.get("/v1/points/expiring?days=0", headers=me).status_code == 422


def test_the_history_comes_in_pages(client: TestClient, kit: TradeKit, asha: int) -> None:
    for _ in range(3):
        kit.give_points(asha, 1)
    me = log_in(client)
    seen: list[int] = []
    page = client.get("/v1/points/history?limit=2", headers=me).json()
    while True:
        seen += [entry["points"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        page = client.get(f"/v1/points/history?limit=2&cursor={page['next_cursor']}", headers=me).json()
    assert seen == [1, 1, 1, 30, 20]
    assert client.get("/v1/points/history?cursor=zzz", headers=me).status_code == 422


def test_a_statement_of_a_past_day_also_as_a_table(
    client: TestClient, kit: TradeKit, asha: int, clock: ManualClock
) -> None:
    then = kit.now
    clock.advance(timedelta(days=400))
    me = log_in(client)
    past = client.get("/v1/points/statement", params={"as_of": then.isoformat()}, headers=me).json()
    assert (past["closing"]["active"], past["closing"]["pending"]) == (30, 20)
    assert [(lot["amount"], lot["state"], lot["rule_version"]) for lot in past["lots"]] == [
        (20, "pending", 1),
        (30, "active", 1),
    ]
    today = client.get("/v1/points/statement", params={"since": then.isoformat()}, headers=me).json()
    assert (today["opening"], today["closing"]["expired"]) == (past["closing"], 50)
    table = client.get("/v1/points/statement.csv", params={"since": then.isoformat()}, headers=me)
    assert table.headers["content-type"].startswith("text/csv")
    assert "points-2027-02-19.csv" in table.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert (rows[0]["what"], rows[0]["balance"]) == ("opening", "50")
    assert rows[-1]["balance"] == "0"
    future = client.get("/v1/points/statement", params={"as_of": "2999-01-01T00:00:00Z"}, headers=me)
    assert (future.status_code, future.headers["content-type"]) == (422, "application/problem+json")
    assert client.get("/v1/points/statement?as_of=2026-01-01T00:00:00", headers=me).status_code == 422


def test_nobody_sees_a_strangers_points(client: TestClient, kit: TradeKit, asha: int) -> None:
    kit.customer("bela@example.com")
    bela = log_in(client, "bela@example.com")
    assert client.get("/v1/points", headers=bela).json()["active"] == 0
    assert client.get("/v1/points/history", headers=bela).json()["items"] == []
    assert client.get("/v1/points/statement", headers=bela).json()["lots"] == []
    for path in ("", "/history", "/expiring", "/statement", "/statement.csv"):
        assert client.get(f"/v1/staff/customers/{asha}/points{path}", headers=bela).status_code == 403


def test_staff_read_any_customers_points(client: TestClient, boss: Headers, asha: int) -> None:
    url = f"/v1/staff/customers/{asha}/points"
    assert client.get(url, headers=boss).json()["pending"] == 20
    assert len(client.get(f"{url}/history", headers=boss).json()["items"]) == 2
    assert len(client.get(f"{url}/expiring?days=366", headers=boss).json()) == 2
    assert client.get(f"{url}/statement", headers=boss).json()["closing"]["active"] == 30
    assert client.get(f"{url}/statement.csv", headers=boss).status_code == 200
    assert client.get("/v1/staff/customers/999/points/statement", headers=boss).status_code == 404


def test_a_large_adjustment_takes_two_people(client: TestClient, boss: Headers, second: Headers, asha: int) -> None:
    url = f"/v1/staff/customers/{asha}/points/adjustments"
    body = {"points": 700, "reason": "lost parcel ✓", "wallet": "promotional"}
    asked = client.post(url, json=body, headers=keyed(boss))
    assert (asked.status_code, asked.json()["state"], asked.json()["entry_id"]) == (201, "requested", None)
    assert client.post(url, json=body, headers=keyed(boss)).json() == asked.json(), "asked twice, asked once"
    one = f"/v1/staff/points/adjustments/{asked.json()['id']}"
    assert client.post(f"{one}/approve", json={}, headers=boss).status_code == 403
    assert client.post(f"{one}/refuse", json={}, headers=second).status_code == 422
    done = client.post(f"{one}/approve", json={"note": "seen the scan"}, headers=second)
    assert (done.status_code, done.json()["state"]) == (200, "applied")
    assert client.post(f"{one}/approve", json={}, headers=second).status_code == 409
    listed = client.get("/v1/staff/points/adjustments?state=applied", headers=boss).json()["items"]
    assert [(row["id"], row["decision_note"]) for row in listed] == [(asked.json()["id"], "seen the scan")]
    assert client.get(f"/v1/staff/customers/{asha}/points", headers=boss).json()["active"] == 730


def test_a_request_is_declined_or_runs_out(
    client: TestClient, boss: Headers, second: Headers, asha: int, clock: ManualClock
) -> None:
    url = f"/v1/staff/customers/{asha}/points/adjustments"
    keys = ("a" * 20, "b" * 20)
    first, other = (
        client.post(url, json={"points": 700, "reason": "?"}, headers=keyed(boss, key)).json() for key in keys
    )
    declined = client.post(
        f"/v1/staff/points/adjustments/{first['id']}/refuse", json={"note": "no reason"}, headers=second
    )
    assert declined.json()["state"] == "refused"
    clock.advance(timedelta(days=14))
    boss, second = log_in(client, "boss@example.com"), log_in(client, "second@example.com")
    late = client.post(f"/v1/staff/points/adjustments/{other['id']}/approve", json={}, headers=second)
    assert late.status_code == 409
    listed = client.get(f"/v1/staff/points/adjustments?customer_id={asha}", headers=boss).json()["items"]
    assert [row["state"] for row in listed] == ["expired", "refused"]


@pytest.mark.parametrize(
    "body",
    [
        {"points": 0, "reason": "x"},
        {"points": 5, "reason": " "},
        {"points": 5},
        {"points": 10**9, "reason": "x"},
        {"points": 5, "reason": "x", "wallet": "golden"},
    ],
)
def test_bad_adjustments_are_refused(client: TestClient, boss: Headers, asha: int, body: dict[str, object]) -> None:
    answer = client.post(f"/v1/staff/customers/{asha}/points/adjustments", json=body, headers=keyed(boss))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_new_version_is_planned_checked_and_withdrawn(
    client: TestClient, boss: Headers, asha: int, clock: ManualClock
) -> None:
    start = (clock.now() + timedelta(days=10)).isoformat()
    tiers = [{"name": "All", "threshold": 0}, {"name": "Best", "threshold": 90, "multiplier_bp": 15_000}]
    plan = {"valid_from": start, "changes": {"earn_per_unit_minor": 5_000}, "tiers": tiers}
    bad = {**plan, "changes": {"earn_per_unit_minor": 0, "time_zone": "Asia/Nowhere", "expiry_days": 3}}
    refused = client.post("/v1/staff/points/programme", json=bad, headers=keyed(boss, "c" * 20))
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} >= {
        "earn_per_unit_minor",
        "time_zone",
        "expiry_days",
    }
    past = {**plan, "valid_from": clock.now().isoformat()}
    assert client.post("/v1/staff/points/programme", json=past, headers=keyed(boss, "d" * 20)).status_code == 422
    made = client.post("/v1/staff/points/programme", json=plan, headers=keyed(boss, "e" * 20))
    assert (made.status_code, made.json()["version"]) == (201, 2)
    assert (made.json()["rules"]["earn_per_unit_minor"], made.json()["rules"]["value_per_point_minor"]) == (5_000, 100)
    sooner = {**plan, "valid_from": (clock.now() + timedelta(days=5)).isoformat()}
    assert client.post("/v1/staff/points/programme", json=sooner, headers=keyed(boss, "f" * 20)).status_code == 422
    listed = client.get("/v1/staff/points/programme", headers=boss).json()
    assert [(each["version"], len(each["tiers"])) for each in listed] == [(2, 2), (1, 4)]
    assert client.delete("/v1/staff/points/programme/1", headers=boss).status_code == 409
    assert client.delete("/v1/staff/points/programme/2", headers=boss).status_code == 204
    assert client.delete("/v1/staff/points/programme/2", headers=boss).status_code == 404


def test_a_version_counts_from_its_day_on_and_not_before(
    client: TestClient, boss: Headers, kit: TradeKit, asha: int, clock: ManualClock
) -> None:
    plan = {
        "valid_from": (clock.now() + timedelta(days=1)).isoformat(),
        "changes": {"earn_per_unit_minor": 5_000, "adjustment_limit": 0},
    }
    client.post("/v1/staff/points/programme", json=plan, headers=keyed(boss))
    mug = kit.variant("MUG", price=100_000, stock=9)
    kit.buy({mug: 1}, customer_id=asha)
    assert kit.points(asha).pending == 20 + 10
    clock.advance(timedelta(days=1))
    kit.buy({mug: 1}, customer_id=asha)
    assert kit.points(asha).pending == 20 + 10 + 20
    made = client.get("/v1/points/statement", headers=log_in(client)).json()
    assert [lot["rule_version"] for lot in made["lots"]] == [1, 1, 1, 2]


def test_a_campaign_is_planned_started_and_ended(
    client: TestClient, boss: Headers, kit: TradeKit, asha: int, clock: ManualClock
) -> None:
    plan = {
        "name": "Doubles",
        "multiplier_bp": 20_000,
        "starts_at": (clock.now() + timedelta(days=9)).isoformat(),
    }
    made = client.post("/v1/staff/points/campaigns", json=plan, headers=keyed(boss))
    assert (made.status_code, made.json()["state"]) == (201, "planned")
    one = f"/v1/staff/points/campaigns/{made.json()['id']}"
    assert client.post(f"{one}/start", headers=boss).json()["state"] == "running"
    assert client.post(f"{one}/start", headers=boss).status_code == 409
    mug = kit.variant("MUG", price=100_000, stock=9)
    kit.buy({mug: 1}, customer_id=asha)
    assert kit.points(asha).pending == 20 + 20
    clock.advance(timedelta(hours=1))
    boss = log_in(client, "boss@example.com")
    assert client.post(f"{one}/end", headers=boss).status_code == 204
    assert client.post(f"{one}/end", headers=boss).status_code == 409
    assert [each["state"] for each in client.get("/v1/staff/points/campaigns", headers=boss).json()] == ["ended"]
    assert client.post("/v1/staff/points/campaigns/99/start", headers=boss).status_code == 404


def test_a_replay_and_the_liability_over_http(client: TestClient, boss: Headers, asha: int, clock: ManualClock) -> None:
    since = (clock.now() - timedelta(days=1)).isoformat()
    clock.advance(timedelta(hours=1))
    boss = log_in(client, "boss@example.com")
    body = {"since": since, "changes": {"earn_per_unit_minor": 5_000}}
    answer = client.post("/v1/staff/points/programme/replay", json=body, headers=boss)
    assert answer.status_code == 200, answer.text
    total = answer.json()["total"]
    assert (total["actual"]["open_points"], total["replayed"]["open_points"]) == (50, 70)
    assert total["change_minor"] == 2_000
    assert [each["customer_id"] for each in answer.json()["most_affected"]] == [asha]
    owed = client.get("/v1/staff/points/liability", headers=boss).json()
    assert (owed["points"], owed["value_minor"], owed["largest"]) == (50, 5_000, [{"customer_id": asha, "points": 50}])
    nonsense = {"since": since, "changes": {"earn": 1}}
    assert client.post("/v1/staff/points/programme/replay", json=nonsense, headers=boss).status_code == 422


def test_reading_does_not_permit_adjusting_or_planning(client: TestClient, kit: TradeKit, asha: int) -> None:
    make_staff(kit.database, "staff@example.com", "staff")
    staff = log_in(client, "staff@example.com")
    assert client.get(f"/v1/staff/customers/{asha}/points", headers=staff).status_code == 200
    body = {"points": 5, "reason": "x"}
    refused = client.post(f"/v1/staff/customers/{asha}/points/adjustments", json=body, headers=keyed(staff))
    assert refused.status_code == 403
    plan = {"valid_from": "2027-01-01T00:00:00Z", "changes": {}}
    assert client.post("/v1/staff/points/programme", json=plan, headers=keyed(staff)).status_code == 403
    campaign = {"name": "x", "multiplier_bp": 1, "starts_at": "2027-01-01T00:00:00Z"}
    assert client.post("/v1/staff/points/campaigns", json=campaign, headers=keyed(staff)).status_code == 403
