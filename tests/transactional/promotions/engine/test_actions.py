"""What each action takes off, unit by unit, and how discounts meet."""

import pytest

from tests.transactional.promotions.engine.drawing import (
    basket,
    line,
    offers,
    percentage,
    rule,
    solved,
    unit_prices,
)
from transactional.promotions.engine import Basket, DiscountClass, Line, Outcome, Rule

MUG, CARD = 1, 2
MUGS = {"category_ids": [MUG]}
CARDS = {"category_ids": [CARD]}
EVERY = ["order", "product", "shipping"]


def units(outcome: Outcome, offer_id: int) -> dict[int, tuple[int, ...]]:
    return next(dict(one.units) for one in outcome.applied if one.offer_id == offer_id)


def applied(outcome: Outcome) -> dict[int, int]:
    return {one.offer_id: one.amount_minor for one in outcome.applied}


def test_a_percentage_is_rounded_once_a_line_and_split_evenly() -> None:
    outcome = solved(basket(line(1, 333, 3), line(2, 5)), offers(percentage(1_000)))
    assert units(outcome, 1) == {1: (34, 33, 33), 2: (1,)}


@pytest.mark.parametrize(
    ("cap", "lines"), [(500, {1: 400, 2: 100}), (1_000, {1: 800, 2: 200}), (5_000, {1: 800, 2: 200})]
)
def test_a_cap_is_split_by_what_each_line_would_get(cap: int, lines: dict[int, int]) -> None:
    of = basket(line(1, 8_000), line(2, 2_000))
    outcome = solved(of, offers(percentage(1_000, args={"cap_minor": cap})))
    assert outcome.by_line(DiscountClass.PRODUCT) == lines


def test_a_fixed_amount_is_given_once_or_off_each() -> None:
    of = basket(line(1, 3_000, 2), line(2, 4_000))
    once = rule("fixed", args={"amount_minor": 1_000})
    each = rule("fixed", args={"amount_minor": 1_000, "each": True})
    assert units(solved(of, offers(once)), 1) == {1: (300, 300), 2: (400,)}
    assert units(solved(of, offers(each)), 1) == {1: (1_000, 1_000), 2: (1_000,)}


@pytest.mark.parametrize("kind", ["product", "order"])
def test_a_fixed_amount_stops_at_what_the_goods_cost(kind: str) -> None:
    outcome = solved(basket(line(1, 700)), offers(rule("fixed", kind, args={"amount_minor": 1_000})))
    assert outcome.saving_minor == 700


def test_an_order_discount_is_split_by_what_may_still_be_taken_off() -> None:
    of = basket(line(1, 10_000, floor=9_500), line(2, 10_000))
    outcome = solved(of, offers(percentage(5_000, "order")))
    assert outcome.by_line(DiscountClass.ORDER) == {1: 476, 2: 9_524}
    assert min(unit_prices(of, outcome)[1]) >= 9_500


def test_the_cheapest_unit_is_lowered_once_however_many_there_are() -> None:
    of = basket(line(1, 900, 2, MUG), line(2, 400, 3, MUG), line(3, 100, 1, CARD))
    outcome = solved(of, offers(rule("cheapest_item", args={"bp": 5_000, "select": MUGS})))
    assert sum(units(outcome, 1)[2]) == 200
    assert set(units(outcome, 1)) == {2}


@pytest.mark.parametrize(
    ("prices", "saved"),
    [((100, 90, 80), 80), ((100, 90, 80, 70), 80), ((100, 90, 80, 70, 60, 50), 80 + 50), ((100, 90), 0)],
)
def test_sets_form_from_the_dearest_down_and_their_cheapest_is_free(prices: tuple[int, ...], saved: int) -> None:
    of = basket(*(line(number, price) for number, price in enumerate(prices, start=1)))
    assert solved(of, offers(rule("buy_x_get_y", args={"buy": 2, "get": 1}))).saving_minor == saved


def test_other_goods_are_got_and_sets_are_limited() -> None:
    of = basket(line(1, 500, 5, MUG), line(2, 80, 2, CARD), line(3, 60, 1, CARD))
    args = {"buy": 2, "get": 1, "select": MUGS, "get_select": CARDS}
    assert units(solved(of, offers(rule("buy_x_get_y", args=args))), 1) == {2: (80, 80)}
    once = solved(of, offers(rule("buy_x_get_y", args=args | {"max_sets": 1})))
    assert once.saving_minor == 80


def test_many_equal_units_form_their_sets_at_once() -> None:
    of = basket(line(1, 1_000, 10_000))
    outcome = solved(of, offers(rule("buy_x_get_y", args={"buy": 1, "get": 1})))
    assert outcome.saving_minor == 5_000 * 1_000
    assert outcome.proved_best


def test_free_shipping_is_whole_or_capped() -> None:
    of = basket(line(1, 1_000), shipping=4_900)
    assert solved(of, offers(rule("free_shipping", "shipping"))).shipping_discount_minor == 4_900
    capped = rule("free_shipping", "shipping", args={"cap_minor": 3_000})
    assert solved(of, offers(capped)).shipping_discount_minor == 3_000


@pytest.mark.parametrize(("base", "saved"), [("discounted", 2_000 + 800), ("initial", 2_000 + 1_000)])
def test_an_order_percentage_is_of_the_discounted_or_the_initial_amount(base: str, saved: int) -> None:
    of = basket(line(1, 10_000))
    outcome = solved(
        of,
        offers(
            percentage(2_000, combines_with=["order"]),
            percentage(1_000, "order", base=base, combines_with=["product"]),
        ),
    )
    assert outcome.saving_minor == saved


def test_each_unit_takes_the_offer_that_saves_it_most() -> None:
    of = basket(line(1, 10_000, 1, MUG), line(2, 10_000, 1, CARD))
    outcome = solved(of, offers(percentage(1_000), percentage(3_000, args={"select": MUGS})))
    assert applied(outcome) == {1: 1_000, 2: 3_000}
    assert units(outcome, 1) == {2: (1_000,)}


def test_offers_that_combine_stack_in_order_of_priority() -> None:
    of = basket(line(1, 10_000))
    fixed = rule("fixed", args={"amount_minor": 1_000}, combines_with=EVERY, priority=1)
    outcome = solved(of, offers(percentage(1_000, combines_with=EVERY), fixed))
    assert applied(outcome) == {2: 1_000, 1: 900}


def test_one_side_alone_cannot_agree() -> None:
    of = basket(line(1, 10_000))
    willing = percentage(1_000, combines_with=EVERY)
    unwilling = percentage(500, "order", combines_with=["shipping"])
    assert applied(solved(of, offers(willing, unwilling))) == {1: 1_000}


def test_a_set_keeps_its_bought_units_from_offers_that_do_not_combine() -> None:
    """Two mugs at full price and one free beat ten percent off all three; the card takes its percentage."""
    of = basket(line(1, 10_000, 3, MUG), line(2, 5_000, 1, CARD))
    outcome = solved(of, offers(rule("buy_x_get_y", args={"buy": 2, "get": 1, "select": MUGS}), percentage(1_000)))
    assert applied(outcome) == {1: 10_000, 2: 500}


def test_a_set_that_combines_bears_a_percentage_on_its_bought_units() -> None:
    of = basket(line(1, 10_000, 3, MUG))
    sets = rule("buy_x_get_y", args={"buy": 2, "get": 1, "select": MUGS}, combines_with=["product"])
    outcome = solved(of, offers(sets, percentage(1_000, combines_with=["product"])))
    assert applied(outcome) == {1: 10_000, 2: 2_000}


def test_an_exclusive_offer_stands_alone_when_it_saves_more() -> None:
    of = basket(line(1, 10_000))
    small, large = percentage(1_000, combines_with=EVERY), percentage(2_500, exclusive=True)
    order = percentage(1_000, "order", combines_with=EVERY)
    assert applied(solved(of, offers(small, large))) == {2: 2_500}
    assert applied(solved(of, offers(small, large, order))) == {2: 2_500}
    assert applied(solved(basket(line(1, 10_000)), offers(small, percentage(1_800, exclusive=True), order))) == {
        1: 1_000,
        3: 900,
    }


def test_a_maximum_per_class_takes_the_best_so_many() -> None:
    of = basket(line(1, 10_000, 1, MUG), line(2, 20_000, 1, CARD), line(3, 30_000))
    rules = [percentage(1_000, args={"select": {"product_ids": [number]}}, max_per_class=2) for number in (1, 2, 3)]
    assert applied(solved(of, offers(*rules))) == {2: 2_000, 3: 3_000}


def test_all_or_nothing_wants_every_unit_and_the_whole_amount() -> None:
    of = basket(line(1, 10_000, 1, MUG), line(2, 10_000, 1, CARD))
    all_of_it = percentage(2_000, all_or_nothing=True)
    mugs = percentage(3_000, args={"select": MUGS})
    assert applied(solved(of, offers(all_of_it, mugs))) == {1: 4_000}
    assert applied(solved(of, offers(all_of_it, percentage(5_000, args={"select": MUGS})))) == {2: 5_000}
    short = solved(of, offers(rule("fixed", args={"amount_minor": 20_001}, all_or_nothing=True)))
    assert [one.reason for one in short.refused] == ["not_in_full"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda: Line(1, 1, 1, frozenset(), 0, 100), "empty line"),
        (lambda: Line(1, 1, 1, frozenset(), 1, -1), "negative"),
        (lambda: Line(1, 1, 1, frozenset(), 1, 1, -1), "negative"),
        (lambda: basket(line(1, 1), line(1, 2)), "same id"),
        (lambda: basket(line(1, 1), shipping=-1), "less than nothing"),
    ],
)
def test_impossible_baskets_are_refused(broken: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        broken()  # type: ignore[operator]


def test_nothing_gives_nothing() -> None:
    every_kind: list[Rule] = [
        percentage(1_000),
        percentage(1_000, "order"),
        rule("free_shipping", "shipping"),
        rule("buy_x_get_y", args={"buy": 1, "get": 1}),
    ]
    empty = solved(Basket("INR", ()), offers(*every_kind))
    assert empty.applied == ()
    assert [one.reason for one in empty.refused] == [
        "nothing_selected",
        "nothing_selected",
        "shipping_unknown",
        "too_few",
    ]
    gratis = solved(basket(line(1, 0, 2), shipping=0), offers(*every_kind))
    assert {one.reason for one in gratis.refused} == {"nothing_left"}
    assert solved(basket(line(1, 1)), []).saving_minor == 0
