"""Rules from JSON and back; what is wrong is said with its place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.transactional.promotions.engine.drawing import rules
from transactional.core.errors import InvalidInput
from transactional.promotions.engine import Base, DiscountClass, Rule, dump_rule, parse_rule
from transactional.promotions.engine.actions import GoodsAction
from transactional.promotions.engine.grants import Grant
from transactional.promotions.engine.selection import Shelves

GOOD = {"kind": "percentage", "args": {"bp": 1_000}, "discount_class": "product"}


@settings(max_examples=60, deadline=None)
@given(rule=rules())
def test_a_rule_survives_its_json(rule: Rule) -> None:
    text = json.dumps(dump_rule(rule), sort_keys=True)
    again = parse_rule(json.loads(text))
    assert again == rule
    assert json.dumps(dump_rule(again), sort_keys=True) == text


def test_what_is_left_out_is_the_cautious_choice() -> None:
    rule = parse_rule(GOOD)
    assert (rule.kind, rule.args, rule.discount_class) == ("percentage", {"bp": 1_000}, DiscountClass.PRODUCT)
    assert (rule.combines_with, rule.exclusive, rule.base) == (frozenset(), False, Base.DISCOUNTED)
    assert (rule.conditions, rule.max_per_class, rule.all_or_nothing, rule.currency) == ((), None, False, None)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"kind": "gratis"}, "kind", "none of buy_x_get_y"),
        ({"kind": "free_shipping", "args": {}}, "discount_class", "class shipping"),
        ({"discount_class": "gift"}, "discount_class", "'product', 'order' or 'shipping'"),
        ({"args": {"bp": 0}}, "args.bp", "greater than or equal to 1"),
        ({"args": {"bp": 10_001}}, "args.bp", "less than or equal to 10000"),
        ({"args": {"bp": 10, "max": 5}}, "args.max", "not permitted"),
        ({"args": {"bp": 10, "select": {"category_ids": []}}}, "args.select", "names no goods"),
        ({"args": {"bp": 10, "select": {"sku": ["A"]}}}, "args.select.sku", "not permitted"),
        (
            {"discount_class": "order", "args": {"bp": 10, "select": {"product_ids": [1]}}},
            "args.select",
            "for the whole order",
        ),
        ({"exclusive": True, "combines_with": ["order"]}, "combines_with", "stands alone"),
        ({"max_per_class": 0}, "max_per_class", "greater than or equal to 1"),
        ({"currency": "rupees"}, "currency", "pattern"),
        ({"colour": "red"}, "colour", "not permitted"),
        ({"conditions": [{"kind": "staff_only"}, {"kind": "moon"}]}, "conditions.1.kind", "none of categories"),
        ({"conditions": [{"kind": "min_spend"}]}, "conditions.0.args.amount_minor", "required"),
        (
            {"conditions": [{"kind": "period", "args": {"starts_at": "2026-10-15T00:00:00"}}]},
            "conditions.0.args.starts_at",
            "timezone",
        ),
        (
            {
                "conditions": [
                    {
                        "kind": "period",
                        "args": {"starts_at": "2026-10-15T00:00:00Z", "ends_at": "2026-10-15T00:00:00Z"},
                    }
                ]
            },
            "conditions.0.args",
            "ends after it starts",
        ),
        (
            {"kind": "buy_x_get_y", "args": {"buy": 1, "get": 1, "get_select": {"product_ids": [1]}}},
            "args",
            "names other goods",
        ),
    ],
)
def test_a_bad_rule_is_refused_with_the_place(change: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rule(GOOD | change)
    faults = {fault["field"]: fault["message"] for fault in refused.value.extra["errors"]}
    assert message in faults[field]
    assert field in refused.value.detail


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rule(GOOD | {"args": {}, "conditions": [{"kind": "moon"}, {"kind": "min_quantity"}]})
    assert [fault["field"] for fault in refused.value.extra["errors"]] == [
        "args.bp",
        "conditions.0.kind",
        "conditions.1.args.quantity",
    ]


def test_an_action_is_no_discount_of_a_class_that_it_cannot_bear() -> None:
    shipping = parse_rule({"kind": "free_shipping", "discount_class": "shipping"})
    with pytest.raises(ValueError, match="free_shipping cannot be a discount on product"):
        Rule(action=shipping.action, discount_class=DiscountClass.PRODUCT)


def test_an_action_says_all_that_its_sort_of_discount_asks() -> None:
    class Half(GoodsAction):
        """Knows nothing of floors."""

        def grant(self, shelves: Shelves) -> Grant:
            return Grant()

        def words(self, currency: str) -> str:
            return f"half the {currency}"

    with pytest.raises(TypeError, match="falls_short"):
        Half()  # type: ignore[abstract]
