"""From basket to order: what is frozen, what is claimed, what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from tests.support.trade import ADDRESS, TradeKit, settings
from transactional.catalog import service as catalog
from transactional.checkout import service
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound, OutOfStock
from transactional.inventory.models import StockHold
from transactional.orders.models import Order, OrderStatus, OrderStatusChange
from transactional.promotions.service import CouponRefused
from transactional.shipping.models import ShippingRate


def test_an_order_freezes_every_share(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=33_333, stock=9, tax_rate_bp=1_800)
    card = kit.variant("CARD", price=10_001, stock=9, tax_rate_bp=500)
    asha = kit.customer()
    kit.give_points(asha, 100)
    kit.coupon("TEN", percent_bp=1_000)
    order_id = kit.buy({cup: 3, card: 1}, customer_id=asha, coupon="TEN", redeem_points=97, pay=False)
    order, lines = kit.order(order_id), kit.lines(order_id)
    assert order.gross_minor == 110_000
    assert order.discount_minor == 11_000 == sum(line.order_discount_minor for line in lines)
    assert order.points_discount_minor == 9_700 == sum(line.points_discount_minor for line in lines)
    assert order.shipping_minor == 11_900  # four articles of 250 g: two slabs of the local zone
    assert order.total_minor == 110_000 - 11_000 - 9_700 + 11_900
    assert sum(line.net_minor for line in lines) + order.shipping_minor == order.total_minor
    assert sum(line.tax_minor for line in lines) == order.tax_minor
    assert [rule["rule"] for rule in order.price_trace["rules"]] == ["coupon", "points", "shipping"]
    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert order.expires_at == kit.now + timedelta(minutes=15)
    assert kit.level(cup) == (9, 3)
    assert kit.coupon_uses("TEN") == 1
    assert kit.points(asha).held == 97
    kit.assert_sound()


def test_later_price_changes_do_not_touch_the_order(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=50_000, stock=9)
    order_id = kit.buy({cup: 1}, pay=False)
    clock.advance(timedelta(minutes=1))
    kit.run(lambda s: catalog.set_price(s, variant_id=cup, amount_minor=90_000, currency="INR", now=kit.now).id)
    assert kit.lines(order_id)[0].unit_price_minor == 50_000


def test_a_rise_is_charged_only_after_the_quote_ran_out_and_was_accepted(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=50_000, stock=9)
    honoured, stale = kit.basket({cup: 1}), kit.basket({cup: 1})
    clock.advance(timedelta(minutes=10))
    kit.run(lambda s: catalog.set_price(s, variant_id=cup, amount_minor=60_000, currency="INR", now=kit.now).id)
    clock.advance(timedelta(minutes=20))
    assert kit.order(kit.checkout(honoured)).gross_minor == 50_000
    clock.advance(timedelta(seconds=1))
    with pytest.raises(service.PriceChanged) as refused:
        kit.checkout(stale)
    assert refused.value.extra["issues"][0]["unit_price_minor"] == 60_000
    assert kit.count(Order) == 1


def test_a_fall_is_given_at_once(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=50_000, stock=9)
    basket = kit.basket({cup: 1})
    clock.advance(timedelta(minutes=1))
    kit.run(lambda s: catalog.set_price(s, variant_id=cup, amount_minor=40_000, currency="INR", now=kit.now).id)
    assert kit.order(kit.checkout(basket)).gross_minor == 40_000


def test_a_refusal_leaves_nothing_half_written(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=1)
    asha = kit.customer()
    kit.give_points(asha, 50)
    kit.coupon("TEN")
    basket = kit.basket({cup: 2}, customer_id=asha, coupon="TEN")
    with pytest.raises(OutOfStock, match=r"CUP \(1 left, 2 wanted\)"):
        kit.checkout(basket, customer_id=asha, redeem_points=10)
    assert kit.count(Order) == kit.count(StockHold) == kit.count(OrderStatusChange) == 0
    assert kit.coupon_uses("TEN") == 0
    assert (kit.points(asha).active, kit.points(asha).held) == (50, 0)
    kit.assert_sound()


def test_an_empty_cart_is_refused(kit: TradeKit) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        kit.checkout(kit.basket({}))


@pytest.mark.slow
def test_a_withdrawn_product_is_named(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    basket = kit.basket({cup: 1})

    def withdraw(session: Session) -> None:
        product = catalog.variants_by_id(session, [cup])[cup].product_id
        catalog.deactivate_product(session, product_id=product, now=kit.now)

    kit.run(withdraw)
    with pytest.raises(service.ProductUnavailable, match=f"variant {cup}"):
        kit.checkout(basket)


def test_a_second_checkout_of_a_cart_names_the_order(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    basket = kit.basket({cup: 1})
    order = kit.order(kit.checkout(basket))
    with pytest.raises(Conflict, match="ordered already") as refused:
        kit.checkout(basket)
    assert refused.value.extra["order_number"] == order.order_number
    assert kit.level(cup) == (3, 1)


def test_a_coupon_that_ended_since_it_was_applied_is_refused_aloud(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=3)
    kit.coupon("SHORT", ends_at=kit.now + timedelta(minutes=5))
    basket = kit.basket({cup: 1}, coupon="SHORT")
    clock.advance(timedelta(minutes=5))
    with pytest.raises(CouponRefused, match="has ended"):
        kit.checkout(basket)


@pytest.mark.parametrize(("points", "said"), [(51, "at most 50"), (-1, "not negative"), (10**9, "at most 50")])
def test_bad_amounts_of_points_are_refused(kit: TradeKit, points: int, said: str) -> None:
    cup = kit.variant("CUP", price=10_000, stock=3)
    asha = kit.customer()
    kit.give_points(asha, 1_000)
    basket = kit.basket({cup: 1}, customer_id=asha)
    with pytest.raises(InvalidInput, match=said):
        kit.checkout(basket, customer_id=asha, redeem_points=points)


def test_a_guest_has_no_points_and_needs_an_address_and_an_email(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    basket = kit.basket({cup: 1})

    def order(**changes: Any) -> None:
        given: dict[str, Any] = {"email": "g@example.com", "ship_to": ADDRESS, "redeem_points": 0} | changes
        kit.run(lambda s: service.place_order(s, cart_public_id=basket, now=kit.now, settings=settings(), **given).id)

    with pytest.raises(InvalidInput, match="logged-in"):
        order(redeem_points=5)
    with pytest.raises(InvalidInput, match="e-mail"):
        order(email=None)
    with pytest.raises(InvalidInput, match="city, postal_code"):
        order(ship_to=ADDRESS | {"city": " ", "postal_code": None})
    with pytest.raises(InvalidInput, match="on_delivery"):
        order(payment_mode="external")
    with pytest.raises(NotFound):
        kit.checkout("cart_nowhere")
    order()


def test_an_order_with_nothing_to_pay_is_paid_at_once(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_000, stock=3)
    kit.coupon("ALL", percent_bp=10_000)
    kit.run(lambda session: session.execute(delete(ShippingRate)))  # the shop's flat rule counts again
    order_id = kit.buy({cup: 1}, coupon="ALL", settings=settings(shipping_flat_minor=0), pay=False)
    order = kit.order(order_id)
    assert (order.total_minor, order.status, order.paid_at) == (0, OrderStatus.PAID, kit.now)


def test_an_order_paid_on_delivery_holds_its_stock_without_end(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=3)
    order = kit.order(kit.buy({cup: 1}, payment_mode="on_delivery", pay=False))
    assert (order.status, order.expires_at) == (OrderStatus.AWAITING_PAYMENT, None)
    assert kit.count(StockHold, StockHold.expires_at.is_(None)) == 1


def test_shipping_is_free_from_the_threshold_after_the_coupon(kit: TradeKit) -> None:
    vase = kit.variant("VASE", price=149_900, stock=9)
    kit.coupon("TINY", percent_bp=1)
    assert kit.order(kit.buy({vase: 1}, pay=False)).shipping_minor == 0
    assert kit.order(kit.buy({vase: 1}, coupon="TINY", pay=False)).shipping_minor == 9_900


def test_numbers_run_without_gaps_per_financial_year_in_the_shops_zone(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", stock=9)

    def number() -> str:
        return kit.order(kit.buy({cup: 1}, pay=False)).order_number

    clock.set(datetime(2026, 3, 31, 18, 29, 59, tzinfo=UTC))  # 23:59:59 in Kolkata
    assert number() == "MLT-2025-000001"
    with pytest.raises(OutOfStock):
        kit.buy({cup: 99})
    assert number() == "MLT-2025-000002", "a refused checkout takes no number"
    clock.set(datetime(2026, 3, 31, 18, 30, tzinfo=UTC))  # midnight there: the next financial year
    assert number() == "MLT-2026-000001"
