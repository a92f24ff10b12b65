"""The shop over HTTP: product page, cash checkout and paid checkout, on SQLite and PostgreSQL; baseline: `/health`."""

import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

import httpx

from benchmarks.measure import Load, load, run_module
from benchmarks.shops import FOLDER, postgres
from pipelines.house.processes import Server, free_port, running

_ADDRESS = {
    "recipient": "Asha Rao", "line1": "12 MG Road", "city": "Bengaluru", "state": "Karnataka",
    "postal_code": "560001", "country": "India",
}  # fmt: skip


def run(page_views: int = 2_000, checkouts: int = 200, clients: int = 8) -> dict[str, Any]:
    """Requests a second and latencies, by database."""
    results = {"sqlite": _on(f"sqlite:///{_fresh('api-sqlite') / 'shop.db'}", page_views, checkouts, clients)}
    with postgres() as url:
        results["postgresql"] = _on(url, page_views, checkouts, clients)
    return {"clients": clients, **results}


def _on(url: str, page_views: int, checkouts: int, clients: int) -> dict[str, Any]:
    var = _fresh(f"api-{url.split(':', 1)[0]}-var")
    env = {"MLT_VAR": str(var), "DATABASE_URL": url, "MLT_LOG_LEVEL": "WARNING"}
    plan = ["--customers", "20", "--days", "60", "--seed", "3", "--database", url]
    run_module(["transactional", "simulate", *plan], env)
    shop, bank = free_port(), free_port()
    env |= {"MLT_RAZORPAY_BASE_URL": f"http://127.0.0.1:{bank}"}
    servers = [
        Server(
            "standin",
            ["transactional", "razorpay-standin", "--port", str(bank)],
            f"http://127.0.0.1:{bank}/_control/health",
            env,
        ),
        Server("shop", ["transactional", "serve", "--port", str(shop)], f"http://127.0.0.1:{shop}/health", env),
    ]
    with running(servers, log_folder=var / "logs"):
        shopper = _Shopper(f"http://127.0.0.1:{shop}", f"http://127.0.0.1:{bank}")
        health = load(shopper.health, requests=page_views, clients=clients)
        pages = load(shopper.product_page, requests=page_views, clients=clients)
        cash = load(lambda i: shopper.checkout(i, "on_delivery") is not None, requests=checkouts, clients=clients)
        paid = load(shopper.paid_checkout, requests=checkouts, clients=clients)
    return {
        "health": health.figures(),
        "product_page": _with_ratio(pages, health),
        "checkout_on_delivery": _with_ratio(cash, health),
        "paid_checkout": _with_ratio(paid, health),
    }


def _with_ratio(measured: Load, baseline: Load) -> dict[str, float]:
    ratio = round(baseline.requests_per_second / measured.requests_per_second, 1)
    return {**measured.figures(), "costs_as_many_health_requests": ratio}


class _Shopper:
    """Buys as a guest, over HTTP; one connection pool a thread."""

    def __init__(self, shop: str, bank: str) -> None:
        self._shop, self._bank = shop, bank
        self._local = threading.local()
        found = httpx.get(f"{shop}/v1/products", params={"limit": 50}).raise_for_status().json()["items"]
        ids = [product["id"] for product in found]
        details = [httpx.get(f"{shop}/v1/products/{number}").raise_for_status().json() for number in ids]
        self._products = ids
        self._variants = [detail["variants"][0]["id"] for detail in details]

    @property
    def _http(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = httpx.Client(timeout=30)
        return client

    def health(self, _number: int) -> bool:
        return self._http.get(f"{self._shop}/health").is_success

    def product_page(self, number: int) -> bool:
        return self._http.get(f"{self._shop}/v1/products/{self._products[number % len(self._products)]}").is_success

    def _post(self, path: str, body: dict[str, Any], base: str | None = None) -> dict[str, Any] | None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        response = self._http.post(f"{base or self._shop}{path}", json=body, headers=key)
        return dict(response.json()) if response.is_success else None

    def checkout(self, number: int, mode: str) -> dict[str, Any] | None:
        """Cart, line, order: three requests."""
        cart = self._post("/v1/carts", {})
        variant = self._variants[number % len(self._variants)]
        if cart is None or self._post(f"/v1/carts/{cart['id']}/lines", {"variant_id": variant}) is None:
            return None
        order = {
            "cart_id": cart["id"],
            "email": f"guest{number}@example.com",
            "ship_to": _ADDRESS,
            "payment_mode": mode,
        }
        return self._post("/v1/checkout", order)

    def paid_checkout(self, number: int) -> bool:
        """The same, then the gateway's order, the bank, and the browser's verification: six requests."""
        order = self.checkout(number, "online")
        if order is None:
            return False
        started = self._post(f"/v1/orders/{order['id']}/payments", {})
        if started is None:
            return False
        control = f"/_control/orders/{started['gateway_order_id']}/pay"
        triple = self._post(control, {"method": "upi", "outcome": "captured"}, base=self._bank)
        return triple is not None and self._post("/v1/payments/verify", triple) is not None


def _fresh(name: str) -> Path:
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
