"""What customers and staff do with an order over HTTP, and what they are told when it is not possible."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import log_in, make_staff, register
from transactional.accounts import service as accounts
from transactional.orders import service
from transactional.orders.timeline import Audience, timeline


@pytest.fixture
def asha(client: TestClient, kit: TradeKit) -> dict[str, str]:
    """A customer who is logged in."""
    register(kit.database)
    return log_in(client)


@pytest.fixture
def boss(client: TestClient, kit: TradeKit) -> dict[str, str]:
    """Somebody of the staff who is logged in."""
    make_staff(kit.database, "boss@example.com")
    return log_in(client, "boss@example.com")


@pytest.fixture
def buy(kit: TradeKit, asha: dict[str, str]) -> Callable[..., str]:
    """Asha orders; gives the order's number."""

    def work(lines: dict[int, int], **more: Any) -> str:
        with kit.database.read() as session:
            user = accounts.user_by_email(session, "asha@example.com")
            assert user is not None
            customer = accounts.customer_of_user(session, user.id)
            assert customer is not None
            customer_id = customer.id
        return kit.order(kit.buy(lines, customer_id=customer_id, **more)).order_number

    return work


def test_a_customer_calls_units_off(
    client: TestClient, kit: TradeKit, asha: dict[str, str], buy: Callable[..., str]
) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    url = f"/v1/orders/{buy({cup: 3})}"
    line = client.get(url, headers=asha).json()["lines"][0]["id"]
    body = {"units": [{"order_line_id": line, "quantity": 1}], "reason": "one too many"}
    headers = keyed(asha)
    first = client.post(f"{url}/cancel-units", json=body, headers=headers)
    assert first.status_code == 200, first.text
    again = client.post(f"{url}/cancel-units", json=body, headers=headers)
    assert again.json() == first.json()
    assert first.json()["refund_minor"] == 10_001
    assert first.json()["policy"]["shipping"]["rule"] == "a part of the order is kept"
    order = client.get(url, headers=asha).json()
    assert (order["lines"][0]["cancelled_quantity"], order["given_back_minor"]) == (1, 10_001)
    assert kit.level(cup) == (9, 2)


@pytest.mark.parametrize(
    "units",
    [
        [],
        [{"order_line_id": 1, "quantity": 0}],
        [{"order_line_id": 1, "quantity": 1}, {"order_line_id": 1, "quantity": 1}],
        [{"order_line_id": 10**30, "quantity": 1}],
    ],
)
def test_nonsense_is_refused_by_name(
    client: TestClient, kit: TradeKit, asha: dict[str, str], buy: Callable[..., str], units: list[dict[str, int]]
) -> None:
    number = buy({kit.variant("CUP", stock=9): 1})
    answer = client.post(f"/v1/orders/{number}/cancel-units", json={"units": units}, headers=keyed(asha))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_refused_step_names_from_to_and_what_is_possible(
    client: TestClient, kit: TradeKit, boss: dict[str, str], buy: Callable[..., str]
) -> None:
    number = buy({kit.variant("CUP", stock=9): 1}, pay=False)
    problem = client.post(f"/v1/staff/orders/{number}/pack", headers=boss)
    assert problem.status_code == 409
    body = problem.json()
    assert body["type"] == "urn:my-little-things:problem:illegal-transition"
    assert (body["from"], body["to"], body["status"]) == ("awaiting_payment", "packed", 409)
    assert body["allowed"] == ["awaiting_approval", "cancelled", "expired", "paid"]
    assert number in body["detail"]


@pytest.mark.slow
def test_a_change_from_wish_to_payment(
    client: TestClient, kit: TradeKit, asha: dict[str, str], buy: Callable[..., str]
) -> None:
    cup, lamp = kit.variant("CUP", stock=9), kit.variant("LAMP", price=50_000, stock=2)
    number = buy({cup: 1})
    url = f"/v1/orders/{number}"
    wish = {"add": [{"variant_id": lamp, "quantity": 1}], "ship_to": {**ADDRESS, "line1": "7 Ring Road"}}
    draft = client.post(f"{url}/changes", json=wish, headers=keyed(asha))
    assert draft.status_code == 201, draft.text
    assert (draft.json()["difference_minor"], draft.json()["status"]) == (50_000, "draft")
    assert client.get(url, headers=asha).json()["open_change"]["id"] == draft.json()["id"]
    second = client.post(f"{url}/changes", json=wish, headers=keyed(asha))
    assert (second.status_code, second.json()["from"]) == (409, "modifying")
    agreed = client.post(f"{url}/changes/{draft.json()['id']}/apply", headers=asha)
    assert agreed.json()["status"] == "awaiting_payment"
    view = client.get(url, headers=asha).json()
    assert (view["status"], view["due_minor"]) == ("awaiting_extra_payment", 50_000)
    with kit.database.read() as session:
        order = service.find_order(session, number)
        assert order is not None
        order_id = order.id
    kit.pay(order_id)
    view = client.get(url, headers=asha).json()
    assert (view["status"], view["ship_to"]["line1"], len(view["lines"])) == ("paid", "7 Ring Road", 2)
    assert [change["status"] for change in client.get(f"{url}/changes", headers=asha).json()] == ["applied"]
    assert client.post(f"{url}/changes/{draft.json()['id']}/decline", headers=asha).status_code == 409
    assert client.post(f"{url}/changes/chg_none/apply", headers=asha).status_code == 404


def test_staff_send_in_parts_and_take_back_what_could_not_be_delivered(
    client: TestClient, kit: TradeKit, asha: dict[str, str], boss: dict[str, str], buy: Callable[..., str]
) -> None:
    cup = kit.variant("CUP", price=10_001, stock=9)
    number = buy({cup: 3})
    url = f"/v1/staff/orders/{number}"
    line = client.get(url, headers=boss).json()["lines"][0]["id"]

    def units(quantity: int) -> list[dict[str, int]]:
        return [{"order_line_id": line, "quantity": quantity}]

    client.post(f"{url}/pack", headers=boss)
    part = client.post(f"{url}/ship", json={"carrier": "Own", "units": units(2)}, headers=boss).json()
    assert (part["status"], part["stage"]) == ("partially_shipped", "shipped")
    home = client.post(f"{url}/came-back", json={"units": units(1), "reason": "nobody was in"}, headers=boss).json()
    assert home["lines"][0]["came_back_quantity"] == 1
    assert client.post(f"{url}/deliver", headers=boss).json()["status"] == "partially_delivered"
    client.post(f"{url}/ship", json={"carrier": "Own"}, headers=boss)
    assert client.post(f"{url}/deliver", headers=boss).json()["status"] == "delivered"
    claim = {"units": units(1), "reason": "arrived broken"}
    again = client.post(f"{url}/send-again", json=claim, headers=keyed(boss))
    assert (again.status_code, again.json()["kind"]) == (201, "claim")
    assert client.get(url, headers=boss).json()["status"] == "partially_delivered"
    for path in ("ship", "came-back", "send-again", "cancel-units", "approval/void"):
        assert client.post(f"{url}/{path}", json={}, headers=keyed(asha)).status_code == 403


def test_staff_see_who_and_why_customers_what(
    client: TestClient, kit: TradeKit, asha: dict[str, str], boss: dict[str, str], buy: Callable[..., str]
) -> None:
    number = buy({kit.variant("CUP", price=10_001, stock=9): 2})
    url = f"/v1/staff/orders/{number}"
    line = client.get(url, headers=boss).json()["lines"][0]["id"]
    body = {"units": [{"order_line_id": line, "quantity": 1}], "reason": "the kiln broke", "ours": True}
    assert client.post(f"{url}/cancel-units", json=body, headers=keyed(boss)).status_code == 200
    client.post(f"{url}/pack", headers=boss)
    client.post(f"{url}/ship", json={"carrier": "Own"}, headers=boss)
    client.post(f"{url}/deliver", headers=boss)
    staff = client.get(f"{url}/timeline", headers=boss).json()
    mine = client.get(f"/v1/orders/{number}/timeline", headers=asha).json()
    assert [entry["what"] for entry in staff if entry["kind"] == "status"] == [
        "awaiting_payment",
        "paid",
        "packed",
        "shipped",
        "delivered",
    ]
    kinds = {entry["kind"] for entry in staff}
    assert {"status", "units", "decision", "change", "parcel"} <= kinds
    assert "the kiln broke" in {entry["reason"] for entry in staff}
    assert any(str(entry["actor"]).startswith("user:") for entry in staff)
    assert all(set(entry) == {"at", "kind", "what", "details"} for entry in mine)
    assert "decision" not in {entry["kind"] for entry in mine}
    assert "kiln" not in str(mine)
    assert client.get(f"{url}/timeline", headers=asha).status_code == 403
    assert client.get(f"/v1/orders/{number}/timeline").status_code == 404


def test_a_timeline_is_in_the_order_of_time(kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("CUP", stock=9): 2})
    kit.deliver(order_id)
    with kit.database.read() as session:
        for audience in Audience:
            moments = [entry.at for entry in timeline(session, order_id, audience=audience)]
            assert moments == sorted(moments)


def test_differences_are_shown_to_staff(client: TestClient, kit: TradeKit, boss: dict[str, str]) -> None:
    answer = client.get("/v1/staff/order-differences", headers=boss)
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
