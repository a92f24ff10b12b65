"""The arithmetic of a basket."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactional.cart.pricing import (
    QUOTE_HONOURED,
    BasketLine,
    Offered,
    PointsPayment,
    agreed_unit_price,
    price,
)
from transactional.catalog.service import InventoryPolicy
from transactional.core.money import contained_tax
from transactional.promotions.service import (
    Basket,
    Candidate,
    CodeTerms,
    Line,
    Offer,
    Offers,
    PromotionStatus,
    Shopper,
    parse_rule,
    solve,
)
from transactional.shipping.service import ShippingQuote

NOW = datetime(2026, 1, 15, tzinfo=UTC)


def line(number: int, unit_price: int, quantity: int, rate: int = 1_800) -> BasketLine:
    """A line of a made-up product."""
    return BasketLine(
        number, number, number, f"SKU-{number}", "Gift", quantity, unit_price, rate, 100, InventoryPolicy.DENY, {}
    )


def coupon(basket: list[BasketLine], code: str, *, blocked: str | None = None, **args: int) -> Offered:
    """What one code of promotion 4, version 2, gives on a basket: a percentage, or an amount, off the order."""
    kind = "percentage" if "bp" in args else "fixed"
    rule = parse_rule({"kind": kind, "args": args, "discount_class": "order"})
    terms = CodeTerms(1, code, None, None, 0, 0)
    offer = Offer(4, "Test", 2, rule, PromotionStatus.ACTIVE, NOW, None, None, None, 0, 0, code=terms)
    offers = Offers((Candidate(4, 2, code, rule, blocked),), {(4, code): offer})
    goods = tuple(
        Line(one.cart_line_id, one.variant_id, one.product_id, frozenset(), one.quantity, one.unit_price_minor)
        for one in basket
    )
    judged = Basket("INR", goods, 50)
    return Offered(offers, judged, solve(judged, Shopper(), NOW, offers.candidates))


lines = st.lists(
    st.tuples(st.integers(0, 500_000), st.integers(1, 9), st.sampled_from([0, 500, 1_200, 1_800, 2_800])),
    min_size=1,
    max_size=6,
).map(lambda rows: [line(n, *row[:2], rate=row[2]) for n, row in enumerate(rows)])


@pytest.mark.slow
@given(lines, st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 20_000))
def test_the_shares_of_the_lines_sum_to_the_sums_of_the_cart(
    basket: list[BasketLine], coupon_bp: int, points_bp: int, shipping: int
) -> None:
    gross = sum(one.gross_minor for one in basket)
    discount = gross * coupon_bp // 10_000
    points = (gross - discount) * points_bp // 10_000
    priced = price(
        basket,
        currency="INR",
        offered=coupon(basket, "X", amount_minor=discount) if discount else Offered(),
        points=PointsPayment(points, 1),
        shipping=ShippingQuote(shipping, "flat"),
    )
    assert sum(one.order_discount_minor for one in priced.lines) == priced.discount_minor == discount
    assert sum(one.points_discount_minor for one in priced.lines) == priced.points_discount_minor == points
    assert sum(one.net_minor for one in priced.lines) + shipping == priced.total_minor
    assert sum(one.tax_minor for one in priced.lines) == priced.tax_minor
    assert all(one.net_minor >= 0 for one in priced.lines)
    assert all(
        one.order_discount_minor == one.points_discount_minor == 0
        for one in priced.lines
        if one.basket.gross_minor == 0
    )


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_contained_tax_rounds_half_up_once(net: int, rate: int) -> None:
    exact = Decimal(net) * rate / (10_000 + rate)
    assert contained_tax(net, rate) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_the_tax_of_a_known_price() -> None:
    assert contained_tax(11_800, 1_800) == 1_800


def test_a_shopper_never_pays_more_than_was_shown() -> None:
    def agreed(current: int, age: timedelta) -> int | None:
        return agreed_unit_price(quoted_minor=100, quoted_at=NOW - age, current_minor=current, now=NOW)

    assert agreed(90, timedelta(days=30)) == 90
    assert agreed(100, timedelta(days=30)) == 100
    assert agreed(110, QUOTE_HONOURED) == 100
    assert agreed(110, QUOTE_HONOURED + timedelta(seconds=1)) is None


def test_the_trace_says_which_rule_gave_what_on_which_line() -> None:
    basket = [line(0, 300, 1), line(1, 700, 1)]
    priced = price(
        basket,
        currency="INR",
        offered=coupon(basket, "TEN", bp=1_000),
        points=PointsPayment(9, 10),
        shipping=ShippingQuote(50, "flat"),
    )
    code, points, shipping = priced.trace["rules"]
    assert (code["rule"], code["promotion_version"], code["lines"]) == ("coupon", 2, [-30, -70])
    assert (points["points"], points["amount_minor"], points["lines"]) == (9, -90, [-27, -63])
    assert (shipping["rule"], shipping["amount_minor"]) == ("shipping", 50)


def test_a_refused_code_is_kept_in_the_trace_with_its_reason() -> None:
    basket = [line(0, 300, 1)]
    priced = price(
        basket,
        currency="INR",
        offered=coupon(basket, "OLD", bp=1_000, blocked="ended"),
        points=PointsPayment(0, 0),
        shipping=ShippingQuote(0, "free"),
    )
    (refused,) = priced.trace["refused"]
    assert (refused["code"], refused["reason"], refused["detail"]) == ("OLD", "ended", "it has ended")
