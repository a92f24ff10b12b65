"""Commission from payment to payout: per unit, never before the window's end, and back with what comes back."""

import pytest
from sqlalchemy.orm import Session

from tests.transactional.affiliates.desk import WINDOW, Desk
from transactional.affiliates.service import CommissionState, RateRow
from transactional.catalog import service as catalog
from transactional.core.errors import Conflict
from transactional.orders import service as orders
from transactional.returns import service as returns


@pytest.fixture
def programme(desk: Desk) -> int:
    return desk.programme()


@pytest.fixture
def affiliate(desk: Desk, programme: int) -> int:
    return desk.affiliate(programme)


def sold(desk: Desk, affiliate: int, lines: dict[int, int], **more: object) -> int:
    """An order that the affiliate's link brought."""
    return desk.buy(lines, visitor_id=desk.click(affiliate), **more)


def test_each_unit_earns_its_share_rounded_down(desk: Desk, affiliate: int) -> None:
    mug = desk.kit.variant("MUG", price=33_339, stock=9)
    order = sold(desk, affiliate, {mug: 3})
    (lot,) = desk.lots(order)
    assert (lot.state, lot.amount_minor) == (CommissionState.PENDING, 3 * 3_333)
    assert desk.balance(affiliate).pending_minor == 9_999
    desk.assert_sound()


def test_commission_is_of_the_net_price_after_discounts(desk: Desk, affiliate: int) -> None:
    desk.kit.coupon("HALF", percent_bp=5_000)
    order = sold(desk, affiliate, {desk.kit.variant("MUG", price=10_000, stock=9): 2}, coupon="HALF")
    assert [lot.amount_minor for lot in desk.lots(order)] == [1_000]


def test_nothing_is_approved_before_the_return_window_ends(desk: Desk, programme: int, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", stock=9): 1})
    desk.later(days=100)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.PENDING, "not delivered yet"
    desk.deliver(order)
    desk.clock.advance(WINDOW)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.PENDING, "the last moment for a return"
    with pytest.raises(Conflict, match="nobody"):
        desk.pay_out(programme)
    desk.later(seconds=1)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.APPROVED
    assert desk.pay_out(programme) == 10_000
    desk.assert_sound()


def test_returns_inside_the_window_take_exactly_their_units_back(desk: Desk, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", price=10_001, stock=9): 3})
    (line,) = desk.kit.lines(order)
    desk.deliver(order)
    for i in range(3):
        desk.give_back(order, {line.id: 1}, cause=f"return:{i}")
        (lot,) = desk.lots(order)
        assert lot.reversed_minor == 1_000 * (i + 1)
    assert lot.state is CommissionState.REVERSED
    assert desk.balance(affiliate).payable_minor == 0
    desk.assert_sound()


def test_a_cancelled_order_earns_nothing(desk: Desk, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", stock=9): 2})
    desk.cancel(order)
    assert desk.lots(order)[0].state is CommissionState.REVERSED
    assert desk.balance(affiliate).pending_minor == 0
    desk.assert_sound()


def test_what_comes_back_after_the_payout_is_kept_from_later_commission(
    desk: Desk, programme: int, affiliate: int
) -> None:
    mug = desk.kit.variant("MUG", stock=9)
    first = sold(desk, affiliate, {mug: 2})
    desk.mature(first)
    assert desk.pay_out(programme) == 20_000
    desk.give_back(first, {desk.kit.lines(first)[0].id: 2}, cause="return:late")
    balance = desk.balance(affiliate)
    assert (balance.payable_minor, balance.owed_minor) == (0, 20_000)
    second = sold(desk, affiliate, {mug: 1}, email="second@example.com")
    desk.mature(second)
    assert desk.lots(second)[0].state is CommissionState.OFFSET
    assert desk.balance(affiliate).owed_minor == 10_000
    third = sold(desk, affiliate, {mug: 3}, email="third@example.com")
    desk.mature(third)
    assert desk.balance(affiliate).payable_minor == 20_000
    assert desk.pay_out(programme) == 20_000
    desk.assert_sound()


def test_money_refunded_without_units_takes_its_share(desk: Desk, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", price=200_000, stock=9): 2})
    desk.captured(order)
    desk.refund(order, desk.kit.order(order).total_minor // 4)
    (lot,) = desk.lots(order)
    assert (lot.amount_minor, lot.reversed_minor) == (40_000, 10_000)
    desk.refund(order, 3 * desk.kit.order(order).total_minor // 4)
    assert desk.lots(order)[0].state is CommissionState.REVERSED
    desk.assert_sound()


def test_an_open_return_keeps_commission_waiting(desk: Desk, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", stock=9): 1})
    desk.deliver(order)
    (line,) = desk.kit.lines(order)
    asked = desk.kit.run(
        lambda s: (
            returns.request_return(
                s, order_id=order, quantities={line.id: 1}, reason="too big", window_days=14, now=desk.now
            ).id
        )
    )
    desk.later(days=30)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.PENDING
    desk.kit.run(lambda s: returns.reject(s, return_id=asked, note="worn", now=desk.now).id)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.APPROVED


def test_the_nearest_rate_counts_and_its_version_stays_on_the_lot(desk: Desk, programme: int, affiliate: int) -> None:
    mug = desk.kit.variant("MUG", stock=99)
    category = desk.kit.run(lambda s: catalog.list_categories(s)[0].id)
    before = sold(desk, affiliate, {mug: 1})
    desk.later(minutes=1)
    newer = desk.version(programme, rates=[RateRow(2_000, category_id=category)])
    by_category = sold(desk, affiliate, {mug: 1}, email="b@example.com")
    desk.later(minutes=1)
    desk.version(programme, rates=[RateRow(2_000, category_id=category), RateRow(500, affiliate_id=affiliate)])
    by_affiliate = sold(desk, affiliate, {mug: 1}, email="c@example.com")
    rates = [desk.lots(order)[0].rate_bp for order in (before, by_category, by_affiliate)]
    assert rates == [1_000, 2_000, 500]
    assert desk.lots(by_category)[0].version_id == newer
    desk.settle(before)
    assert desk.lots(before)[0].amount_minor == 10_000


def test_a_parcel_that_comes_home_takes_its_commission_back(desk: Desk, affiliate: int) -> None:
    order = sold(desk, affiliate, {desk.kit.variant("MUG", stock=9): 3})
    (line,) = desk.kit.lines(order)
    desk.kit.ship(order)
    desk.kit.run(
        lambda s: orders.parcel_came_back(s, order_id=order, units={line.id: 3}, actor="test", now=desk.now).id
    )
    desk.settle(order)
    (lot,) = desk.lots(order)
    assert (lot.state, lot.remaining_minor) == (CommissionState.REVERSED, 0)
    desk.assert_sound()


def test_an_order_paid_on_delivery_earns_when_it_is_paid(desk: Desk, affiliate: int) -> None:
    mug = desk.kit.variant("MUG", stock=9)
    order = desk.buy({mug: 1}, visitor_id=desk.click(affiliate), pay=False, payment_mode="on_delivery")
    assert desk.attribution(order) is None
    desk.deliver(order)
    assert desk.lots(order)[0].state is CommissionState.PENDING
    desk.later(days=15)
    desk.settle(order)
    assert desk.lots(order)[0].state is CommissionState.APPROVED
    desk.assert_sound()


def test_lines_that_join_an_order_earn_while_the_affiliate_is_active(desk: Desk, affiliate: int) -> None:
    mug, card = desk.kit.variant("MUG", stock=9), desk.kit.variant("CARD", price=50_000, stock=9)
    order = sold(desk, affiliate, {mug: 1})
    add_line(desk, order, card)
    desk.settle(order)
    assert [lot.amount_minor for lot in desk.lots(order)] == [10_000, 5_000]
    desk.deactivate(affiliate)
    add_line(desk, order, desk.kit.variant("RIBBON", stock=9))
    desk.settle(order)
    assert len(desk.lots(order)) == 2
    desk.assert_sound()


def add_line(desk: Desk, order_id: int, variant_id: int) -> None:
    """A change set adds a unit, and its difference is paid."""

    def draft(session: Session) -> int:
        wanted = orders.WantedChange(add=[orders.AddedUnits(variant_id, 1)])
        change = orders.draft_change(
            session, order_id=order_id, wanted=wanted, actor="test", reason="one more", now=desk.now
        )
        return orders.apply_change(session, change_id=change.id, actor="test", now=desk.now).difference_minor

    difference = desk.kit.run(draft)
    desk.kit.run(
        lambda s: orders.mark_paid(s, order_id=order_id, paid_at=desk.now, actor="test", amount_minor=difference)
    )
