"""Points by reference, wallets, adjustments by hand, and expired points that are had back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.trade import TradeKit
from tests.transactional.loyalty.conftest import Rules
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.loyalty import jobs, service
from transactional.loyalty.models import EntryKind, PointEntry, PointLot, Wallet
from transactional.loyalty.service import ClawedBack

Lots = Callable[[], list[PointLot]]


def give(kit: TradeKit, customer_id: int, points: int, reference: str = "referral:1", **more: Any) -> int:
    """Points for a referral; gives the lot's id."""
    values = {"source": "referral", "reference": reference, "now": kit.now, **more}
    return kit.run(lambda s: service.give(s, customer_id=customer_id, points=points, **values).id)


def take_back(kit: TradeKit, reference: str = "referral:1", **how_much: int) -> ClawedBack:
    """So much altogether."""
    return kit.run(lambda s: service.take_back(s, reference=reference, now=kit.now, **how_much))


def test_a_reference_gives_its_points_once(kit: TradeKit) -> None:
    asha, ravi = kit.customer(), kit.customer("ravi@example.com")
    assert give(kit, asha, 50) == give(kit, asha, 50)
    assert kit.points(asha).active == 50
    with pytest.raises(Conflict, match="other points"):
        give(kit, asha, 60)
    with pytest.raises(Conflict, match="other points"):
        give(kit, ravi, 50)
    kit.assert_sound()


@pytest.mark.parametrize("values", [{"points": 0}, {"source": "order"}, {"source": " "}, {"reference": ""}])
def test_a_gift_without_points_source_or_reference_is_refused(kit: TradeKit, values: dict[str, Any]) -> None:
    asha = kit.customer()
    with pytest.raises(InvalidInput):
        give(kit, asha, **{"points": 5, **values})


def test_a_gift_can_wait(kit: TradeKit, clock: ManualClock) -> None:
    asha = kit.customer()
    give(kit, asha, 50, available_at=kit.now + timedelta(days=30))
    assert (kit.points(asha).pending, kit.points(asha).redeemable) == (50, 0)
    clock.advance(timedelta(days=30))
    assert kit.points(asha).redeemable == 50
    jobs.activate_due_points(kit.database)
    kit.assert_sound()


def test_shares_are_taken_back_altogether_so_that_asking_again_changes_nothing(kit: TradeKit) -> None:
    asha = kit.customer()
    give(kit, asha, 50)
    assert take_back(kit, share_bp=2_500).taken == 13
    assert take_back(kit, share_bp=2_500).taken == 0
    assert take_back(kit, points=20).taken == 7
    assert take_back(kit, share_bp=1_000).taken == 0, "nothing is given again"
    assert take_back(kit, share_bp=10_000).taken == 30
    assert (kit.points(asha).active, kit.points(asha).reversed) == (0, 50)
    kit.assert_sound()


def test_impossible_takings_are_refused(kit: TradeKit) -> None:
    asha = kit.customer()
    give(kit, asha, 50)
    for wrong in ({}, {"points": 1, "share_bp": 1}, {"points": 51}, {"points": -1}, {"share_bp": 10_001}):
        with pytest.raises(InvalidInput):
            take_back(kit, **wrong)
    with pytest.raises(NotFound):
        take_back(kit, "referral:2", points=1)


def test_promotional_points_never_leave_a_debt(kit: TradeKit) -> None:
    asha = kit.customer()
    give(kit, asha, 50)
    kit.buy({kit.variant("CUP", price=100_000, stock=9): 1}, customer_id=asha, redeem_points=40)
    assert take_back(kit, share_bp=10_000) == ClawedBack(taken=10, owed=0, shortfall=40)
    assert take_back(kit, share_bp=10_000) == ClawedBack()
    points = kit.points(asha)
    assert (points.active, points.owed, points.shortfall) == (0, 0, 40)
    kit.assert_sound()


def test_a_promotional_debt_is_kept_apart_where_the_rules_allow_it(kit: TradeKit, rules: Rules) -> None:
    rules(promotional_negative_floor=30)
    asha = kit.customer()
    give(kit, asha, 50)
    kit.buy({kit.variant("CUP", price=100_000, stock=9): 1}, customer_id=asha, redeem_points=40)
    assert take_back(kit, share_bp=10_000) == ClawedBack(taken=10, owed=30, shortfall=10)
    with kit.database.read() as session:
        assert [w.owed for w in service.wallet_balances(session, asha, now=kit.now)] == [0, 30]
    kit.give_points(asha, 35)
    with kit.database.read() as session:
        assert [(w.active, w.owed) for w in service.wallet_balances(session, asha, now=kit.now)] == [(5, 0), (0, 0)]
    kit.assert_sound()


def test_both_wallets_are_spent_earliest_expiring_first(kit: TradeKit, rules: Rules, clock: ManualClock) -> None:
    rules(promotional_expiry_days=60)
    asha = kit.customer()
    kit.give_points(asha, 20)
    clock.advance(timedelta(days=10))
    give(kit, asha, 20)
    kit.buy({kit.variant("CUP", price=100_000, stock=9): 1}, customer_id=asha, redeem_points=25)
    with kit.database.read() as session:
        wallets = service.wallet_balances(session, asha, now=kit.now)
    assert {w.wallet: w.active for w in wallets} == {Wallet.EARNED: 15, Wallet.PROMOTIONAL: 0}
    kit.assert_sound()


def test_a_wallets_limit_holds_for_each_order(kit: TradeKit, rules: Rules) -> None:
    rules(max_promotional_points_spent=10)
    asha = kit.customer()
    give(kit, asha, 50)
    kit.give_points(asha, 20)
    with kit.database.read() as session:
        offer = service.redemption_offer(session, customer_id=asha, merchandise_minor=100_000, now=kit.now)
    assert offer is not None
    assert offer.max_points == 30
    order_id = kit.buy({kit.variant("CUP", price=100_000, stock=9): 1}, customer_id=asha, pay=False)
    with pytest.raises(service.PointsRefused, match="30 are free"):
        kit.run(lambda s: service.hold(s, customer_id=asha, order_id=order_id, points=31, now=kit.now).id)
    kit.run(lambda s: service.hold(s, customer_id=asha, order_id=order_id, points=30, now=kit.now).id)
    with kit.database.read() as session:
        assert [w.active for w in service.wallet_balances(session, asha, now=kit.now)] == [0, 40]
    kit.assert_sound()


def test_an_adjustment_takes_from_the_wallet_that_it_names(kit: TradeKit) -> None:
    asha = kit.customer()
    give(kit, asha, 50)

    def adjust(points: int, wallet: Wallet, actor: str = "user:1") -> None:
        kit.run(
            lambda s: (
                service.adjust(
                    s, customer_id=asha, points=points, wallet=wallet, actor=actor, reason="r", now=kit.now
                ).id
            )
        )

    with pytest.raises(service.PointsRefused, match="earned"):
        adjust(-5, Wallet.EARNED)
    with pytest.raises(InvalidInput, match="somebody"):
        adjust(5, Wallet.EARNED, actor=" ")
    adjust(-5, Wallet.PROMOTIONAL)
    adjust(7, Wallet.PROMOTIONAL)
    with kit.database.read() as session:
        assert [w.active for w in service.wallet_balances(session, asha, now=kit.now)] == [0, 52]
    kit.assert_sound()


def test_expired_points_can_be_had_back_once_within_the_tiers_window(
    kit: TradeKit, rules: Rules, clock: ManualClock, lots: Lots
) -> None:
    rules(tiers={"Bronze": {"reinstatement_days": 20}})
    asha = kit.customer()
    kit.give_points(asha, 30)
    clock.advance(timedelta(days=20))
    kit.give_points(asha, 12)
    clock.advance(timedelta(days=365))

    def reinstate() -> int:
        return kit.run(
            lambda s: service.reinstate(s, customer_id=asha, actor="user:1", reason="was in hospital", now=kit.now)
        )

    assert reinstate() == 12, "the older ones expired too long ago"
    assert reinstate() == 0
    assert (kit.points(asha).active, kit.points(asha).expired) == (12, 30)
    assert lots()[-1].expires_at == kit.now + timedelta(days=30)
    clock.advance(timedelta(days=30))
    jobs.expire_due_points(kit.database)
    assert reinstate() == 0, "they are had back once"
    assert kit.points(asha).expired == 42
    assert kit.count(PointEntry, PointEntry.kind == EntryKind.RESTORE) == 1
    with pytest.raises(InvalidInput, match="reason"):
        kit.run(lambda s: service.reinstate(s, customer_id=asha, actor="user:1", reason="", now=kit.now))
    kit.assert_sound()


def test_reinstated_points_of_an_order_leave_with_its_return(kit: TradeKit, rules: Rules, clock: ManualClock) -> None:
    rules(tiers={"Bronze": {"reinstatement_days": 20}})
    cup, asha = kit.variant("CUP", price=100_000, stock=9), kit.customer()
    order_id = kit.buy({cup: 1}, customer_id=asha)
    kit.deliver(order_id)
    clock.advance(timedelta(days=366))
    kit.run(lambda s: service.reinstate(s, customer_id=asha, actor="user:1", reason="late", now=kit.now))
    assert kit.points(asha).active == 10
    kit.return_units(kit.lines(order_id)[0].id, 1)
    assert (kit.points(asha).active, kit.points(asha).owed) == (0, 0)
    kit.assert_sound()
