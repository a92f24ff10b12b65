"""What must always hold of a priced basket, over every sort of rule."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transactional.promotions.engine.drawing import (
    CATEGORIES,
    KINDS,
    baskets,
    candidate_lists,
    solved,
    unit_prices,
)
from transactional.promotions.engine import (
    Basket,
    Candidate,
    DiscountClass,
    Line,
    applied_in,
    recompute,
    trace_of,
)

EXAMPLES = settings(max_examples=60, deadline=None)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_what_units_bear_sums_to_each_discount_and_to_the_saving(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    for applied in outcome.applied:
        goods = sum(sum(units) for units in applied.units.values())
        assert applied.amount_minor == goods + applied.shipping_minor > 0
        assert (applied.shipping_minor > 0) == (applied.discount_class is DiscountClass.SHIPPING)
        assert all(amount >= 0 for units in applied.units.values() for amount in units)
    by_line = [sum(outcome.by_line(one).values()) for one in (DiscountClass.PRODUCT, DiscountClass.ORDER)]
    assert sum(by_line) + outcome.shipping_discount_minor == outcome.saving_minor


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_no_unit_goes_below_its_floor_or_nothing(basket: Basket, candidates: list[Candidate]) -> None:
    prices = unit_prices(basket, solved(basket, candidates))
    for line in basket.lines:
        assert len(prices[line.line_id]) == line.quantity
        assert min(prices[line.line_id]) >= min(line.floor_minor, line.unit_price_minor)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_free_shipping_never_exceeds_shipping(basket: Basket, candidates: list[Candidate]) -> None:
    assert 0 <= solved(basket, candidates).shipping_discount_minor <= (basket.shipping_minor or 0)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_every_candidate_is_applied_or_refused_with_a_reason(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    named = [one.offer_id for one in outcome.applied] + [one.offer_id for one in outcome.refused]
    assert sorted(named) == sorted(one.offer_id for one in candidates)
    assert all(one.reason and one.detail for one in outcome.refused)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_the_combination_is_legal(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    rules = {one.offer_id: one.rule for one in candidates}
    applied = [rules[one.offer_id] for one in outcome.applied]
    for rule in applied:
        assert not rule.exclusive or len(applied) == 1
        peers = [other for other in applied if other.discount_class is rule.discount_class]
        assert rule.max_per_class is None or len(peers) <= rule.max_per_class
        others = {other.discount_class for other in applied} - {rule.discount_class}
        assert others <= rule.combines_with
        if rule.discount_class is not DiscountClass.PRODUCT and len(peers) > 1:
            assert rule.discount_class in rule.combines_with


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_two_product_offers_meet_on_a_unit_only_where_both_say_so(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    rules = {one.offer_id: one.rule for one in candidates}
    on_unit: dict[tuple[int, int], list[bool]] = {}
    for applied in outcome.applied:
        if applied.discount_class is DiscountClass.PRODUCT:
            stacks = DiscountClass.PRODUCT in rules[applied.offer_id].combines_with
            for line_id, units in applied.units.items():
                for number, amount in enumerate(units):
                    if amount:
                        on_unit.setdefault((line_id, number), []).append(stacks)
    assert all(len(stacking) == 1 or all(stacking) for stacking in on_unit.values())


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2))
def test_a_discount_is_recomputed_from_its_trace_and_rules(basket: Basket, candidates: list[Candidate]) -> None:
    outcome = solved(basket, candidates)
    trace = json.loads(json.dumps(trace_of(basket, outcome)))
    rules = {(one.offer_id, one.version): one.rule for one in candidates}
    assert recompute(trace, rules) == applied_in(trace) == outcome.applied


MONOTONE = KINDS | {"product": ("percentage", "fixed")}
additions = st.builds(
    Line,
    st.just(99),
    st.just(99),
    st.integers(1, 5),
    st.frozensets(st.sampled_from(CATEGORIES), max_size=2),
    st.integers(1, 3),
    st.integers(1, 20_000),
)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2, kinds=MONOTONE, plain=True), more=additions)
def test_one_more_item_never_makes_the_others_dearer(basket: Basket, candidates: list[Candidate], more: Line) -> None:
    """To within one minor unit for each amount that is split over the goods: its remainders fall elsewhere."""
    before = solved(basket, candidates).saving_minor
    after = solved(replace(basket, lines=(*basket.lines, more)), candidates).saving_minor
    assert after >= before - len(candidates)


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=2, kinds=MONOTONE, plain=True), data=st.data())
def test_one_more_of_a_line_never_makes_the_saving_smaller(
    basket: Basket, candidates: list[Candidate], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(basket.lines) - 1))
    lines = list(basket.lines)
    lines[number] = replace(lines[number], quantity=lines[number].quantity + 1)
    before = solved(basket, candidates).saving_minor
    after = solved(replace(basket, lines=tuple(lines)), candidates).saving_minor
    assert after >= before - len(candidates)


SETS = KINDS | {"product": ("buy_x_get_y",)}


@EXAMPLES
@given(basket=baskets(), candidates=candidate_lists(least=1, most=1, kinds=SETS, plain=True), more=additions)
def test_one_more_item_never_makes_sets_worth_less(basket: Basket, candidates: list[Candidate], more: Line) -> None:
    more = replace(more, floor_minor=0)
    basket = replace(basket, lines=tuple(replace(line, floor_minor=0) for line in basket.lines))
    before = solved(basket, candidates).saving_minor
    assert solved(replace(basket, lines=(*basket.lines, more)), candidates).saving_minor >= before - 1
