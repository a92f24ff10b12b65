"""Whose an order is: code, published text and behaviour say the same, for every choice of values."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.affiliates.rates import RateCard, RateRow, category_path, units_commission
from transactional.affiliates.rules import AttributionRule, Binding, Click, CodeUse, Evidence, decide
from transactional.affiliates.service import ClickRule, DecidedBy, Winner
from transactional.affiliates.terms import attribution_text
from transactional.core.money import unit_share

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = [
    AttributionRule(days, click_rule, winner) for days, click_rule, winner in product((1, 30, 365), ClickRule, Winner)
]
SECOND = timedelta(seconds=1)


def promised(rule: AttributionRule) -> AttributionRule:
    """The values as a reader takes them from the published text."""
    text = " ".join(attribution_text(rule))
    (days,) = re.findall(r"within (\d+) days", text)
    (which,) = re.findall(r"the (first|last) link counts", text)
    (winner,) = re.findall(r"the (code|link) wins", text)
    return AttributionRule(int(days), ClickRule(f"{which}_click"), Winner.CODE if winner == "code" else Winner.CLICK)


def clicked(number: int, *, days: float, affiliate: int | None = None) -> Click:
    """A click so many days before the order."""
    return Click(number, affiliate or number, NOW - timedelta(days=days))


def owner(rule: AttributionRule, **evidence: object) -> int | None:
    decision = decide(rule, Evidence(NOW, **evidence))  # type: ignore[arg-type]
    return None if decision is None else decision.affiliate_id


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_published_text_is_what_the_code_does(rule: AttributionRule) -> None:
    says = promised(rule)
    assert says == rule
    window = timedelta(days=says.window_days)
    inside, outside = Click(1, 1, NOW - window), Click(1, 1, NOW - window - SECOND)
    assert owner(rule, clicks=[inside]) == 1
    assert owner(rule, clicks=[outside]) is None
    first, last = clicked(1, days=0.9), clicked(2, days=0.1)
    wanted = 1 if says.click_rule is ClickRule.FIRST_CLICK else 2
    assert owner(rule, clicks=[last, first]) == owner(rule, clicks=[first, last]) == wanted
    by_both = owner(rule, clicks=[clicked(1, days=0.5)], code=CodeUse(7, 3))
    assert by_both == (3 if says.winner is Winner.CODE else 1)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_window_limits_only_the_first_binding(rule: AttributionRule) -> None:
    bound = Binding(5, 1, NOW - timedelta(days=3_000))
    decision = decide(rule, Evidence(NOW, binding=bound))
    assert decision is not None
    assert (decision.affiliate_id, decision.by, decision.evidence_id) == (1, DecidedBy.BINDING, 5)
    newer = owner(rule, binding=bound, clicks=[clicked(2, days=0.5)])
    assert newer == (1 if rule.click_rule is ClickRule.FIRST_CLICK else 2)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_click_after_the_order_counts_for_nothing(rule: AttributionRule) -> None:
    assert owner(rule, clicks=[Click(1, 1, NOW + SECOND)]) is None
    assert owner(rule) is None


@given(
    st.sampled_from(RULES),
    st.lists(st.tuples(st.integers(1, 4), st.integers(-5, 500)), max_size=6),
    st.one_of(st.none(), st.integers(1, 4)),
    st.one_of(st.none(), st.tuples(st.integers(1, 4), st.integers(1, 500))),
    st.randoms(),
)
def test_one_owner_at_most_and_never_by_the_order_of_evidence(rule, clicks, code, binding, random) -> None:  # type: ignore[no-untyped-def]
    rows = [clicked(i, days=days, affiliate=affiliate) for i, (affiliate, days) in enumerate(clicks)]
    facts = {
        "code": CodeUse(1, code) if code else None,
        "binding": Binding(1, binding[0], NOW - timedelta(days=binding[1])) if binding else None,
    }
    decision = decide(rule, Evidence(NOW, clicks=rows, **facts))
    random.shuffle(rows)
    assert decide(rule, Evidence(NOW, clicks=rows, **facts)) == decision
    if decision is not None and decision.by is DecidedBy.CLICK:
        (click,) = [row for row in rows if row.id == decision.evidence_id]
        assert rule.covers(click.at, NOW)
    if code and rule.winner is Winner.CODE:
        assert decision is not None
        assert decision.affiliate_id == code


def test_the_affiliates_own_rate_comes_first_then_the_nearest_category() -> None:
    card = RateCard(
        1,
        100,
        [
            RateRow(200, category_id=10),
            RateRow(300, category_id=11),
            RateRow(400, affiliate_id=7),
            RateRow(500, affiliate_id=7, category_id=10),
        ],
    )
    assert card.rate_for(affiliate_id=1, category_path=[12, 11, 10]) == 300
    assert card.rate_for(affiliate_id=1, category_path=[10]) == 200
    assert card.rate_for(affiliate_id=1, category_path=[99]) == 100
    assert card.rate_for(affiliate_id=7, category_path=[12, 11, 10]) == 500
    assert card.rate_for(affiliate_id=7, category_path=[99]) == 400


def test_a_category_path_ends_at_the_root() -> None:
    assert category_path({1: None, 2: 1, 3: 2}, 3) == [3, 2, 1]
    assert category_path({1: 2, 2: 1}, 1) == [1, 2], "a ring, which the catalogue never makes, is walked once"


@given(st.integers(0, 10**9), st.integers(1, 40), st.integers(0, 10_000), st.data())
def test_a_line_earns_the_sum_of_its_units_however_it_is_cut(net: int, quantity: int, rate: int, data) -> None:  # type: ignore[no-untyped-def]
    def commission(first: int, count: int) -> int:
        return units_commission(net_minor=net, quantity=quantity, rate_bp=rate, first=first, count=count)

    units = [unit_share(net, quantity, i, 1) * rate // 10_000 for i in range(quantity)]
    cut = data.draw(st.integers(0, quantity))
    assert commission(0, quantity) == sum(units)
    assert commission(0, cut) == sum(units[:cut])
    assert commission(cut, quantity - cut) == sum(units[cut:])
