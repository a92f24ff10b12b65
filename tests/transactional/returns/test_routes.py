"""Returns over HTTP: whose they are, who decides."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.payments.till import Till
from transactional.orders import service as orders


@pytest.fixture
def client(till: Till, tmp_path: Path) -> TestClient:
    return make_client(till.database, tmp_path)


def body_for(till: Till, order_id: int, quantity: int = 1) -> dict:
    with till.database.read() as session:
        line_id = orders.lines_of(session, order_id)[0].id
    return {
        "order_number": till.order(order_id).order_number,
        "lines": [{"order_line_id": line_id, "quantity": quantity}],
        "reason": "Zu groß für das Regal",
    }


def keyed(headers: dict[str, str], key: str = "0f8fad5b-d9cb-469f-a165-70867728950e") -> dict[str, str]:
    return {**headers, "Idempotency-Key": key}


@pytest.mark.slow
def test_a_return_from_wish_to_refund(client: TestClient, till: Till) -> None:
    order_id = till.buy(3)
    till.deliver(order_id)
    make_staff(till.database, "manager@example.com")
    asha, staff = log_in(client), log_in(client, "manager@example.com")
    asked = client.post("/v1/returns", json=body_for(till, order_id, 2), headers=keyed(asha))
    assert asked.status_code == 201, asked.text
    again = client.post("/v1/returns", json=body_for(till, order_id, 2), headers=keyed(asha))
    assert again.json() == asked.json()
    reference = asked.json()["id"]
    assert client.get("/v1/returns", headers=asha).json()["items"][0]["id"] == reference
    assert client.get("/v1/staff/returns?status=requested", headers=staff).json()["items"][0]["id"] == reference
    approved = client.post(f"/v1/staff/returns/{reference}/approve", json={"note": "Welcome"}, headers=staff)
    assert (approved.json()["status"], approved.json()["decision_note"]) == ("approved", "Welcome")
    done = client.post(f"/v1/staff/returns/{reference}/process", json={}, headers=staff)
    assert (done.status_code, done.json()["status"]) == (200, "processed")
    assert done.json()["refund_minor"] == sum(line["refund_minor"] for line in done.json()["lines"]) > 0
    assert client.post(f"/v1/staff/returns/{reference}/process", json={}, headers=staff).status_code == 409
    till.work()
    mine = client.get(f"/v1/returns/{reference}", headers=asha).json()
    assert till.payments(order_id)[0].refunded_minor == mine["refund_minor"]
    till.check_books()


@pytest.mark.slow
def test_foreign_orders_and_returns_do_not_exist(client: TestClient, till: Till) -> None:
    order_id = till.buy(3)
    till.deliver(order_id)
    register(till.database, "ravi@example.com")
    asha, ravi = log_in(client), log_in(client, "ravi@example.com")
    reference = client.post("/v1/returns", json=body_for(till, order_id), headers=keyed(asha)).json()["id"]
    assert client.post("/v1/returns", json=body_for(till, order_id), headers=keyed(ravi)).status_code == 404
    assert client.get(f"/v1/returns/{reference}", headers=ravi).status_code == 404
    assert client.get("/v1/returns", headers=ravi).json()["items"] == []
    assert client.get(f"/v1/returns/{reference}").status_code == 404
    assert client.get("/v1/returns").status_code == 401
    assert client.post(f"/v1/staff/returns/{reference}/approve", json={}, headers=asha).status_code == 403
    assert client.get("/v1/staff/returns", headers=asha).status_code == 403


def guests_order(till: Till, email: str = "guest@example.com") -> int:
    """A delivered order of somebody without an account."""
    kit = TradeKit(till.database)
    order_id = kit.buy({till.variant_id: 2}, email=email)
    kit.deliver(order_id)
    return order_id


class TestGuests:
    def test_who_names_the_orders_id_asks_and_reads(self, client: TestClient, till: Till) -> None:
        order_id = guests_order(till)
        public_id = till.order(order_id).public_id
        wish = {**body_for(till, order_id), "order_number": public_id}
        asked = client.post("/v1/returns", json=wish, headers=keyed({}))
        assert asked.status_code == 201, asked.text
        reference = asked.json()["id"]
        read = client.get(f"/v1/returns/{reference}", params={"order": public_id})
        assert (read.status_code, read.json()) == (200, asked.json())
        listed = client.get(f"/v1/orders/{public_id}/returns").json()
        assert [found["id"] for found in listed] == [reference]

    @pytest.mark.slow
    def test_strangers_are_told_that_there_is_nothing(self, client: TestClient, till: Till) -> None:
        order_id, others = guests_order(till), guests_order(till, "other@example.com")
        order, foreign = till.order(order_id), till.order(others)
        wish = {**body_for(till, order_id), "order_number": order.public_id}
        reference = client.post("/v1/returns", json=wish, headers=keyed({})).json()["id"]
        absent = client.get("/v1/returns/ret_absent").json()["detail"]
        register(till.database, "ravi@example.com")
        for who in ({}, log_in(client, "ravi@example.com")):
            for named in (None, order.order_number, foreign.public_id, foreign.order_number, "ord_absent", ""):
                params = {} if named is None else {"order": named}
                answer = client.get(f"/v1/returns/{reference}", params=params, headers=who)
                assert (answer.status_code, answer.json()["detail"]) == (404, absent)
            assert client.get(f"/v1/orders/{order.order_number}/returns", headers=who).status_code == 404
        by_number = {**wish, "order_number": order.order_number}
        assert client.post("/v1/returns", json=by_number, headers=keyed({}, key="1" * 36)).status_code == 404

    @pytest.mark.slow
    def test_the_id_of_a_customers_order_opens_nothing(self, client: TestClient, till: Till) -> None:
        order_id = till.buy(3)
        till.deliver(order_id)
        asha, public_id = log_in(client), till.order(order_id).public_id
        reference = client.post("/v1/returns", json=body_for(till, order_id), headers=keyed(asha)).json()["id"]
        assert client.get(f"/v1/returns/{reference}", params={"order": public_id}).status_code == 404
        assert client.get(f"/v1/orders/{public_id}/returns").status_code == 404
        assert client.get(f"/v1/returns/{reference}", headers=asha).status_code == 200
        assert len(client.get(f"/v1/orders/{public_id}/returns", headers=asha).json()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"lines": []},
        {"lines": [{"order_line_id": 1, "quantity": 0}]},
        {"lines": [{"order_line_id": 1, "quantity": 1}, {"order_line_id": 1, "quantity": 1}]},
        {"reason": "x" * 201},
        {"colour": "red"},
    ],
)
def test_malformed_wishes_are_refused(client: TestClient, till: Till, change: dict) -> None:
    order_id = till.buy(3)
    till.deliver(order_id)
    answer = client.post("/v1/returns", json={**body_for(till, order_id), **change}, headers=keyed(log_in(client)))
    assert answer.status_code == 422, answer.text


@pytest.mark.slow
def test_wishes_against_the_rules_say_why(client: TestClient, till: Till) -> None:
    order_id = till.buy(3)
    asha = log_in(client)
    early = client.post("/v1/returns", json=body_for(till, order_id), headers=keyed(asha))
    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (409, "outside-return-window")
    till.deliver(order_id)
    many = client.post("/v1/returns", json=body_for(till, order_id, 4), headers=keyed(asha))
    assert (many.status_code, many.json()["left"]) == (409, 3)


def sent_back(client: TestClient, till: Till, order_id: int, wish: dict) -> dict:
    """The whole way of a return that staff agree to."""
    staff = log_in(client, "manager@example.com")
    asked = client.post("/v1/returns", json=wish, headers=keyed(log_in(client), key=f"{order_id:036d}"))
    assert asked.status_code == 201, asked.text
    reference = asked.json()["id"]
    client.post(f"/v1/staff/returns/{reference}/approve", json={}, headers=staff)
    done = client.post(f"/v1/staff/returns/{reference}/process", json={}, headers=staff)
    assert done.status_code == 200, done.text
    till.work()
    till.check_books()
    return done.json()


@pytest.mark.slow
@pytest.mark.parametrize(("cause", "with_shipping"), [("changed_mind", False), ("damaged", True)])
def test_shipping_goes_back_with_the_last_unit_where_the_matter_is_the_shops(
    client: TestClient, till: Till, cause: str, with_shipping: bool
) -> None:
    make_staff(till.database, "manager@example.com")
    order_id = till.buy(1)
    till.deliver(order_id)
    order = till.order(order_id)
    assert order.shipping_minor > 0
    done = sent_back(client, till, order_id, {**body_for(till, order_id), "cause": cause})
    expected = order.total_minor if with_shipping else order.total_minor - order.shipping_minor
    assert (done["cause"], done["refund_minor"]) == (cause, expected)
    assert till.payments(order_id)[0].refunded_minor == expected


@pytest.mark.slow
def test_an_exchange_sends_others_and_the_difference_goes_back(client: TestClient, till: Till) -> None:
    make_staff(till.database, "manager@example.com")
    order_id = till.buy(3)
    till.deliver(order_id)
    wish = {**body_for(till, order_id, 2), "exchange_for": [{"variant_id": till.variant_id, "quantity": 1}]}
    done = sent_back(client, till, order_id, wish)
    assert done["is_exchange"]
    order = till.order(order_id)
    assert order.status is orders.OrderStatus.PARTIALLY_DELIVERED
    price = done["refund_minor"] // 2
    assert till.payments(order_id)[0].refunded_minor == done["refund_minor"] - price
