"""Many at once on PostgreSQL, with committed data: no limit is overspent, and counters equal live uses.

Claims are made as checkout makes them, within a transaction of their own; carts and stock would only add time.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.offers import code, offer, rule
from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit
from transactional.cart import service as carts
from transactional.orders import service as orders
from transactional.orders.service import NewLine, NewOrder, PaymentMode
from transactional.promotions import service
from transactional.promotions.models import CouponRedemption, Promotion
from transactional.promotions.service import CouponRefused, EnteredCode, Person, RedemptionState

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

TEN = rule("percentage", bp=1_000)
FIRST = rule("percentage", bp=1_000, conditions={"first_order": {}})


def write_orders(kit: TradeKit, count: int) -> list[int]:
    """Orders to claim for."""
    cup = kit.variant("CUP")
    customer = kit.customer()

    def work(session: Session) -> list[int]:
        return [_order(session, kit, cup, customer) for _ in range(count)]

    return kit.run(work)


def _order(session: Session, kit: TradeKit, variant_id: int, customer_id: int) -> int:
    cart = carts.create_cart(session, currency="INR", now=kit.now)
    line = NewLine(variant_id, 1, "CUP", "Cup", 1, 100_000, 100_000, 0, 0, 0, 100_000)
    new = NewOrder(
        customer_id=customer_id,
        cart_id=cart.id,
        email=None,
        currency="INR",
        channel="web",
        payment_mode=PaymentMode.ONLINE,
        gross_minor=100_000,
        discount_minor=0,
        points_redeemed=0,
        points_discount_minor=0,
        shipping_minor=0,
        tax_minor=0,
        total_minor=100_000,
        coupon_code=None,
        price_trace={},
        ship_to={},
        occasion=None,
        gift_message=None,
        expires_at=kit.now + timedelta(minutes=15),
        lines=[line],
    )
    return orders.write_order(session, new, actor="test", now=kit.now, time_zone="Asia/Kolkata").id


def claim(kit: TradeKit, order_id: int, person: Person, *texts: str) -> int:
    """What checkout does with offers: judge, then reserve; gives the number of uses claimed."""

    def work(session: Session) -> int:
        told = [EnteredCode(text, kit.now) for text in texts]
        offers = service.offers_for(session, codes=told, now=kit.now, who=lambda: person)
        goods = service.Basket("INR", (service.Line(1, 1, 1, frozenset(), 1, 100_000),))
        outcome = service.solve(goods, service.Shopper(person.main_key, True), kit.now, offers.candidates)
        wanted = [one for one in outcome.refused if one.code in texts]
        if wanted and not outcome.applied:
            raise CouponRefused(wanted[0].detail)
        return len(
            service.reserve(session, offers=offers, outcome=outcome, order_id=order_id, person=person, now=kit.now)
        )

    return kit.run(work)


def live(kit: TradeKit) -> int:
    """Uses that count."""
    return kit.count(CouponRedemption, CouponRedemption.state != RedemptionState.RELEASED)


def race(kit: TradeKit, people: Sequence[Person], *texts: str) -> list[Any]:
    """Everybody claims at once, each for an order of their own."""
    order_ids = write_orders(kit, len(people))
    claims: list[Callable[[], int]] = [
        partial(claim, kit, order_id, person, *texts) for order_id, person in zip(order_ids, people, strict=True)
    ]
    return at_once(claims)


def test_two_hundred_at_once_use_a_code_of_one_once(pg_kit: TradeKit) -> None:
    code(pg_kit, "ONCE", TEN, usage_limit=1)
    outcomes = race(pg_kit, [Person(email=f"p{number}@example.com") for number in range(200)], "ONCE")
    assert len(successes(outcomes)) == pg_kit.coupon_uses("ONCE") == live(pg_kit) == 1
    assert {type(error) for error in failures(outcomes)} == {CouponRefused}
    pg_kit.assert_sound()


def test_a_person_with_many_names_keeps_their_own_limit(pg_kit: TradeKit) -> None:
    """Guest and account, dots and plus and case, and a second mailbox with the same phone."""
    code(pg_kit, "MINE", TEN, per_customer_limit=2)
    names = ["asha.rao@gmail.com", "ASHARAO@gmail.com", "asha.rao+gift@googlemail.com", "a.s.h.a.r.a.o@gmail.com"]
    people = [Person(email=email, phone="98450 12345") for email in names] * 12
    people += [Person(email="other@example.com", phone="+919845012345")] * 12
    outcomes = race(pg_kit, people, "MINE")
    assert len(successes(outcomes)) == pg_kit.coupon_uses("MINE") == live(pg_kit) == 2
    assert {type(error) for error in failures(outcomes)} == {CouponRefused}
    pg_kit.assert_sound()


def test_an_automatic_offer_is_counted_like_a_code(pg_kit: TradeKit) -> None:
    promotion_id = offer(pg_kit, TEN, usage_limit=7)
    outcomes = race(pg_kit, [Person(email=f"p{number}@example.com") for number in range(60)])
    claimed = sum(successes(outcomes))
    with pg_kit.database.read() as session:
        used = session.scalar(select(Promotion.used).where(Promotion.id == promotion_id))
    assert claimed == used == live(pg_kit) == 7
    pg_kit.assert_sound()


def test_first_orders_at_once_give_one_use_whatever_the_code(pg_kit: TradeKit) -> None:
    code(pg_kit, "HELLO", FIRST)
    code(pg_kit, "WELCOME", FIRST)
    order_ids = write_orders(pg_kit, 30)
    person = Person(email="asha@example.com", phone="9845012345")
    outcomes = at_once(
        [
            partial(claim, pg_kit, order_id, person, ("HELLO", "WELCOME")[number % 2])
            for number, order_id in enumerate(order_ids)
        ]
    )
    assert len(successes(outcomes)) == live(pg_kit) == 1
    assert {type(error) for error in failures(outcomes)} == {CouponRefused}
    pg_kit.assert_sound()


def test_the_overdraft_is_a_budget(pg_kit: TradeKit) -> None:
    code(pg_kit, "SOFT", TEN, usage_limit=3, overdraft_limit=2)
    outcomes = race(pg_kit, [Person(email=f"p{number}@example.com") for number in range(60)], "SOFT")
    assert len(successes(outcomes)) == pg_kit.coupon_uses("SOFT") == 5
    assert pg_kit.count(CouponRedemption, CouponRedemption.is_overdrawn) == 2
    pg_kit.assert_sound()


def test_claims_and_releases_at_once_keep_the_counters(pg_kit: TradeKit) -> None:
    """Some claim, some cancel, some pay; twice each: whatever happens, a counter is its live uses."""
    code(pg_kit, "FEW", TEN, usage_limit=10, per_customer_limit=3)
    offer(pg_kit, rule("fixed", "product", amount_minor=100, combines_with=["order"]), usage_limit=12)
    order_ids = write_orders(pg_kit, 40)
    people = [Person(email=f"p{number % 5}@example.com") for number in range(40)]

    def one(number: int) -> None:
        order_id = order_ids[number]
        claim(pg_kit, order_id, people[number], "FEW")
        for _ in range(2):
            if number % 2:
                pg_kit.run(lambda s: service.release(s, order_id=order_id, now=pg_kit.now))
            else:
                pg_kit.run(lambda s: service.redeem(s, order_id=order_id, now=pg_kit.now))

    at_once([partial(one, number) for number in range(40)])
    assert pg_kit.coupon_uses("FEW") <= 10
    with pg_kit.database.read() as session:
        by_person = select(func.count()).where(
            CouponRedemption.slot.is_not(None), CouponRedemption.code_id.is_not(None)
        )
        most = session.scalars(by_person.group_by(CouponRedemption.identity_key)).all()
    assert max(most) <= 3
    pg_kit.assert_sound()
