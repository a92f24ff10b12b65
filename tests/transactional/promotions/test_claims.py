"""Uses of offers: every limit holds under all keys of a person, and a use is freed exactly once."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.support.offers import code, move, offer, rule
from tests.support.trade import TradeKit
from transactional.core.clock import ManualClock
from transactional.core.errors import InvalidInput
from transactional.orders import service as orders
from transactional.orders.service import OrderStatus, PaidOutcome
from transactional.promotions import service
from transactional.promotions.models import CouponRedemption, Promotion, RedemptionKey
from transactional.promotions.service import CouponRefused, PromotionStatus, RedemptionState

TEN = rule("percentage", bp=1_000)
FIRST = rule("percentage", bp=1_000, conditions={"first_order": {}})


def used(kit: TradeKit, promotion_id: int) -> int:
    """The promotion's own counter."""
    with kit.database.read() as session:
        return session.get_one(Promotion, promotion_id).used


def cancel(kit: TradeKit, order_id: int) -> None:
    """The whole order is called off."""
    kit.run(lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="test", now=kit.now).id)


def expire(kit: TradeKit) -> int:
    """What is not paid in time is given up."""
    return kit.run(lambda s: orders.expire_unpaid(s, now=kit.now))


@pytest.mark.parametrize(
    "other", [{"email": "someone@else.example", "phone": "098450-12345"}, {"email": "A.sha+x@GMAIL.com"}]
)
def test_a_person_is_one_person_by_any_key(kit: TradeKit, other: dict[str, str]) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "MINE", TEN, per_customer_limit=1)
    kit.buy({cup: 1}, coupon="MINE", email="asha@gmail.com", phone="+91 98450 12345")
    with pytest.raises(CouponRefused, match="as often as one may"):
        kit.buy({cup: 1}, coupon="MINE", **other)
    kit.buy({cup: 1}, coupon="MINE", email="ravi@example.com", phone="+91 98450 99999")
    kit.assert_sound()


def test_a_gifts_recipient_is_not_its_buyer(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "MINE", TEN, per_customer_limit=1)
    for email in ("asha@example.com", "ravi@example.com"):
        kit.buy({cup: 1}, coupon="MINE", email=email)  # the parcels go to the same person with the same phone
    assert kit.coupon_uses("MINE") == 2


def test_an_automatic_offer_keeps_its_limits_like_a_code(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = offer(kit, TEN, usage_limit=2, per_customer_limit=1)
    first, again, ravi, zoya = (
        kit.order(kit.buy({cup: 1}, email=email, pay=False))
        for email in ("asha@example.com", "asha+x@example.com", "ravi@example.com", "zoya@example.com")
    )
    assert [one.discount_minor for one in (first, again, ravi, zoya)] == [10_000, 0, 10_000, 0]
    assert used(kit, promotion_id) == 2
    cancel(kit, first.id)
    assert used(kit, promotion_id) == 1
    kit.assert_sound()
    assert kit.order(kit.buy({cup: 1}, email="zoya@example.com")).discount_minor == 10_000
    kit.assert_sound()


def test_an_automatic_offer_without_a_limit_counts_nothing(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = offer(kit, TEN)
    kit.buy({cup: 1})
    assert used(kit, promotion_id) == kit.count(CouponRedemption) == 0
    with kit.database.read() as session:
        assert service.figures(session, [promotion_id])[promotion_id].orders == 1


def test_an_automatic_use_is_redeemed_by_the_payment(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    offer(kit, TEN, usage_limit=5)
    order_id = kit.buy({cup: 1}, pay=False)
    assert kit.count(CouponRedemption, CouponRedemption.state == RedemptionState.RESERVED) == 1
    kit.pay(order_id)
    assert kit.count(CouponRedemption, CouponRedemption.state == RedemptionState.REDEEMED) == 1


@pytest.mark.parametrize("frees", [True, False])
def test_a_full_refund_frees_an_automatic_use_by_policy(kit: TradeKit, frees: bool) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = offer(kit, TEN, usage_limit=5, frees_on_full_refund=frees)
    order_id = kit.buy({cup: 2})
    (line,) = kit.lines(order_id)
    kit.run(
        lambda s: orders.cancel_units(
            s, order_id=order_id, units={line.id: 1}, actor="test", reason="test", now=kit.now
        )
    )
    assert used(kit, promotion_id) == 1, "a part given back frees nothing"
    cancel(kit, order_id)
    assert used(kit, promotion_id) == (0 if frees else 1)
    kit.assert_sound()


def test_a_code_and_its_promotion_both_limit(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = code(kit, "ONE", TEN)
    kit.run(
        lambda s: (
            service.add_code(
                s, promotion=service.get_promotion(s, promotion_id), new=service.NewCode("TWO", usage_limit=1)
            ).id
        )
    )
    kit.buy({cup: 1}, coupon="TWO")
    with pytest.raises(CouponRefused, match="TWO: all its uses"):
        kit.buy({cup: 1}, coupon="TWO")
    kit.buy({cup: 1}, coupon="ONE")
    kit.assert_sound()


def test_two_codes_of_one_promotion_count_once(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = code(kit, "ONE", TEN)
    kit.run(
        lambda s: service.add_code(s, promotion=service.get_promotion(s, promotion_id), new=service.NewCode("TWO")).id
    )
    order = kit.order(kit.buy({cup: 1}, coupons=["ONE", "TWO"]))
    assert (order.discount_minor, kit.coupon_uses("ONE") + kit.coupon_uses("TWO")) == (10_000, 1)
    kit.assert_sound()


def test_a_first_order_is_the_first_under_any_key(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "HELLO", FIRST)
    kit.buy({cup: 1}, email="asha@gmail.com", phone="9845012345", pay=False)
    for again in ({"email": "A.sha@gmail.com"}, {"email": "else@example.com", "phone": "+919845012345"}):
        with pytest.raises(CouponRefused, match="first order"):
            kit.buy({cup: 1}, coupon="HELLO", **again)
    kit.buy({cup: 1}, coupon="HELLO", email="ravi@example.com")
    kit.assert_sound()


def test_a_first_order_that_came_to_nothing_was_none(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "HELLO", FIRST)
    kit.buy({cup: 1}, coupon="HELLO", pay=False)
    clock.advance(timedelta(hours=1))
    assert expire(kit) == 1
    kit.buy({cup: 1}, coupon="HELLO")
    with pytest.raises(CouponRefused, match="first order"):
        kit.buy({cup: 1}, coupon="HELLO")
    kit.assert_sound()


def test_two_first_orders_with_different_codes_give_one_use(kit: TradeKit) -> None:
    """The slot of first orders is one for all offers, and decides where neither saw the other's order."""
    cup = kit.variant("CUP", stock=9)
    code(kit, "HELLO", FIRST)
    code(kit, "WELCOME", FIRST)
    person = service.Person(email="asha@example.com")
    orders_ = [kit.buy({cup: 1}, email=email, pay=False) for email in ("a@example.com", "b@example.com")]

    def claim(text: str, order_id: int) -> None:
        def work(session: Session) -> None:
            offers = service.offers_for(session, codes=[text], now=kit.now, who=lambda: person)
            goods = service.Basket("INR", (service.Line(1, cup, 1, frozenset(), 1, 10_000),))
            outcome = service.solve(goods, service.Shopper("asha", True), kit.now, offers.candidates)
            service.reserve(session, offers=offers, outcome=outcome, order_id=order_id, person=person, now=kit.now)

        kit.run(work)

    claim("HELLO", orders_[0])
    with pytest.raises(CouponRefused, match="first order"):
        claim("WELCOME", orders_[1])
    kit.assert_sound()


def test_a_code_good_at_the_start_is_honoured_until_the_time_is_over(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    promotion_id = code(kit, "TEN", TEN, usage_limit=2)
    in_time, late = (kit.buy({cup: 1}, coupon="TEN", email=f"{n}@example.com", pay=False) for n in "ab")
    move(kit, promotion_id, PromotionStatus.ENDED)
    assert kit.pay(in_time) is PaidOutcome.CONFIRMED
    clock.advance(timedelta(hours=1))
    expire(kit)
    assert kit.coupon_uses("TEN") == 1
    assert kit.pay(late) is PaidOutcome.REFUND_DUE, "the session is over, and so is the offer"
    assert kit.order(late).status is OrderStatus.CANCELLED
    assert kit.coupon_uses("TEN") == 1
    kit.assert_sound()


def test_an_expired_order_claims_its_uses_anew_under_the_same_keys(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "TEN", TEN, per_customer_limit=1)
    late = kit.buy({cup: 1}, coupon="TEN", email="asha@example.com", phone="9845012345", pay=False)
    clock.advance(timedelta(hours=1))
    expire(kit)
    assert kit.count(RedemptionKey, RedemptionKey.slot.is_not(None)) == 0
    assert kit.pay(late) is PaidOutcome.REVIVED
    with pytest.raises(CouponRefused):
        kit.buy({cup: 1}, coupon="TEN", email="other@example.com", phone="9845012345")
    kit.assert_sound()


def test_a_use_is_freed_once(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "TEN", TEN, usage_limit=3)
    order_id = kit.buy({cup: 1}, coupon="TEN", pay=False)
    freed = [kit.run(lambda s: service.release(s, order_id=order_id, now=kit.now)) for _ in range(3)]
    assert freed == [1, 0, 0]
    assert kit.coupon_uses("TEN") == 0
    kit.assert_sound()


class TestRaceLosers:
    """A code with an overdraft is honoured for shoppers who were told that it is good, within its budget."""

    def test_who_was_told_in_time_is_honoured(self, kit: TradeKit, clock: ManualClock) -> None:
        cup = kit.variant("CUP", stock=9)
        code(kit, "SOFT", TEN, usage_limit=1, overdraft_limit=1)
        told = [kit.basket({cup: 1}, coupon="SOFT") for _ in range(3)]
        clock.advance(timedelta(minutes=10))
        kit.checkout(told[0], email="a@example.com")
        honoured = kit.checkout(told[1], email="b@example.com")
        assert kit.order(honoured).discount_minor == 10_000
        assert kit.count(CouponRedemption, CouponRedemption.is_overdrawn) == 1
        with pytest.raises(CouponRefused, match="all its uses"):
            kit.checkout(told[2], email="c@example.com")
        assert kit.coupon_uses("SOFT") == 2
        kit.assert_sound()

    def test_the_word_is_good_for_half_an_hour(self, kit: TradeKit, clock: ManualClock) -> None:
        cup = kit.variant("CUP", stock=9)
        code(kit, "SOFT", TEN, usage_limit=1, overdraft_limit=5)
        told = kit.basket({cup: 1}, coupon="SOFT")
        kit.buy({cup: 1}, coupon="SOFT", email="a@example.com")
        clock.advance(timedelta(minutes=31))
        with pytest.raises(CouponRefused, match="all its uses"):
            kit.checkout(told, email="b@example.com")

    def test_without_a_budget_the_limit_is_hard(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", stock=9)
        code(kit, "HARD", TEN, usage_limit=1)
        told = kit.basket({cup: 1}, coupon="HARD")
        kit.buy({cup: 1}, coupon="HARD", email="a@example.com")
        with pytest.raises(CouponRefused, match="all its uses"):
            kit.checkout(told, email="b@example.com")

    def test_an_overdraft_needs_a_limit(self, kit: TradeKit) -> None:
        with pytest.raises(InvalidInput, match="overdraft"):
            code(kit, "SOFT", TEN, overdraft_limit=1)
