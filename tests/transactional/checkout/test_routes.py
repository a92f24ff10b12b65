"""A shopper's way over HTTP: cart, coupon, points, checkout, order, cancellation."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import log_in, make_staff, register
from transactional.orders.models import Order

PROBLEM = "urn:my-little-things:problem:"


def new_cart(client: TestClient, headers: dict[str, str] | None = None) -> str:
    """An empty cart; gives its id."""
    answer = client.post("/v1/carts", json={}, headers=keyed(headers))
    assert answer.status_code == 201, answer.text
    cart_id: str = answer.json()["id"]
    return cart_id


def put_in(client: TestClient, cart: str, variant: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Put units into a cart; gives the cart."""
    headers = more.pop("headers", None)
    answer = client.post(
        f"/v1/carts/{cart}/lines", json={"variant_id": variant, "quantity": quantity, **more}, headers=keyed(headers)
    )
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def order_of(cart: str, **more: Any) -> dict[str, Any]:
    """The body of a checkout."""
    return {"cart_id": cart, "ship_to": ADDRESS, "email": "guest@example.com"} | more


def test_a_guest_buys_and_follows_the_order_by_its_id_alone(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=80_000, stock=5)
    cart = new_cart(client)
    shown = put_in(client, cart, cup, 2)
    assert (shown["gross_minor"], shown["shipping_minor"], shown["issues"]) == (160_000, 0, [])
    placed = client.post("/v1/checkout", json=order_of(cart, gift_message="नमस्ते 🎁"), headers=keyed())
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["status"], order["total_minor"]) == ("awaiting_payment", 160_000)
    detail = client.get(f"/v1/orders/{order['id']}").json()
    assert detail["gift_message"] == "नमस्ते 🎁"
    assert detail["lines"][0]["tax_minor"] == 24_407
    assert [step["to_status"] for step in detail["history"]] == ["awaiting_payment"]
    by_number = client.get(f"/v1/orders/{order['order_number']}")
    assert by_number.status_code == 404, "numbers can be guessed; they open nothing to strangers"
    cancelled = client.post(f"/v1/orders/{order['id']}/cancel", json={})
    assert cancelled.json()["status"] == "cancelled"
    assert kit.level(cup) == (5, 0)


def test_a_repeated_checkout_with_its_key_gives_the_same_order(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=5)
    cart = new_cart(client)
    put_in(client, cart, cup)
    headers = keyed()
    first = client.post("/v1/checkout", json=order_of(cart), headers=headers)
    again = client.post("/v1/checkout", json=order_of(cart), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = client.post("/v1/checkout", json=order_of(cart, occasion="diwali"), headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, PROBLEM + "idempotency-key-reused")
    new_key = client.post("/v1/checkout", json=order_of(cart), headers=keyed())
    assert (new_key.status_code, new_key.json()["order_number"]) == (409, first.json()["order_number"])
    assert kit.count(Order) == 1


def test_refusals_are_problem_documents_that_say_what_and_why(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    cart = new_cart(client)
    empty = client.post("/v1/checkout", json=order_of(cart), headers=keyed())
    assert (empty.status_code, empty.json()["detail"]) == (422, "the cart is empty")
    put_in(client, cart, cup, 3)
    short = client.post("/v1/checkout", json=order_of(cart), headers=keyed())
    assert short.headers["content-type"] == "application/problem+json"
    assert (short.status_code, short.json()["type"]) == (409, PROBLEM + "out-of-stock")
    assert short.json()["shortages"] == [{"variant_id": cup, "sku": "CUP", "wanted": 3, "left": 1}]
    for body in (
        order_of(cart, redeem_points=-1),
        order_of(cart, gift_message="a\x00b"),
        order_of(cart, ship_to={**ADDRESS, "city": ""}),
        order_of(cart, email="not an e-mail"),
        order_of(cart, payment_mode="external"),
        order_of(cart, discount=100),
    ):
        refused = client.post("/v1/checkout", json=body, headers=keyed())
        assert (refused.status_code, refused.json()["type"]) == (422, PROBLEM + "invalid-input")
    assert client.post("/v1/checkout", json=order_of(cart)).status_code == 422, "no idempotency key"
    assert client.post("/v1/checkout", json=order_of("cart_none"), headers=keyed()).status_code == 404
    assert kit.count(Order) == 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_a_customers_cart_and_order_are_closed_to_others(client: TestClient, kit: TradeKit, method: str) -> None:
    cup = kit.variant("CUP", stock=5)
    register(kit.database, "asha@example.com")
    register(kit.database, "ravi@example.com")
    asha, ravi = log_in(client, "asha@example.com"), log_in(client, "ravi@example.com")
    cart = new_cart(client, asha)
    line = put_in(client, cart, cup, headers=asha)["lines"][0]["id"]
    for stranger in (ravi, {}):
        if method == "get":
            answer = client.get(f"/v1/carts/{cart}", headers=stranger)
        elif method == "put":
            answer = client.put(f"/v1/carts/{cart}/coupon", json={"code": "X"}, headers=stranger)
        else:
            answer = client.patch(f"/v1/carts/{cart}/lines/{line}", json={"quantity": 2}, headers=stranger)
        assert answer.status_code == 404
    order = client.post("/v1/checkout", json=order_of(cart, email=None), headers=keyed(asha)).json()
    for reference in (order["id"], order["order_number"]):
        assert client.get(f"/v1/orders/{reference}", headers=asha).status_code == 200
        for stranger in (ravi, {}):
            assert client.get(f"/v1/orders/{reference}", headers=stranger).status_code == 404
            assert client.post(f"/v1/orders/{reference}/cancel", json={}, headers=stranger).status_code == 404
    assert [o["id"] for o in client.get("/v1/orders", headers=asha).json()["items"]] == [order["id"]]
    assert client.get("/v1/orders", headers=ravi).json()["items"] == []
    assert client.get("/v1/orders").status_code == 401


@pytest.mark.slow
def test_one_pages_through_ones_orders(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    register(kit.database)
    asha = log_in(client)
    for _ in range(3):
        cart = new_cart(client, asha)
        put_in(client, cart, cup, headers=asha)
        client.post("/v1/checkout", json=order_of(cart, email=None), headers=keyed(asha))
    first = client.get("/v1/orders?limit=2", headers=asha).json()
    second = client.get(f"/v1/orders?limit=2&cursor={first['next_cursor']}", headers=asha).json()
    numbers = [order["order_number"] for order in first["items"] + second["items"]]
    assert numbers == sorted(numbers, reverse=True)
    assert (len(numbers), second["next_cursor"]) == (3, None)


@pytest.mark.slow
def test_coupon_and_points_are_previewed_and_charged_alike(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=5)
    register(kit.database)
    make_staff(kit.database, "boss@example.com", "super_admin")
    asha, boss = log_in(client), log_in(client, "boss@example.com")
    coupon = {"code": "ten", "percent_bp": 1_000, "starts_at": "2026-01-01T00:00:00+05:30", "usage_limit": 1}
    assert client.post("/v1/staff/coupons", json=coupon, headers=keyed(boss)).status_code == 201
    customer_id = kit.run(_customer_id)
    gift = {"points": 100, "reason": "welcome"}
    url = f"/v1/staff/customers/{customer_id}/points/adjustments"
    assert client.post(url, json=gift, headers=keyed(boss)).status_code == 201
    cart = new_cart(client, asha)
    put_in(client, cart, cup, headers=asha)
    assert client.put(f"/v1/carts/{cart}/coupon", json={"code": "TEN"}, headers=asha).status_code == 200
    preview = client.get(f"/v1/carts/{cart}?redeem_points=100", headers=asha).json()
    placed = client.post("/v1/checkout", json=order_of(cart, email=None, redeem_points=100), headers=keyed(asha))
    assert placed.json()["total_minor"] == preview["total_minor"] == 100_000 - 10_000 - 10_000 + 9_900
    assert client.get("/v1/points", headers=asha).json()["held"] == 100
    kinds = [entry["kind"] for entry in client.get("/v1/points/history", headers=asha).json()["items"]]
    assert kinds == ["hold", "adjust"]
    used = client.get("/v1/staff/coupons/TEN", headers=boss).json()["used"]
    assert used == 1
    paused = client.put("/v1/staff/coupons/TEN/status", json={"status": "paused"}, headers=boss)
    assert paused.json()["status"] == "paused"


def _customer_id(session: Any) -> int:
    from transactional.accounts import service as accounts

    user = accounts.user_by_email(session, "asha@example.com")
    assert user is not None
    customer = accounts.customer_of_user(session, user.id)
    assert customer is not None
    return customer.id


def test_a_guests_cart_comes_along_after_logging_in(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=5)
    cart = new_cart(client)
    put_in(client, cart, cup)
    register(kit.database)
    asha = log_in(client)
    assert client.put(f"/v1/carts/{cart}/owner").status_code == 401
    assert client.put(f"/v1/carts/{cart}/owner", headers=asha).json()["id"] == cart
    assert client.get(f"/v1/carts/{cart}").status_code == 404, "it is no longer a guest's"


def test_lines_are_changed_and_removed(client: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=5)
    cart = new_cart(client)
    line = put_in(client, cart, cup)["lines"][0]["id"]
    assert client.patch(f"/v1/carts/{cart}/lines/{line}", json={"quantity": 4}).json()["lines"][0]["quantity"] == 4
    assert client.put(f"/v1/carts/{cart}/prices").json()["issues"] == []
    assert client.delete(f"/v1/carts/{cart}/coupon").json()["coupon_code"] is None
    assert client.delete(f"/v1/carts/{cart}/lines/{line}").json()["lines"] == []
    assert client.delete(f"/v1/carts/{cart}/lines/{line}").status_code == 404
