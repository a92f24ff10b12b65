"""What the simulation knows and no model may read: what its shoppers really like, and what really moves them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from transactional.simulation.gifts import GIFTS
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage


def tell(stage: Stage, shoppers: Sequence[Shopper], *, seed: int, end: datetime) -> dict[str, Any]:
    """The truth about gifts, experiments and shoppers, ready for JSON."""
    return {
        "seed": seed,
        "end": end.isoformat(),
        "gifts": [
            {
                "sku": gift.sku,
                "product_id": stage.shelf.products[gift.sku],
                "appeal": round(stage.tastes.appeal[gift.sku], 4),
                "quality": round(stage.tastes.quality[gift.sku], 4),
            }
            for gift in GIFTS
        ],
        "experiments": [stage.shelf.temptation.truth()],
        "shoppers": [_true_self(stage, shopper) for shopper in shoppers],
    }


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Keep it beside the shop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(truth, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _true_self(stage: Stage, shopper: Shopper) -> dict[str, Any]:
    ranking = stage.tastes.ranking(shopper)
    return {
        "customer_id": shopper.customer_id,
        "email": shopper.email,
        "joined": shopper.joined.isoformat(),
        "leaves": shopper.leaves.isoformat(),
        "orders_per_year": round(shopper.orders_per_year, 4),
        "budget": shopper.budget,
        "price_sensitivity": round(shopper.price_sensitivity, 4),
        "repeat_habit": round(shopper.repeat_habit, 4),
        "styles": {name: round(weight, 4) for name, weight in shopper.styles.items()},
        "categories": {name: round(weight, 4) for name, weight in shopper.categories.items()},
        "preferences": [
            {"sku": sku, "product_id": stage.shelf.products[sku], "utility": utility} for sku, utility in ranking
        ],
    }
