"""Refresh of the warehouse: whole, without news, and after a thousand new orders, on shops of two sizes."""

from typing import Any

from benchmarks.measure import run_module
from benchmarks.shops import add_orders, bulk_shop

_NEW_ORDERS = 1_000


def run(sizes: tuple[int, ...] = (100_000, 1_000_000)) -> dict[str, Any]:
    """Seconds and peak memory by size, and what a thousand new orders cost on the larger shop over the smaller."""
    measured = {size: _of_size(size) for size in sizes}
    incremental = [measured[size]["after_new_orders"]["seconds"] for size in sizes]
    idle = [measured[size]["without_news"]["seconds"] for size in sizes]
    return {
        "by_orders": {str(size): figures for size, figures in measured.items()},
        "new_orders": _NEW_ORDERS,
        "incremental_ratio_large_to_small": round(incremental[-1] / incremental[0], 2),
        "idle_ratio_large_to_small": round(idle[-1] / idle[0], 2),
    }


def _of_size(orders: int) -> dict[str, Any]:
    shop, written = bulk_shop(orders)
    full = run_module(["pipelines", "refresh"], shop.env)
    idle = run_module(["pipelines", "refresh"], shop.env)
    add_orders(shop, _NEW_ORDERS)
    incremental = run_module(["pipelines", "refresh"], shop.env)
    return {
        "written_in_bulk": written.figures() if written else None,
        "full": full.figures(),
        "without_news": idle.figures(),
        "after_new_orders": incremental.figures(),
    }
