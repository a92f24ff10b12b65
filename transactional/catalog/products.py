"""Products and their variants: creating, changing, withdrawing, looking up."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.catalog.categories import get_category
from transactional.catalog.models import (
    GiftTier,
    InventoryPolicy,
    Occasion,
    Price,
    Product,
    ProductOccasion,
    ProductVariant,
)
from transactional.catalog.pricing import WEB, set_price
from transactional.catalog.slugs import slugify
from transactional.catalog.tiers import BY_ADMIN, BY_RULE, tier_of_price
from transactional.core.errors import Conflict, InvalidInput, NotFound


def create_product(
    session: Session,
    *,
    name: str,
    category_id: int,
    sku: str,
    price_minor: int,
    currency: str,
    description: str = "",
    slug: str | None = None,
    gift_tier: GiftTier | None = None,
    occasions: Iterable[str] = (),
    hsn_code: str | None = None,
    tax_rate_bp: int = 0,
    weight_grams: int = 0,
    inventory_policy: InventoryPolicy = InventoryPolicy.DENY,
    is_customisable: bool = False,
    needs_approval: bool = False,
    is_active: bool = True,
    channel: str = WEB,
    now: datetime,
) -> Product:
    """A product with its default variant (`sku`) and that variant's first price.

    Without `gift_tier` the price rule decides and goes on deciding. Raises NotFound for an unknown category or
    occasion, InvalidInput for figures out of range, Conflict for an SKU or slug in use.
    """
    get_category(session, category_id)
    if not name.strip():
        raise InvalidInput("a product needs a name", field="name")
    product = Product(
        slug=slug or _free_slug(session, name, sku),
        name=name.strip(),
        description=description,
        category_id=category_id,
        gift_tier=gift_tier or tier_of_price(price_minor, currency),
        gift_tier_source=BY_ADMIN if gift_tier else BY_RULE,
        hsn_code=hsn_code,
        tax_rate_bp=tax_rate_bp,
        is_active=is_active,
        is_customisable=is_customisable,
        needs_approval=needs_approval,
        created_at=now,
        updated_at=now,
    )
    _check_figures(tax_rate_bp=tax_rate_bp, weight_grams=weight_grams)
    _check_hsn(hsn_code)
    try:
        with session.begin_nested():
            session.add(product)
    except IntegrityError as error:
        raise Conflict(f"the slug {product.slug!r} is in use", slug=product.slug) from error
    variant = add_variant(
        session,
        product_id=product.id,
        sku=sku,
        weight_grams=weight_grams,
        inventory_policy=inventory_policy,
        is_default=True,
    )
    set_price(session, variant_id=variant.id, amount_minor=price_minor, currency=currency, channel=channel, now=now)
    set_occasions(session, product_id=product.id, occasions=occasions)
    return product


def add_variant(
    session: Session,
    *,
    product_id: int,
    sku: str,
    name: str = "",
    weight_grams: int = 0,
    inventory_policy: InventoryPolicy = InventoryPolicy.DENY,
    is_default: bool = False,
) -> ProductVariant:
    """A further stock-keeping unit of a product; it is sold once it has a price.

    Raises InvalidInput for an empty SKU or a negative weight, Conflict for an SKU in use.
    """
    _check_figures(weight_grams=weight_grams)
    if not sku.strip():
        raise InvalidInput("a variant needs an SKU", field="sku")
    variant = ProductVariant(
        product_id=product_id,
        sku=sku.strip(),
        name=name,
        weight_grams=weight_grams,
        inventory_policy=inventory_policy,
        is_default=is_default,
        is_active=True,
    )
    try:
        with session.begin_nested():
            session.add(variant)
    except IntegrityError as error:
        raise Conflict(f"the SKU {sku!r} is in use", sku=sku) from error
    return variant


def update_product(
    session: Session,
    *,
    product_id: int,
    name: str | None = None,
    description: str | None = None,
    category_id: int | None = None,
    hsn_code: str | None = None,
    tax_rate_bp: int | None = None,
    is_customisable: bool | None = None,
    needs_approval: bool | None = None,
    is_active: bool | None = None,
    now: datetime,
) -> Product:
    """Change what is given, leave the rest. The slug stays: links to a product must not break.

    Raises NotFound for an unknown product or category, InvalidInput for figures out of range.
    """
    product = get_product(session, product_id)
    if category_id is not None:
        get_category(session, category_id)
    if name is not None and not name.strip():
        raise InvalidInput("a product needs a name", field="name")
    if tax_rate_bp is not None:
        _check_figures(tax_rate_bp=tax_rate_bp)
    _check_hsn(hsn_code)
    changes = {
        "name": name.strip() if name is not None else None,
        "description": description,
        "category_id": category_id,
        "hsn_code": hsn_code,
        "tax_rate_bp": tax_rate_bp,
        "is_customisable": is_customisable,
        "needs_approval": needs_approval,
        "is_active": is_active,
    }
    for field, value in changes.items():
        if value is not None:
            setattr(product, field, value)
    product.updated_at = now
    session.flush()
    return product


def set_tier(session: Session, *, product_id: int, tier: GiftTier | None, now: datetime) -> Product:
    """Fix the gift tier by hand, or (None) hand it back to the price rule."""
    product = get_product(session, product_id)
    product.gift_tier_source = BY_ADMIN if tier else BY_RULE
    product.gift_tier = tier or _rule_tier(session, product)
    product.updated_at = now
    session.flush()
    return product


def deactivate_product(session: Session, *, product_id: int, now: datetime) -> Product:
    """Take a product off the shop; orders that hold it stay readable. Doing it again changes nothing."""
    return update_product(session, product_id=product_id, is_active=False, now=now)


def get_product(session: Session, product_id: int) -> Product:
    """The product, active or not; NotFound otherwise."""
    product = session.get(Product, product_id)
    if product is None:
        raise NotFound(f"no product {product_id}")
    return product


def products_by_id(session: Session, product_ids: Iterable[int]) -> dict[int, Product]:
    """Those of the products that exist, active or not."""
    statement = select(Product).where(Product.id.in_(set(product_ids)))
    return {product.id: product for product in session.scalars(statement)}


def existing_product_ids(session: Session, product_ids: Iterable[int]) -> set[int]:
    """Which of these ids are products, active or not."""
    return set(session.scalars(select(Product.id).where(Product.id.in_(set(product_ids)))))


def newest_product_ids(session: Session, *, limit: int) -> list[int]:
    """The ids of the newest active products, newest first."""
    statement = select(Product.id).where(Product.is_active).order_by(Product.created_at.desc(), Product.id.desc())
    return list(session.scalars(statement.limit(limit)))


def variants_of(session: Session, product_id: int) -> Sequence[ProductVariant]:
    """The variants of a product, the default one first."""
    statement = select(ProductVariant).where(ProductVariant.product_id == product_id)
    return session.scalars(statement.order_by(ProductVariant.is_default.desc(), ProductVariant.id)).all()


def variants_by_id(session: Session, variant_ids: Iterable[int]) -> dict[int, ProductVariant]:
    """Those of the variants that exist, active or not."""
    statement = select(ProductVariant).where(ProductVariant.id.in_(set(variant_ids)))
    return {variant.id: variant for variant in session.scalars(statement)}


def inventory_policies(session: Session, variant_ids: Iterable[int]) -> dict[int, InventoryPolicy]:
    """What happens when the shelf is empty, for those of the variants that exist."""
    statement = select(ProductVariant.id, ProductVariant.inventory_policy)
    rows = session.execute(statement.where(ProductVariant.id.in_(set(variant_ids))))
    return {row.id: row.inventory_policy for row in rows}


def set_inventory_policy(session: Session, *, variant_id: int, policy: InventoryPolicy) -> ProductVariant:
    """Say what happens when the shelf is empty; NotFound for an unknown variant.

    The variant stays locked against other such changes until the transaction ends; orders of it do not wait.
    """
    variant = session.get(ProductVariant, variant_id, with_for_update={"key_share": True})
    if variant is None:
        raise NotFound(f"there is no variant {variant_id}")
    variant.inventory_policy = policy
    session.flush()
    return variant


def default_variant(session: Session, product_id: int) -> ProductVariant:
    """The variant that stands for a product; NotFound for a product without variants."""
    variants = variants_of(session, product_id)
    if not variants:
        raise NotFound(f"no product {product_id}, or it has no variants")
    return variants[0]


def create_occasion(session: Session, *, key: str, name: str) -> Occasion:
    """A reason to give; the existing one if the key is known."""
    known = session.scalar(select(Occasion).where(Occasion.key == key))
    if known is not None:
        return known
    occasion = Occasion(key=key, name=name)
    try:
        with session.begin_nested():
            session.add(occasion)
    except IntegrityError:
        # Somebody else created it between the look and the insert.
        return session.scalars(select(Occasion).where(Occasion.key == key)).one()
    return occasion


def list_occasions(session: Session) -> Sequence[Occasion]:
    """Every occasion, by name."""
    return session.scalars(select(Occasion).order_by(Occasion.name, Occasion.id)).all()


def occasions_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[str]]:
    """The occasion keys of each product that has any."""
    statement = (
        select(ProductOccasion.product_id, Occasion.key)
        .join(Occasion, Occasion.id == ProductOccasion.occasion_id)
        .where(ProductOccasion.product_id.in_(set(product_ids)))
        .order_by(Occasion.key)
    )
    found: dict[int, list[str]] = {}
    for product_id, key in session.execute(statement):
        found.setdefault(product_id, []).append(key)
    return found


def set_occasions(session: Session, *, product_id: int, occasions: Iterable[str]) -> None:
    """Make these the product's occasions; NotFound for a key that no occasion has."""
    wanted = set(occasions)
    known = {o.key: o.id for o in session.scalars(select(Occasion).where(Occasion.key.in_(wanted)))}
    if unknown := sorted(wanted - known.keys()):
        raise NotFound(f"no occasion {', '.join(unknown)}")
    session.execute(delete(ProductOccasion).where(ProductOccasion.product_id == product_id))
    session.add_all(ProductOccasion(product_id=product_id, occasion_id=known[key]) for key in sorted(wanted))
    session.flush()


def _rule_tier(session: Session, product: Product) -> GiftTier:
    variant = default_variant(session, product.id)
    price = session.scalar(
        select(Price)
        .where(Price.variant_id == variant.id, Price.channel == WEB, Price.valid_to.is_(None))
        .order_by(Price.id)
        .limit(1)
    )
    return tier_of_price(price.amount_minor, price.currency) if price else product.gift_tier


def _free_slug(session: Session, name: str, sku: str) -> str:
    """The name's slug, or, where another product has it, the name's and the SKU's (SKUs are unique)."""
    slug = slugify(name)
    if slug and session.scalar(select(Product.id).where(Product.slug == slug)) is None:
        return slug
    longer = slugify(f"{slug} {sku}", limit=160)
    if not longer:
        raise InvalidInput("a product needs a name or SKU with letters or digits", field="name")
    return longer


def _check_hsn(code: str | None) -> None:
    """Chapter, heading and subheading of the harmonised system: 4, 6 or 8 digits on Indian documents."""
    if code is not None and not re.fullmatch(r"[0-9]{4}(?:[0-9]{2}){0,2}", code):
        raise InvalidInput(f"an HSN code has 4, 6 or 8 digits, not {code!r}", field="hsn_code")


def _check_figures(*, tax_rate_bp: int = 0, weight_grams: int = 0) -> None:
    if not 0 <= tax_rate_bp <= 10_000:
        raise InvalidInput("a tax rate lies between 0 and 10,000 basis points", field="tax_rate_bp")
    if weight_grams < 0:
        raise InvalidInput("a weight is not negative", field="weight_grams")
