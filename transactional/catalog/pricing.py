"""Prices with their history: no gaps, no overlaps, one open row per listing (variant, channel, currency)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from transactional.catalog.models import InventoryPolicy, Price, Product, ProductVariant
from transactional.catalog.tiers import BY_RULE, tier_of_price
from transactional.core.errors import Conflict, InvalidInput, NotFound

WEB = "web"


@dataclass(frozen=True, slots=True)
class SellableVariant:
    """A variant that may enter an order now, at this price; whether it is in stock is the inventory's word."""

    variant_id: int
    product_id: int
    sku: str
    title: str
    price_minor: int
    currency: str
    tax_rate_bp: int
    weight_grams: int
    inventory_policy: InventoryPolicy
    customisable: bool
    needs_approval: bool = False
    """A customised one waits for the customer's word on its design."""
    category_id: int | None = None


def set_price(
    session: Session, *, variant_id: int, amount_minor: int, currency: str, channel: str = WEB, now: datetime
) -> Price:
    """Make `amount_minor` the variant's price from `now` on; gives the open row, the old one if nothing changes.

    A rule-based gift tier follows the price of the default variant on the web. Raises NotFound for an unknown
    variant, InvalidInput for a negative amount, Conflict when the price changed after `now`: somebody was faster.
    """
    if amount_minor < 0:
        raise InvalidInput("a price is not negative", field="amount_minor")
    variant = _lock_variant(session, variant_id)
    new = Price(
        variant_id=variant_id,
        channel=channel,
        currency=currency,
        amount_minor=amount_minor,
        valid_from=now,
        valid_to=None,
    )
    price = _replace(session, _open_row(session, new), new)
    if variant.is_default and channel == WEB:
        _retier(session, variant.product_id, amount_minor, currency)
    return price


def price_history(session: Session, *, variant_id: int) -> Sequence[Price]:
    """Every price the variant ever had, oldest first."""
    statement = select(Price).where(Price.variant_id == variant_id)
    return session.scalars(statement.order_by(Price.channel, Price.currency, Price.valid_from, Price.id)).all()


def lowest_price_minor(
    session: Session, *, variant_id: int, currency: str, channel: str = WEB, now: datetime, days: int = 30
) -> int | None:
    """The lowest price in force at any time during the last `days` days; a "was" price is never above it."""
    since = now - timedelta(days=days)
    statement = select(func.min(Price.amount_minor)).where(
        Price.variant_id == variant_id,
        Price.currency == currency,
        Price.channel == channel,
        Price.valid_from <= now,
        or_(Price.valid_to.is_(None), Price.valid_to > since),
    )
    return session.scalar(statement)


def in_force(
    currency: str | BindParameter[str], channel: str | BindParameter[str], now: datetime | BindParameter[datetime]
) -> ColumnElement[bool]:
    """The condition that a price row is the one charged at `now`."""
    return and_(
        Price.currency == currency,
        Price.channel == channel,
        Price.valid_from <= now,
        or_(Price.valid_to.is_(None), Price.valid_to > now),
    )


# Built once, and only of what a basket needs: every cart and every checkout asks.
_SELLABLE = (
    select(
        ProductVariant.id,
        ProductVariant.product_id,
        ProductVariant.sku,
        ProductVariant.name,
        Product.name.label("product_name"),
        Price.amount_minor,
        Product.tax_rate_bp,
        ProductVariant.weight_grams,
        ProductVariant.inventory_policy,
        Product.is_customisable,
        Product.needs_approval,
        Product.category_id,
    )
    .join(Product, Product.id == ProductVariant.product_id)
    .join(Price, Price.variant_id == ProductVariant.id)
    .where(
        ProductVariant.is_active,
        Product.is_active,
        in_force(bindparam("currency"), bindparam("channel"), bindparam("now")),
    )
    .order_by(ProductVariant.id)
)
_SELLABLE_VARIANTS = _SELLABLE.where(ProductVariant.id.in_(bindparam("ids", expanding=True)))
_SELLABLE_OF_PRODUCTS = _SELLABLE.where(ProductVariant.product_id.in_(bindparam("ids", expanding=True)))


def buyable_variants(
    session: Session, variant_ids: Iterable[int], *, currency: str, channel: str = WEB, now: datetime
) -> dict[int, SellableVariant]:
    """Those of the variants that may be sold now, by id: active, of an active product, with a price in force."""
    return _sellable(session, _SELLABLE_VARIANTS, variant_ids, currency, channel=channel, now=now)


def buyable_variants_of_products(
    session: Session, product_ids: Iterable[int], *, currency: str, channel: str = WEB, now: datetime
) -> dict[int, SellableVariant]:
    """Every variant of these products that may be sold now, by variant id."""
    return _sellable(session, _SELLABLE_OF_PRODUCTS, product_ids, currency, channel=channel, now=now)


def _sellable(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    ids: Iterable[int],
    currency: str,
    *,
    channel: str,
    now: datetime,
) -> dict[int, SellableVariant]:
    parameters = {"ids": sorted(set(ids)), "currency": currency, "channel": channel, "now": now}
    return {
        row.id: SellableVariant(
            variant_id=row.id,
            product_id=row.product_id,
            sku=row.sku,
            title=f"{row.product_name} – {row.name}" if row.name else row.product_name,
            price_minor=row.amount_minor,
            currency=currency,
            tax_rate_bp=row.tax_rate_bp,
            weight_grams=row.weight_grams,
            inventory_policy=row.inventory_policy,
            customisable=row.is_customisable,
            needs_approval=row.needs_approval,
            category_id=row.category_id,
        )
        for row in session.execute(statement, parameters)
    }


def _lock_variant(session: Session, variant_id: int) -> ProductVariant:
    # Serialises price changes of one variant; orders, whose lines refer to it, need not wait (key_share).
    statement = select(ProductVariant).where(ProductVariant.id == variant_id).with_for_update(key_share=True)
    variant = session.scalar(statement)
    if variant is None:
        raise NotFound(f"no variant {variant_id}")
    return variant


def _open_row(session: Session, like: Price) -> Price | None:
    statement = select(Price).where(
        Price.variant_id == like.variant_id,
        Price.currency == like.currency,
        Price.channel == like.channel,
        Price.valid_to.is_(None),
    )
    return session.scalar(statement.execution_options(populate_existing=True))


def _replace(session: Session, old: Price | None, new: Price) -> Price:
    """Put `new` after `old`; gives the row that is open afterwards."""
    if old is not None:
        if old.amount_minor == new.amount_minor:
            return old
        if old.valid_from == new.valid_from:
            # In force for no time at all: nobody was ever shown it, and a period must not be empty.
            old.amount_minor = new.amount_minor
            session.flush()
            return old
        _close(session, old, new.valid_from)
    session.add(new)
    session.flush()
    return new


def _close(session: Session, price: Price, now: datetime) -> None:
    closed = session.connection().execute(
        update(Price).where(Price.id == price.id, Price.valid_to.is_(None), Price.valid_from < now).values(valid_to=now)
    )
    if closed.rowcount != 1:
        raise Conflict(
            f"the price of variant {price.variant_id} was changed after this, at {price.valid_from.isoformat()}",
            variant_id=price.variant_id,
        )
    session.refresh(price)


def _retier(session: Session, product_id: int, amount_minor: int, currency: str) -> None:
    session.execute(
        update(Product)
        .where(Product.id == product_id, Product.gift_tier_source == BY_RULE)
        .values(gift_tier=tier_of_price(amount_minor, currency))
    )
