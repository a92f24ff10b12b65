"""Few round trips: a cart with its lines, an order with its payment; shipping as shown is shipping as billed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import make_client
from tests.transactional.payments.till import Till, open_till
from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.orders.models import Order
from transactional.payments import service as payments
from transactional.payments.models import GatewayOrder
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.faults import Fault

PROBLEM = "urn:my-little-things:problem:"


@pytest.fixture
def till(database: Database, clock: ManualClock) -> Iterator[Till]:
    """A shop that pays through the stand-in."""
    opened = open_till(database, clock)
    with payments.gateway_in_use(opened.gateway):
        yield opened


@pytest.fixture
def desk(till: Till, tmp_path: Path) -> TestClient:
    """A client of that shop."""
    return make_client(till.database, tmp_path)


def cart_of(client: TestClient, *lines: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/carts", json={"lines": lines}, headers=keyed())
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def order_of(cart_id: str, **more: Any) -> dict[str, Any]:
    body = {"cart_id": cart_id, "ship_to": ADDRESS, "email": "guest@example.com", "start_payment": True}
    return body | more


def gateway_orders(database: Database) -> list[GatewayOrder]:
    with database.read() as session:
        return list(session.scalars(select(GatewayOrder)))


class TestCartWithLines:
    def test_it_is_the_cart_that_several_requests_would_have_made(self, client: TestClient, kit: TradeKit) -> None:
        cup, card = kit.variant("CUP", stock=5), kit.variant("CARD", stock=5, customisable=True)
        text = {"engraving": "For Mā ❤"}
        shown = cart_of(
            client,
            {"variant_id": cup, "quantity": 2},
            {"variant_id": card, "customisation": text},
            {"variant_id": cup},
            {"variant_id": card},
        )
        assert [(line["sku"], line["quantity"], line["customisation"]) for line in shown["lines"]] == [
            ("CUP", 3, {}),
            ("CARD", 1, text),
            ("CARD", 1, {}),
        ]
        assert client.get(f"/v1/carts/{shown['id']}").json() == shown

    def test_one_bad_line_refuses_the_cart(self, client: TestClient, kit: TradeKit) -> None:
        cup = kit.variant("CUP", stock=5)
        for bad, status in (
            ({"variant_id": 999}, 404),
            ({"variant_id": cup, "customisation": {"a": 1}}, 422),
            ({"variant_id": cup, "quantity": 999}, 422),  # more than a line takes, together with the first one
        ):
            answer = client.post("/v1/carts", json={"lines": [{"variant_id": cup}, bad]}, headers=keyed())
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        many = [{"variant_id": cup}] * 101
        assert client.post("/v1/carts", json={"lines": many}, headers=keyed()).status_code == 422


class TestPaymentWithCheckout:
    def test_the_answer_holds_what_the_widget_needs(self, desk: TestClient, till: Till) -> None:
        cart = cart_of(desk, {"variant_id": till.variant_id})
        placed = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=keyed()).json()
        payment = placed["payment"]
        assert (payment["amount_minor"], payment["currency"]) == (placed["total_minor"], "INR")
        paid = till.standin.pay(payment["gateway_order_id"], outcome=Outcome.CAPTURED)
        verified = desk.post("/v1/payments/verify", json=paid.render()).json()
        assert (verified["order_status"], verified["payment_status"]) == ("paid", "captured")
        till.check_books()

    def test_the_separate_start_finds_the_same_payment(self, desk: TestClient, till: Till) -> None:
        cart = cart_of(desk, {"variant_id": till.variant_id})
        placed = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=keyed()).json()
        started = desk.post(f"/v1/orders/{placed['id']}/payments", json={}, headers=keyed())
        assert started.status_code == 201
        assert started.json() == placed["payment"]
        assert len(gateway_orders(till.database)) == 1

    def test_a_repetition_gives_order_and_payment_once(self, desk: TestClient, till: Till) -> None:
        cart = cart_of(desk, {"variant_id": till.variant_id})
        headers = keyed()
        first = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers)
        again = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers)
        assert first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(gateway_orders(till.database)) == 1
        assert len(till.standin.requests()) == 1

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.ANSWER_LOST])
    def test_a_silent_gateway_does_not_undo_the_order(self, desk: TestClient, till: Till, fault: Fault) -> None:
        """The order stands; a repetition finds what came through unheard, or starts the payment then."""
        till.standin.faults.arm(fault, method="*", times=9)
        cart = cart_of(desk, {"variant_id": till.variant_id})
        headers = keyed()
        placed = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers)
        assert (placed.status_code, placed.json()["status"]) == (201, "awaiting_payment")
        assert placed.json()["payment"] is None
        till.standin.faults.disarm()
        again = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers).json()
        (request,) = gateway_orders(till.database)
        assert again["payment"]["gateway_order_id"] == request.gateway_order_id
        assert again["order_number"] == placed.json()["order_number"]

    def test_nothing_is_started_where_nothing_is_paid_online(self, desk: TestClient, till: Till) -> None:
        cart = cart_of(desk, {"variant_id": till.variant_id})
        headers = keyed()
        body = order_of(cart["id"], payment_mode="on_delivery")
        for _ in range(2):
            placed = desk.post("/v1/checkout", json=body, headers=headers)
            assert (placed.status_code, placed.json()["payment"]) == (201, None)
        assert gateway_orders(till.database) == []
        assert till.standin.requests() == []

    def test_a_repetition_after_the_payment_starts_none(self, desk: TestClient, till: Till) -> None:
        cart = cart_of(desk, {"variant_id": till.variant_id})
        headers = keyed()
        placed = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers).json()
        desk.post("/v1/payments/verify", json=till.standin.pay(placed["payment"]["gateway_order_id"]).render())
        again = desk.post("/v1/checkout", json=order_of(cart["id"]), headers=headers)
        assert (again.status_code, again.json()["payment"]) == (201, None)


class TestShippingIsBilledAsShown:
    @pytest.mark.parametrize(("postal_code", "charge"), [("560001", 9_900), ("781001", 17_900), ("110001", 11_900)])
    def test_by_postal_code(self, client: TestClient, kit: TradeKit, postal_code: str, charge: int) -> None:
        cart = cart_of(client, {"variant_id": kit.variant("CUP", price=50_000, stock=5)})
        assert (cart["shipping_minor"], cart["shipping_is_estimate"]) == (9_900, True)
        shown = client.get(f"/v1/carts/{cart['id']}", params={"postal_code": postal_code}).json()
        assert (shown["shipping_minor"], shown["shipping_is_estimate"]) == (charge, False)
        body = order_of(cart["id"], ship_to=ADDRESS | {"postal_code": postal_code}, start_payment=False)
        placed = client.post("/v1/checkout", json=body, headers=keyed()).json()
        assert (placed["shipping_minor"], placed["total_minor"]) == (charge, shown["total_minor"])
        with kit.database.read() as session:
            frozen = session.scalars(select(Order)).one().price_trace["shipping"]
        assert (frozen["amount_minor"], frozen["is_estimate"]) == (charge, False)
        assert frozen["chargeable_grams"] == 500

    @pytest.mark.slow
    @pytest.mark.parametrize("ship_to", [{"postal_code": "0600"}, {"postal_code": "350001"}, {"country": "Atlantis"}])
    def test_a_place_we_do_not_send_to_is_refused(
        self, client: TestClient, kit: TradeKit, ship_to: dict[str, str]
    ) -> None:
        cup = kit.variant("CUP", stock=5)
        cart = cart_of(client, {"variant_id": cup})
        refused = client.post("/v1/checkout", json=order_of(cart["id"], ship_to=ADDRESS | ship_to), headers=keyed())
        assert (refused.status_code, refused.json()["type"]) == (422, PROBLEM + "invalid-input")
        assert kit.count(Order) == 0
        assert kit.level(cup) == (5, 0)
        asked = client.get(f"/v1/carts/{cart['id']}", params={"postal_code": "560001"} | ship_to)
        assert asked.status_code == 422

    def test_a_total_above_the_shown_one_is_refused(self, client: TestClient, kit: TradeKit) -> None:
        cart = cart_of(client, {"variant_id": kit.variant("CUP", price=50_000, stock=5)})
        body = order_of(cart["id"], ship_to=ADDRESS | {"postal_code": "781001"}, start_payment=False)
        refused = client.post("/v1/checkout", json=body | {"shown_total_minor": 59_900}, headers=keyed())
        assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM + "price-changed")
        assert refused.json()["issues"] == [{"shown_total_minor": 59_900, "total_minor": 67_900}]
        accepted = client.post("/v1/checkout", json=body | {"shown_total_minor": 67_900}, headers=keyed())
        assert accepted.status_code == 201
