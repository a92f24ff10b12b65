"""Tiers over the database: periods are kept as a cache that the ledger proves, and customers hear of every change."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.support.parallel import at_once, failures
from tests.support.trade import TradeKit
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.models import OutboxMessage
from transactional.loyalty import jobs, notices, service
from transactional.loyalty.models import LoyaltyProgramme, PeriodReason, TierPeriod
from transactional.loyalty.programme import FIRST_VERSION
from transactional.loyalty.service import TierView

DAY = timedelta(days=1)


def tier(kit: TradeKit, customer_id: int) -> TierView:
    """The customer's tier now."""
    with kit.database.read() as session:
        return service.tier_at(session, customer_id, kit.now)


def periods(kit: TradeKit) -> list[tuple[str, PeriodReason, bool]]:
    """Every kept period: tier, why it began, whether it is over."""
    with kit.database.read() as session:
        rows = session.scalars(select(TierPeriod).order_by(TierPeriod.customer_id, TierPeriod.starts_at))
        return [(row.tier, row.reason, row.ended_at is not None) for row in rows]


def mails(kit: TradeKit, about: str) -> list[str]:
    """The subjects of queued mails whose key begins so."""
    outbox.drain(kit.database, topics=[service.TIER_CHANGED])
    with kit.database.read() as session:
        rows = session.scalars(
            select(OutboxMessage.payload).where(OutboxMessage.topic == "mail.send").order_by(OutboxMessage.id)
        )
        return [row["subject"] for row in rows if row["key"].startswith(about)]


def assert_proved(kit: TradeKit) -> None:
    """The kept periods are those of the ledger."""
    with kit.database.read() as session:
        assert service.tier_discrepancies(session, now=kit.now) == []


@pytest.fixture
def cup(kit: TradeKit) -> int:
    """Something that earns 10 points."""
    return kit.variant("CUP", price=100_000, stock=999)


def test_an_order_that_reaches_a_threshold_lifts_at_once(kit: TradeKit, cup: int) -> None:
    asha = kit.customer()
    assert (tier(kit, asha).name, tier(kit, asha).points_to_next) == ("Bronze", 50)
    kit.buy({cup: 4}, customer_id=asha)
    assert periods(kit) == [("Bronze", PeriodReason.START, False)]
    kit.buy({cup: 12}, customer_id=asha)
    view = tier(kit, asha)
    assert (view.name, view.qualifying, view.points_to_next, view.next_name) == ("Gold", 160, 240, "Platinum")
    assert mails(kit, "points-tier:") == ["Welcome to Gold"]
    assert_proved(kit)


def test_gifts_and_adjustments_move_no_tier(kit: TradeKit) -> None:
    asha = kit.customer()
    kit.give_points(asha, 1000)
    assert tier(kit, asha).name == "Bronze"
    assert periods(kit) == []


def test_the_job_lets_a_tier_fall_once_its_grace_is_over(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    asha = kit.customer()
    kit.buy({cup: 15}, customer_id=asha)
    clock.advance(timedelta(days=365))
    assert jobs.review_tiers(kit.database) == 1
    assert jobs.review_tiers(kit.database) == 0
    assert (tier(kit, asha).name, tier(kit, asha).grace_until) == ("Gold", kit.now + 30 * DAY)
    assert_proved(kit)
    clock.advance(30 * DAY)
    assert tier(kit, asha).name == "Silver", "right before the job has run"
    assert jobs.review_tiers(kit.database) == 1
    assert periods(kit) == [("Gold", PeriodReason.UPGRADE, True), ("Silver", PeriodReason.DOWNGRADE, False)]
    assert mails(kit, "points-tier:") == ["Welcome to Gold", "Your tier is now Silver"]
    assert_proved(kit)


def test_a_job_that_slept_for_years_catches_up_step_by_step(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    kit.buy({cup: 40}, customer_id=kit.customer())
    clock.advance(5 * timedelta(days=365))
    jobs.review_tiers(kit.database)
    assert [name for name, _, _ in periods(kit)] == ["Platinum", "Gold", "Silver", "Bronze"]
    assert_proved(kit)


def test_the_check_finds_a_period_that_somebody_changed(kit: TradeKit, cup: int) -> None:
    asha = kit.customer()
    kit.buy({cup: 15}, customer_id=asha)
    kit.run(lambda s: s.execute(update(TierPeriod).values(rank=3)).close())
    with kit.database.read() as session:
        assert service.tier_discrepancies(session, now=kit.now) == [asha]
    kit.buy({cup: 1}, customer_id=asha)
    assert_proved(kit)


def test_a_refund_shows_in_what_is_missing(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    asha = kit.customer()
    kit.buy({cup: 5}, customer_id=asha)
    clock.advance(100 * DAY)
    order_id = kit.buy({cup: 5}, customer_id=asha)
    assert (tier(kit, asha).projected, tier(kit, asha).points_to_stay) == ("Silver", 0)
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 2)
    assert (tier(kit, asha).projected, tier(kit, asha).points_to_stay) == ("Bronze", 20)
    assert_proved(kit)


def test_the_tier_of_a_past_moment_stays_what_it_was(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    asha = kit.customer()
    order_id = kit.buy({cup: 5}, customer_id=asha)
    then, before = kit.now, tier(kit, asha)
    clock.advance(9 * DAY)
    kit.deliver(order_id)
    kit.return_units(kit.lines(order_id)[0].id, 5)
    with kit.database.read() as session:
        assert service.tier_at(session, asha, then) == before


def test_who_will_lose_a_tier_hears_once_what_is_missing(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    asha = kit.customer()
    kit.buy({cup: 5}, customer_id=asha)
    for days in (334, 1, 1, 29):
        clock.advance(days * DAY)
        jobs.review_tiers(kit.database)
        jobs.send_notices(kit.database)
        found = mails(kit, "points-tier-end:")
        assert found == ([] if days == 334 else ["Keep your Silver tier"])


def test_who_keeps_a_tier_is_left_in_peace(kit: TradeKit, clock: ManualClock, cup: int) -> None:
    asha = kit.customer()
    kit.buy({cup: 5}, customer_id=asha)
    clock.advance(300 * DAY)
    kit.buy({cup: 5}, customer_id=asha)
    clock.advance(50 * DAY)
    jobs.send_notices(kit.database)
    assert mails(kit, "points-tier-end:") == []


def test_points_that_expire_are_told_of_thirty_and_seven_days_before_once_each(
    kit: TradeKit, clock: ManualClock
) -> None:
    asha = kit.customer()
    kit.give_points(asha, 20)
    kit.give_points(asha, 1)
    begin = kit.now
    for day, told in ((334, 0), (335, 1), (345, 1), (358, 2), (364, 2)):
        clock.advance(begin + day * DAY - kit.now)
        jobs.send_notices(kit.database)
        jobs.send_notices(kit.database)
        assert mails(kit, "points-expiry:") == ["21 of your points expire soon"] * told
    clock.advance(DAY)
    jobs.expire_due_points(kit.database)
    jobs.send_notices(kit.database)
    assert len(mails(kit, "points-expiry:")) == 2


def test_spent_points_are_not_told_of_and_a_short_life_has_one_notice(
    kit: TradeKit, clock: ManualClock, cup: int
) -> None:
    asha = kit.customer()
    kit.give_points(asha, 10)
    kit.buy({cup: 1}, customer_id=asha, redeem_points=10)
    kit.run(
        lambda s: s.add(
            LoyaltyProgramme(**{**FIRST_VERSION, "version": 2, "promotional_expiry_days": 5, "valid_from": kit.now})
        )
    )
    kit.run(lambda s: service.give(s, customer_id=asha, points=1, source="campaign", reference="c:1", now=kit.now).id)
    jobs.send_notices(kit.database)
    assert mails(kit, "points-expiry:") == ["1 of your points expires soon"]


def test_points_that_join_a_day_already_told_of_are_told_of_too(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    kit.give_points(asha, 10)
    clock.advance(340 * DAY)
    jobs.send_notices(kit.database)
    clock.advance(-340 * DAY)
    kit.give_points(asha, 5)
    clock.advance(340 * DAY)
    jobs.send_notices(kit.database)
    assert mails(kit, "points-expiry:") == ["10 of your points expire soon", "15 of your points expire soon"]


def test_many_customers_are_told_batch_by_batch(kit: TradeKit, clock: ManualClock) -> None:
    for n in range(5):
        kit.give_points(kit.customer(f"c{n}@example.com"), 10)
    clock.advance(340 * DAY)
    last: int | None = 0
    rounds = 0
    while last is not None:
        after = last
        last = kit.run(lambda s, after=after: notices.notify_expiries(s, now=kit.now, after_customer_id=after, limit=2))
        rounds += 1
    assert (rounds, len(mails(kit, "points-expiry:"))) == (4, 5)


def test_without_a_programme_there_is_nothing_to_tell(kit: TradeKit) -> None:
    jobs.send_notices(kit.database)
    assert tier(kit, kit.customer()).name == "Bronze"


@pytest.mark.postgres
@pytest.mark.slow
def test_workers_that_meet_move_and_tell_once(pg_kit: TradeKit, clock: ManualClock) -> None:
    cup = pg_kit.variant("CUP", price=100_000, stock=999)
    for n in range(4):
        pg_kit.buy({cup: 15}, customer_id=pg_kit.customer(f"c{n}@example.com"))
    for days in (340, 60):
        clock.advance(days * DAY)
        works = [lambda: jobs.review_tiers(pg_kit.database), lambda: jobs.send_notices(pg_kit.database)]
        assert failures(at_once(works * 3)) == []
    assert_proved(pg_kit)
    assert len(mails(pg_kit, "points-tier-end:")) == 4
    assert len(mails(pg_kit, "points-expiry:")) == 4
    assert sorted(mails(pg_kit, "points-tier:")) == ["Welcome to Gold"] * 4 + ["Your tier is now Silver"] * 4
