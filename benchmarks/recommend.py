"""Recommendations over HTTP from one serving process, by slot; baseline: the same process's `/health`."""

import threading
from typing import Any

import httpx

from benchmarks.importing import EXCERPT
from benchmarks.measure import load, run_module
from benchmarks.shops import FOLDER
from pipelines.house.processes import Server, free_port, running


def run(requests: int = 1_000) -> dict[str, Any]:
    """Latencies of one client after another, on the models of the excerpt that the tests carry."""
    var = FOLDER / "house"
    env = {"MLT_VAR": str(var), "DATABASE_URL": f"sqlite:///{var / 'shop.db'}"}
    if not (var / "demo" / "summary.json").exists():
        run_module(["pipelines.house", "demo", "--input", str(EXCERPT)], env)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(
        [Server("serving", ["serving", "serve", "--port", str(port)], f"{url}/ready", env)], log_folder=var / "logs"
    ):
        local = threading.local()

        def client() -> httpx.Client:
            if not hasattr(local, "client"):
                local.client = httpx.Client(base_url=url, timeout=30)
            found: httpx.Client = local.client
            return found

        def ask(body: dict[str, Any]) -> Any:
            return lambda number: (
                client().post("/v1/recommend", json={"k": 10, **body, **_whom(body, number)}).is_success
            )

        slots = {
            "home": {"slot": "home"},
            "product": {"slot": "product"},
            "shop": {"slot": "shop"},
        }
        for body in slots.values():
            load(ask(body), requests=50, clients=1)
        result: dict[str, Any] = {
            "health": load(lambda _: client().get("/health").is_success, requests=requests, clients=1).figures()
        }
        result |= {name: load(ask(body), requests=requests, clients=1).figures() for name, body in slots.items()}
    return result


def _whom(body: dict[str, Any], number: int) -> dict[str, Any]:
    if body["slot"] == "home":
        return {"customer_id": number % 250 + 1}
    return {"product_id": number % 500 + 1} if body["slot"] == "product" else {}
