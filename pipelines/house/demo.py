"""`make demo`: the shop trades, the warehouse refreshes, the models train, the answers come back — in one command."""

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from pipelines.house import summary
from pipelines.house.processes import Server, StepFailedError, announce, free_port, run_step, running

MARKER = "demo/STARTED_BY_DEMO"
"""Present in a `var/` that a demo made and the next demo may therefore remove."""


class ForeignShopError(RuntimeError):
    """`var/` holds a shop that no demo made; the demo leaves it alone."""


def fresh_var(var: Path) -> None:
    """Empty what an earlier demo left; refuse to touch anything else.

    Raises ForeignShopError when `var/` has a shop or published figures without the demo's marker.
    """
    owned = (var / MARKER).exists()
    precious = [name for name in ("shop.db", "published", "warehouse") if (var / name).exists()]
    if precious and not owned:
        raise ForeignShopError(
            f"{var} already holds {', '.join(precious)} that no demo made. Run `make clean` to remove them, or set"
            " MLT_VAR to another folder for the demo."
        )
    for name in ("shop.db", "shop.db-wal", "shop.db-shm"):
        (var / name).unlink(missing_ok=True)
    for name in ("published", "warehouse", "mlflow", "dagster", "simulation", "demo"):
        shutil.rmtree(var / name, ignore_errors=True)
    (var / MARKER).parent.mkdir(parents=True, exist_ok=True)
    (var / MARKER).touch()


def trade(inputs: Sequence[Path], *, customers: int, days: int, seed: int) -> str:
    """Fill the shop: from real files where given, else by simulated shoppers. Gives the command's own report."""
    if inputs:
        names = ", ".join(path.name for path in inputs)
        arguments = ["transactional", "import-online-retail", *map(str, inputs)]
        return run_step(f"1/5  Importing {names}", arguments)
    shoppers = ["--customers", str(customers), "--days", str(days), "--seed", str(seed)]
    return run_step(f"1/5  {customers} shoppers trade for {days} days", ["transactional", "simulate", *shoppers])


def recommendations(var: Path, customer_id: int) -> dict[str, Any]:
    """Ask the serving process for one shopper, over HTTP, as the shop does."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = Server("demo-serving", ["serving", "serve", "--port", str(port)], f"{url}/ready")
    with running([server], log_folder=var / "logs"):
        question = {"slot": "home", "customer_id": customer_id, "k": 5}
        response = httpx.post(f"{url}/v1/recommend", json=question, timeout=10.0)
    if response.is_error:
        raise StepFailedError(f"serving answered {response.status_code}: {response.text[:500]}")
    answer: dict[str, Any] = response.json()
    return answer


def example_customer() -> int:
    """A shopper with some history, so that there is something to say: the most orders among the recent."""
    rows = summary.query(
        "SELECT customer_id FROM marts.customer_rfm WHERE frequency BETWEEN 3 AND 10"
        " ORDER BY recency_days, frequency DESC, customer_id LIMIT 1"
    ) or summary.query("SELECT customer_id FROM marts.customer_rfm ORDER BY frequency DESC, customer_id LIMIT 1")
    if not rows:
        raise StepFailedError("no customer with an order: there is nobody to recommend to")
    customer_id: int = rows[0]["customer_id"]
    return customer_id


def run(var: Path, inputs: Sequence[Path], *, customers: int, days: int, seed: int) -> int:
    """The whole demo; gives the exit code."""
    started = time.monotonic()
    try:
        fresh_var(var)
        report = trade(inputs, customers=customers, days=days, seed=seed)
        run_step("2/5  Refreshing the warehouse", ["pipelines", "refresh"])
        run_step("3/5  Training the models", ["pipelines", "train"])
        run_step("4/5  Refreshing with the champions' predictions", ["pipelines", "refresh"])
        announce("5/5  Asking for recommendations")
        customer = example_customer()
        answer = recommendations(var, customer)
        tables = summary.collect()
    except (StepFailedError, ForeignShopError) as error:
        announce(f"\nThe demo stopped: {error}")
        return 1
    result = {
        "inputs": [path.name for path in inputs],
        "seconds": round(time.monotonic() - started, 1),
        "recommendations": {"customer_id": customer, **answer},
        **tables,
    }
    target = var / "demo" / "summary.json"
    target.write_text(json.dumps(result, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
    sys.stdout.write(printed(result, report, target))
    return 0


def printed(result: dict[str, Any], report: str, target: Path) -> str:
    """The summary for the eye."""
    shop = result["shop"][0]
    parts = [
        "",
        report.strip(),
        f"\nOrders and revenue by month ({shop['base_currency']}, months of {shop['time_zone']})",
        summary.table(result["months"], limit=36),
        "\nIn total",
        summary.table(result["totals"]),
        "\nCustomers by RFM group",
        summary.table(result["rfm_groups"]),
        "\nTop customers by predicted value of the next 365 days",
        summary.table(result["top_customers"]),
        "\nBest sellers",
        summary.table(result["best_sellers"]),
        f"\nRecommended to customer {result['recommendations']['customer_id']}",
        _shelves(result["recommendations"]),
        "\nChampion models (95 % intervals)",
        summary.table(result["champions"], limit=60),
        f"\nDone in {result['seconds']} s. The same as JSON: {target}",
        "Next: `make serve`, then the dashboards at http://127.0.0.1:8501, the shop at http://127.0.0.1:8000/docs",
        "and Dagster at http://127.0.0.1:3000.",
        'Figures by SQL: .venv/bin/python -m pipelines query "SELECT * FROM marts.sales_by_period LIMIT 5"',
        "",
    ]
    return "\n".join(parts)


def _shelves(answer: dict[str, Any]) -> str:
    lines = []
    for shelf in answer.get("shelves", []):
        lines.append(f"  {shelf['shelf']} (model {shelf.get('model')} {shelf.get('version')})")
        lines.extend(f"    {item.get('name') or item['product_id']}: {item['reason']}" for item in shelf["items"][:5])
    return "\n".join(lines) or "  (nothing)"
