"""The promotion engine alone: baskets of 30 lines priced with 200 active promotions of every kind.

The mix is that of a busy shop in its season: sales by category and by product with and without caps, fixed amounts,
"buy x, get y", the cheapest item, order discounts with spend tiers, free shipping, some for groups or exclusive, a
fifth behind codes that the shopper has entered.
"""

import gc
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.measure import percentile, timed
from transactional.promotions.engine import Basket, Candidate, Line, Rule, Shopper, parse_rule, solve

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINES = 30
PROMOTIONS = 200
_LEAF, _PARENT = 1_000, 2_000
_SHARED: tuple[list[str], ...] = (
    ["order", "shipping"],
    ["order", "shipping"],
    ["order", "shipping"],
    ["product", "order", "shipping"],
    [],
)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """So many products in so many categories, which have so many parents."""

    products: int
    leaves: int
    parents: int


def run(baskets: int = 500) -> dict[str, Any]:
    """Milliseconds of `solve`, one basket after the other, and how many answers are proved to be the best.

    `wide`: 80 categories, so that about half of the promotions meet the conditions of a basket; `dense`: 40, so that
    four fifths do. `cpu_…` is what the process itself worked: on a busy machine the wall clock also shows the others.
    """
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as the shop's server does once it stands
    try:
        return {"wide": _measure(_Catalogue(800, 80, 10), baskets), "dense": _measure(_Catalogue(400, 40, 8), baskets)}
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


def _measure(catalogue: _Catalogue, baskets: int) -> dict[str, Any]:
    dice = random.Random(20261122)
    candidates = [_candidate(number, catalogue, dice) for number in range(1, PROMOTIONS + 1)]
    shopper = Shopper("asha@example.in", is_first_order=False, groups=frozenset({"vip"}))
    drawn = [_basket(catalogue, dice) for _ in range(baskets)]
    first = solve(drawn[0], shopper, _NOW, candidates)
    wall, cpu, proved, applied = [], [], 0, 0
    for basket in drawn:
        started = time.process_time()
        seconds, outcome = timed(partial(solve, basket, shopper, _NOW, candidates))
        cpu.append(time.process_time() - started)
        wall.append(seconds)
        proved += outcome.proved_best
        applied += len(outcome.applied)
    return {
        "baskets": baskets,
        "lines": LINES,
        "promotions": PROMOTIONS,
        **_figures("", wall),
        **_figures("cpu_", cpu),
        "proved_best": proved,
        "applied_mean": round(applied / baskets, 1),
        "refused_first_basket": dict(Counter(str(refused.reason) for refused in first.refused)),
    }


def _figures(prefix: str, seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    shares = {"p50_ms": 0.50, "p99_ms": 0.99, "max_ms": 1.0}
    return {prefix + name: round(percentile(ordered, share) * 1_000, 2) for name, share in shares.items()}


def _basket(catalogue: _Catalogue, dice: random.Random) -> Basket:
    products = dice.sample(range(catalogue.products), LINES)
    lines = tuple(_line(number, product, catalogue, dice) for number, product in enumerate(products, 1))
    return Basket("INR", lines, shipping_minor=9_900, country="IN")


def _line(number: int, product: int, catalogue: _Catalogue, dice: random.Random) -> Line:
    leaf = product % catalogue.leaves
    price = dice.randrange(9_900, 499_900, 100)
    floor = price // 2 if dice.random() < 0.3 else 0
    categories = frozenset({_LEAF + leaf, _PARENT + leaf % catalogue.parents})
    return Line(number, product, product, categories, dice.choice([1, 1, 1, 2, 3, 6]), price, floor)


def _candidate(number: int, catalogue: _Catalogue, dice: random.Random) -> Candidate:
    makers = [_sale] * 10 + [_amount_off] * 2 + [_sets] * 2 + [_cheapest] + [_order] * 3 + [_shipping] * 2
    code = f"CODE{number}" if number % 5 == 0 else None
    return Candidate(number, 1, code, dice.choice(makers)(catalogue, dice))


def _rule(dice: random.Random, kind: str, own: str, args: dict[str, Any], **conditions: dict[str, Any]) -> Rule:
    period = {"starts_at": (_NOW - timedelta(days=9)).isoformat(), "ends_at": (_NOW + timedelta(days=9)).isoformat()}
    if dice.random() < 0.1:
        conditions["customer_groups"] = {"groups": [dice.choice(["vip", "lapsed"])]}
    exclusive = dice.random() < 0.03
    return parse_rule(
        {
            "kind": kind,
            "args": args,
            "discount_class": own,
            "conditions": [{"kind": "period", "args": period}]
            + [{"kind": name, "args": given} for name, given in conditions.items()],
            "priority": dice.randrange(3),
            "exclusive": exclusive,
            "combines_with": [] if exclusive else _agreement(own, dice),
            "max_per_class": 1 if dice.random() < 0.02 else None,
        }
    )


def _agreement(own: str, dice: random.Random) -> list[str]:
    if own == "product":
        return dice.choice(_SHARED)
    return dice.choice([["product", "order", "shipping"], ["product", "shipping"], ["product", "shipping"], []])


def _select(catalogue: _Catalogue, dice: random.Random) -> dict[str, Any]:
    drawn = dice.random()
    if drawn < 0.5:
        return {
            "select": {
                "category_ids": [_LEAF + leaf for leaf in dice.sample(range(catalogue.leaves), dice.randint(1, 3))]
            }
        }
    if drawn < 0.75:
        return {"select": {"category_ids": [_PARENT + dice.randrange(catalogue.parents)]}}
    if drawn < 0.95:
        return {"select": {"product_ids": dice.sample(range(catalogue.products), 10)}}
    return {}


def _sale(catalogue: _Catalogue, dice: random.Random) -> Rule:
    cap = {"cap_minor": dice.choice([20_000, 50_000, 100_000])} if dice.random() < 0.3 else {}
    return _rule(
        dice, "percentage", "product", {"bp": dice.randrange(500, 4_000, 500)} | cap | _select(catalogue, dice)
    )


def _amount_off(catalogue: _Catalogue, dice: random.Random) -> Rule:
    args = {"amount_minor": dice.choice([5_000, 10_000, 25_000]), "each": dice.random() < 0.3} | _select(
        catalogue, dice
    )
    return _rule(dice, "fixed", "product", args, min_spend={"amount_minor": dice.choice([99_900, 499_900])})


def _sets(catalogue: _Catalogue, dice: random.Random) -> Rule:
    args = {"buy": dice.choice([1, 2, 2, 3]), "get": 1, "bp": dice.choice([5_000, 10_000])} | _select(catalogue, dice)
    return _rule(dice, "buy_x_get_y", "product", args)


def _cheapest(catalogue: _Catalogue, dice: random.Random) -> Rule:
    args = {"bp": dice.choice([5_000, 10_000])} | _select(catalogue, dice)
    return _rule(dice, "cheapest_item", "product", args, min_quantity={"quantity": 3})


def _order(_: _Catalogue, dice: random.Random) -> Rule:
    spend = {"amount_minor": dice.choice([99_900, 499_900, 2_000_000, 9_000_000])}
    if dice.random() < 0.5:
        return _rule(dice, "percentage", "order", {"bp": dice.randrange(300, 1_500, 100)}, min_spend=spend)
    return _rule(dice, "fixed", "order", {"amount_minor": dice.choice([10_000, 30_000])}, min_spend=spend)


def _shipping(_: _Catalogue, dice: random.Random) -> Rule:
    cap = {"cap_minor": 5_000} if dice.random() < 0.5 else {}
    conditions: dict[str, dict[str, Any]] = {"min_spend": {"amount_minor": 49_900}, "country": {"countries": ["IN"]}}
    return _rule(dice, "free_shipping", "shipping", cap, **conditions)
