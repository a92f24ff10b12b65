"""Several codes and offers on one basket: the best combination, whatever the order; shipping by what it leaves."""

from itertools import count, permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.support.offers import code, offer, rule
from tests.support.trade import TradeKit, settings
from transactional.cart import service
from transactional.cart.open_offers import OpenOffer, open_offers
from transactional.cart.service import Destination
from transactional.catalog import service as catalog
from transactional.core.errors import InvalidInput
from transactional.promotions import service as promotions
from transactional.promotions.service import CouponRefused, Person, PromotionStatus

ALL = ["product", "order", "shipping"]
HOME = Destination("560001", "IN")
_NUMBERS = count()


def priced(kit: TradeKit, basket: str, **more: Any) -> service.PricedCart:
    """The basket's prices now."""
    with kit.database.read() as session:
        cart = service.get_cart(session, public_id=basket)
        return service.price_cart(session, cart=cart, now=kit.now, settings=settings(), **more)


def add_code(kit: TradeKit, basket: str, text: str) -> None:
    """Enter one more code."""

    def work(session: Session) -> None:
        service.add_coupon(session, cart=service.get_cart(session, public_id=basket), code=text, now=kit.now)

    kit.run(work)


def codes_of(kit: TradeKit, basket: str) -> list[str]:
    """The cart's codes."""
    with kit.database.read() as session:
        return [one.code for one in service.codes_of(session, service.get_cart(session, public_id=basket))]


@pytest.fixture
def stacked(kit: TradeKit) -> int:
    """A cup for 1,000 rupees and one code of each class; all of them combine."""
    cup = kit.variant("CUP", price=100_000, stock=99)
    code(kit, "GOODS", rule("percentage", "product", bp=1_000, combines_with=ALL))
    code(kit, "ORDER", rule("fixed", "order", amount_minor=7_000, combines_with=ALL))
    code(kit, "SHIP", rule("free_shipping", "shipping", combines_with=ALL))
    return cup


def test_every_order_of_the_codes_gives_the_same_price(kit: TradeKit, stacked: int) -> None:
    prices = set()
    for order in permutations(["GOODS", "ORDER", "SHIP"]):
        found = priced(kit, kit.basket({stacked: 1}, coupons=order))
        prices.add((found.discount_minor, found.shipping_minor, found.total_minor))
        assert found.issues == []
    assert prices == {(17_000, 0, 83_000)}


def test_each_class_lands_where_it_belongs(kit: TradeKit, stacked: int) -> None:
    order_id = kit.buy({stacked: 1}, coupons=["SHIP", "GOODS", "ORDER"])
    order, (line,) = kit.order(order_id), kit.lines(order_id)
    assert (line.line_discount_minor, line.order_discount_minor) == (10_000, 7_000)
    assert order.discount_minor == 17_000
    assert order.shipping_minor == 0
    assert order.total_minor == 100_000 - 17_000
    with kit.database.read() as session:
        rows = promotions.discounts_of(session, order_id)
        again = promotions.recompute(session, order.price_trace)
    given_by_class = {row.discount_class: (row.amount_minor, row.order_line_id, row.unit_amounts) for row in rows}
    assert given_by_class["product"] == (10_000, line.id, [10_000])
    assert given_by_class["order"][:2] == (7_000, line.id)
    assert given_by_class["shipping"][1:] == (None, None)
    assert sum(one.amount_minor for one in again) == sum(row.amount_minor for row in rows)


def test_points_are_earned_and_paid_on_what_the_offers_left(kit: TradeKit, stacked: int) -> None:
    asha = kit.customer()
    kit.give_points(asha, 500)
    order_id = kit.buy({stacked: 1}, customer_id=asha, coupons=["GOODS", "ORDER"], redeem_points=50)
    (line,) = kit.lines(order_id)
    assert line.net_minor == 100_000 - 17_000 - line.points_discount_minor
    assert line.points_discount_minor > 0


def test_a_code_that_others_beat_stops_nothing_and_says_why(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    code(kit, "TEN", rule("percentage", bp=1_000))
    code(kit, "TWENTY", rule("percentage", bp=2_000))
    basket = kit.basket({cup: 1}, coupons=["TEN", "TWENTY"])
    found = priced(kit, basket)
    assert (found.coupon_code, found.issues) == ("TWENTY", [])
    (refused,) = found.trace["refused"]
    assert (refused["code"], refused["reason"], refused["missing"]) == (
        "TEN",
        "better_without",
        {"better_by_minor": 10_000},
    )
    order = kit.order(kit.checkout(basket))
    assert (order.coupon_code, order.discount_minor, kit.coupon_uses("TEN")) == ("TWENTY", 20_000, 0)


def test_a_code_competes_with_automatic_offers(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    offer(kit, rule("percentage", bp=3_000), name="Sale")
    code(kit, "TEN", rule("percentage", bp=1_000))
    order = kit.order(kit.buy({cup: 1}, coupon="TEN"))
    assert (order.discount_minor, order.coupon_code) == (30_000, None)
    assert [entry["rule"] for entry in order.price_trace["rules"]] == ["offer", "shipping"]


def test_a_category_counts_with_everything_below_it(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)

    def nest(session: Session) -> tuple[int, int]:
        (gifts,) = catalog.list_categories(session)
        above = catalog.create_category(session, name="Everything")
        other = catalog.create_category(session, name="Cards")
        catalog.move_category(session, category_id=gifts.id, parent_id=above.id)
        return above.id, other.id

    above, other = kit.run(nest)
    offer(kit, rule("percentage", "product", bp=1_000, select={"category_ids": [above]}))
    offer(kit, rule("percentage", "product", bp=9_000, select={"category_ids": [other]}))
    assert kit.order(kit.buy({cup: 1})).discount_minor == 10_000


class TestShipping:
    """Shipping is free from a worth of the goods after offers, and offers may pay for it."""

    def test_free_shipping_never_exceeds_the_charge(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", price=10_000, stock=9)
        code(kit, "SHIP", rule("free_shipping", "shipping", cap_minor=5_000))
        order = kit.order(kit.buy({cup: 1}, coupon="SHIP"))
        plain = kit.order(kit.buy({cup: 1}))
        assert plain.shipping_minor - order.shipping_minor == 5_000
        assert order.total_minor == 10_000 + order.shipping_minor
        assert order.discount_minor == 0

    def test_the_charge_is_that_of_the_goods_after_the_discount(self, kit: TradeKit) -> None:
        config = settings()
        vase = kit.variant("VASE", price=config.shipping_free_from_minor, stock=9)
        code(kit, "TINY", rule("percentage", bp=1, combines_with=ALL))
        code(kit, "SHIP", rule("free_shipping", "shipping", combines_with=ALL))
        assert kit.order(kit.buy({vase: 1}, coupon="TINY")).shipping_minor == config.shipping_flat_minor
        order = kit.order(kit.buy({vase: 1}, coupons=["TINY", "SHIP"]))
        assert order.shipping_minor == 0
        assert order.total_minor == order.gross_minor - order.discount_minor

    def test_where_the_two_chase_each_other_the_cheapest_for_the_customer_stands(self, kit: TradeKit) -> None:
        """A discount makes shipping due; free shipping instead of it makes it free anyway."""
        config = settings()
        vase = kit.variant("VASE", price=config.shipping_free_from_minor, stock=9)
        code(kit, "TINY", rule("fixed", amount_minor=1_000))
        code(kit, "SHIP", rule("free_shipping", "shipping"))
        found = priced(kit, kit.basket({vase: 1}, coupons=["TINY", "SHIP"]), destination=HOME)
        plain = priced(kit, kit.basket({vase: 1}), destination=HOME)
        alone = [priced(kit, kit.basket({vase: 1}, coupon=one), destination=HOME) for one in ("TINY", "SHIP")]
        assert found.total_minor <= min(one.total_minor for one in (*alone,))
        assert found.shipping_minor >= 0
        assert found.total_minor == found.gross_minor - found.discount_minor + found.shipping_minor
        assert plain.shipping_minor == 0
        assert {one["code"] for one in found.trace["refused"]} == {"TINY", "SHIP"}
        order = kit.order(kit.buy({vase: 1}, coupons=["TINY", "SHIP"]))
        assert order.total_minor == found.total_minor
        with kit.database.read() as session:
            again = promotions.recompute(session, order.price_trace)
        assert sum(one.amount_minor for one in again) == order.price_trace["saving_minor"]


@pytest.mark.slow
@bounds(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_preview_checkout_and_recomputation_agree(kit: TradeKit, data: st.DataObject) -> None:
    """What the cart shows is what the order has, what its rows sum to, and what its trace gives again."""
    number = next(_NUMBERS)
    prices = data.draw(st.lists(st.integers(1, 50_000), min_size=1, max_size=3))
    variants = [kit.variant(f"V{number}-{n}", price=price, stock=99) for n, price in enumerate(prices)]
    texts = []
    kinds = data.draw(st.lists(st.sampled_from(["product", "order", "shipping"]), max_size=3))
    for n, discount_class in enumerate(kinds):
        combines = data.draw(st.sets(st.sampled_from(ALL)))
        kind = "free_shipping" if discount_class == "shipping" else data.draw(st.sampled_from(["percentage", "fixed"]))
        args: dict[str, int] = {}
        if kind == "percentage":
            args = {"bp": data.draw(st.integers(1, 10_000))}
        if kind == "fixed":
            args = {"amount_minor": data.draw(st.integers(1, 60_000))}
        texts.append(f"C{number}-{n}")
        code(kit, texts[-1], rule(kind, discount_class, combines_with=sorted(combines), **args))
    basket = kit.basket({one: data.draw(st.integers(1, 4)) for one in variants}, coupons=texts)
    shown = priced(kit, basket, destination=HOME)
    if shown.issues:
        return
    order_id = kit.checkout(basket, shown_total_minor=shown.total_minor)
    order, lines = kit.order(order_id), kit.lines(order_id)
    assert order.total_minor == shown.total_minor
    assert order.discount_minor == sum(one.line_discount_minor + one.order_discount_minor for one in lines)
    assert all(one.net_minor >= 0 for one in lines)
    with kit.database.read() as session:
        rows = promotions.discounts_of(session, order_id)
        again = promotions.recompute(session, order.price_trace)
    goods = sum(row.amount_minor for row in rows if row.order_line_id is not None)
    assert goods == order.discount_minor
    assert sum(one.amount_minor for one in again) == sum(row.amount_minor for row in rows)
    assert all(sum(row.unit_amounts or [row.amount_minor]) == row.amount_minor for row in rows)
    kit.assert_sound()


class TestTheCartsCodes:
    """Codes are added, renewed, forgotten, and taken along."""

    def test_codes_are_kept_once_in_the_order_in_which_they_came(self, kit: TradeKit, stacked: int) -> None:
        basket = kit.basket({stacked: 1})
        for text in ("order", "GOODS", " Order "):
            add_code(kit, basket, text)
        assert codes_of(kit, basket) == ["ORDER", "GOODS"]

        def forget(session: Session) -> None:
            cart = service.get_cart(session, public_id=basket)
            service.remove_coupon(session, cart=cart, code="order", now=kit.now)

        kit.run(forget)
        kit.run(forget)
        assert codes_of(kit, basket) == ["GOODS"]

    def test_a_refused_code_is_not_kept(self, kit: TradeKit, stacked: int) -> None:
        basket = kit.basket({stacked: 1})
        code(kit, "BIG", rule("percentage", bp=100, conditions={"min_spend": {"amount_minor": 100_100}}))
        add_code(kit, basket, "GOODS")
        for text, why in (("BIG", "₹1 more"), ("NOPE", "no such code"), ("A B", "no such code")):
            with pytest.raises(CouponRefused, match=why):
                add_code(kit, basket, text)
        assert codes_of(kit, basket) == ["GOODS"]

    def test_a_code_that_went_bad_does_not_keep_the_cart_from_changing(self, kit: TradeKit, stacked: int) -> None:
        basket = kit.basket({stacked: 1}, coupon="ORDER")
        kit.run(lambda s: promotions.set_status(s, code="ORDER", status=PromotionStatus.ENDED).id)

        def more(session: Session) -> None:
            cart = service.get_cart(session, public_id=basket)
            service.add_line(session, cart=cart, variant_id=stacked, now=kit.now)

        kit.run(more)
        found = priced(kit, basket)
        assert found.gross_minor == 200_000
        assert [issue.facts["reason"] for issue in found.issues] == ["ended"]

    def test_a_free_shipping_code_waits_for_the_address(self, kit: TradeKit, stacked: int) -> None:
        basket = kit.basket({stacked: 1})
        add_code(kit, basket, "SHIP")
        assert codes_of(kit, basket) == ["SHIP"]

    def test_a_cart_takes_so_many_codes(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", stock=9)
        basket = kit.basket({cup: 1})
        for number in range(11):
            code(kit, f"C{number}", rule("percentage", bp=100 + number))
        for number in range(10):
            add_code(kit, basket, f"C{number}")
        with pytest.raises(InvalidInput, match="at most 10"):
            add_code(kit, basket, "C10")

    def test_a_guests_codes_come_along_after_logging_in(self, kit: TradeKit, stacked: int) -> None:
        asha = kit.customer()
        own = kit.basket({stacked: 1}, customer_id=asha, coupon="ORDER")
        guest = kit.basket({stacked: 1}, coupons=["GOODS", "ORDER"])

        def adopt(session: Session) -> list[str]:
            cart = service.get_cart(session, public_id=guest)
            joined = service.adopt_guest_cart(session, guest_cart=cart, customer_id=asha, now=kit.now)
            assert joined.public_id == own
            return [one.code for one in service.codes_of(session, joined)]

        assert sorted(kit.run(adopt)) == ["GOODS", "ORDER"]


class TestOpenOffers:
    """What is shown as applicable is what checkout accepts; the rest says what is missing."""

    def shown(self, kit: TradeKit, basket: str | None) -> list[OpenOffer]:
        """The offers open to a guest."""
        with kit.database.read() as session:
            cart = None if basket is None else service.get_cart(session, public_id=basket)
            return open_offers(
                session, cart=cart, currency="INR", who=Person, now=kit.now, settings=settings(), destination=HOME
            )

    def test_only_what_can_still_be_had_is_shown_with_what_is_missing(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", price=100_000, stock=9)
        offer(kit, rule("percentage", bp=1_000), name="Ten")
        near = {"min_spend": {"amount_minor": 120_000}}
        offer(kit, rule("free_shipping", "shipping", conditions=near), name="Shipping")
        offer(kit, rule("percentage", bp=9_000, conditions={"staff_only": {}}), name="Staff")
        offer(kit, rule("percentage", bp=9_000, conditions={"channel": {"channels": ["shop"]}}), name="Till")
        found = self.shown(kit, kit.basket({cup: 1}))
        assert [(one.name, one.state, one.saving_minor, dict(one.missing)) for one in found] == [
            ("Ten", "applies", 10_000, {}),
            ("Shipping", "reachable", 0, {"spend_minor": 20_000}),
        ]
        assert "₹200 more" in str(found[1].detail)
        assert {one.state for one in self.shown(kit, None)} == {"reachable"}

    def test_what_is_shown_as_applicable_is_accepted(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", price=100_000, stock=9)
        offer(kit, rule("percentage", bp=1_000, combines_with=ALL), name="Ten")
        offer(kit, rule("free_shipping", "shipping", combines_with=ALL), name="Ship")
        basket = kit.basket({cup: 1})
        promised = {one.promotion_id: one.saving_minor for one in self.shown(kit, basket) if one.state == "applies"}
        order_id = kit.checkout(basket)
        with kit.database.read() as session:
            assert {
                one.promotion_id: one.amount_minor for one in promotions.discounts_of(session, order_id)
            } == promised

    def test_an_offer_for_known_people_is_not_promised_to_a_stranger(self, kit: TradeKit) -> None:
        cup = kit.variant("CUP", price=100_000, stock=9)
        offer(kit, rule("percentage", bp=1_000), name="Once", per_customer_limit=1)
        assert self.shown(kit, kit.basket({cup: 1})) == []
        assert priced(kit, kit.basket({cup: 1})).discount_minor == 0
        assert priced(kit, kit.basket({cup: 1}), who=lambda: Person(email="a@example.com")).discount_minor == 10_000


def test_the_trace_names_the_nearest_offer(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    offer(kit, rule("free_shipping", "shipping", conditions={"min_spend": {"amount_minor": 120_000}}))
    found = priced(kit, kit.basket({cup: 1}))
    assert found.trace["version"] == 2
    assert found.trace["nearest"]["missing"] == {"spend_minor": 20_000}


def test_offers_that_were_never_for_this_shopper_are_not_told(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=100_000, stock=9)
    offer(kit, rule("percentage", bp=9_000, conditions={"staff_only": {}}))
    offer(kit, rule("percentage", bp=9_000, conditions={"customer_groups": {"groups": ["Board"]}}))
    beaten = offer(kit, rule("percentage", bp=100))
    offer(kit, rule("percentage", bp=200))
    found = priced(kit, kit.basket({cup: 1}))
    assert [one["offer_id"] for one in found.trace["refused"]] == [beaten]
