"""Which offers apply to a basket, and what sending it costs afterwards.

The two depend on each other: shipping is free above some worth of the goods, discounts lower that worth, and one of
them may pay for the shipping. So the engine is asked again with the charge that its answer brings about.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy.orm import Session

from transactional.cart.pricing import BasketLine, Offered
from transactional.catalog import service as catalog
from transactional.orders.service import has_ordered
from transactional.promotions import service as promotions
from transactional.promotions.service import (
    Basket,
    DiscountClass,
    EnteredCode,
    Line,
    Offers,
    Outcome,
    Person,
    Reason,
    Refused,
    Shopper,
)
from transactional.shipping.service import ShippingQuote

Who = Callable[[], Person]
"""Tells who buys; asked only where an offer depends on it."""
Ship = Callable[[int], ShippingQuote]
"""What sending costs, by the goods' worth after offers."""

_ROUNDS = 3
_COUNTRY = "country"


def offer(
    session: Session,
    *,
    lines: Sequence[BasketLine],
    currency: str,
    channel: str,
    country: str | None,
    codes: Sequence[EnteredCode],
    who: Who,
    ship: Ship,
    now: datetime,
) -> tuple[Offered, ShippingQuote]:
    """The best combination of the open offers and the entered codes, and the charge for sending. Claims nothing."""
    gross = sum(line.gross_minor for line in lines)
    offers = promotions.offers_for(session, codes=codes, now=now, who=who)
    if offers.is_empty:
        return Offered(), ship(gross)
    basket = Basket(currency, _lines(session, lines, currency, offers), None, country, channel)
    shopper = _shopper(session, offers)
    charge = cache(ship)
    quote = charge(gross)
    depends = any(one.rule.discount_class is DiscountClass.SHIPPING for one in offers.candidates)
    tried: list[tuple[int, Basket, Outcome, ShippingQuote]] = []
    for _ in range(_ROUNDS):
        asked = replace(basket, shipping_minor=quote.amount_minor)
        outcome = offers.with_unknown(promotions.solve(asked, shopper, now, offers.candidates))
        after = charge(gross - goods_discount(outcome))
        if after.amount_minor == quote.amount_minor or not depends:
            return Offered(offers, replace(basket, shipping_minor=after.amount_minor), outcome), after
        charged = replace(basket, shipping_minor=after.amount_minor)
        outcome = promotions.repriced(offers, charged, outcome)
        tried.append((gross - outcome.saving_minor + after.amount_minor, charged, outcome, after))
        quote = after
    _, judged, outcome, quote = min(tried, key=lambda one: one[0])
    return Offered(offers, judged, outcome), quote


def judge(
    session: Session,
    *,
    lines: Sequence[BasketLine],
    currency: str,
    channel: str,
    codes: Sequence[EnteredCode],
    who: Who,
    now: datetime,
) -> Offered:
    """As `offer`, for goods that nobody knows yet where to send."""
    offers = promotions.offers_for(session, codes=codes, now=now, who=who)
    basket = Basket(currency, _lines(session, lines, currency, offers), None, None, channel)
    outcome = promotions.solve(basket, _shopper(session, offers), now, offers.candidates)
    return Offered(offers, basket, offers.with_unknown(outcome))


def waits_for_address(refused: Refused) -> bool:
    """Whether an offer may apply as soon as it is known where the parcel goes."""
    return refused.reason == Reason.SHIPPING_UNKNOWN or (refused.reachable and refused.reason == _COUNTRY)


def goods_discount(outcome: Outcome) -> int:
    """What an outcome takes off the goods."""
    return outcome.saving_minor - outcome.shipping_discount_minor


def _lines(session: Session, lines: Sequence[BasketLine], currency: str, offers: Offers) -> tuple[Line, ...]:
    floors = promotions.floors_of(session, variant_ids=[line.variant_id for line in lines], currency=currency)
    above = catalog.category_ancestors(session) if offers.ask_categories else {}
    return tuple(
        Line(
            line_id=line.cart_line_id,
            variant_id=line.variant_id,
            product_id=line.product_id,
            category_ids=above.get(line.category_id, frozenset()) if line.category_id is not None else frozenset(),
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            floor_minor=floors.get(line.variant_id, 0),
        )
        for line in lines
    )


def _shopper(session: Session, offers: Offers) -> Shopper:
    """Somebody unknown counts as a first-time buyer until they say who they are; checkout knows."""
    person = offers.person
    first = offers.ask_first_order and not has_ordered(
        session,
        customer_id=person.customer_id,
        identity_key=person.main_key if person.email else None,
        phone=person.phone_key,
    )
    return Shopper(person.main_key, first, offers.groups, person.is_staff)
