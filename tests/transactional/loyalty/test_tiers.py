"""Tiers: a pure function of ledger and clock; upgrades at once, falls at the end of a period, a step at a time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.loyalty.dates import add_months, day_of, rounded
from transactional.loyalty.models import DateRounding, PeriodReason, TierPolicy
from transactional.loyalty.tiers import Qualifying, TierLevel, TierRules, compute_tier, tier_periods, window_sum

START = datetime(2026, 1, 15, 10, tzinfo=UTC)
LEVELS = (
    TierLevel("Bronze", 0),
    TierLevel("Silver", 50, grace_days=10),
    TierLevel("Gold", 150, grace_days=10),
    TierLevel("Platinum", 400, grace_days=10),
)
ONE_DOWN = [TierRules(START, LEVELS)]
BALANCE_BASED = [TierRules(START, LEVELS, policy=TierPolicy.BALANCE_BASED)]


def at(days: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=days)


def earned(points: int, day: float) -> Qualifying:
    """Points of an order."""
    return Qualifying(points, at(day), at(day))


def test_everybody_begins_in_the_lowest_tier() -> None:
    view = compute_tier([], ONE_DOWN, at(0))
    assert (view.name, view.since, view.expires_at, view.points_to_next) == ("Bronze", None, None, 50)
    assert (view.projected, view.points_to_stay, view.next_name) == ("Bronze", 0, "Silver")


def test_a_threshold_lifts_at_once_and_over_several_tiers() -> None:
    view = compute_tier([earned(49, 0), earned(101, 3)], ONE_DOWN, at(3))
    assert (view.name, view.since) == ("Gold", at(3))
    assert view.expires_at == datetime(2027, 1, 18, 10, tzinfo=UTC)
    assert view.points_to_next == 250
    assert compute_tier([earned(49, 0), earned(101, 3)], ONE_DOWN, at(2.9)).name == "Bronze"


def test_points_leave_the_window_after_twelve_months() -> None:
    entries = [earned(49, 0), earned(49, 365), earned(49, 366)]
    assert [compute_tier(entries, ONE_DOWN, at(day)).qualifying for day in (364, 365, 366)] == [49, 49, 98]
    assert compute_tier(entries, ONE_DOWN, at(366)).name == "Silver"


def test_a_tier_that_is_not_kept_holds_through_its_grace_and_then_falls_one_step() -> None:
    entries = [earned(500, 0)]
    end = compute_tier(entries, ONE_DOWN, at(0)).expires_at
    assert end == at(365)
    in_grace = compute_tier(entries, ONE_DOWN, end + timedelta(days=9))
    assert (in_grace.name, in_grace.grace_until, in_grace.projected) == ("Platinum", at(375), "Gold")
    assert in_grace.points_to_stay == 400
    after = compute_tier(entries, ONE_DOWN, at(375))
    assert (after.name, after.since, after.grace_until) == ("Gold", at(375), None)
    names = [compute_tier(entries, ONE_DOWN, at(380 * n)).name for n in range(5)]
    assert names == ["Platinum", "Gold", "Silver", "Bronze", "Bronze"]


def test_balance_based_falls_to_what_the_points_are_worth() -> None:
    entries = [earned(500, 0), earned(60, 300)]
    assert compute_tier(entries, BALANCE_BASED, at(300)).projected == "Silver"
    assert compute_tier(entries, BALANCE_BASED, at(375)).name == "Silver"
    assert compute_tier(entries, ONE_DOWN, at(375)).name == "Gold"


def test_new_points_within_the_grace_renew_the_tier() -> None:
    entries = [earned(60, 0), earned(50, 370)]
    periods = tier_periods(entries, ONE_DOWN, at(371))
    assert [(p.rank, p.starts_at, p.reason) for p in periods] == [
        (1, at(0), PeriodReason.UPGRADE),
        (1, at(370), PeriodReason.RENEWAL),
    ]


def test_a_tier_that_is_kept_is_renewed_at_its_end() -> None:
    entries = [earned(60, 0), earned(50, 200)]
    view = compute_tier(entries, ONE_DOWN, at(365))
    assert (view.name, view.since, view.projected, view.points_to_stay) == ("Silver", at(365), "Bronze", 50)


def test_a_refund_takes_its_points_from_the_day_on_which_they_came() -> None:
    entries = [earned(60, 0), earned(55, 200), Qualifying(-55, at(200), at(250))]
    assert compute_tier(entries, ONE_DOWN, at(249)).points_to_stay == 0
    assert compute_tier(entries, ONE_DOWN, at(250)).points_to_stay == 50
    assert compute_tier(entries, ONE_DOWN, at(250)).name == "Silver", "the period that has begun is kept"
    assert compute_tier(entries, ONE_DOWN, at(375)).name == "Bronze"


def test_a_late_refund_of_points_that_left_the_window_changes_nothing() -> None:
    entries = [earned(60, 0), earned(60, 366), Qualifying(-60, at(0), at(367))]
    assert compute_tier(entries, ONE_DOWN, at(367)).qualifying == 60


def test_refunded_points_never_lift_again() -> None:
    entries = [earned(49, 0), Qualifying(-49, at(0), at(1)), earned(49, 2)]
    assert compute_tier(entries, ONE_DOWN, at(2)).name == "Bronze"


def test_new_rules_count_from_the_next_points_on() -> None:
    easier = TierRules(at(10), (TierLevel("Bronze", 0), TierLevel("Silver", 20)))
    entries = [earned(30, 0), earned(1, 11)]
    rules = [*ONE_DOWN, easier]
    assert [compute_tier(entries, rules, at(day)).name for day in (0, 10, 11)] == ["Bronze", "Bronze", "Silver"]


def test_a_version_with_fewer_tiers_keeps_its_highest_for_those_above() -> None:
    fewer = TierRules(at(10), LEVELS[:2])
    view = compute_tier([earned(500, 0)], [*ONE_DOWN, fewer], at(20))
    assert (view.name, view.points_to_next) == ("Silver", None)


HISTORY = st.lists(
    st.tuples(st.integers(0, 1500), st.integers(-200, 400), st.integers(0, 60)).map(
        lambda t: Qualifying(t[1], at(t[0]), at(t[0] + (t[2] if t[1] < 0 else 0)))
    ),
    max_size=25,
)


@given(HISTORY, st.lists(st.integers(0, 2000), min_size=2, max_size=8), st.sampled_from(TierPolicy))
def test_the_tier_of_a_moment_depends_on_nothing_that_is_known_later(
    history: list[Qualifying], days: list[int], policy: TierPolicy
) -> None:
    rules = [TierRules(START, LEVELS, policy=policy)]
    for day in days:
        known = [entry for entry in history if entry.known_at <= at(day)]
        assert compute_tier(history, rules, at(day)) == compute_tier(known, rules, at(day))
    first, last = min(days), max(days)
    begun = [(p.rank, p.starts_at, p.reason) for p in tier_periods(history, rules, at(first))]
    assert [(p.rank, p.starts_at, p.reason) for p in tier_periods(history, rules, at(last))][: len(begun)] == begun


@given(HISTORY)
def test_periods_join_and_each_step_is_lawful(history: list[Qualifying]) -> None:
    periods = tier_periods(history, ONE_DOWN, at(2500))
    for before, after in pairwise(periods):
        assert before.ended_at == after.starts_at > before.starts_at
        worth = ONE_DOWN[0].rank_for(
            window_sum([e for e in history if e.known_at <= after.starts_at], after.starts_at, 12)
        )
        if after.reason is PeriodReason.UPGRADE:
            assert before.rank < after.rank == worth
        elif after.reason is PeriodReason.RENEWAL:
            assert before.rank == after.rank <= worth
            assert before.expires_at is not None
            assert after.starts_at >= before.expires_at
        else:
            assert after.rank == before.rank - 1
            assert before.expires_at is not None
            assert after.starts_at == before.expires_at + timedelta(days=10)
            assert worth < before.rank


def test_ten_thousand_entries_are_folded_in_a_blink() -> None:
    entries = [earned(1, day / 5) for day in range(10_000)]
    assert compute_tier(entries, ONE_DOWN, at(2000)).name == "Platinum"


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        (datetime(2026, 1, 31, 8, tzinfo=UTC), 1, datetime(2026, 2, 28, 8, tzinfo=UTC)),
        (datetime(2024, 2, 29, tzinfo=UTC), 12, datetime(2025, 2, 28, tzinfo=UTC)),
        (datetime(2026, 3, 15, tzinfo=UTC), -12, datetime(2025, 3, 15, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), -1, datetime(2025, 12, 1, tzinfo=UTC)),
    ],
)
def test_months_are_added_on_the_calendar(moment: datetime, months: int, expected: datetime) -> None:
    assert add_months(moment, months) == expected


def test_days_and_months_end_in_the_programmes_zone() -> None:
    late = datetime(2026, 1, 31, 20, tzinfo=UTC)  # the 1st of February in India
    zone = "Asia/Kolkata"
    assert rounded(late, DateRounding.NONE, zone) == late
    assert rounded(late, DateRounding.END_OF_DAY, zone) == datetime(2026, 2, 1, 18, 30, tzinfo=UTC)
    assert rounded(late, DateRounding.END_OF_MONTH, zone) == datetime(2026, 2, 28, 18, 30, tzinfo=UTC)
    assert day_of(late, zone) == (
        datetime(2026, 1, 31, 18, 30, tzinfo=UTC),
        datetime(2026, 2, 1, 18, 30, tzinfo=UTC),
    )
