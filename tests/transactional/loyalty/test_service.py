"""Points: earned per unit, held and captured, reversed and restored, activated and expired."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput
from transactional.core.money import unit_share
from transactional.loyalty import jobs, service
from transactional.loyalty.models import EntryKind, LoyaltyProgramme, PointEntry, PointLot
from transactional.loyalty.programme import FIRST_VERSION, points_for_line

YEAR = timedelta(days=365)


def hold(kit: TradeKit, customer_id: int, order_id: int, points: int) -> int:
    """Set points aside; gives the entry's id."""
    return kit.run(lambda s: service.hold(s, customer_id=customer_id, order_id=order_id, points=points, now=kit.now).id)


def take(kit: TradeKit, customer_id: int, points: int, reason: str = "by hand") -> int:
    """Adjust by hand; gives the entry's id."""
    return kit.run(
        lambda s: (
            service.adjust(s, customer_id=customer_id, points=points, actor="user:1", reason=reason, now=kit.now).id
        )
    )


def lots(kit: TradeKit) -> list[PointLot]:
    """Every lot, oldest first."""
    with kit.database.read() as session:
        return list(session.scalars(select(PointLot).order_by(PointLot.id)))


@given(st.integers(0, 10**8), st.integers(1, 40))
def test_each_unit_earns_full_points_only(net: int, quantity: int) -> None:
    programme = LoyaltyProgramme(**FIRST_VERSION)
    by_unit = [unit_share(net, quantity, n, 1) // programme.earn_per_unit_minor for n in range(quantity)]
    assert points_for_line(programme, net_minor=net, quantity=quantity) == sum(by_unit)


@given(st.integers(0, 10**7), st.integers(1, 40))
def test_a_units_share_of_the_lines_points_is_what_that_unit_earned(net: int, quantity: int) -> None:
    programme = LoyaltyProgramme(**FIRST_VERSION)
    earned = points_for_line(programme, net_minor=net, quantity=quantity)
    for n in range(quantity):
        own = unit_share(net, quantity, n, 1) // programme.earn_per_unit_minor
        assert unit_share(earned, quantity, n, 1) == own


def test_points_wait_until_the_return_window_after_delivery_ends(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    order_id = kit.buy({cup: 1}, customer_id=asha)
    clock.advance(timedelta(days=5))
    kit.deliver(order_id)
    clock.advance(timedelta(days=14) - timedelta(seconds=1))
    assert jobs.activate_due_points(kit.database) == 0
    assert (kit.points(asha).pending, kit.points(asha).active) == (10, 0)
    clock.advance(timedelta(seconds=1))
    assert kit.points(asha).active == 10, "the balance is right before the job has run"
    assert jobs.activate_due_points(kit.database) == 1
    assert jobs.activate_due_points(kit.database) == 0
    assert (kit.points(asha).pending, kit.points(asha).active) == (0, 10)
    kit.assert_sound()


def test_the_earliest_expiring_points_are_spent_first(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.give_points(asha, 20)
    clock.advance(timedelta(days=30))
    kit.give_points(asha, 20)
    kit.buy({cup: 1}, customer_id=asha, redeem_points=25)
    assert [lot.remaining for lot in lots(kit) if lot.source == "adjustment"] == [0, 15]


def test_a_released_hold_goes_back_into_its_lots(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    kit.give_points(asha, 20)
    clock.advance(timedelta(days=1))
    kit.give_points(asha, 20)
    order_id = kit.buy({kit.variant("CUP", stock=1): 1}, customer_id=asha, redeem_points=30, pay=False)
    assert kit.run(lambda s: service.release(s, order_id=order_id, now=kit.now)) == 30
    assert kit.run(lambda s: service.release(s, order_id=order_id, now=kit.now)) == 0
    assert kit.run(lambda s: service.capture(s, order_id=order_id, now=kit.now)) == 0
    assert [lot.remaining for lot in lots(kit)] == [20, 20]
    kit.assert_sound()


def test_an_order_holds_points_once_and_never_more_than_there_are(kit: TradeKit) -> None:
    asha = kit.customer()
    kit.give_points(asha, 20)
    order_id = kit.buy({kit.variant("CUP", stock=9): 1}, customer_id=asha, pay=False)
    with pytest.raises(service.PointsRefused, match="20 are free"):
        hold(kit, asha, order_id, 21)
    with pytest.raises(InvalidInput):
        hold(kit, asha, order_id, 0)
    hold(kit, asha, order_id, 5)
    with pytest.raises(Conflict, match="holds points already"):
        hold(kit, asha, order_id, 5)
    kit.assert_sound()


def test_expiry_takes_the_unspent_rest_once(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.give_points(asha, 50)
    kit.buy({cup: 1}, customer_id=asha, redeem_points=20)
    clock.advance(YEAR - timedelta(seconds=1))
    assert jobs.expire_due_points(kit.database) == 0
    clock.advance(timedelta(seconds=1))
    assert kit.points(asha).active == 0, "what expired counts no more even before the job has run"
    assert jobs.expire_due_points(kit.database) >= 1
    assert jobs.expire_due_points(kit.database) == 0
    assert kit.points(asha).expired == 30 + 9
    kit.assert_sound()


def test_expired_points_cannot_be_spent_before_the_job_has_run(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    order_id = kit.buy({kit.variant("CUP", price=5_000, stock=9): 1}, customer_id=asha, pay=False)
    kit.give_points(asha, 50)
    clock.advance(YEAR)
    with pytest.raises(service.PointsRefused, match="0 are free"):
        hold(kit, asha, order_id, 1)


@pytest.mark.parametrize("order", [("expire", "spend"), ("spend", "expire")])
def test_the_job_commutes_with_redemptions(kit: TradeKit, clock: ManualClock, order: tuple[str, str]) -> None:
    asha = kit.customer()
    order_id = kit.buy({kit.variant("CUP", price=5_000, stock=9): 1}, customer_id=asha, pay=False)
    kit.give_points(asha, 30)
    clock.advance(timedelta(days=200))
    kit.give_points(asha, 40)
    clock.advance(timedelta(days=165))
    for step in order:
        if step == "spend":
            hold(kit, asha, order_id, 10)
        else:
            jobs.expire_due_points(kit.database)
    points = kit.points(asha)
    assert (points.active, points.held, points.expired) == (30, 10, 30)
    kit.assert_sound()


def test_buying_and_returning_leaves_the_balance_of_someone_who_never_bought(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=99)
    asha = kit.customer()
    kit.give_points(asha, 40)
    for _ in range(4):  # the loop that mints points elsewhere
        order_id = kit.buy({cup: 3}, customer_id=asha, redeem_points=40)
        kit.deliver(order_id)
        clock.advance(timedelta(days=20))
        jobs.activate_due_points(kit.database)
        line = kit.lines(order_id)[0]
        kit.return_units(line.id, 1)
        kit.return_units(line.id, 2)
        points = kit.points(asha)
        assert (points.active, points.pending, points.held, points.owed) == (40, 0, 0, 0)
        kit.assert_sound()


def test_points_that_were_spent_meanwhile_are_owed_and_netted_from_later_ones(
    kit: TradeKit, clock: ManualClock
) -> None:
    cup = kit.variant("CUP", price=100_000, stock=99)
    asha = kit.customer()
    first = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(first)
    clock.advance(timedelta(days=14))
    second = kit.buy({cup: 1}, customer_id=asha, redeem_points=20)
    kit.return_units(kit.lines(first)[0].id, 2)
    assert (kit.points(asha).owed, kit.points(asha).redeemable) == (20, 0)
    kit.assert_sound()
    clock.advance(timedelta(days=14))
    jobs.activate_due_points(kit.database)
    assert (kit.points(asha).owed, kit.points(asha).active) == (20 - 9, 0)
    kit.deliver(second)
    kit.return_units(kit.lines(second)[0].id, 1)
    points = kit.points(asha)
    assert (points.active, points.pending, points.owed) == (0, 0, 0)
    kit.assert_sound()


def test_owed_points_cannot_be_spent_around(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=99)
    asha = kit.customer()
    first = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(first)
    clock.advance(timedelta(days=14))
    kit.buy({cup: 1}, customer_id=asha, redeem_points=20)
    kit.give_points(asha, 30)
    kit.return_units(kit.lines(first)[0].id, 2)
    assert (kit.points(asha).active, kit.points(asha).owed, kit.points(asha).redeemable) == (30, 20, 10)
    open_order = kit.buy({cup: 1}, customer_id=asha, pay=False)
    with pytest.raises(service.PointsRefused, match="10 are free"):
        hold(kit, asha, open_order, 11)
    with pytest.raises(service.PointsRefused):
        take(kit, asha, -11)
    kit.assert_sound()


def test_what_expired_in_the_customers_hands_is_not_taken_twice(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=99)
    asha = kit.customer()
    order_id = kit.buy({cup: 2}, customer_id=asha)
    kit.deliver(order_id)
    clock.advance(timedelta(days=100))
    kit.buy({cup: 1}, customer_id=asha, redeem_points=5)
    clock.advance(timedelta(days=265))
    jobs.expire_due_points(kit.database)
    assert kit.points(asha).expired == 15
    line = kit.lines(order_id)[0]
    kit.return_units(line.id, 1)
    assert kit.points(asha).owed == 5
    kit.return_units(line.id, 1)
    assert kit.points(asha).owed == 5, "only what was spent is owed, whatever the order of the units"
    kit.assert_sound()


def test_restored_points_keep_their_expiry_or_get_the_grace(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=99)
    asha = kit.customer()
    kit.give_points(asha, 30)
    expiry = lots(kit)[0].expires_at
    early = kit.buy({cup: 1}, customer_id=asha, redeem_points=10)
    late = kit.buy({cup: 1}, customer_id=asha, redeem_points=10)
    kit.deliver(early)
    kit.return_units(kit.lines(early)[0].id, 1)
    clock.advance(timedelta(days=360))
    kit.deliver(late)
    kit.return_units(kit.lines(late)[0].id, 1)
    restored = [lot.expires_at for lot in lots(kit) if lot.source == "restore"]
    assert restored == [expiry, kit.now + timedelta(days=30)]
    assert lots(kit)[0].expires_at == expiry, "the grace prolongs nothing else"
    kit.assert_sound()


def test_an_adjustment_needs_a_reason_and_an_amount(kit: TradeKit) -> None:
    asha = kit.customer()
    with pytest.raises(InvalidInput, match="at least one point"):
        take(kit, asha, 0)
    with pytest.raises(InvalidInput, match="reason"):
        take(kit, asha, 5, reason=" ")
    with pytest.raises(service.PointsRefused):
        take(kit, asha, -1)
    take(kit, asha, 9)
    take(kit, asha, -4)
    assert kit.points(asha).active == 5
    with kit.database.read() as session:
        newest = service.history(session, asha, limit=1)[0]
    assert (newest.kind, newest.points, newest.actor, newest.reason) == (EntryKind.ADJUST, -4, "user:1", "by hand")
    kit.assert_sound()


def test_the_balance_of_a_past_moment_comes_from_the_entries(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    start = kit.now
    kit.give_points(asha, 9)
    clock.advance(timedelta(days=1))
    take(kit, asha, -4)
    with kit.database.read() as session:
        past = [service.balance_at(session, asha, at=start + timedelta(hours=h)) for h in (-1, 0, 23, 24)]
    assert past == [0, 9, 9, 5]


def test_earning_twice_for_one_order_gives_nothing_more(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    order_id = kit.buy({cup: 1}, customer_id=asha)
    again = kit.run(
        lambda s: service.earn_for_order(
            s,
            order_id=order_id,
            customer_id=asha,
            lines=[service.EarningLine(kit.lines(order_id)[0].id, 1, 100_000)],
            now=kit.now,
        )
    )
    assert again == 0
    assert kit.points(asha).pending == 10


def test_two_first_uses_make_one_programme(kit: TradeKit) -> None:
    kit.run(lambda s: service.ensure_programme(s, now=kit.now).id)
    kit.run(lambda s: service.ensure_programme(s, now=kit.now - timedelta(days=900)).id)
    assert kit.count(LoyaltyProgramme) == 1


def test_a_lot_remembers_the_rules_it_was_earned_under(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    asha = kit.customer()
    kit.buy({cup: 1}, customer_id=asha)
    clock.advance(timedelta(days=1))
    kit.run(
        lambda s: s.add(
            LoyaltyProgramme(**{**FIRST_VERSION, "version": 2, "earn_per_unit_minor": 1_000, "valid_from": kit.now})
        )
    )
    kit.buy({cup: 1}, customer_id=asha)
    assert [(lot.amount, lot.programme_id) for lot in lots(kit)] == [(10, 1), (100, 2)]


@pytest.mark.postgres
@pytest.mark.slow
def test_the_same_points_are_held_once_by_parallel_orders(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", stock=99)
    asha = pg_kit.customer()
    pg_kit.give_points(asha, 50)
    pg_kit.give_points(asha, 50)
    orders = [pg_kit.buy({cup: 1}, customer_id=asha, pay=False) for _ in range(20)]
    outcomes = at_once([lambda order_id=order_id: hold(pg_kit, asha, order_id, 30) for order_id in orders])
    assert len(successes(outcomes)) == 3
    assert {type(error) for error in failures(outcomes)} == {service.PointsRefused}
    assert (pg_kit.points(asha).active, pg_kit.points(asha).held) == (10, 90)
    pg_kit.assert_sound()


@pytest.mark.postgres
@pytest.mark.slow
def test_workers_that_meet_activate_and_expire_once(pg_kit: TradeKit, clock: ManualClock) -> None:
    cup = pg_kit.variant("CUP", price=100_000, stock=99)
    customers = [pg_kit.customer(f"c{n}@example.com") for n in range(6)]
    for customer_id in customers:
        pg_kit.buy({cup: 1}, customer_id=customer_id)
        pg_kit.give_points(customer_id, 5)
    clock.advance(YEAR)
    moved = at_once(
        [lambda: jobs.activate_due_points(pg_kit.database), lambda: jobs.expire_due_points(pg_kit.database)] * 3
    )
    assert failures(moved) == []
    assert pg_kit.count(PointEntry, PointEntry.kind == EntryKind.EXPIRE) == 12
    assert pg_kit.count(PointEntry, PointEntry.kind == EntryKind.ACTIVATE) == 6
    assert {pg_kit.points(customer_id).expired for customer_id in customers} == {15}
    pg_kit.assert_sound()
