"""The stored explanation of a price: everything needed to compute an order's discounts again, and to say why.

Schema version 2. Only the rules are looked up elsewhere, by offer and version, because a version never changes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from transactional.promotions.engine.admission import Entry, enter, ranked
from transactional.promotions.engine.effort import Effort
from transactional.promotions.engine.facts import Basket, DiscountClass, Line
from transactional.promotions.engine.outcome import Applied, Outcome
from transactional.promotions.engine.pricing import price
from transactional.promotions.engine.rule import Candidate, Rule
from transactional.promotions.engine.selection import Shelves

SCHEMA_VERSION = 2

Rules = Mapping[tuple[int, int], Rule]
"""Rules by (offer id, version)."""


def trace_of(basket: Basket, outcome: Outcome) -> dict[str, Any]:
    """The explanation as a JSON object: which rule gave which minor unit on which unit, and why each other did not."""
    nearest = outcome.nearest
    return {
        "version": SCHEMA_VERSION,
        "basket": {
            "currency": basket.currency,
            "channel": basket.channel,
            "country": basket.country,
            "shipping_minor": basket.shipping_minor,
            "lines": [_line(line) for line in basket.lines],
        },
        "applied": [_applied(one) for one in outcome.applied],
        "refused": [
            {
                "offer_id": one.offer_id,
                "version": one.version,
                "code": one.code,
                "reason": str(one.reason),
                "detail": one.detail,
                "missing": dict(one.missing),
                "reachable": one.reachable,
            }
            for one in outcome.refused
        ],
        "nearest": nearest
        and {
            "offer_id": nearest.offer_id,
            "version": nearest.version,
            "discount_class": nearest.discount_class.value,
            "detail": nearest.detail,
            "missing": dict(nearest.missing),
        },
        "saving_minor": outcome.saving_minor,
        "proved_best": outcome.proved_best,
    }


def applied_in(trace: Mapping[str, Any]) -> tuple[Applied, ...]:
    """The amounts as a trace states them. Raises ValueError for another schema version."""
    _check_version(trace)
    return tuple(
        Applied(
            offer_id=one["offer_id"],
            version=one["version"],
            code=one["code"],
            discount_class=DiscountClass(one["discount_class"]),
            amount_minor=one["amount_minor"],
            units={int(line_id): tuple(amounts) for line_id, amounts in one["units"].items()},
            shipping_minor=one["shipping_minor"],
        )
        for one in trace["applied"]
    )


def recompute(trace: Mapping[str, Any], rules: Rules) -> tuple[Applied, ...]:
    """The amounts of a trace, worked out again from its basket and the stored rules of the offers that applied.

    Raises ValueError for another schema version, KeyError where `rules` lacks one of them.
    """
    basket = basket_in(trace)
    shelves = Shelves(basket)
    candidates = ranked(
        Candidate(one["offer_id"], one["version"], one["code"], rules[one["offer_id"], one["version"]])
        for one in trace["applied"]
    )
    entries = [enter(rank, candidate, basket, shelves) for rank, candidate in enumerate(candidates)]
    giving: Sequence[Entry] = [entry for entry in entries if isinstance(entry, Entry)]
    return tuple(price(basket, shelves.lines, giving, Effort()))


def basket_in(trace: Mapping[str, Any]) -> Basket:
    """The basket that was priced. Raises ValueError for another schema version."""
    _check_version(trace)
    stored = trace["basket"]
    return Basket(
        currency=stored["currency"],
        lines=tuple(Line(**{**line, "category_ids": frozenset(line["category_ids"])}) for line in stored["lines"]),
        shipping_minor=stored["shipping_minor"],
        country=stored["country"],
        channel=stored["channel"],
    )


def _line(line: Line) -> dict[str, Any]:
    return {
        "line_id": line.line_id,
        "variant_id": line.variant_id,
        "product_id": line.product_id,
        "category_ids": sorted(line.category_ids),
        "quantity": line.quantity,
        "unit_price_minor": line.unit_price_minor,
        "floor_minor": line.floor_minor,
    }


def _applied(one: Applied) -> dict[str, Any]:
    return {
        "offer_id": one.offer_id,
        "version": one.version,
        "code": one.code,
        "discount_class": one.discount_class.value,
        "amount_minor": one.amount_minor,
        "units": {str(line_id): list(amounts) for line_id, amounts in one.units.items()},
        "shipping_minor": one.shipping_minor,
    }


def _check_version(trace: Mapping[str, Any]) -> None:
    if trace.get("version") != SCHEMA_VERSION:
        raise ValueError(f"a trace of version {trace.get('version')} cannot be read here")
