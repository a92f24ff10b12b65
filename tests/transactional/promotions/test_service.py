"""Coupons: conditions, limits, and uses that are freed once."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions import service
from transactional.promotions.models import CouponRedemption
from transactional.promotions.service import CouponResult, PromotionStatus, RedemptionState


def evaluate(kit: TradeKit, code: str, merchandise: int = 100_000, **more: Any) -> CouponResult:
    """What the code is worth now."""
    with kit.database.read() as session:
        return service.evaluate(session, code=code, merchandise_minor=merchandise, now=kit.now, **more)


def set_status(kit: TradeKit, code: str, status: PromotionStatus) -> None:
    """Staff turn a knob."""
    kit.run(lambda s: service.set_status(s, code=code, status=status).id)


def test_a_code_is_found_however_it_is_typed(kit: TradeKit) -> None:
    kit.coupon("diwali-10")
    assert evaluate(kit, "  Diwali-10 ").discount_minor == 10_000


@pytest.mark.parametrize("code", ["", "   ", "X" * 41, "TEN%", "दिवाली", "A B", "ＴＥＮ"])
def test_an_impossible_code_is_refused_kindly(kit: TradeKit, code: str) -> None:
    result = evaluate(kit, code)
    assert not result.applies
    with pytest.raises(InvalidInput):
        kit.coupon(code)


@pytest.mark.parametrize(
    "figures",
    [
        {"percent_bp": 0},
        {"percent_bp": 10_001},
        {"usage_limit": 0},
        {"per_customer_limit": -1},
        {"max_discount_minor": 0},
        {"min_spend_minor": -1},
    ],
)
def test_figures_outside_their_range_are_refused(kit: TradeKit, figures: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        kit.coupon("TEN", **figures)


def test_a_code_exists_once(kit: TradeKit) -> None:
    kit.coupon("TEN")
    with pytest.raises(Conflict, match="exists already"):
        kit.coupon("ten")


def test_the_period_starts_inclusively_and_ends_exclusively(kit: TradeKit, clock: ManualClock) -> None:
    kit.coupon("DAY", starts_at=kit.now + timedelta(hours=1), ends_at=kit.now + timedelta(hours=2))
    assert evaluate(kit, "DAY").reason == "it is not open yet"
    clock.advance(timedelta(hours=1))
    assert evaluate(kit, "DAY").applies
    clock.advance(timedelta(hours=1))
    assert evaluate(kit, "DAY").reason == "it has ended"
    with pytest.raises(InvalidInput, match="ends after it starts"):
        kit.coupon("NEVER", starts_at=kit.now, ends_at=kit.now)


def test_the_minimum_spend_says_what_is_missing(kit: TradeKit) -> None:
    kit.coupon("BIG", min_spend_minor=50_000)
    assert evaluate(kit, "BIG", 49_999).reason == "₹0.01 more"
    assert evaluate(kit, "BIG", 50_000).discount_minor == 5_000


def test_pausing_stops_new_uses_and_keeps_open_ones(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.coupon("TEN")
    order_id = kit.buy({cup: 1}, coupon="TEN", pay=False)
    set_status(kit, "TEN", PromotionStatus.PAUSED)
    assert evaluate(kit, "TEN").reason == "it is paused"
    kit.pay(order_id)
    assert kit.count(CouponRedemption, CouponRedemption.state == RedemptionState.REDEEMED) == 1
    set_status(kit, "TEN", PromotionStatus.ACTIVE)
    assert evaluate(kit, "TEN").applies
    set_status(kit, "TEN", PromotionStatus.ENDED)
    with pytest.raises(Conflict, match="cannot become"):
        set_status(kit, "TEN", PromotionStatus.ACTIVE)
    with pytest.raises(NotFound):
        set_status(kit, "NOPE", PromotionStatus.PAUSED)


def test_the_total_limit_counts_reserved_uses(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.coupon("ONE", usage_limit=1)
    first = kit.buy({cup: 1}, coupon="ONE", pay=False)
    with pytest.raises(service.CouponRefused, match="all its uses are taken"):
        kit.buy({cup: 1}, coupon="ONE", email="other@example.com")
    kit.run(lambda s: service.release(s, order_id=first, now=kit.now))
    assert kit.run(lambda s: service.release(s, order_id=first, now=kit.now)) == 0
    kit.buy({cup: 1}, coupon="ONE", email="other@example.com")
    kit.assert_sound()


def test_one_person_is_one_person(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.coupon("MINE", per_customer_limit=1)
    kit.buy({cup: 1}, coupon="MINE", email="asha.rao@gmail.com")
    for email in ("ASHARAO@gmail.com", "asha.rao+x@gmail.com"):
        with pytest.raises(service.CouponRefused, match="as often as one may"):
            kit.buy({cup: 1}, coupon="MINE", email=email)
    account = kit.customer("asharao@gmail.com")
    with pytest.raises(service.CouponRefused, match="as often as one may"):
        kit.buy({cup: 1}, customer_id=account, coupon="MINE")
    kit.buy({cup: 1}, coupon="MINE", email="ravi@gmail.com")
    assert kit.coupon_uses("MINE") == 2
    kit.assert_sound()


def test_a_freed_slot_is_given_again_before_a_new_one(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.coupon("TWO", per_customer_limit=2)
    first = kit.buy({cup: 1}, coupon="TWO", pay=False)
    kit.buy({cup: 1}, coupon="TWO")
    kit.run(lambda s: service.release(s, order_id=first, now=kit.now))
    kit.buy({cup: 1}, coupon="TWO")
    assert kit.count(CouponRedemption, CouponRedemption.slot.in_([1, 2])) == 2
    with pytest.raises(service.CouponRefused):
        kit.buy({cup: 1}, coupon="TWO")
    kit.assert_sound()


def test_uses_are_counted_without_any_limit(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    kit.coupon("FREE")
    for _ in range(3):
        kit.buy({cup: 1}, coupon="FREE")
    assert kit.coupon_uses("FREE") == 3
    kit.assert_sound()
