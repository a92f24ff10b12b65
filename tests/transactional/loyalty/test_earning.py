"""What a paid order earns: tiers and campaigns multiply, caps limit, and the lot remembers why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trade import TradeKit
from tests.transactional.loyalty.conftest import Rules
from transactional.catalog import service as catalog
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.loyalty import jobs, service
from transactional.loyalty.earning import EarningLine, earnings_of, within_caps
from transactional.loyalty.models import ActivationRule, DateRounding, LoyaltyProgramme, PointLot
from transactional.loyalty.programme import FIRST_VERSION
from transactional.loyalty.tiers import TierLevel

Lots = Callable[[], list[PointLot]]


def programme(**changes: object) -> LoyaltyProgramme:
    """Rules without a database."""
    defaults = {"earns_on_tax": True, "earns_on_shipping": False, "earns_on_wrap": False}
    return LoyaltyProgramme(**{**FIRST_VERSION, **defaults, **changes})


def campaign(kit: TradeKit, multiplier_bp: int, **more: object) -> int:
    """A campaign from now on."""
    values = {"name": "Diwali", "starts_at": kit.now, "actor": "user:1", "now": kit.now, **more}
    return kit.run(lambda s: service.create_campaign(s, multiplier_bp=multiplier_bp, **values).id)


def test_a_tier_multiplies_what_its_members_earn_and_the_lot_says_so(kit: TradeKit, rules: Rules, lots: Lots) -> None:
    rules(tiers={"Silver": {"multiplier_bp": 12_500, "expiry_extension_days": 90}})
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    kit.buy({cup: 5}, customer_id=asha)
    kit.buy({cup: 1}, customer_id=asha)
    first, second = lots()
    assert (first.amount, second.amount) == (50, 12), "the order that reaches a tier earns at the old one's rate"
    assert (second.multiplier_bp, second.terms["plain_points"]) == (12_500, 10)
    assert second.terms["tier"] == {"name": "Silver", "multiplier_bp": 12_500, "expiry_extension_days": 90}
    assert (second.terms["rule_version"], second.terms["base_minor"]) == (1, 100_000)
    assert first.expires_at == kit.now + timedelta(days=365)
    assert second.expires_at == kit.now + timedelta(days=455)
    with kit.database.read() as session:
        assert service.tier_at(session, asha, kit.now).qualifying == 60, "multipliers move no tier"
    kit.assert_sound()


def test_the_best_campaign_counts_and_campaigns_never_add_up(kit: TradeKit, lots: Lots) -> None:
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    with kit.database.read() as session:
        child_id = catalog.list_categories(session)[0].id
        product_id = catalog.variants_by_id(session, [cup])[cup].product_id
    parent_id = kit.run(lambda s: catalog.create_category(s, name="Everything").id)
    kit.run(lambda s: catalog.move_category(s, category_id=child_id, parent_id=parent_id).id)
    campaign(kit, 15_000)
    best = campaign(kit, 20_000, category_id=parent_id)
    campaign(kit, 20_000, product_id=product_id)
    campaign(kit, 90_000, tier="Gold")
    kit.buy({cup: 1}, customer_id=asha)
    assert lots()[0].amount == 20, "a category means what lies below it as well"
    assert lots()[0].terms["campaign"] == {"id": best, "name": "Diwali", "multiplier_bp": 20_000}


def test_a_campaign_gives_from_its_start_until_its_end(kit: TradeKit, clock: ManualClock, lots: Lots) -> None:
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    day = timedelta(days=1)
    campaign(kit, 30_000, starts_at=kit.now + day, ends_at=kit.now + 2 * day)
    for _ in range(3):
        kit.buy({cup: 1}, customer_id=asha)
        clock.advance(day)
    assert [lot.amount for lot in lots()] == [10, 30, 10]


def test_a_campaign_can_be_ended_and_one_that_never_began_is_forgotten(kit: TradeKit, clock: ManualClock) -> None:
    running, later = campaign(kit, 20_000), campaign(kit, 30_000, starts_at=kit.now + timedelta(days=9))
    clock.advance(timedelta(hours=1))
    for campaign_id in (running, later):
        kit.run(lambda s, known=campaign_id: service.end_campaign(s, campaign_id=known, now=kit.now))
    with kit.database.read() as session:
        assert [(c.id, c.ends_at) for c in service.campaigns(session)] == [(running, kit.now)]
    with pytest.raises(Conflict, match="is over"):
        kit.run(lambda s: service.end_campaign(s, campaign_id=running, now=kit.now))
    with pytest.raises(NotFound):
        kit.run(lambda s: service.end_campaign(s, campaign_id=later, now=kit.now))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"multiplier_bp": -1}, "not negative"),
        ({"starts_at": datetime(2026, 1, 15, 9, tzinfo=UTC)}, "now or later"),
        ({"ends_at": datetime(2026, 1, 15, 10, tzinfo=UTC)}, "ends after it begins"),
        ({"category_id": 1, "product_id": 1}, "not for both"),
        ({"tier": "Diamond"}, "no version"),
    ],
)
def test_an_impossible_campaign_is_refused(kit: TradeKit, values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        campaign(kit, **{"multiplier_bp": 20_000, **values})
    with pytest.raises(NotFound):
        campaign(kit, 20_000, category_id=99)


def test_caps_hold_per_order_and_per_day_and_a_return_makes_room_again(
    kit: TradeKit, rules: Rules, clock: ManualClock, lots: Lots
) -> None:
    rules(max_earned_per_order=25, max_earned_per_day=40)
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    first = kit.buy({cup: 3}, customer_id=asha)
    kit.buy({cup: 3}, customer_id=asha)
    kit.buy({cup: 1}, customer_id=asha)
    assert [lot.amount for lot in lots()] == [25, 15]
    assert [lot.terms["capped_by"] for lot in lots()] == ["order", "day"]
    assert lots()[0].terms["points_before_cap"] == 30
    kit.deliver(first)
    kit.return_units(kit.lines(first)[0].id, 3)
    kit.buy({cup: 3}, customer_id=asha)
    assert lots()[-1].amount == 25
    clock.advance(timedelta(hours=8, minutes=30))  # midnight in India
    kit.buy({cup: 2}, customer_id=asha)
    assert lots()[-1].amount == 20
    with kit.database.read() as session:
        assert service.tier_at(session, asha, kit.now).qualifying == 30 + 10 + 30 + 20
    kit.assert_sound()


def test_a_line_that_a_cap_left_without_points_is_returned_without_a_trace(kit: TradeKit, rules: Rules) -> None:
    rules(max_earned_per_order=0)
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    order_id = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 1)
    with kit.database.read() as session:
        assert service.tier_at(session, asha, kit.now).qualifying == 10
        assert service.balance(session, asha, now=kit.now).reversed == 0
    kit.assert_sound()


@given(st.lists(st.integers(0, 500), max_size=8), st.integers(0, 900), st.integers(0, 900))
def test_caps_are_never_passed_and_never_waste_room(points: list[int], order: int, day: int) -> None:
    level = TierLevel("Bronze", 0)
    lines = [EarningLine(n, 1, value * 10_000) for n, value in enumerate(points)]
    capped = list(within_caps(earnings_of(programme(), level, lines), {"order": order, "day": day}))
    assert sum(earning.points for earning in capped) == min(sum(points), order, day)
    assert [earning.plain for earning in capped] == points


def test_tax_shipping_and_wrapping_earn_only_if_the_rule_says_so() -> None:
    lines = [EarningLine(1, 1, 118_000, tax_minor=18_000), EarningLine(2, 2, 236_000, tax_minor=36_000)]
    level = TierLevel("Bronze", 0)
    assert [e.points for e in earnings_of(programme(), level, lines)] == [11, 22]
    assert [e.points for e in earnings_of(programme(earns_on_tax=False), level, lines)] == [10, 20]
    on_top = [EarningLine(1, 1, 100_000, tax_minor=18_000, tax_included=False)]
    assert [e.points for e in earnings_of(programme(), level, on_top)] == [11]
    assert [e.points for e in earnings_of(programme(earns_on_tax=False), level, on_top)] == [10]
    with_extras = earnings_of(programme(), level, lines, extras_minor=90_000)
    assert [e.base_minor for e in with_extras] == [118_000 + 30_000, 236_000 + 60_000]
    assert [e.terms["of_which_shipping_and_wrap_minor"] for e in with_extras] == [30_000, 60_000]
    free = earnings_of(programme(), level, [EarningLine(1, 1, 0)], extras_minor=10_000)
    assert [e.points for e in free] == [1], "an order that points paid for still earns on its shipping"


def test_shipping_earns_through_an_order_and_goes_back_with_its_units(kit: TradeKit, rules: Rules) -> None:
    rules(earns_on_shipping=True, earn_per_unit_minor=100)
    cup, asha = kit.variant("CUP", price=10_000, stock=99), kit.customer()
    order_id = kit.buy({cup: 2}, customer_id=asha)
    order = kit.order(order_id)
    assert order.shipping_minor > 0
    assert kit.points(asha).pending == (20_000 + order.shipping_minor) // 200 * 2
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 2)
    assert kit.points(asha).pending == 0
    kit.assert_sound()


def test_points_can_be_free_at_once(kit: TradeKit, rules: Rules) -> None:
    rules(activation=ActivationRule.IMMEDIATE)
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    order_id = kit.buy({cup: 2}, customer_id=asha)
    assert (kit.points(asha).active, kit.points(asha).pending) == (20, 0)
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 2)
    assert kit.points(asha).active == 0
    kit.assert_sound()


def test_points_can_wait_for_their_delivery(kit: TradeKit, rules: Rules, clock: ManualClock, lots: Lots) -> None:
    rules(activation=ActivationRule.DELIVERY, activation_days=2, expiry_days=100)
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    order_id = kit.buy({cup: 1}, customer_id=asha)
    clock.advance(timedelta(days=99))
    jobs.activate_due_points(kit.database)
    assert (kit.points(asha).pending, lots()[0].available_at) == (10, None)
    kit.deliver(order_id)
    assert lots()[0].available_at == kit.now + timedelta(days=2)
    assert lots()[0].expires_at == kit.now + timedelta(days=32), "what a late delivery frees lives for the grace"
    clock.advance(timedelta(days=2))
    assert kit.points(asha).active == 10
    assert jobs.activate_due_points(kit.database) == 1
    kit.assert_sound()


def test_activation_is_rounded_to_the_end_of_the_month(kit: TradeKit, rules: Rules, lots: Lots) -> None:
    rules(activation_rounding=DateRounding.END_OF_MONTH)
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    kit.buy({cup: 1}, customer_id=asha)
    assert lots()[0].available_at == datetime(2026, 1, 31, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("job_first", [True, False])
def test_points_that_were_free_before_a_delivery_stay_free(kit: TradeKit, clock: ManualClock, job_first: bool) -> None:
    cup, asha = kit.variant("CUP", price=100_000, stock=99), kit.customer()
    order_id = kit.buy({cup: 1}, customer_id=asha)
    clock.advance(timedelta(days=15))
    if job_first:
        jobs.activate_due_points(kit.database)
    kit.deliver(order_id)
    assert kit.points(asha).active == 10
