"""The whole life of an order over HTTP: one shop process, both outside services as processes beside it.

Cart → approval of the design → payment → packing → courier, AWB, label → delivered → return of one unit → credit note.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from pipelines.house.processes import Server, free_port, run_step, running
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.orders.verification import verify_order
from transactional.payments.ledger import unbalanced_transactions

pytestmark = pytest.mark.slow

ADMIN, SHOPPER = "admin@example.com", "asha@example.com"
PASSWORD = "a long walk by the sea"
RECIPIENT = "आशा राव"
ADDRESS = {
    "recipient": RECIPIENT,
    "phone": "9812345678",
    "line1": "14 Temple Street",
    "city": "Mumbai",
    "state": "Maharashtra",
    "postal_code": "400001",
    "country": "IN",
}
GSTIN = "29AAPFU0939F1ZR"


class Client:
    """Somebody who talks to the shop; refuses every answer that is no success."""

    def __init__(self, base: str) -> None:
        self.http = httpx.Client(base_url=base, timeout=30)

    def log_in(self, email: str) -> "Client":
        """Take a token along from now on."""
        token = self.post("/v1/auth/login", {"email": email, "password": PASSWORD})["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        return self

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of an answer."""
        return self._checked(self.http.get(path, params=params))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of an answer to a POST with a key of its own."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._checked(self.http.post(path, json=body or {}, headers=headers))

    def _checked(self, answer: httpx.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.text}"
        return answer.json() if answer.content else None

    def wait_for(self, path: str, reached: Callable[[Any], bool]) -> Any:
        """Ask until the worker and the webhooks have done their part; at most half a minute."""
        pause = threading.Event()
        for _ in range(150):
            found = self.get(path)
            if reached(found):
                return found
            pause.wait(0.2)
        raise AssertionError(f"{path} stayed {json.dumps(found)[:2000]}")


class Town:
    """The shop, the bank and the carrier, each at its address, and the shop's database for the last proof."""

    def __init__(self, shop: str, bank: str, carrier: str, database_url: str) -> None:
        self.shop, self.bank, self.carrier, self.database_url = shop, bank, carrier, database_url

    def pay(self, gateway_order_id: str) -> dict[str, str]:
        """The shopper pays at the bank; gives what the browser brings back."""
        answer = httpx.post(
            f"{self.bank}/_control/orders/{gateway_order_id}/pay", json={"method": "upi", "outcome": "captured"}
        )
        triple: dict[str, str] = answer.raise_for_status().json()
        return triple

    def carry(self, awb: str, steps: int) -> None:
        """The courier goes on by so many scans."""
        httpx.post(f"{self.carrier}/_control/parcels/{awb}/advance", json={"steps": steps}).raise_for_status()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Three servers; the shop on SQLite with its own worker."""
    var = tmp_path_factory.mktemp("town")
    shop, bank, carrier = (f"http://127.0.0.1:{free_port()}" for _ in range(3))
    env = _environment(var, shop=shop, bank=bank, carrier=carrier)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        run_step("tables", ["transactional", "migrate"], quiet=True)
        run_step("admin", ["transactional", "create-admin", "--email", ADMIN, "--password", PASSWORD], quiet=True)
        servers = [
            _server("razorpay-standin", bank, ["--webhook-url", f"{shop}/v1/webhooks/razorpay"], "/_control/health"),
            _server("shiprocket-standin", carrier, ["--webhook-url", f"{shop}/v1/hooks/parcels"], "/_control/health"),
            _server("serve", shop, [], "/ready"),
        ]
        with running(servers, log_folder=var / "logs"):
            yield Town(shop, bank, carrier, env["DATABASE_URL"])


def _server(command: str, url: str, more: list[str], ready: str) -> Server:
    return Server(command, ["transactional", command, "--port", url.rsplit(":", 1)[1], *more], f"{url}{ready}")


def _environment(var: Path, *, shop: str, bank: str, carrier: str) -> dict[str, str]:
    return {
        "MLT_VAR": str(var),
        "DATABASE_URL": f"sqlite:///{var / 'shop.db'}",
        "MLT_RAZORPAY_BASE_URL": bank,
        "MLT_RAZORPAY_WEBHOOK_SECRETS": json.dumps(["a secret between two processes"]),
        "MLT_SHIPROCKET_BASE_URL": f"{carrier}/v1/external",
        "MLT_SHIPROCKET_EMAIL": "api@shop.example",
        "MLT_SHIPROCKET_PASSWORD": "a password between two processes",
        "MLT_PARCEL_WEBHOOK_TOKEN": "a token between two processes",
        "MLT_PARCEL_WEBHOOK_URL": f"{shop}/v1/hooks/parcels",
        "MLT_SELLER_GSTIN": GSTIN,
    }


@pytest.fixture(scope="module")
def staff(town: Town) -> Client:
    client = Client(town.shop).log_in(ADMIN)
    client.post("/v1/staff/inventory/locations", {"code": "main", "name": "Store room"})
    return client


@pytest.fixture(scope="module")
def shopper(town: Town) -> Client:
    client = Client(town.shop)
    client.post("/v1/auth/register", {"email": SHOPPER, "password": PASSWORD, "full_name": "Asha Rao"})
    return client.log_in(SHOPPER)


def stocked_variant(staff: Client, sku: str, price_minor: int, **more: Any) -> int:
    """A product with ten units on the shelf."""
    category = staff.post("/v1/staff/categories", {"name": f"Category of {sku}"})["id"]
    product = staff.post(
        "/v1/staff/products",
        {
            "name": f"Gift {sku}",
            "category_id": category,
            "sku": sku,
            "price_minor": price_minor,
            "currency": "INR",
            "hsn_code": "6912",
            "tax_rate_bp": 1800,
            "weight_grams": 400,
            **more,
        },
    )
    variant: int = product["variants"][0]["id"]
    location = staff.get("/v1/staff/inventory/locations")[0]["id"]
    receipt = {"variant_id": variant, "location_id": location, "quantity": 10, "reason": "first delivery"}
    staff.post("/v1/staff/inventory/receipts", receipt)
    return variant


def test_from_cart_to_credit_note(town: Town, staff: Client, shopper: Client) -> None:
    mug = stocked_variant(staff, "MUG-1", 59_900, is_customisable=True, needs_approval=True)
    candle = stocked_variant(staff, "CANDLE-1", 24_950)

    order = _placed(shopper, mug, candle)
    number = order["order_number"]
    _pay_after_approval(town, shopper, number)
    awb = _sent(town, staff, number)
    _arrives(town, shopper, number, awb)
    refund = _one_candle_comes_back(staff, shopper, number)

    documents = shopper.wait_for(f"/v1/orders/{number}/documents", lambda found: len(found) == 2)
    by_kind = {document["kind"]: document for document in documents}
    invoice, credit = by_kind["invoice"], by_kind["credit_note"]
    assert invoice["total_minor"] == order["total_minor"]
    assert credit["total_minor"] == refund
    paper = _text(shopper, invoice["number"])
    assert "IGST" in paper
    assert "CGST" not in paper, "from Karnataka to Maharashtra: one integrated tax"
    assert "₹" in paper
    assert RECIPIENT[0] in paper
    assert invoice["number"] in _text(shopper, credit["number"])
    _the_books_close(town, number)


def _placed(shopper: Client, mug: int, candle: int) -> dict[str, Any]:
    cart = shopper.post(
        "/v1/carts",
        {
            "lines": [
                {
                    "variant_id": mug,
                    "quantity": 1,
                    "customisation": {"text": "माँ के लिए"},
                },
                {"variant_id": candle, "quantity": 2},
            ]
        },
    )
    order: dict[str, Any] = shopper.post("/v1/checkout", {"cart_id": cart["id"], "ship_to": ADDRESS})
    assert order["status"] == "awaiting_approval"
    assert order["total_minor"] == 59_900 + 2 * 24_950 + order["shipping_minor"]
    return order


def _pay_after_approval(town: Town, shopper: Client, number: str) -> None:
    early = shopper.http.post(f"/v1/orders/{number}/payments", headers={"Idempotency-Key": "too early to be paid"})
    assert early.status_code == 409, "nothing is paid before the design is approved"
    design = shopper.get(f"/v1/orders/{number}")["approval"]["content_sha256"]
    shopper.post(f"/v1/orders/{number}/approve", {"content_sha256": design})
    started = shopper.post(f"/v1/orders/{number}/payments")
    triple = town.pay(started["gateway_order_id"])
    shopper.post("/v1/payments/verify", triple)
    assert shopper.get(f"/v1/orders/{number}")["status"] == "paid"


def _sent(town: Town, staff: Client, number: str) -> str:
    staff.post(f"/v1/staff/orders/{number}/pack")
    box = {"length_mm": 300, "width_mm": 200, "height_mm": 150}
    staff.post(f"/v1/staff/orders/{number}/parcels", {"box": box, "weight_grams": 1_400})
    path = f"/v1/staff/orders/{number}/parcels"
    parcel = staff.wait_for(path, lambda found: found and found[0]["manifest_url"])[0]
    assert parcel["tracking_number"]
    assert parcel["label_url"]
    ranked = staff.get(f"/v1/staff/parcels/{parcel['id']}/couriers")
    assert [courier["chosen"] for courier in ranked].count(True) == 1
    assert staff.get(f"/v1/staff/orders/{number}")["status"] == "packed"
    awb: str = parcel["tracking_number"]
    return awb


def _arrives(town: Town, shopper: Client, number: str, awb: str) -> None:
    town.carry(awb, 2)  # the courier sets out; the courier has it
    shopper.wait_for(f"/v1/orders/{number}", lambda found: found["status"] == "shipped")
    town.carry(awb, 10)  # to the door, as far as the script goes
    order = shopper.wait_for(f"/v1/orders/{number}", lambda found: found["status"] == "delivered")
    reached = {stage["stage"] for stage in order["stages"] if stage["reached_at"]}
    assert reached == {"ordered", "packed", "shipped", "delivered"}
    assert shopper.get(f"/v1/orders/{number}/parcels")[0]["status"] == "delivered"


def _one_candle_comes_back(staff: Client, shopper: Client, number: str) -> int:
    lines = shopper.get(f"/v1/orders/{number}")["lines"]
    line = next(line for line in lines if line["sku"] == "CANDLE-1")
    wish = shopper.post(
        "/v1/returns",
        {"order_number": number, "lines": [{"order_line_id": line["id"], "quantity": 1}], "reason": "One is enough"},
    )
    staff.post(f"/v1/staff/returns/{wish['id']}/approve")
    staff.post(f"/v1/staff/returns/{wish['id']}/process")

    def refunded(found: Any) -> bool:
        return any(refund["status"] == "processed" for refund in found["refunds"])

    money = staff.wait_for(f"/v1/staff/orders/{number}/payments", refunded)
    (refund,) = money["refunds"]
    assert refund["amount_minor"] == 24_950, "the frozen price of one unit"
    amount: int = refund["amount_minor"]
    return amount


def _text(shopper: Client, number: str) -> str:
    answer = shopper.http.get(f"/v1/documents/{number}.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)


def _the_books_close(town: Town, number: str) -> None:
    engine = make_engine(town.database_url)
    with Database(engine).read() as session:
        order = orders.find_order(session, number)
        assert order is not None
        assert unbalanced_transactions(session) == []
        assert inventory.discrepancies(session) == []
        assert verify_order(session, order.id) == []
    engine.dispose()
