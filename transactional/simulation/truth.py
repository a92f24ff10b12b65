"""What the shoppers really like, kept beside the shop so that a recommender can be measured against it."""

import json
from pathlib import Path
from typing import Any

from transactional.simulation.run import Simulation


def truth_of(simulation: Simulation) -> dict[str, Any]:
    """Tastes, purse, habits and recipients of every shopper by customer id, and the range by product id."""
    shoppers = {
        str(simulation.counter.customer_id(shopper)): {
            "tastes": {name: round(weight, 4) for name, weight in shopper.tastes.items()},
            "feasts": {name: round(chance, 4) for name, chance in shopper.feasts.items()},
            "purse_minor": shopper.purse_minor,
            "price_sensitivity": round(shopper.price_sensitivity, 4),
            "visits_per_month": round(shopper.visits_per_month, 4),
            "leaves_after_order": round(shopper.leaves_after_order, 4),
            "gone": shopper.gone,
            "recipients": [
                {"relation": r.relation, "occasion": r.occasion, "month": r.day.month, "day": r.day.day}
                for r in shopper.recipients
            ],
        }
        for shopper in simulation.shoppers
    }
    products = {
        str(item.product_id): {
            "sku": item.gift.sku,
            "category": item.gift.category,
            "occasions": sorted(item.gift.occasions),
            "goes_with": simulation.shelves[item.gift.goes_with].product_id,
        }
        for item in simulation.range
    }
    return {"seed": simulation.plan.seed, "shoppers": shoppers, "products": products}


def write_truth(simulation: Simulation, target: Path) -> None:
    """As JSON."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(truth_of(simulation), ensure_ascii=False, indent=1), encoding="utf-8")
