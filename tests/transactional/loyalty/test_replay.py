"""The replay of unchanged rules is what happened; of other rules, what they would have made of it; it only reads."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from tests.transactional.loyalty.test_ledger_properties import AS_IT_CAME, LedgerMachine, TightMachine, run_machine
from transactional.core.clock import ManualClock
from transactional.core.errors import InvalidInput
from transactional.loyalty import jobs, programme_admin, service
from transactional.loyalty.replay import Effect, replay, replayed_balances
from transactional.loyalty.tiers import TierLevel
from transactional.tables import metadata

YEAR = timedelta(days=365)


def assert_the_replay_is_what_happened(kit: TradeKit) -> None:
    """Every figure of every customer's balance."""
    with kit.database.read() as session:
        for customer_id, replayed in replayed_balances(session, at=kit.now):
            assert replayed == service.balance(session, customer_id, now=kit.now), customer_id


class ReplayedMachine(LedgerMachine):
    """The ledger's machine; at its end the whole history is played again."""

    def teardown(self) -> None:
        """Unchanged rules give the actual balance."""
        try:
            if hasattr(self, "customer"):
                assert_the_replay_is_what_happened(self.kit)
        finally:
            super().teardown()


class TightReplayedMachine(ReplayedMachine):
    """The same under a floor that is soon reached."""

    floors = TightMachine.floors


@pytest.mark.parametrize("machine", [ReplayedMachine, TightReplayedMachine])
def test_unchanged_rules_reproduce_every_balance(machine: type[ReplayedMachine], template: Path) -> None:
    run_machine(machine, template, examples=2, steps=15, fixed=True, phases=AS_IT_CAME)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [ReplayedMachine, TightReplayedMachine])
def test_unchanged_rules_reproduce_many_more_histories(machine: type[ReplayedMachine], template: Path) -> None:
    run_machine(machine, template, examples=25, steps=45, fixed=False, phases=AS_IT_CAME)


@pytest.fixture
def trade(kit: TradeKit, clock: ManualClock) -> TradeKit:
    """A year of two customers: one buys dear and spends what she earned, one buys too cheap for a point."""
    dear, cheap = kit.variant("DEAR", price=100_000, stock=99), kit.variant("CHEAP", price=9_999, stock=99)
    asha, bela = kit.customer(), kit.customer("bela@example.com")
    for _ in range(3):
        kit.deliver(kit.buy({dear: 4}, customer_id=asha))
        kit.deliver(kit.buy({cheap: 2, dear: 1}, customer_id=bela))
        clock.advance(timedelta(days=20))
    last = kit.buy({dear: 2}, customer_id=asha, redeem_points=60)
    kit.deliver(last)
    kit.return_units(kit.lines(last)[0].id, 1)
    kit.give_points(bela, 7)
    clock.advance(timedelta(days=30))
    jobs.activate_due_points(kit.database)
    return kit


def effect(kit: TradeKit, changes: Mapping[str, Any], *, since: datetime | None = None, tiers: Any = None) -> Effect:
    """What other rules would have done up to now."""
    with kit.database.read() as session:
        return replay(session, changes=changes, tiers=tiers, since=since or kit.now - YEAR, until=kit.now, now=kit.now)


def test_without_changes_there_is_no_effect(trade: TradeKit) -> None:
    assert_the_replay_is_what_happened(trade)
    found = effect(trade, {})
    assert found.customers == 2
    assert found.total.actual == found.total.replayed
    assert found.total.change_minor == 0
    assert list(found.most_affected) == []
    with trade.database.read() as session:
        open_points = sum(
            balance.active + balance.pending + balance.held - balance.owed
            for _, balance in replayed_balances(session, at=trade.now)
        )
    assert (found.total.actual.open_points, found.total.actual.redeemed) == (open_points, 60)


def test_a_better_rate_also_gives_to_those_who_earned_nothing(trade: TradeKit) -> None:
    found = effect(trade, {"earn_per_unit_minor": 5_000})
    # A unit of the last order is paid with ₹970. Bela's cheap units earned nothing and would earn one point each.
    assert found.total.actual.issued == 3 * 40 + 2 * 9 + 3 * 10 + 7
    assert found.total.replayed.issued == 3 * 80 + 2 * 19 + 3 * (20 + 2) + 7
    assert len(found.most_affected) == 2
    first, second = (abs(each.comparison.change_minor) for each in found.most_affected)
    assert first > second > 0


def test_who_earns_less_redeems_as_much_as_they_could_and_pays_the_rest(trade: TradeKit) -> None:
    found = effect(trade, {"earn_per_unit_minor": 25_000})
    # Three orders of 4 units give 16 each; all 48 are free, 60 were wanted.
    assert (found.total.actual.redeemed, found.total.replayed.redeemed) == (60, 48)
    assert found.total.change_minor < 0


def test_points_that_live_for_a_shorter_time_expire_in_the_replay(trade: TradeKit) -> None:
    found = effect(trade, {"expiry_days": 40, "restore_grace_days": 0})
    assert found.total.actual.expired == 0
    assert found.total.replayed.expired > 0
    assert found.total.replayed.open_points < found.total.actual.open_points


def test_the_value_of_a_point_changes_the_debt_in_money(trade: TradeKit) -> None:
    found = effect(trade, {"value_per_point_minor": 50})
    assert found.total.actual.open_minor == found.total.actual.open_points * 100
    assert found.total.replayed.open_minor == found.total.replayed.open_points * 50


def test_other_tiers_multiply_from_the_moment_they_are_reached(trade: TradeKit) -> None:
    found = effect(trade, {}, tiers=[TierLevel("All", 0), TierLevel("Best", 40, multiplier_bp=20_000)])
    # Asha reaches 40 with her first order: the second, third and last earn double.
    assert found.total.replayed.issued - found.total.actual.issued == 40 + 40 + 2 * 10
    assert found.by_tier["Best"].customers_replayed == 1
    assert {name: each.customers for name, each in found.by_tier.items() if each.customers} == {
        "Bronze": 1,
        "Silver": 1,
    }


def test_rules_change_from_a_moment_on_and_not_before(trade: TradeKit) -> None:
    found = effect(trade, {"earn_per_unit_minor": 1_000_000}, since=trade.now - timedelta(days=60))
    # The first two rounds lie before; the third earns nothing any more.
    assert found.total.actual.issued - found.total.replayed.issued == 40 + 10 + 2 * 9


def test_a_replay_writes_nothing(trade: TradeKit) -> None:
    def rows() -> dict[str, int]:
        with trade.database.read() as session:
            tables = metadata.sorted_tables
            return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}

    before = rows()
    with trade.database.read() as session:
        replay(
            session,
            changes={"earn_per_unit_minor": 5_000},
            tiers=[TierLevel("All", 0)],
            since=trade.now - YEAR,
            until=trade.now,
            now=trade.now,
        )
        assert not session.new
        assert not session.dirty
        assert not session.deleted
    assert rows() == before


def test_rules_that_make_no_programme_are_refused(trade: TradeKit) -> None:
    with pytest.raises(InvalidInput, match="no rule earn_rate"):
        effect(trade, {"earn_rate": 1})
    with pytest.raises(InvalidInput, match="at least 1") as caught:
        effect(trade, {"earn_per_unit_minor": 0, "max_share_bp": 20_000})
    assert {error["field"] for error in caught.value.extra["errors"]} >= {"earn_per_unit_minor", "max_share_bp"}
    with pytest.raises(InvalidInput, match="has ended"):
        effect(trade, {}, since=trade.now)


def test_a_shop_without_points_has_nothing_to_replay(kit: TradeKit) -> None:
    with pytest.raises(InvalidInput, match="no programme yet"):
        effect(kit, {})


def test_caps_campaigns_tiers_shipping_and_late_parcels_are_replayed_as_they_were(
    kit: TradeKit, clock: ManualClock
) -> None:
    dear, mug = kit.variant("DEAR", price=123_457, stock=99), kit.variant("MUG", price=55_555, stock=99)
    asha = kit.customer()
    kit.deliver(kit.buy({dear: 1}, customer_id=asha))
    rich = {
        "activation": "delivery",
        "activation_days": 3,
        "activation_rounding": "end_of_month",
        "earns_on_shipping": True,
        "earns_on_tax": False,
        "max_earned_per_order": 25,
        "max_earned_per_day": 40,
        "promotional_expiry_days": 60,
        "max_promotional_points_spent": 5,
    }
    tiers = [TierLevel("All", 0), TierLevel("Best", 20, multiplier_bp=15_000, expiry_extension_days=50)]

    def plan(session: Session) -> None:
        tomorrow = kit.now + timedelta(days=1)
        programme_admin.plan_version(session, changes=rich, tiers=tiers, valid_from=tomorrow, now=kit.now)
        service.create_campaign(
            session, name="Double", multiplier_bp=20_000, starts_at=tomorrow, actor="t", now=kit.now
        )

    kit.run(plan)
    for round_ in range(4):
        clock.advance(timedelta(days=13))
        gift = {"customer_id": asha, "points": 9, "source": "referral", "reference": f"r{round_}", "now": kit.now}
        kit.run(lambda s, gift=gift: service.give(s, **gift).id)
        first = kit.buy({dear: 1, mug: 2}, customer_id=asha)
        kit.buy({mug: 1}, customer_id=asha)
        kit.deliver(first)
        kit.return_units(kit.lines(first)[1].id, 1)
        redeemed = kit.buy({dear: 1}, customer_id=asha, redeem_points=min(5, kit.points(asha).redeemable))
        clock.advance(timedelta(days=6))
        kit.deliver(redeemed)
        assert_the_replay_is_what_happened(kit)
    clock.advance(timedelta(days=200))
    jobs.expire_due_points(kit.database)
    assert_the_replay_is_what_happened(kit)
    assert kit.points(asha).expired > 0
    found = effect(kit, {"activation": "immediate", "max_earned_per_day": None}, since=kit.now - YEAR)
    assert found.total.replayed.issued > found.total.actual.issued
