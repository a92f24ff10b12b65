"""Baskets: who owns them, what merges, what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, failures, successes
from tests.support.trade import TradeKit, settings
from transactional.cart import service
from transactional.cart.models import CartLine
from transactional.catalog import service as catalog
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.orders.service import OrderStatus
from transactional.promotions.service import CouponRefused


def add(kit: TradeKit, basket: str, variant_id: int, quantity: int = 1, **more: Any) -> int:
    """Put units in; gives the line's id."""

    def work(session: Session) -> int:
        cart = service.get_cart(session, public_id=basket)
        return service.add_line(session, cart=cart, variant_id=variant_id, quantity=quantity, now=kit.now, **more).id

    return kit.run(work)


def priced(kit: TradeKit, basket: str, *, customer_id: int | None = None, **more: Any) -> service.PricedCart:
    """The basket's prices now."""
    with kit.database.read() as session:
        cart = service.get_cart(session, public_id=basket, customer_id=customer_id)
        return service.price_cart(session, cart=cart, now=kit.now, settings=settings(), **more)


def test_a_customers_cart_is_nobody_elses(kit: TradeKit) -> None:
    asha, ravi = kit.customer("asha@example.com"), kit.customer("ravi@example.com")
    basket = kit.basket({}, customer_id=asha)
    for stranger in (ravi, None):
        with pytest.raises(NotFound), kit.database.read() as session:
            service.get_cart(session, public_id=basket, customer_id=stranger)
    with pytest.raises(NotFound), kit.database.read() as session:
        service.get_cart(session, public_id="cart_unknown")


def test_the_same_thing_merges_and_another_engraving_does_not(kit: TradeKit) -> None:
    mug = kit.variant("MUG", stock=9, customisable=True)
    basket = kit.basket({mug: 1})
    first = add(kit, basket, mug, 2, customisation={"text": "Mā", "font": {"size": 2, "name": "Noto"}})
    same = add(kit, basket, mug, 1, customisation={"font": {"name": "Noto", "size": 2}, "text": "Mā"})
    other = add(kit, basket, mug, 1, customisation={"text": "Pā"})
    assert first == same != other
    assert [(row.basket.quantity) for row in priced(kit, basket).lines] == [1, 3, 1]


@pytest.mark.parametrize(
    "customisation",
    [{"text": "\ud800"}, {"text": "a\x00b"}, {"size": float("nan")}, {"text": "x" * 9_000}, {"when": object()}],
    ids=["lone surrogate", "NUL", "NaN", "too large", "not JSON"],
)
def test_a_customisation_that_cannot_be_kept_is_refused(kit: TradeKit, customisation: dict[str, Any]) -> None:
    mug = kit.variant("MUG", customisable=True)
    basket = kit.basket({})
    with pytest.raises(InvalidInput):
        add(kit, basket, mug, customisation=customisation)
    assert kit.count(CartLine) == 0


def test_what_cannot_be_customised_says_so(kit: TradeKit) -> None:
    cup = kit.variant("CUP")
    with pytest.raises(InvalidInput, match="CUP cannot be customised"):
        add(kit, kit.basket({}), cup, customisation={"text": "hello"})


@pytest.mark.parametrize("wish", [{}, {"needs_approval": False}, {"needs_approval": None}, {"needs_approval": "no"}])
def test_nobody_talks_the_shop_out_of_an_approval(kit: TradeKit, wish: dict[str, Any]) -> None:
    portrait = kit.variant("PORTRAIT", stock=9, customisable=True, needs_approval=True)
    basket = kit.basket({})
    add(kit, basket, portrait, customisation={"photo": "asha.jpg", **wish})
    assert kit.order(kit.checkout(basket)).status is OrderStatus.AWAITING_APPROVAL


def test_a_plain_one_needs_no_approval(kit: TradeKit) -> None:
    portrait = kit.variant("PORTRAIT", stock=9, customisable=True, needs_approval=True)
    assert kit.order(kit.checkout(kit.basket({portrait: 1}))).status is OrderStatus.AWAITING_PAYMENT


@pytest.mark.parametrize("quantity", [0, -3, 1_000])
def test_impossible_quantities_are_refused(kit: TradeKit, quantity: int) -> None:
    cup = kit.variant("CUP")
    with pytest.raises(InvalidInput, match="between"):
        add(kit, kit.basket({}), cup, quantity)


def test_adding_up_beyond_the_limit_is_refused_and_leaves_the_line(kit: TradeKit) -> None:
    cup = kit.variant("CUP")
    basket = kit.basket({cup: 999})
    with pytest.raises(InvalidInput, match="at most 999"):
        add(kit, basket, cup)
    assert priced(kit, basket).lines[0].basket.quantity == 999


def test_what_is_not_for_sale_is_not_found(kit: TradeKit) -> None:
    cup = kit.variant("CUP")

    def withdraw(session: Session) -> None:
        product = catalog.variants_by_id(session, [cup])[cup].product_id
        catalog.deactivate_product(session, product_id=product, now=kit.now)

    basket = kit.basket({cup: 1})
    kit.run(withdraw)
    with pytest.raises(NotFound, match="not for sale"):
        add(kit, basket, cup)
    seen = priced(kit, basket)
    assert (seen.lines, seen.total_minor, [issue.kind for issue in seen.issues]) == ([], 9_900, ["unavailable"])


def test_quantity_zero_removes_the_line_and_strange_lines_are_not_found(kit: TradeKit) -> None:
    cup = kit.variant("CUP")
    basket, strange = kit.basket({cup: 1}), kit.basket({cup: 1})
    with kit.database.read() as session:
        line_id = service.lines_of(session, service.get_cart(session, public_id=basket))[0].id

    def change(cart_id: str, quantity: int) -> int | None:
        def work(session: Session) -> int | None:
            cart = service.get_cart(session, public_id=cart_id)
            line = service.set_quantity(session, cart=cart, line_id=line_id, quantity=quantity, now=kit.now)
            return None if line is None else line.quantity

        return kit.run(work)

    with pytest.raises(NotFound):
        change(strange, 2)
    assert change(basket, 5) == 5
    assert change(basket, 0) is None
    with pytest.raises(NotFound):
        change(basket, 1)


def test_an_ordered_cart_takes_nothing_more(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=5)
    basket = kit.basket({cup: 1})
    kit.checkout(basket)
    with pytest.raises(Conflict, match="ordered already"):
        add(kit, basket, cup)


def test_a_rise_is_shown_and_can_be_accepted(kit: TradeKit, clock: ManualClock) -> None:
    cup = kit.variant("CUP", price=10_000, stock=5)
    basket = kit.basket({cup: 1})
    clock.advance(timedelta(hours=1))
    kit.run(lambda s: catalog.set_price(s, variant_id=cup, amount_minor=12_000, currency="INR", now=kit.now).id)
    seen = priced(kit, basket)
    assert [issue.kind for issue in seen.issues] == ["price_changed"]
    assert seen.issues[0].facts["unit_price_minor"] == seen.gross_minor == 12_000

    def accept(session: Session) -> None:
        service.accept_prices(session, cart=service.get_cart(session, public_id=basket), now=kit.now)

    kit.run(accept)
    assert priced(kit, basket).issues == []


def test_a_coupon_is_checked_when_applied_and_claims_nothing(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_000, stock=5)
    kit.coupon("BIG", min_spend_minor=20_000, usage_limit=1)
    basket = kit.basket({cup: 1})

    def apply(code: str) -> None:
        def work(session: Session) -> None:
            cart = service.get_cart(session, public_id=basket)
            service.apply_coupon(session, cart=cart, code=code, now=kit.now)

        kit.run(work)

    with pytest.raises(CouponRefused, match="₹100 more"):
        apply("big")
    with pytest.raises(CouponRefused, match="no such code"):
        apply("NOPE")
    add(kit, basket, cup)
    apply(" big ")
    assert priced(kit, basket).discount_minor == 2_000
    assert kit.coupon_uses("BIG") == 0


def test_stock_that_ran_out_meanwhile_is_shown(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=2)
    basket = kit.basket({cup: 2})
    kit.buy({cup: 1}, pay=False)
    issue = priced(kit, basket).issues[0]
    assert (issue.kind, issue.facts["sku"], issue.facts["left"]) == ("out_of_stock", "CUP", 1)


def test_a_guest_who_logs_in_takes_the_basket_along(kit: TradeKit) -> None:
    cup, lamp = kit.variant("CUP"), kit.variant("LAMP")
    asha = kit.customer()

    def adopt(basket: str) -> str:
        def work(session: Session) -> str:
            cart = service.get_cart(session, public_id=basket, customer_id=asha)
            return service.adopt_guest_cart(session, guest_cart=cart, customer_id=asha, now=kit.now).public_id

        return kit.run(work)

    first = kit.basket({cup: 1})
    assert adopt(first) == first
    assert adopt(first) == first, "once more changes nothing"
    second = kit.basket({cup: 2, lamp: 1})
    assert adopt(second) == first
    quantities = [(row.basket.sku, row.basket.quantity) for row in priced(kit, first, customer_id=asha).lines]
    assert quantities == [("CUP", 3), ("LAMP", 1)]


def test_points_are_offered_within_balance_and_share(kit: TradeKit) -> None:
    cup = kit.variant("CUP", price=10_000, stock=1)
    asha = kit.customer()
    kit.give_points(asha, 70)
    basket = kit.basket({cup: 1}, customer_id=asha)
    assert priced(kit, basket, customer_id=asha, redeem_points=50).points_discount_minor == 5_000
    for too_many in (51, 71):
        seen = priced(kit, basket, customer_id=asha, redeem_points=too_many)
        assert seen.points_discount_minor == 0
        assert seen.issues[0].facts == {"min_points": 1, "max_points": 50}
    guest = kit.basket({cup: 1})
    assert priced(kit, guest, redeem_points=1).issues[0].kind == "points_refused"


@pytest.mark.postgres
@pytest.mark.slow
def test_nothing_slips_into_a_basket_that_is_being_ordered(pg_kit: TradeKit) -> None:
    """Whatever was added before the order is in it; whatever came later was refused."""
    cup, lamp = pg_kit.variant("CUP", stock=99), pg_kit.variant("LAMP", stock=99)
    basket = pg_kit.basket({cup: 1})
    outcomes = at_once([lambda: pg_kit.checkout(basket)] + [lambda: add(pg_kit, basket, lamp)] * 7)
    assert all(isinstance(error, Conflict) for error in failures(outcomes[1:]))
    ordered = sum(row.quantity for row in pg_kit.lines(outcomes[0]) if row.sku == "LAMP")
    assert ordered == len(successes(outcomes[1:]))
    pg_kit.assert_sound()
