"""From basket to order in one transaction: prices frozen, stock, coupon and points claimed, or nothing at all.

Which price counts: today's, if it is not above the one that was shown; the shown one for `QUOTE_HONOURED` after it was
shown, if the price rose meanwhile; after that the order is refused with the new price, which the shopper may accept.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.accounts.service import Customer
from transactional.affiliates import service as affiliates
from transactional.cart import service as carts
from transactional.cart.service import Cart, Issue, PricedCart
from transactional.core.errors import Conflict, InvalidInput, ShopError
from transactional.inventory import service as inventory
from transactional.loyalty import service as loyalty
from transactional.orders import service as orders
from transactional.orders.service import NewLine, NewOrder, Order, PaymentMode
from transactional.promotions import service as promotions
from transactional.promotions.service import CouponRefused, Person
from transactional.settings import Settings

__all__ = ["PriceChanged", "ProductUnavailable", "place_order"]

ACTOR = "shop"

_REQUIRED_ADDRESS = ("recipient", "line1", "city", "postal_code", "country")


class PriceChanged(Conflict):
    """A price rose after the quote ran out; `issues` name the new ones."""

    code = "price-changed"
    title = "A price has changed"


class ProductUnavailable(Conflict):
    """Something in the basket is no longer for sale; `issues` say what."""

    code = "product-unavailable"
    title = "No longer for sale"


def place_order(
    session: Session,
    *,
    cart_public_id: str,
    ship_to: Mapping[str, Any],
    now: datetime,
    settings: Settings,
    customer_id: int | None = None,
    email: str | None = None,
    redeem_points: int = 0,
    occasion: str | None = None,
    gift_message: str | None = None,
    payment_mode: PaymentMode | str = PaymentMode.ONLINE,
    shown_total_minor: int | None = None,
    phone: str | None = None,
    is_staff: bool = False,
    visitor_id: str | None = None,
    referral_code: str | None = None,
) -> Order:
    """Turn an open cart into an order that awaits payment, for a logged-in customer or a guest's e-mail.

    Afterwards the prices are frozen, and stock, coupon use and points are claimed for `hold_minutes` (without end for
    an order that is paid on delivery). An order with nothing to pay is paid at once. A cart becomes at most one order,
    also when two checkouts meet. Shipping is charged by the address; with `shown_total_minor` the order is refused
    where it would cost more than that. `visitor_id` and `referral_code` say who sent the buyer; they refuse nothing.

    Raises NotFound (cart), InvalidInput (empty cart, address, a place the shop does not send to, points), Conflict
    (cart ordered already), PriceChanged, ProductUnavailable, CouponRefused, OutOfStock (which SKU, how many are left),
    PointsRefused.
    """
    cart = _take_cart(session, cart_public_id, customer_id, now)
    customer = _buyer(session, customer_id, email, ship_to, now)
    buyer = Person(customer.id, customer.email, _own_phone(phone, customer), is_staff)
    mode = _payment_mode(payment_mode)
    _check_address(ship_to)
    priced = carts.price_cart(
        session,
        cart=cart,
        now=now,
        settings=settings,
        redeem_points=_checked_points(redeem_points),
        customer_id=customer_id,
        who=lambda: buyer,
        check_stock=False,
        destination=carts.Destination(str(ship_to["postal_code"]), str(ship_to["country"])),
    )
    _refuse_issues(priced.issues)
    if not priced.lines:
        raise InvalidInput("the cart is empty")
    _refuse_higher_total(priced, shown_total_minor)
    expires_at = None if mode is PaymentMode.ON_DELIVERY else _pay_by(settings, now, is_guest=customer_id is None)
    frozen = _freeze(
        cart,
        customer,
        buyer,
        priced,
        mode=mode,
        expires_at=expires_at,
        ship_to=ship_to,
        occasion=occasion,
        gift_message=gift_message,
    )
    order = orders.write_order(session, frozen, actor=ACTOR, now=now, time_zone=settings.time_zone)
    _claim(session, order, priced, buyer, now)
    affiliates.bind_order(session, order_id=order.id, visitor_id=visitor_id, referral_code=referral_code, now=now)
    if order.total_minor == 0:
        orders.mark_paid(session, order_id=order.id, paid_at=now, actor=ACTOR)
    return order


def _take_cart(session: Session, public_id: str, customer_id: int | None, now: datetime) -> Cart:
    taken = carts.take_for_order(session, public_id=public_id, customer_id=customer_id, now=now)
    if taken is not None:
        return taken
    cart = carts.get_cart(session, public_id=public_id, customer_id=customer_id)
    order = orders.order_of_cart(session, cart.id)
    raise Conflict(
        "this cart was ordered already",
        order_number=None if order is None else order.order_number,
    )


def _buyer(
    session: Session, customer_id: int | None, email: str | None, ship_to: Mapping[str, Any], now: datetime
) -> Customer:
    if customer_id is not None:
        return accounts.get_customer(session, customer_id)
    if not email:
        raise InvalidInput("a guest gives an e-mail address", field="email")
    return accounts.get_or_create_guest(
        session,
        email=email,
        now=now,
        full_name=ship_to.get("recipient"),
        country=ship_to.get("country"),
        city=ship_to.get("city"),
    )


def _payment_mode(mode: PaymentMode | str) -> PaymentMode:
    if mode not in (PaymentMode.ONLINE, PaymentMode.ON_DELIVERY):
        raise InvalidInput("an order is paid `online` or `on_delivery`", field="payment_mode")
    return PaymentMode(mode)


def _checked_points(points: int) -> int:
    if points < 0:
        raise InvalidInput("points to redeem are not negative", field="redeem_points")
    return points


def _check_address(ship_to: Mapping[str, Any]) -> None:
    missing = [name for name in _REQUIRED_ADDRESS if not str(ship_to.get(name) or "").strip()]
    if missing:
        raise InvalidInput(f"the address lacks {', '.join(missing)}", field=f"ship_to.{missing[0]}")


def _own_phone(phone: str | None, customer: Customer) -> str | None:
    """The buyer's own number: given now, else the account's. Raises InvalidInput for one that cannot be called."""
    return promotions.normalise_phone(phone) if phone else customer.phone


def _refuse_issues(issues: Sequence[Issue]) -> None:
    """Refuse what stops the order; all issues of the gravest kind at once."""
    for kind, error in _REFUSALS.items():
        of_kind = [issue for issue in issues if issue.kind == kind]
        if of_kind:
            raise error(
                "; ".join(issue.detail for issue in of_kind),
                issues=[issue.facts for issue in of_kind],
            )


_REFUSALS: dict[str, type[ShopError]] = {
    "unavailable": ProductUnavailable,
    "price_changed": PriceChanged,
    "coupon_refused": CouponRefused,
    "points_refused": InvalidInput,
}


def _refuse_higher_total(priced: PricedCart, shown_total_minor: int | None) -> None:
    """A lower total than the shopper saw is welcome; a higher one needs their word."""
    if shown_total_minor is not None and priced.total_minor > shown_total_minor:
        raise PriceChanged(
            f"the total is {priced.total_minor} minor units now, not {shown_total_minor}",
            issues=[{"shown_total_minor": shown_total_minor, "total_minor": priced.total_minor}],
        )


def _freeze(
    cart: Cart,
    customer: Customer,
    buyer: Person,
    priced: PricedCart,
    *,
    mode: PaymentMode,
    expires_at: datetime | None,
    ship_to: Mapping[str, Any],
    occasion: str | None,
    gift_message: str | None,
) -> NewOrder:
    return NewOrder(
        customer_id=customer.id,
        cart_id=cart.id,
        email=customer.email,
        identity_key=buyer.main_key if buyer.email else None,
        phone=buyer.phone_key,
        currency=priced.currency,
        channel=cart.channel,
        payment_mode=mode,
        gross_minor=priced.gross_minor,
        discount_minor=priced.discount_minor,
        points_redeemed=priced.points_redeemed,
        points_discount_minor=priced.points_discount_minor,
        shipping_minor=priced.shipping_minor,
        tax_minor=priced.tax_minor,
        total_minor=priced.total_minor,
        coupon_code=priced.coupon_code,
        price_trace=priced.trace,
        ship_to=dict(ship_to),
        occasion=occasion,
        gift_message=gift_message,
        expires_at=expires_at,
        lines=[
            NewLine(
                variant_id=line.basket.variant_id,
                product_id=line.basket.product_id,
                sku=line.basket.sku,
                title=line.basket.title,
                quantity=line.basket.quantity,
                unit_price_minor=line.basket.unit_price_minor,
                gross_minor=line.basket.gross_minor,
                line_discount_minor=line.line_discount_minor,
                order_discount_minor=line.order_discount_minor,
                points_discount_minor=line.points_discount_minor,
                tax_minor=line.tax_minor,
                net_minor=line.net_minor,
                customisation=line.basket.customisation,
            )
            for line in priced.lines
        ],
    )


def _pay_by(settings: Settings, now: datetime, *, is_guest: bool) -> datetime:
    """Until when what is not paid keeps its claims; guests may have a time of their own."""
    minutes = settings.guest_hold_minutes if is_guest else None
    return now + timedelta(minutes=settings.hold_minutes if minutes is None else minutes)


def _claim(session: Session, order: Order, priced: PricedCart, buyer: Person, now: datetime) -> None:
    """Stock, then coupon, then points: the same order as everywhere, so that no two checkouts block each other."""
    inventory.hold(
        session,
        order_id=order.id,
        demand=priced.demand(),
        expires_at=order.expires_at,
        now=now,
        policies=priced.policies(),
    )
    _claim_offers(session, order, priced, buyer, now)
    if priced.points_redeemed and order.customer_id is not None:
        loyalty.hold(session, customer_id=order.customer_id, order_id=order.id, points=priced.points_redeemed, now=now)


def _claim_offers(session: Session, order: Order, priced: PricedCart, buyer: Person, now: datetime) -> None:
    """Claim the uses of what applied, and freeze what each offer took off which line."""
    offers, outcome = priced.offered.offers, priced.offered.outcome
    if offers.is_empty:
        return
    promotions.reserve(
        session,
        offers=offers,
        outcome=outcome,
        order_id=order.id,
        person=buyer,
        now=now,
        expires_at=order.expires_at,
    )
    if outcome.applied:
        ids = [line.id for line in orders.lines_of(session, order.id)]
        of_basket = [line.basket.cart_line_id for line in priced.lines]
        order_lines = dict(zip(of_basket, ids, strict=True))
        promotions.write_discounts(session, order_id=order.id, offers=offers, outcome=outcome, order_lines=order_lines)
    promotions.log_exposures(session, order_id=order.id, offers=offers, outcome=outcome, person=buyer, now=now)
