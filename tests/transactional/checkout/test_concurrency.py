"""Checkouts that meet, on PostgreSQL with committed data."""

from functools import partial

import pytest

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.core.errors import Conflict
from transactional.loyalty.service import PointsRefused
from transactional.orders.models import Order
from transactional.promotions.service import CouponRefused

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_one_cart_becomes_one_order(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", stock=99)
    basket = pg_kit.basket({cup: 1})
    outcomes = at_once([lambda: pg_kit.checkout(basket)] * 12)
    assert len(successes(outcomes)) == 1
    assert {type(error) for error in failures(outcomes)} == {Conflict}
    assert pg_kit.count(Order) == 1
    assert pg_kit.level(cup) == (99, 1)


def test_a_single_use_code_is_used_once(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", stock=99)
    pg_kit.coupon("ONCE", usage_limit=1)
    baskets = [pg_kit.basket({cup: 1}, coupon="ONCE") for _ in range(20)]
    outcomes = at_once(
        [
            lambda n=n, basket=basket: pg_kit.checkout(basket, email=f"b{n}@example.com")
            for n, basket in enumerate(baskets)
        ]
    )
    assert len(successes(outcomes)) == pg_kit.coupon_uses("ONCE") == 1
    assert {type(error) for error in failures(outcomes)} == {CouponRefused}
    assert pg_kit.level(cup) == (99, 1), "the losers hold no stock"
    pg_kit.assert_sound()


def test_guest_and_account_of_one_person_share_their_limit(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", stock=99)
    pg_kit.coupon("MINE", per_customer_limit=2)
    account = pg_kit.customer("asha.rao@gmail.com")
    addresses = ["Asha.Rao@gmail.com", "asharao+gifts@gmail.com", "ASHARAO@googlemail.com", "asha.rao@gmail.com"]
    guests = [partial(pg_kit.checkout, pg_kit.basket({cup: 1}, coupon="MINE"), email=email) for email in addresses * 2]
    own = [
        partial(pg_kit.checkout, pg_kit.basket({cup: 1}, customer_id=account, coupon="MINE"), customer_id=account)
        for _ in range(4)
    ]
    outcomes = at_once(guests + own)
    assert len(successes(outcomes)) == pg_kit.coupon_uses("MINE") == 2
    assert {type(error) for error in failures(outcomes)} == {CouponRefused}
    pg_kit.assert_sound()


def test_the_same_points_are_spent_once(pg_kit: TradeKit) -> None:
    cup = pg_kit.variant("CUP", price=100_000, stock=99)
    asha = pg_kit.customer()
    pg_kit.give_points(asha, 100)
    baskets = [pg_kit.basket({cup: 1}, customer_id=asha) for _ in range(12)]
    outcomes = at_once(
        [lambda basket=basket: pg_kit.checkout(basket, customer_id=asha, redeem_points=40) for basket in baskets]
    )
    assert len(successes(outcomes)) == 2
    refused = failures(outcomes)
    # Whoever looked after the others had committed is refused by the offer, whoever raced by the balance itself.
    assert {type(error).__name__ for error in refused} <= {PointsRefused.__name__, "InvalidInput"}
    points = pg_kit.points(asha)
    assert (points.active, points.held) == (20, 80)
    pg_kit.assert_sound()
