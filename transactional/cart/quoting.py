"""Pricing a cart as it stands now, with everything that speaks against ordering it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from transactional.cart.coupons import codes_of
from transactional.cart.models import Cart, CartLine
from transactional.cart.offering import Who, goods_discount, judge, offer, waits_for_address
from transactional.cart.pricing import BasketLine, Issue, PointsPayment, PricedCart, agreed_unit_price, is_beaten, price
from transactional.catalog.service import SellableVariant, buyable_variants
from transactional.inventory.service import saleable
from transactional.loyalty.service import redemption_offer
from transactional.promotions import service as promotions
from transactional.promotions.service import EnteredCode, Person, Refused
from transactional.settings import Settings
from transactional.shipping.service import ShippingQuote, quote, weigh


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in a basket, and what of it may be sold now (by variant)."""

    lines: Sequence[CartLine]
    buyable: Mapping[int, SellableVariant]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the parcel shall go; it decides what sending costs, and whether the shop sends there at all."""

    postal_code: str
    country: str


# Built once: every look at a basket and every checkout asks.
_LINES = select(CartLine).where(CartLine.cart_id == bindparam("cart")).order_by(CartLine.id)


def read_contents(session: Session, *, cart: Cart, now: datetime) -> Contents:
    """The cart's lines, in the order in which they came, with what the catalogue says of them now."""
    lines = session.scalars(_LINES, {"cart": cart.id}).all()
    ids = [line.variant_id for line in lines]
    buyable = buyable_variants(session, ids, currency=cart.currency, channel=cart.channel, now=now) if ids else {}
    return Contents(lines, buyable)


def price_cart(
    session: Session,
    *,
    cart: Cart,
    now: datetime,
    settings: Settings,
    redeem_points: int = 0,
    customer_id: int | None = None,
    who: Who | None = None,
    check_stock: bool = True,
    destination: Destination | None = None,
    contents: Contents | None = None,
) -> PricedCart:
    """The basket's prices now; `issues` says what would stop an order. What cannot be sold is left out of the sums.

    `customer_id` is whose points are redeemed (default: the cart's owner); `who` tells whose limits, groups and first
    order the offers look at (default: the owner, known by no more than that).
    Without a destination shipping is an estimate: the cheapest zone's. `contents` spares reading the cart where the
    caller has just done so. Raises InvalidInput for a destination that the shop does not send to.
    """
    known = contents or read_contents(session, cart=cart, now=now)
    basket, issues = _basket(known, now)
    if check_stock and basket:
        issues += _stock_issues(session, basket)
    owner = customer_id if customer_id is not None else cart.customer_id
    offered, shipping = offer(
        session,
        lines=basket,
        currency=cart.currency,
        channel=cart.channel,
        country=destination.country if destination else None,
        codes=codes_of(session, cart),
        who=who or partial(Person, customer_id=owner),
        ship=_ship(session, basket, currency=cart.currency, destination=destination, settings=settings),
        now=now,
    )
    issues += offered.issues
    left = sum(line.gross_minor for line in basket) - goods_discount(offered.outcome)
    points, refusal = _points(session, owner, redeem_points, left, now)
    if refusal is not None:
        issues.append(refusal)
    return price(basket, currency=cart.currency, offered=offered, points=points, shipping=shipping, issues=issues)


def refusal_of(
    session: Session, *, cart: Cart, codes: Sequence[EnteredCode], who: Who, now: datetime
) -> Refused | None:
    """Why the last of the codes gives nothing to the cart's goods; None where it does, or might yet.

    Sending is left out: its price is not known before the address.
    """
    basket, _ = _basket(read_contents(session, cart=cart, now=now), now)
    offered = judge(session, lines=basket, currency=cart.currency, channel=cart.channel, codes=codes, who=who, now=now)
    wanted = promotions.stored_code(codes[-1].code)
    refused = [one for one in offered.outcome.refused if one.code == wanted and not is_beaten(one)]
    return next((one for one in refused if not waits_for_address(one)), None)


def _ship(
    session: Session,
    basket: Sequence[BasketLine],
    *,
    currency: str,
    destination: Destination | None,
    settings: Settings,
) -> Callable[[int], ShippingQuote]:
    """What sending the basket costs, by the worth of its goods after offers."""
    known = destination if basket else None  # an empty basket has no weight that a tariff could know
    weighed = [(line.weight_grams, line.quantity) for line in basket]

    def charge(merchandise_minor: int) -> ShippingQuote:
        return quote(
            session,
            merchandise_minor=merchandise_minor,
            settings=settings,
            weight_grams=weigh(weighed, default_grams=settings.shipping_default_item_grams),
            postal_code=known.postal_code if known else None,
            country=known.country if known else "IN",
            currency=currency,
        )

    return charge


def _basket(contents: Contents, now: datetime) -> tuple[list[BasketLine], list[Issue]]:
    basket: list[BasketLine] = []
    issues: list[Issue] = []
    for line in contents.lines:
        variant = contents.buyable.get(line.variant_id)
        if variant is None:
            facts = {"line_id": line.id, "variant_id": line.variant_id}
            issues.append(Issue("unavailable", f"variant {line.variant_id} is no longer for sale", facts))
            continue
        agreed = agreed_unit_price(
            quoted_minor=line.quoted_unit_minor,
            quoted_at=line.quoted_at,
            current_minor=variant.price_minor,
            now=now,
        )
        if agreed is None:
            issues.append(_price_changed(line, variant))
        basket.append(_basket_line(line, variant, variant.price_minor if agreed is None else agreed))
    return basket, issues


def _price_changed(line: CartLine, variant: SellableVariant) -> Issue:
    facts = {
        "line_id": line.id,
        "variant_id": line.variant_id,
        "sku": variant.sku,
        "quoted_unit_minor": line.quoted_unit_minor,
        "unit_price_minor": variant.price_minor,
    }
    return Issue("price_changed", f"the price of {variant.sku} is {variant.price_minor} minor units now", facts)


def _basket_line(line: CartLine, variant: SellableVariant, unit_price_minor: int) -> BasketLine:
    return BasketLine(
        cart_line_id=line.id,
        variant_id=line.variant_id,
        product_id=variant.product_id,
        sku=variant.sku,
        title=variant.title,
        quantity=line.quantity,
        unit_price_minor=unit_price_minor,
        tax_rate_bp=variant.tax_rate_bp,
        weight_grams=variant.weight_grams,
        inventory_policy=variant.inventory_policy,
        customisation=line.customisation,
        category_id=variant.category_id,
    )


def _stock_issues(session: Session, basket: Sequence[BasketLine]) -> list[Issue]:
    wanted: dict[int, int] = {}
    skus = {line.variant_id: line.sku for line in basket}
    policies = {line.variant_id: line.inventory_policy for line in basket}
    for line in basket:
        wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    return [
        Issue(
            "out_of_stock",
            f"{left} of {skus[variant_id]} are left, {wanted[variant_id]} wanted",
            {"variant_id": variant_id, "sku": skus[variant_id], "wanted": wanted[variant_id], "left": left},
        )
        for variant_id, left in sorted(saleable(session, list(wanted), policies=policies).items())
        if left is not None and left < wanted[variant_id]
    ]


def _points(
    session: Session, customer_id: int | None, wanted: int, merchandise_minor: int, now: datetime
) -> tuple[PointsPayment, Issue | None]:
    if wanted == 0:
        return PointsPayment(0, 0), None
    if customer_id is None:
        return PointsPayment(0, 0), Issue("points_refused", "only a logged-in customer has points", {"max_points": 0})
    offer = redemption_offer(session, customer_id=customer_id, merchandise_minor=merchandise_minor, now=now)
    if offer is None or wanted < offer.min_points or wanted > offer.max_points:
        most = 0 if offer is None else offer.max_points
        least = 1 if offer is None else offer.min_points
        detail = f"{wanted} points cannot be redeemed here: at least {least}, at most {most}"
        return PointsPayment(0, 0), Issue("points_refused", detail, {"min_points": least, "max_points": most})
    return PointsPayment(wanted, offer.value_per_point_minor), None
