"""Documents over HTTP: whose they are, what staff see, and what is refused."""

import io
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pypdf import PdfReader

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from tests.transactional.documents.office import Office
from transactional.accounts import service as accounts
from transactional.core.uow import Database
from transactional.orders import service as orders
from transactional.shipping.tariff import set_zone


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    return make_client(database, tmp_path)


@pytest.fixture
def owner(database: Database) -> int:
    """Asha, who can log in; gives the customer's id."""
    user_id = register(database)
    with database.read() as session:
        customer = accounts.customer_of_user(session, user_id)
    assert customer is not None
    return customer.id


@pytest.fixture
def order_id(office: Office, kit: TradeKit, owner: int) -> int:
    """Asha's order, delivered and invoiced."""
    placed = kit.buy({kit.variant("MUG", price=100_000, stock=9): 2}, customer_id=owner)
    kit.deliver(placed)
    office.settle(placed)
    return placed


class TestCustomers:
    def test_the_owner_lists_and_downloads(self, client: TestClient, kit: TradeKit, order_id: int) -> None:
        headers = log_in(client)
        number = kit.order(order_id).order_number
        (listed,) = client.get(f"/v1/orders/{number}/documents", headers=headers).json()
        assert (listed["kind"], listed["number"]) == ("invoice", "INV-2526-0000001")
        assert listed["total_minor"] == kit.order(order_id).total_minor
        answer = client.get(listed["pdf"], headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert 'filename="INV-2526-0000001.pdf"' in answer.headers["content-disposition"]
        assert "INV-2526-0000001" in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
        assert client.get(listed["pdf"], headers=headers).content == answer.content

    def test_nobody_else_can_tell_that_it_exists(
        self, client: TestClient, database: Database, kit: TradeKit, order_id: int
    ) -> None:
        register(database, "mallory@example.com", full_name="Mallory")
        number = kit.order(order_id).order_number
        public_id = kit.order(order_id).public_id
        for headers in (log_in(client, "mallory@example.com"), {}):
            foreign = client.get("/v1/documents/INV-2526-0000001.pdf", headers=headers)
            absent = client.get("/v1/documents/INV-2526-0000999.pdf", headers=headers)
            assert foreign.status_code == absent.status_code == 404
            assert foreign.json()["detail"] == absent.json()["detail"]
            assert client.get(f"/v1/orders/{number}/documents", headers=headers).status_code == 404
            # The id alone opens only a guest's order.
            leaked = client.get(f"/v1/documents/INV-2526-0000001.pdf?order={public_id}", headers=headers)
            assert leaked.status_code == 404

    def test_a_guest_names_the_orders_id(
        self, client: TestClient, office: Office, kit: TradeKit, order_id: int
    ) -> None:
        guests = kit.buy({kit.variant("BOX", stock=9): 1})
        kit.ship(guests)
        office.settle(guests)
        public_id = kit.order(guests).public_id
        (listed,) = client.get(f"/v1/orders/{public_id}/documents").json()
        assert client.get(f"{listed['pdf']}?order={public_id}").status_code == 200
        assert client.get(listed["pdf"]).status_code == 404
        # The key to one's own order opens no other document.
        assert client.get(f"/v1/documents/INV-2526-0000001.pdf?order={public_id}").status_code == 404

    @pytest.mark.parametrize("strange", ["INV", "INV-2526-00000010", "%00", "..%2F..%2Fetc"])
    def test_strange_numbers_are_not_found(self, client: TestClient, strange: str) -> None:
        assert client.get(f"/v1/documents/{strange}.pdf").status_code in (404, 422)


class TestCheckout:
    def test_a_business_gives_its_number_with_the_address(
        self, client: TestClient, office: Office, kit: TradeKit
    ) -> None:
        variant = kit.variant("MUG", stock=9)

        def order(gstin: str) -> Response:
            body = {"cart_id": kit.basket({variant: 1}), "email": "b2b@example.com", "payment_mode": "on_delivery"}
            return client.post("/v1/checkout", json={**body, "ship_to": {**ADDRESS, "gstin": gstin}}, headers=keyed())

        mistyped = order("27AAPFU0939F1ZX")
        assert mistyped.status_code == 422
        assert "check digit should be V" in mistyped.json()["detail"]
        placed = order("27aapfu0939f1zv")
        assert placed.status_code == 201, placed.text
        with kit.database.read() as session:
            found = orders.find_order(session, placed.json()["id"])
        assert found is not None
        kit.ship(found.id)
        (invoice,) = office.settle(found.id)
        assert invoice.buyer["gstin"] == "27AAPFU0939F1ZV"


class TestStaff:
    @pytest.fixture
    def manager(self, client: TestClient, database: Database) -> dict[str, str]:
        make_staff(database, "meera@example.com")
        return log_in(client, "meera@example.com")

    @pytest.mark.parametrize(
        "path", ["/v1/staff/documents", "/v1/staff/documents/INV-2526-0000001", "/v1/staff/gst-summary?month=2026-01"]
    )
    def test_shoppers_are_kept_out(self, client: TestClient, order_id: int, path: str) -> None:
        assert client.get(path).status_code == 401
        assert client.get(path, headers=log_in(client)).status_code == 403

    def test_lists_are_filtered(
        self, client: TestClient, office: Office, kit: TradeKit, order_id: int, manager: dict[str, str]
    ) -> None:
        office.give_back(order_id, {kit.lines(order_id)[0].id: 1}, cause="test:1")
        office.settle(order_id)
        number = kit.order(order_id).order_number

        def numbers(query: str) -> list[str]:
            answer = client.get(f"/v1/staff/documents?{query}", headers=manager)
            assert answer.status_code == 200, answer.text
            return [item["number"] for item in answer.json()["items"]]

        both = ["CRN-2526-0000001", "INV-2526-0000001"]
        assert numbers("") == numbers(f"order_number={number}") == numbers("month=2026-01&place=29") == both
        assert numbers("kind=credit_note") == both[:1]
        assert numbers("month=2025-12") == numbers("supply=export") == numbers("place=27") == []
        assert numbers("limit=1") == both[:1]
        detail = client.get("/v1/staff/documents/CRN-2526-0000001", headers=manager).json()
        assert detail["invoice_number"] == "INV-2526-0000001"
        assert detail["lines"][0]["quantity"] == 1
        assert client.get("/v1/documents/CRN-2526-0000001.pdf", headers=manager).status_code == 200

    def test_the_months_tax(self, client: TestClient, order_id: int, manager: dict[str, str]) -> None:
        found = client.get("/v1/staff/gst-summary?month=2026-01", headers=manager).json()
        assert [row["place_name"] for row in found["supplies"]] == ["Karnataka"]
        assert found["series"][0]["count"] == 1
        table = client.get("/v1/staff/gst-summary.csv?month=2026-01", headers=manager)
        assert table.headers["content-type"].startswith("text/csv")
        assert table.text.startswith("month,section,supply")

    @pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-1", "1999-01", "soon"])
    def test_a_month_that_is_none_is_refused(self, client: TestClient, manager: dict[str, str], month: str) -> None:
        answer = client.get("/v1/staff/gst-summary", params={"month": month}, headers=manager)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"

    def test_staff_decide_where_the_address_does_not_tell(
        self, client: TestClient, office: Office, kit: TradeKit, manager: dict[str, str]
    ) -> None:
        kit.run(lambda s: set_zone(s, country="IN", prefix="9", zone="special").id)  # sends by the army's post
        placed = office.buy({kit.variant("BOX", stock=9): 1}, to={"state": "Atlantis", "postal_code": "900001"})
        path = f"/v1/staff/orders/{kit.order(placed).order_number}/invoice"
        early = client.post(path, json={}, headers=keyed(manager))
        assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (409, "nothing-to-document")
        kit.ship(placed)
        refused = client.post(path, json={}, headers=keyed(manager))
        assert refused.status_code == 422
        assert refused.json()["type"].endswith("place-of-supply-unknown")
        assert "Atlantis" in refused.json()["detail"]
        issued = client.post(path, json={"place_of_supply": "31"}, headers=keyed(manager))
        assert issued.status_code == 201
        assert issued.json()["place_of_supply"] == "31"
        again = client.post(path, json={}, headers=keyed(manager))
        assert again.json()["number"] == issued.json()["number"]

    def test_an_amount_is_credited_once_per_reference(
        self, client: TestClient, kit: TradeKit, order_id: int, manager: dict[str, str]
    ) -> None:
        path = f"/v1/staff/orders/{kit.order(order_id).order_number}/credit-notes"
        body = {"amount_minor": 5_000, "reason": "Scratched on arrival", "reference": "ticket-4711"}
        first = client.post(path, json=body, headers=keyed(manager))
        assert first.status_code == 201, first.text
        second = client.post(path, json=body, headers=keyed(manager))
        assert [n["number"] for n in second.json()["items"]] == [n["number"] for n in first.json()["items"]]
        much = client.post(path, json={**body, "amount_minor": 10**9, "reference": "ticket-2"}, headers=keyed(manager))
        assert much.status_code == 409
        assert much.json()["left"] == kit.order(order_id).total_minor - 5_000
