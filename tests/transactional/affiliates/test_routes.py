"""Affiliates over HTTP: from the programme to the payout, and who may see what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.keys import keyed
from tests.support.trade import ADDRESS
from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.affiliates.desk import HOME, Desk
from transactional.affiliates.models import AffiliateClick
from transactional.orders import service as orders

APPLICATION = {**HOME, "programme": "friends", "full_name": "Asha Rao"}
VERSION = {
    "rate_bp": 1_000,
    "window_days": 30,
    "click_rule": "last_click",
    "winner": "code",
    "min_payout_minor": 0,
}


@pytest.fixture
def client(desk: Desk, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(desk.kit.database, tmp_path) as client:
        yield client


@pytest.fixture
def manager(desk: Desk, client: TestClient) -> dict[str, str]:
    make_staff(desk.kit.database, "manager@example.com")
    return log_in(client, "manager@example.com")


@pytest.fixture
def asha(desk: Desk, client: TestClient) -> dict[str, str]:
    register(desk.kit.database)
    return log_in(client)


def post(client: TestClient, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    """A POST with a key of its own, as writing requests need one."""
    return client.post(path, json=body, headers=keyed(headers))


def ok(answer: Any) -> Any:
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


@pytest.fixture
def affiliate(client: TestClient, manager: dict[str, str], asha: dict[str, str]) -> str:
    """Asha, approved in a programme; her public id."""
    programme = {"key": "friends", "name": "Friends"}
    ok(post(client, "/v1/staff/affiliate-programmes", programme, manager))
    ok(post(client, "/v1/staff/affiliate-programmes/friends/versions", VERSION, manager))
    applied = ok(post(client, "/v1/affiliates", APPLICATION, asha))
    assert applied["status"] == "applied"
    decision = {"status": "active", "note": "Welcome"}
    ok(client.put(f"/v1/staff/affiliates/{applied['id']}/status", json=decision, headers=manager))
    return str(applied["id"])


def link_of(client: TestClient, asha: dict[str, str]) -> str:
    body = {"landing": "/products/diya-set?x=1", "label": "Reel"}
    return str(ok(post(client, "/v1/affiliates/me/links", body, asha))["id"])


def order(client: TestClient, desk: Desk, **said: str) -> str:
    """A guest's order over HTTP, paid; its public id."""
    variant = desk.kit.variant(f"MUG-{desk.now.timestamp()}-{len(said)}", stock=9)
    cart = ok(post(client, "/v1/carts", {"lines": [{"variant_id": variant, "quantity": 1}]}))
    body = {"cart_id": cart["id"], "email": "guest@example.com", "ship_to": ADDRESS, **said}
    return str(ok(post(client, "/v1/checkout", body))["id"])


def settle(desk: Desk, public_id: str) -> int:
    with desk.kit.database.read() as session:
        order_id = orders.order_by_reference(session, public_id).id
    desk.kit.pay(order_id)
    desk.settle(order_id)
    return order_id


@pytest.mark.usefixtures("affiliate")
def test_from_a_click_to_a_payout(client: TestClient, desk: Desk, asha: dict[str, str]) -> None:
    link = link_of(client, asha)
    followed = ok(post(client, f"/v1/affiliate-links/{link}/clicks", {"consent": True}))
    order_id = settle(desk, order(client, desk, visitor_id=followed["visitor_id"]))
    desk.mature(order_id)
    asha, manager = log_in(client), log_in(client, "manager@example.com")
    dashboard = ok(client.get("/v1/affiliates/me", headers=asha))
    assert (dashboard["clicks"], dashboard["orders"]) == (1, 1)
    assert dashboard["earnings"][0]["payable_minor"] == 10_000
    (bought,) = ok(client.get("/v1/affiliates/me/orders", headers=asha))["items"]
    receipt = ok(client.get(f"/v1/affiliates/me/orders/{bought['receipt']}/receipt", headers=asha))
    assert receipt["unbroken"]
    assert receipt["follows_on"]
    (click,) = ok(client.get("/v1/affiliates/me/clicks", headers=asha))["items"]
    assert receipt["links"][0]["sha256"] == click["sha256"]
    body = {"programme": "friends", "currency": "INR"}
    batch = ok(post(client, "/v1/staff/affiliate-payouts", body, manager))
    assert batch["total_minor"] == 10_000
    exported = client.get(f"/v1/staff/affiliate-payouts/{batch['id']}.csv", headers=manager)
    assert exported.headers["content-type"].startswith("text/csv")
    assert bought["receipt"] in exported.text
    (paid,) = ok(client.get("/v1/affiliates/me/payouts", headers=asha))["items"]
    assert (paid["amount_minor"], paid["batch"]) == (10_000, batch["id"])
    assert post(client, "/v1/staff/affiliate-payouts", body, manager).status_code == 409


@pytest.mark.usefixtures("affiliate")
def test_nothing_that_an_affiliate_sees_tells_who_bought(client: TestClient, desk: Desk, asha: dict[str, str]) -> None:
    link = link_of(client, asha)
    visitor = ok(post(client, f"/v1/affiliate-links/{link}/clicks", {"consent": True}))["visitor_id"]
    public_id = order(client, desk, visitor_id=visitor)
    order_id = settle(desk, public_id)
    number = desk.kit.order(order_id).order_number
    (bought,) = ok(client.get("/v1/affiliates/me/orders", headers=asha))["items"]
    paths = ["", "/orders", "/clicks", "/payouts", "/links", "/codes", f"/orders/{bought['receipt']}/receipt"]
    seen = "".join(client.get(f"/v1/affiliates/me{path}", headers=asha).text for path in paths)
    personal = ("guest@example.com", public_id, number, ADDRESS["recipient"], ADDRESS["line1"], ADDRESS["phone"])
    assert not [secret for secret in personal if secret in seen]


@pytest.mark.usefixtures("affiliate")
def test_a_link_leads_on_and_sets_a_cookie_only_with_consent(
    client: TestClient, desk: Desk, asha: dict[str, str]
) -> None:
    path = f"/v1/affiliate-links/{link_of(client, asha)}"
    silent = client.get(path, follow_redirects=False)
    assert (silent.status_code, silent.headers["location"]) == (303, "/products/diya-set?x=1")
    assert "set-cookie" not in silent.headers
    agreed = client.get(path, params={"consent": True}, follow_redirects=False)
    visitor = agreed.cookies["mlt_visitor"]
    again = client.get(path, params={"consent": True}, follow_redirects=False)
    assert again.cookies.get("mlt_visitor", visitor) == visitor
    with desk.kit.database.read() as session:
        rows = session.scalars(select(AffiliateClick).order_by(AffiliateClick.id)).all()
    assert [row.visitor_id for row in rows] == [None, visitor, visitor]
    assert rows[0].browser_hash is None
    assert rows[1].browser_hash == rows[2].browser_hash
    assert client.get("/v1/affiliate-links/lnk_nobody", follow_redirects=False).status_code == 404


@pytest.mark.usefixtures("affiliate")
def test_too_many_clicks_from_one_address_are_refused(client: TestClient, asha: dict[str, str]) -> None:
    path = f"/v1/affiliate-links/{link_of(client, asha)}/clicks"
    answers = [post(client, path, {"consent": False}).status_code for _ in range(61)]
    assert answers[:60] == [201] * 60
    assert answers[60] == 429


@pytest.mark.usefixtures("affiliate")
def test_the_published_text_is_made_from_the_values(client: TestClient) -> None:
    said = ok(client.get("/v1/affiliate-programmes/friends"))
    text = " ".join(said["text"])
    assert f"within {said['window_days']} days" in text
    assert "the last link counts" in text
    assert "the code wins" in text
    assert "10 %" in text
    assert "return window of 14 days" in text


def test_a_code_at_checkout_names_the_affiliate(
    client: TestClient, desk: Desk, manager: dict[str, str], asha: dict[str, str], affiliate: str
) -> None:
    code = {"code": "asha-gifts"}
    ok(post(client, f"/v1/staff/affiliates/{affiliate}/codes", code, manager))
    assert ok(client.get("/v1/affiliates/me/codes", headers=asha))[0]["code"] == "ASHA-GIFTS"
    settle(desk, order(client, desk, referral_code="ASHA-GIFTS"))
    assert ok(client.get("/v1/affiliates/me", headers=asha))["orders"] == 1
    reserved = {"code": "GIFT-12345"}
    assert post(client, f"/v1/staff/affiliates/{affiliate}/codes", reserved, manager).status_code == 422


def test_an_ended_link_leads_on_and_an_ended_code_names_nobody(
    client: TestClient, desk: Desk, manager: dict[str, str], asha: dict[str, str], affiliate: str
) -> None:
    link = link_of(client, asha)
    assert ok(client.delete(f"/v1/affiliates/me/links/{link}", headers=asha))["ended_at"]
    followed = ok(post(client, f"/v1/affiliate-links/{link}/clicks", {"consent": True}))
    assert followed == {"landing": "/products/diya-set?x=1", "visitor_id": None}
    codes = f"/v1/staff/affiliates/{affiliate}/codes"
    ok(post(client, codes, {"code": "ASHA-GIFTS"}, manager))
    assert ok(client.delete(f"{codes}/asha-gifts", headers=manager))["ended_at"]
    settle(desk, order(client, desk, referral_code="ASHA-GIFTS"))
    dashboard = ok(client.get("/v1/affiliates/me", headers=asha))
    assert (dashboard["clicks"], dashboard["orders"]) == (0, 0)
    assert client.delete(f"{codes}/nobody", headers=manager).status_code == 404
    assert client.delete("/v1/affiliates/me/links/lnk_nobody", headers=asha).status_code == 404


def test_where_commission_is_paid_can_be_changed_by_its_owner(
    client: TestClient, manager: dict[str, str], asha: dict[str, str], affiliate: str
) -> None:
    ok(client.put("/v1/affiliates/me/pay-to", json={"pay_to": "upi:new@bank"}, headers=asha))
    (row,) = ok(client.get("/v1/staff/affiliates", headers=manager))["items"]
    assert (row["id"], row["pay_to"]) == (affiliate, "upi:new@bank")
    assert client.put("/v1/affiliates/me/pay-to", json={"pay_to": "upi:x"}, headers=manager).status_code == 404


def test_others_see_and_change_nothing(client: TestClient, desk: Desk, asha: dict[str, str], affiliate: str) -> None:
    register(desk.kit.database, "other@example.com")
    other = log_in(client, "other@example.com")
    assert client.get("/v1/affiliates/me", headers=other).status_code == 404
    assert client.get("/v1/affiliates/me").status_code == 401
    visitor = ok(post(client, f"/v1/affiliate-links/{link_of(client, asha)}/clicks", {"consent": True}))
    settle(desk, order(client, desk, visitor_id=visitor["visitor_id"]))
    (bought,) = ok(client.get("/v1/affiliates/me/orders", headers=asha))["items"]
    two = desk.affiliate(desk.programme("rivals"), "two@example.com")
    assert two
    rival = log_in(client, "two@example.com")
    assert client.get(f"/v1/affiliates/me/orders/{bought['receipt']}/receipt", headers=rival).status_code == 404
    for path in ("/v1/staff/affiliates", "/v1/staff/affiliate-payouts", "/v1/staff/affiliate-programmes"):
        assert client.get(path, headers=asha).status_code == 403
    make_staff(desk.kit.database, "clerk@example.com", "staff")
    clerk = log_in(client, "clerk@example.com")
    assert ok(client.get("/v1/staff/affiliates", headers=clerk))["items"]
    decision = {"status": "inactive", "note": "x"}
    assert client.put(f"/v1/staff/affiliates/{affiliate}/status", json=decision, headers=clerk).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_days": 0},
        {"rate_bp": 10_001},
        {"click_rule": "any_click"},
        {"winner": None},
        {"rates": [{"rate_bp": 5}]},
        {"rates": [{"rate_bp": 5, "category_id": 999}]},
        {"rates": [{"rate_bp": 5, "affiliate": "aff_nobody"}]},
    ],
    ids=str,
)
def test_a_version_that_makes_no_sense_is_refused(
    client: TestClient, manager: dict[str, str], wrong: dict[str, Any]
) -> None:
    programme = {"key": "friends", "name": "Friends"}
    ok(post(client, "/v1/staff/affiliate-programmes", programme, manager))
    assert post(client, "/v1/staff/affiliate-programmes", programme, manager).status_code == 409
    answer = post(client, "/v1/staff/affiliate-programmes/friends/versions", VERSION | wrong, manager)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["detail"]
    assert client.get("/v1/affiliate-programmes/friends").status_code == 404


def test_a_customer_invites_when_invitations_are_open(
    client: TestClient, manager: dict[str, str], asha: dict[str, str]
) -> None:
    assert client.post("/v1/invitations", headers=asha).status_code == 409
    terms = {"reward": "points", "referrer_points": 200, "referred_points": 100}
    ok(post(client, "/v1/staff/referral-terms", terms, manager))
    mine = ok(client.post("/v1/invitations", headers=asha))
    assert mine["code"].startswith("GIFT-")
    assert ok(client.post("/v1/invitations", headers=asha)) == mine
    assert len(ok(client.get("/v1/staff/referral-terms", headers=manager))) == 1
