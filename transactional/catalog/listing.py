"""What the shop window shows: active products with a price in force, filtered, in a stable order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from transactional.catalog.categories import descendant_ids
from transactional.catalog.models import GiftTier, Occasion, Price, Product, ProductOccasion, ProductVariant
from transactional.catalog.pricing import WEB, in_force


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """What the shopper narrows the list by; prices in minor units, inclusive."""

    category_id: int | None = None
    occasion: str | None = None
    tier: GiftTier | None = None
    price_min: int | None = None
    price_max: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product with the lowest price among its variants."""

    product: Product
    from_price_minor: int
    currency: str


def list_products(
    session: Session,
    *,
    filters: ProductFilter,
    currency: str,
    channel: str = WEB,
    now: datetime,
    after_id: int = 0,
    limit: int = 20,
) -> Sequence[ListedProduct]:
    """At most `limit` products with an id above `after_id`, in the order of their ids.

    The price limits apply to the price that is shown, the lowest of the variants.
    """
    from_price = func.min(Price.amount_minor).label("from_price")
    statement = (
        select(Product, from_price)
        .join(ProductVariant, ProductVariant.product_id == Product.id)
        .join(Price, Price.variant_id == ProductVariant.id)
        .where(Product.is_active, ProductVariant.is_active, in_force(currency, channel, now), Product.id > after_id)
        .group_by(Product.id)
        .order_by(Product.id)
        .limit(limit)
    )
    statement = _narrowed(session, statement, filters)
    if filters.price_min is not None:
        statement = statement.having(from_price >= filters.price_min)
    if filters.price_max is not None:
        statement = statement.having(from_price <= filters.price_max)
    return [ListedProduct(product, price, currency) for product, price in session.execute(statement)]


def _narrowed(session: Session, statement: Select[Product, int], filters: ProductFilter) -> Select[Product, int]:
    if filters.category_id is not None:
        statement = statement.where(Product.category_id.in_(descendant_ids(session, filters.category_id)))
    if filters.tier is not None:
        statement = statement.where(Product.gift_tier == filters.tier)
    if filters.occasion is not None:
        suits = (
            select(ProductOccasion.product_id)
            .join(Occasion, Occasion.id == ProductOccasion.occasion_id)
            .where(Occasion.key == filters.occasion)
        )
        statement = statement.where(Product.id.in_(suits))
    for word in (filters.text or "").split():
        # Every word must occur somewhere; autoescape keeps a shopper's % and _ from being wildcards.
        statement = statement.where(
            or_(Product.name.icontains(word, autoescape=True), Product.description.icontains(word, autoescape=True))
        )
    return statement
