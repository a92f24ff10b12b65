"""Each condition on both sides of its edge, and what the refused are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.transactional.promotions.engine.drawing import NOW, basket, line, offer, offers, percentage, rule, solved
from transactional.promotions.engine import Basket, Refused, Shopper, solve

MUG, CARD = 1, 2
BASKET = basket(line(1, 10_000, 2, MUG), line(2, 5_000, 1, CARD))
NOBODY = Shopper()


def judged(kind: str, args: dict[str, Any], of: Basket = BASKET, shopper: Shopper = NOBODY) -> Refused | None:
    """How an offer with one condition fares."""
    one = percentage(1_000, conditions=[{"kind": kind, "args": args}])
    outcome = solved(of, offers(one), shopper)
    return outcome.refused[0] if outcome.refused else None


@pytest.mark.parametrize(
    ("kind", "met", "unmet"),
    [
        ("channel", {"channels": ["web", "app"]}, {"channels": ["app"]}),
        ("country", {"countries": ["IN"]}, {"countries": ["GB", "US"]}),
        ("min_spend", {"amount_minor": 25_000}, {"amount_minor": 25_001}),
        (
            "min_spend",
            {"amount_minor": 20_000, "select": {"category_ids": [MUG]}},
            {"amount_minor": 20_001, "select": {"category_ids": [MUG]}},
        ),
        ("min_quantity", {"quantity": 3}, {"quantity": 4}),
        (
            "min_quantity",
            {"quantity": 1, "select": {"product_ids": [2]}},
            {"quantity": 2, "select": {"product_ids": [2]}},
        ),
        ("categories", {"category_ids": [7, CARD]}, {"category_ids": [7]}),
        ("products", {"product_ids": [1]}, {"product_ids": [3, 4]}),
    ],
)
def test_the_basket_meets_it_or_not(kind: str, met: dict[str, Any], unmet: dict[str, Any]) -> None:
    assert judged(kind, met) is None
    refused = judged(kind, unmet)
    assert refused is not None
    assert refused.reason == kind


@pytest.mark.parametrize(
    ("kind", "args", "who"),
    [
        ("customer_groups", {"groups": ["vip"]}, Shopper(groups=frozenset({"vip", "new"}))),
        ("first_order", {}, Shopper(is_first_order=True)),
        ("staff_only", {}, Shopper(is_staff=True)),
    ],
)
def test_the_shopper_meets_it_or_not(kind: str, args: dict[str, Any], who: Shopper) -> None:
    assert judged(kind, args, shopper=who) is None
    refused = judged(kind, args)
    assert refused is not None
    assert (refused.reason, refused.reachable) == (kind, False)


def test_a_period_begins_at_its_start_and_is_over_at_its_end() -> None:
    india = "2026-10-15T00:00:00+05:30"
    start, end = datetime(2026, 10, 14, 18, 30, tzinfo=UTC), datetime(2026, 11, 9, 18, 30, tzinfo=UTC)
    args = {"starts_at": india, "ends_at": end.isoformat()}
    one = percentage(1_000, conditions=[{"kind": "period", "args": args}])
    tick = timedelta(microseconds=1)
    given = {at: solve(BASKET, NOBODY, at, offers(one)).saving_minor for at in (start - tick, start, end - tick, end)}
    assert list(given.values()) == [0, 2_500, 2_500, 0]


def test_a_moment_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        solve(BASKET, NOBODY, NOW.replace(tzinfo=None), [])


def test_what_is_missing_is_said_in_figures_and_in_words() -> None:
    spend = judged("min_spend", {"amount_minor": 45_050})
    assert spend is not None
    assert (spend.detail, spend.missing, spend.reachable) == ("₹200.50 more", {"spend_minor": 20_050}, True)
    units = judged("min_quantity", {"quantity": 5, "select": {"category_ids": [CARD]}})
    assert units is not None
    assert (units.detail, units.missing) == ("4 more of the goods it is for", {"quantity": 4})


def test_every_unmet_condition_is_named_and_one_that_cannot_be_met_decides() -> None:
    one = percentage(
        1_000,
        conditions=[
            {"kind": "min_spend", "args": {"amount_minor": 30_000}},
            {"kind": "min_quantity", "args": {"quantity": 4}},
            {"kind": "staff_only"},
        ],
    )
    (refused,) = solved(BASKET, offers(one)).refused
    assert refused.reason == "min_spend"
    assert refused.missing == {"spend_minor": 5_000, "quantity": 1}
    assert refused.detail == "₹50 more; 1 more; only for the shop's own people"
    assert not refused.reachable


def test_an_address_may_still_come() -> None:
    unknown = basket(line(1, 1_000), country=None, shipping=None)
    assert judged("country", {"countries": ["IN"]}, of=unknown).reachable  # type: ignore[union-attr]
    (refused,) = solved(unknown, offers(rule("free_shipping", "shipping"))).refused
    assert (refused.reason, refused.reachable) == ("shipping_unknown", True)


@pytest.mark.parametrize(
    ("blocked", "reason", "detail"),
    [
        ("limit_reached", "limit_reached", "all its uses are taken"),
        ("held_out", "held_out", "it is not open to everybody"),
        ("the till is closed", "blocked", "the till is closed"),
        ("min_spend", "blocked", "min_spend"),
    ],
)
def test_what_the_caller_rules_out_is_explained(blocked: str, reason: str, detail: str) -> None:
    (refused,) = solved(BASKET, [offer(1, percentage(1_000), "DIWALI", blocked)]).refused
    assert (refused.code, refused.reason, refused.detail, refused.reachable) == ("DIWALI", reason, detail, False)


def test_two_codes_of_one_offer_count_once() -> None:
    one = percentage(1_000, combines_with=["product"])
    outcome = solved(BASKET, [offer(1, one, "B"), offer(1, one, "A"), offer(1, one, "0", "limit_reached")])
    assert [applied.code for applied in outcome.applied] == ["A"]
    assert {refused.code: refused.reason for refused in outcome.refused} == {"0": "limit_reached", "B": "same_offer"}


def test_an_offer_of_another_currency_is_refused() -> None:
    (refused,) = solved(BASKET, offers(percentage(1_000, currency="GBP"))).refused
    assert refused.reason == "currency"


def test_a_beaten_offer_says_by_how_much() -> None:
    outcome = solved(BASKET, offers(percentage(1_000), percentage(3_000)))
    (refused,) = outcome.refused
    assert refused.missing == {"better_by_minor": 5_000}
    assert refused.detail == "another combination saves ₹50 more than it does by itself"


def test_equal_savings_go_to_priority_then_to_the_lower_id() -> None:
    same = solved(BASKET, [offer(7, percentage(1_000)), offer(3, percentage(1_000))])
    assert [one.offer_id for one in same.applied] == [3]
    assert same.refused[0].missing == {"better_by_minor": 0}
    preferred = solved(BASKET, [offer(7, percentage(1_000, priority=1)), offer(3, percentage(1_000))])
    assert [one.offer_id for one in preferred.applied] == [7]


def test_the_nearest_offer_is_the_automatic_one_with_the_smallest_gap() -> None:
    def from_spend(amount: int, kind: str = "free_shipping", own: str = "shipping", **args: Any) -> Any:
        return rule(kind, own, args=args, conditions=[{"kind": "min_spend", "args": {"amount_minor": amount}}])

    candidates = [
        offer(1, from_spend(45_000)),
        offer(2, from_spend(30_000, "percentage", "order", bp=1_250), code="SECRET"),
        offer(3, from_spend(50_000, "percentage", "order", bp=1_250)),
        offer(4, from_spend(26_000), blocked="paused"),
    ]
    nearest = solved(BASKET, candidates).nearest
    assert nearest is not None
    assert (nearest.offer_id, nearest.detail) == (1, "₹200 more for free shipping")
    assert nearest.missing == {"spend_minor": 20_000}
    free_already = basket(*BASKET.lines, shipping=0)
    assert solved(free_already, candidates).nearest.detail == "₹250 more for 12.5 % off"  # type: ignore[union-attr]
    assert solved(BASKET, []).nearest is None
