"""What is taken back: never below the floor, and what cannot be taken is a receivable."""

from datetime import timedelta

import pytest

from tests.support.trade import TradeKit
from tests.transactional.loyalty.conftest import Rules
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.loyalty import service
from transactional.loyalty.models import PointShortfall, Wallet


def spend_what_was_earned(kit: TradeKit, clock: ManualClock, customer_id: int) -> int:
    """Buys twice, the second time with the 20 points of the first; gives the first order's line."""
    return spend(kit, clock, customer_id)[0]


def spend(kit: TradeKit, clock: ManualClock, customer_id: int) -> tuple[int, int]:
    """The same; gives the first order's line and the second order."""
    cup = kit.variant(f"CUP{clock.now():%j}", price=100_000, stock=99)
    first = kit.buy({cup: 2}, customer_id=customer_id)
    kit.deliver(first)
    clock.advance(timedelta(days=14))
    second = kit.buy({cup: 1}, customer_id=customer_id, redeem_points=20)
    return kit.lines(first)[0].id, second


def test_a_debt_stops_at_the_floor_and_the_rest_is_a_receivable(
    kit: TradeKit, rules: Rules, clock: ManualClock
) -> None:
    rules(negative_floor=13)
    asha = kit.customer()
    line_id = spend_what_was_earned(kit, clock, asha)
    kit.return_units(line_id, 1)
    assert (kit.points(asha).owed, kit.points(asha).shortfall) == (10, 0)
    kit.return_units(line_id, 1)
    points = kit.points(asha)
    assert (points.owed, points.shortfall, points.receivable, points.reversed) == (13, 7, 20, 13)
    with kit.database.read() as session:
        short = service.open_shortfalls(session, customer_id=asha)
        assert [(s.points, s.value_minor, s.wallet) for s in short] == [(7, 700, Wallet.EARNED)]
        assert service.tier_at(session, asha, kit.now).qualifying == 9, "what could not be taken counts no more either"
    kit.assert_sound()


def test_below_the_floor_other_points_of_the_wallet_pay_first(kit: TradeKit, rules: Rules, clock: ManualClock) -> None:
    rules(negative_floor=0)
    asha = kit.customer()
    line_id = spend_what_was_earned(kit, clock, asha)
    kit.give_points(asha, 15)
    kit.return_units(line_id, 2)
    points = kit.points(asha)
    assert (points.active, points.owed, points.shortfall, points.reversed) == (0, 0, 5, 15)
    kit.assert_sound()


def test_later_points_pay_the_debt_but_not_the_shortfall(kit: TradeKit, rules: Rules, clock: ManualClock) -> None:
    rules(negative_floor=5)
    asha = kit.customer()
    kit.return_units(spend_what_was_earned(kit, clock, asha), 2)
    kit.give_points(asha, 30)
    points = kit.points(asha)
    assert (points.active, points.owed, points.shortfall, points.redeemable) == (25, 0, 15, 25)
    kit.assert_sound()


def test_a_shortfall_is_closed_once_with_a_note(kit: TradeKit, rules: Rules, clock: ManualClock) -> None:
    rules(negative_floor=0)
    asha = kit.customer()
    kit.return_units(spend_what_was_earned(kit, clock, asha), 1)
    with kit.database.read() as session:
        (short,) = service.open_shortfalls(session)

    def close(note: str, shortfall_id: int = short.id) -> None:
        kit.run(
            lambda s: service.close_shortfall(s, shortfall_id=shortfall_id, actor="user:2", note=note, now=kit.now).id
        )

    with pytest.raises(InvalidInput, match="note"):
        close(" ")
    with pytest.raises(NotFound):
        close("paid", 99)
    close("paid in the shop")
    with pytest.raises(Conflict, match="closed already"):
        close("again")
    assert kit.points(asha).shortfall == 0
    assert kit.count(PointShortfall, PointShortfall.closed_by == "user:2") == 1
    kit.assert_sound()


def test_what_was_repaid_is_not_owed_again(kit: TradeKit, clock: ManualClock) -> None:
    """A full return of both orders leaves nothing, whatever stood in between."""
    asha = kit.customer()
    line_id, second = spend(kit, clock, asha)
    kit.give_points(asha, 20)
    kit.return_units(line_id, 2)
    kit.deliver(second)
    kit.return_units(kit.lines(second)[0].id, 1)
    points = kit.points(asha)
    assert (points.active, points.pending, points.owed, points.spent) == (20, 0, 0, 0)
    kit.assert_sound()
