"""The offers that a shopper can still have: those that apply now, and those that lack something that can be had."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.cart.models import Cart
from transactional.cart.offering import Who, judge
from transactional.cart.pricing import Offered
from transactional.cart.quoting import Destination, price_cart
from transactional.promotions.service import Applied, Reason, Refused
from transactional.settings import Settings


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An offer with what it saves on the cart, or what is missing; `state` is applies, beaten or reachable."""

    promotion_id: int
    name: str
    code: str | None
    discount_class: str
    state: str
    saving_minor: int
    detail: str | None
    missing: Mapping[str, int]
    ends_at: datetime | None


def open_offers(
    session: Session,
    *,
    cart: Cart | None,
    currency: str,
    who: Who,
    now: datetime,
    settings: Settings,
    customer_id: int | None = None,
    destination: Destination | None = None,
) -> list[OpenOffer]:
    """Automatic offers and the cart's own codes, judged by the very pricing that checkout uses; best state first.

    Offers that this shopper cannot have whatever they buy are left out. Without a cart it is an empty one's.
    """
    if cart is None:
        offered = judge(session, lines=(), currency=currency, channel="web", codes=(), who=who, now=now)
    else:
        offered = price_cart(
            session,
            cart=cart,
            now=now,
            settings=settings,
            customer_id=customer_id,
            who=who,
            check_stock=False,
            destination=destination,
        ).offered
    applied = [_applies(offered, one) for one in offered.outcome.applied]
    nearly = [_not_yet(offered, one) for one in offered.outcome.refused if _can_be_had(one)]
    return [*applied, *sorted(nearly, key=lambda one: (one.state, one.missing.get("spend_minor", 0), one.promotion_id))]


def _can_be_had(refused: Refused) -> bool:
    return refused.reachable or refused.reason == Reason.BETTER_WITHOUT


def _applies(offered: Offered, one: Applied) -> OpenOffer:
    return _open(offered, one, state="applies", saving_minor=one.amount_minor)


def _not_yet(offered: Offered, one: Refused) -> OpenOffer:
    beaten = one.reason == Reason.BETTER_WITHOUT
    return _open(offered, one, state="beaten" if beaten else "reachable", detail=one.detail, missing=one.missing)


def _open(
    offered: Offered,
    one: Applied | Refused,
    *,
    state: str,
    saving_minor: int = 0,
    detail: str | None = None,
    missing: Mapping[str, int] | None = None,
) -> OpenOffer:
    terms = offered.offers.by_key[one.offer_id, one.code]
    return OpenOffer(
        promotion_id=one.offer_id,
        name=terms.name,
        code=one.code,
        discount_class=terms.rule.discount_class.value,
        state=state,
        saving_minor=saving_minor,
        detail=detail,
        missing=dict(missing or {}),
        ends_at=terms.ends_at,
    )
