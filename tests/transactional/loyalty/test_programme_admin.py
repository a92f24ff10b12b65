"""New versions of the programme: checked as a whole, one after the other, never touching what went before."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput
from transactional.loyalty import programme, service
from transactional.loyalty.models import LoyaltyProgramme, LoyaltyTier
from transactional.loyalty.programme_admin import RULES, plan_version, tiers_of, withdraw_version
from transactional.loyalty.tiers import TierLevel

DAY = timedelta(days=1)


def plan(kit: TradeKit, *, days: int = 1, tiers: list[TierLevel] | None = None, **changes: Any) -> int:
    """Plan a version; gives its number."""
    work = partial(plan_version, changes=changes, tiers=tiers, valid_from=kit.now + days * DAY, now=kit.now)
    return kit.run(lambda session: work(session).version)


def test_what_a_version_does_not_say_stays_and_the_old_one_is_untouched(kit: TradeKit, clock: ManualClock) -> None:
    kit.run(lambda s: service.ensure_programme(s, now=kit.now).id)
    with kit.database.read() as session:
        before = {name: getattr(programme.versions(session)[0], name) for name in RULES}
    assert plan(kit, expiry_days=200, max_earned_per_day=90) == 2
    with kit.database.read() as session:
        old, new = programme.versions(session)
        assert {name: getattr(old, name) for name in RULES} == before
        assert {name: getattr(new, name) for name in RULES} == before | {"expiry_days": 200, "max_earned_per_day": 90}
        assert tiers_of(session, new) == tiers_of(session, old) == programme.FIRST_TIERS
        assert programme.current_programme(session, now=kit.now) is old
        clock.advance(DAY)
        assert programme.current_programme(session, now=kit.now) is new


@pytest.mark.parametrize(
    ("tiers", "says"),
    [
        ([], "at least one tier"),
        ([TierLevel("All", 5)], "everybody's"),
        ([TierLevel("All", 0), TierLevel("Best", 0)], "more points"),
        ([TierLevel("All", 0), TierLevel("all ", 9)], "name of its own"),
        ([TierLevel("All", 0, grace_days=-1)], "not negative"),
        ([TierLevel("All", 0), TierLevel("Best", 9, multiplier_bp=1_000_000)], "worth as much"),
    ],
)
def test_tiers_that_contradict_each_other_are_refused(kit: TradeKit, tiers: list[TierLevel], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        plan(kit, tiers=tiers)
    assert kit.count(LoyaltyTier) == kit.count(LoyaltyProgramme) == 0


def test_a_version_begins_after_every_other_one(kit: TradeKit) -> None:
    plan(kit, days=10)
    with pytest.raises(InvalidInput, match="after version 2"):
        plan(kit, days=10)
    assert plan(kit, days=11) == 3


def test_only_the_newest_planned_version_can_be_withdrawn(kit: TradeKit, clock: ManualClock) -> None:
    plan(kit, days=1, tiers=[TierLevel("All", 0)])
    plan(kit, days=2)
    tiers = kit.count(LoyaltyTier)
    for version in (1, 2):
        with pytest.raises(Conflict):
            kit.run(partial(withdraw_version, version=version, now=kit.now))
    kit.run(partial(withdraw_version, version=3, now=kit.now))
    kit.run(partial(withdraw_version, version=2, now=kit.now))
    assert (kit.count(LoyaltyProgramme), kit.count(LoyaltyTier)) == (1, tiers - 1)
    plan(kit)
    clock.advance(DAY)
    with pytest.raises(Conflict, match="has begun"):
        kit.run(partial(withdraw_version, version=2, now=kit.now))


def test_two_who_plan_at_once_do_not_share_a_number(any_kit: TradeKit) -> None:
    kit = any_kit
    kit.run(lambda s: service.ensure_programme(s, now=kit.now).id)
    answers = at_once([partial(plan, kit, days=days) for days in (5, 6, 7, 8)])
    numbers = sorted(successes(answers))
    assert numbers == list(range(2, 2 + len(numbers)))
    assert all(isinstance(error, InvalidInput) for error in failures(answers))
    assert kit.count(LoyaltyProgramme) == 1 + len(numbers)
