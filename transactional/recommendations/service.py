"""Recommendations for shoppers: serving's ranking, minus what cannot be bought now, or else what sells."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy.orm import Session

from transactional.behaviour.service import EventType, recent_events
from transactional.cart.service import get_cart, lines_of
from transactional.catalog.service import (
    SellableVariant,
    buyable_variants_of_products,
    newest_product_ids,
    products_by_id,
    variants_by_id,
)
from transactional.core.errors import NotFound
from transactional.inventory.service import saleable
from transactional.orders.service import purchases_of, sold_products
from transactional.recommendations.serving_client import Served, ServedReason

SELLING_DAYS = 28
RECENT_EVENTS = 50
_FALLBACK_CANDIDATES = 200
"""How many best sellers are looked at to find enough that can be bought."""

_EVENT_KINDS = {
    EventType.VIEW: "view",
    EventType.RECOMMENDATION_CLICKED: "view",
    EventType.ADD_TO_CART: "add_to_cart",
}


class Slot(StrEnum):
    """Where in the shop the recommendations are shown."""

    HOME = "home"
    PRODUCT = "product"
    SHOP = "shop"


class Terms(TypedDict):
    """On which terms products are shown: how many a shelf, in which currency, at which moment."""

    k: int
    currency: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Shopper:
    """What is known of who asks, gathered before serving is asked."""

    customer_id: int | None
    purchases: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    in_cart: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """A product that can be bought now, at this price."""

    product_id: int
    name: str
    slug: str
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Pick:
    """An offer with the reason why it is shown."""

    offer: Offer
    reason: str
    because: ServedReason


@dataclass(frozen=True, slots=True)
class Shelf:
    """A ranked list; model, version and build are absent where no model had a say."""

    shelf: str
    picks: Sequence[Pick]
    model: str | None = None
    version: str | None = None
    build_id: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is left of an answer after live prices and stock, and how many products each rule removed."""

    shelves: Sequence[Shelf]
    removed: Mapping[str, int] = field(default_factory=dict)


def know_shopper(
    session: Session,
    *,
    customer_id: int | None,
    anonymous_id: str | None = None,
    cart_public_id: str | None = None,
) -> Shopper:
    """Gather purchases, recent behaviour and cart of whoever asks.

    The anonymous id counts only without a customer. Raises NotFound for a cart that is not theirs.
    """
    visitor = anonymous_id if customer_id is None else None
    events = recent_events(session, customer_id=customer_id, anonymous_id=visitor, limit=RECENT_EVENTS)
    bought = purchases_of(session, customer_id=customer_id) if customer_id is not None else ()
    return Shopper(
        customer_id=customer_id,
        purchases=[{"product_id": p.product_id, "at": p.at.isoformat()} for p in bought],
        events=[
            {"product_id": e.product_id, "kind": _EVENT_KINDS[e.type], "at": e.at.isoformat()}
            for e in events
            if e.type in _EVENT_KINDS
        ],
        in_cart=_products_in_cart(session, cart_public_id, customer_id),
    )


def check_product(session: Session, product_id: int) -> None:
    """Raises NotFound for a page whose product does not exist or was withdrawn."""
    product = products_by_id(session, [product_id]).get(product_id)
    if product is None or not product.is_active:
        raise NotFound(f"no product {product_id}")


def question(slot: Slot, shopper: Shopper, *, k: int, product_id: int | None = None) -> dict[str, Any]:
    """What serving is asked."""
    asked: dict[str, Any] = {
        "slot": slot.value,
        "purchases": list(shopper.purchases),
        "events": list(shopper.events),
        "cart": sorted(shopper.in_cart),
        "k": k,
    }
    if shopper.customer_id is not None:
        asked["customer_id"] = shopper.customer_id
    if product_id is not None:
        asked["product_id"] = product_id
    return asked


def select_buyable(
    session: Session, served: Served, *, hidden: frozenset[int], k: int, currency: str, now: datetime
) -> Selection:
    """At most `k` products a shelf that can be bought at this moment and are not `hidden`; empty shelves go."""
    wanted = {item.product_id for shelf in served.shelves for item in shelf.items}
    offers = offers_of(session, wanted - hidden, currency=currency, now=now)
    shelves = []
    for shelf in served.shelves:
        # A dict, so that a product named twice is shown once.
        picks = {
            item.product_id: Pick(offers[item.product_id], item.reason, item.because)
            for item in reversed(shelf.items)
            if item.product_id in offers
        }
        shown = list(reversed(picks.values()))[:k]
        if shown:
            shelves.append(Shelf(shelf.shelf, shown, shelf.model, shelf.version, shelf.build_id))
    removed = Counter({"hidden": len(wanted & hidden), "not_buyable": len(wanted - hidden - offers.keys())})
    return Selection(shelves, removed)


def what_sells(session: Session, *, hidden: frozenset[int], k: int, currency: str, now: datetime) -> Sequence[Shelf]:
    """The shelf for when serving has nothing: best sellers of the last 28 days, then the newest products."""
    sold = sold_products(session, since=now - timedelta(days=SELLING_DAYS), limit=_FALLBACK_CANDIDATES)
    newest = newest_product_ids(session, limit=_FALLBACK_CANDIDATES)
    candidates = ({s.product_id for s in sold} | set(newest)) - hidden
    offers = offers_of(session, candidates, currency=currency, now=now)
    picks = {s.product_id: _selling(offers[s.product_id], s.customers) for s in sold if s.product_id in offers}
    for product_id in newest:
        if product_id in offers and product_id not in picks:
            picks[product_id] = Pick(offers[product_id], "New in the shop", ServedReason(kind="new"))
    shown = list(picks.values())[:k]
    return [Shelf("best_sellers" if sold else "new", shown)] if shown else []


def offers_of(session: Session, product_ids: set[int], *, currency: str, now: datetime) -> dict[int, Offer]:
    """Those of the products that can be bought now: on sale, priced and in stock; at the lowest such price."""
    variants = buyable_variants_of_products(session, product_ids, currency=currency, now=now)
    stock = saleable(session, list(variants))
    cheapest: dict[int, SellableVariant] = {}
    for variant in variants.values():
        units = stock.get(variant.variant_id, 0)
        in_stock = units is None or units > 0
        best = cheapest.get(variant.product_id)
        if in_stock and (best is None or variant.price_minor < best.price_minor):
            cheapest[variant.product_id] = variant
    products = products_by_id(session, cheapest)
    return {
        product_id: Offer(
            product_id=product_id,
            name=products[product_id].name,
            slug=products[product_id].slug,
            price_minor=variant.price_minor,
            currency=currency,
        )
        for product_id, variant in cheapest.items()
    }


def _products_in_cart(session: Session, public_id: str | None, customer_id: int | None) -> frozenset[int]:
    if public_id is None:
        return frozenset()
    cart = get_cart(session, public_id=public_id, customer_id=customer_id)
    variants = variants_by_id(session, (line.variant_id for line in lines_of(session, cart)))
    return frozenset(variant.product_id for variant in variants.values())


def _selling(offer: Offer, customers: int) -> Pick:
    who = "one customer" if customers == 1 else f"{customers} customers"
    because = ServedReason(kind="popular", count=customers, days=SELLING_DAYS)
    return Pick(offer, f"Bought by {who} in the last {SELLING_DAYS} days", because)
