"""Products with what other domains know of them: stock and ratings. Nothing but the routes stands on this module."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.catalog import service
from transactional.catalog.schemas import (
    ProductDetail,
    ProductOut,
    RatingOut,
    StaffProductOut,
    StaffVariantOut,
    VariantOut,
)
from transactional.core.errors import NotFound
from transactional.inventory.service import saleable
from transactional.reviews.service import NO_RATING, Rating, ratings


def window(session: Session, listed: Sequence[service.ListedProduct], *, now: datetime) -> list[ProductOut]:
    """The listed products with availability, occasions and ratings, in a fixed number of queries."""
    if not listed:
        return []
    ids = [entry.product.id for entry in listed]
    stocked = _stocked_products(session, ids, currency=listed[0].currency, now=now)
    occasions = service.occasions_of(session, ids)
    rated = ratings(session, ids)
    return [
        ProductOut(
            **_common(entry.product, occasions, rated),
            from_price_minor=entry.from_price_minor,
            currency=entry.currency,
            in_stock=entry.product.id in stocked,
        )
        for entry in listed
    ]


def detail(session: Session, product_id: int, *, currency: str, now: datetime) -> ProductDetail:
    """One product with its variants. NotFound for one that is not on sale in this currency."""
    variants = service.buyable_variants_of_products(session, [product_id], currency=currency, now=now)
    if not variants:
        raise NotFound(f"no product {product_id}")
    product = service.get_product(session, product_id)
    stock = saleable(session, list(variants))
    shown = [_variant(session, v, stock.get(v.variant_id, 0), now=now) for v in variants.values()]
    return ProductDetail(
        **_common(product, service.occasions_of(session, [product_id]), ratings(session, [product_id])),
        description=product.description,
        tax_rate_bp=product.tax_rate_bp,
        from_price_minor=min(v.price_minor for v in shown),
        currency=currency,
        in_stock=any(v.in_stock for v in shown),
        variants=shown,
    )


def for_staff(session: Session, product_id: int) -> StaffProductOut:
    """One product, on sale or not; NotFound otherwise."""
    product = service.get_product(session, product_id)
    return StaffProductOut(
        id=product.id,
        slug=product.slug,
        name=product.name,
        description=product.description,
        category_id=product.category_id,
        gift_tier=product.gift_tier,
        gift_tier_source=product.gift_tier_source,
        hsn_code=product.hsn_code,
        tax_rate_bp=product.tax_rate_bp,
        is_active=product.is_active,
        is_customisable=product.is_customisable,
        needs_approval=product.needs_approval,
        occasions=service.occasions_of(session, [product_id]).get(product_id, []),
        variants=[_staff_variant(variant) for variant in service.variants_of(session, product_id)],
        created_at=product.created_at,
        updated_at=product.updated_at,
    )


def has_stock(units: int | None) -> bool:
    """Whether at least one unit can be sold; None means that nobody counts them."""
    return units is None or units > 0


def _stocked_products(session: Session, product_ids: Iterable[int], *, currency: str, now: datetime) -> set[int]:
    variants = service.buyable_variants_of_products(session, product_ids, currency=currency, now=now)
    stock = saleable(session, list(variants))
    return {v.product_id for v in variants.values() if has_stock(stock.get(v.variant_id, 0))}


def _common(
    product: service.Product, occasions: Mapping[int, list[str]], rated: Mapping[int, Rating]
) -> dict[str, object]:
    rating = rated.get(product.id, NO_RATING)
    return {
        "id": product.id,
        "slug": product.slug,
        "name": product.name,
        "category_id": product.category_id,
        "gift_tier": product.gift_tier,
        "is_customisable": product.is_customisable,
        "needs_approval": product.needs_approval,
        "occasions": occasions.get(product.id, []),
        "rating": RatingOut(count=rating.count, mean=rating.mean, bayesian_mean=rating.bayesian_mean),
    }


def _variant(session: Session, variant: service.SellableVariant, units: int | None, *, now: datetime) -> VariantOut:
    return VariantOut(
        id=variant.variant_id,
        sku=variant.sku,
        title=variant.title,
        price_minor=variant.price_minor,
        currency=variant.currency,
        lowest_30_days_minor=service.lowest_price_minor(
            session, variant_id=variant.variant_id, currency=variant.currency, now=now
        ),
        available=units,
        in_stock=has_stock(units),
    )


def _staff_variant(variant: service.ProductVariant) -> StaffVariantOut:
    return StaffVariantOut(
        id=variant.id,
        sku=variant.sku,
        name=variant.name,
        weight_grams=variant.weight_grams,
        inventory_policy=variant.inventory_policy,
        is_default=variant.is_default,
        is_active=variant.is_active,
    )
