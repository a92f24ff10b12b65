"""The stored explanation: self-contained, and enough to compute the amounts again."""

import json
from typing import Any

import pytest

from tests.transactional.promotions.engine.drawing import basket, line, offer, percentage, rule, solved
from transactional.promotions.engine import (
    Candidate,
    applied_in,
    basket_in,
    recompute,
    trace_of,
)

BASKET = basket(line(1, 10_000, 3, 1), line(2, 333, 2, 2))
SPEND = [{"kind": "min_spend", "args": {"amount_minor": 50_000}}]
CANDIDATES = [
    offer(1, percentage(1_000, combines_with=["order", "shipping"])),
    Candidate(2, 4, "SAVE", rule("fixed", "order", args={"amount_minor": 700}, combines_with=["product", "shipping"])),
    offer(3, rule("free_shipping", "shipping", combines_with=["product", "order"])),
    offer(4, percentage(500, conditions=SPEND)),
    offer(5, percentage(500), "OLD", "ended"),
]
RULES = {(one.offer_id, one.version): one.rule for one in CANDIDATES}


def stored() -> dict[str, Any]:
    """A trace as it comes back from the database."""
    trace: dict[str, Any] = json.loads(json.dumps(trace_of(BASKET, solved(BASKET, CANDIDATES))))
    return trace


def test_it_says_which_rule_gave_what_on_which_unit_and_why_the_others_did_not() -> None:
    trace = stored()
    assert (trace["version"], trace["saving_minor"], trace["proved_best"]) == (2, 3_067 + 700 + 9_900, True)
    assert trace["applied"][1] == {
        "offer_id": 2,
        "version": 4,
        "code": "SAVE",
        "discount_class": "order",
        "amount_minor": 700,
        "units": {"1": [229, 228, 228], "2": [7, 8]},
        "shipping_minor": 0,
    }
    assert [(one["code"], one["reason"]) for one in trace["refused"]] == [(None, "min_spend"), ("OLD", "ended")]
    assert trace["nearest"]["detail"] == "₹193.34 more for 5 % off"
    assert basket_in(trace) == BASKET


def test_the_amounts_come_out_again_even_when_the_offers_have_ended() -> None:
    trace = stored()
    assert recompute(trace, RULES) == applied_in(trace)


def test_a_changed_rule_or_a_changed_amount_is_seen() -> None:
    trace = stored()
    assert recompute(trace, RULES | {(2, 4): percentage(100, "order")}) != applied_in(trace)
    trace["applied"][0]["units"]["1"][0] += 1
    assert recompute(trace, RULES) != applied_in(trace)


def test_a_missing_version_and_another_schema_are_refused() -> None:
    trace = stored()
    with pytest.raises(KeyError):
        recompute(trace, {})
    for read in (applied_in, basket_in):
        with pytest.raises(ValueError, match="version 1"):
            read(trace | {"version": 1})


def test_nothing_applied_leaves_a_trace_too() -> None:
    trace = json.loads(json.dumps(trace_of(BASKET, solved(BASKET, []))))
    assert (trace["applied"], trace["refused"], trace["nearest"]) == ([], [], None)
    assert recompute(trace, {}) == ()
