"""Suppliers and the articles that the shop buys from them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.inventory.service import check_stocked
from transactional.suppliers.models import Supplier, SupplierProduct


class SupplierDetails(TypedDict, total=False):
    """What can be said of a supplier besides the code; absent fields stay as they are."""

    name: str
    email: str | None
    phone: str | None
    over_delivery_bp: int
    is_active: bool


class Terms(TypedDict, total=False):
    """The terms of an article; absent ones stay as they are. Costs in minor units, quantities in the shop's units."""

    pack_size: int
    minimum_quantity: int
    cost_minor: int
    currency: str
    lead_time_days: int
    is_preferred: bool
    is_active: bool


def create_supplier(session: Session, *, code: str, now: datetime, **details: Unpack[SupplierDetails]) -> Supplier:
    """A new supplier. Raises InvalidInput without code or name, Conflict for a code in use."""
    if not code.strip() or not details.get("name", "").strip():
        raise InvalidInput("a supplier has a code and a name")
    supplier = Supplier(code=code.strip().upper(), created_at=now, **details)
    try:
        with session.begin_nested():
            session.add(supplier)
    except IntegrityError as error:
        raise Conflict(f"there is a supplier {supplier.code} already") from error
    return supplier


def update_supplier(session: Session, *, supplier_id: int, **details: Unpack[SupplierDetails]) -> Supplier:
    """Change what is given. Raises NotFound, InvalidInput for an empty name."""
    supplier = get_supplier(session, supplier_id)
    if not details.get("name", supplier.name).strip():
        raise InvalidInput("a supplier has a name", field="name")
    for name, value in details.items():
        setattr(supplier, name, value)
    session.flush()
    return supplier


def get_supplier(session: Session, supplier_id: int) -> Supplier:
    """One supplier; NotFound for an unknown one."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is None:
        raise NotFound(f"there is no supplier {supplier_id}")
    return supplier


def supplier_by_code(session: Session, code: str) -> Supplier:
    """One supplier by its code, whatever the case; NotFound for an unknown one."""
    supplier = session.scalar(select(Supplier).where(Supplier.code == code.strip().upper()))
    if supplier is None:
        raise NotFound(f"there is no supplier {code!r}")
    return supplier


def lock_supplier(session: Session, supplier_id: int) -> Supplier:
    """One pen for each supplier: whoever writes its procurement waits here for whoever does so already."""
    supplier = session.scalar(
        select(Supplier).where(Supplier.id == supplier_id).with_for_update().execution_options(populate_existing=True)
    )
    if supplier is None:
        raise NotFound(f"there is no supplier {supplier_id}")
    return supplier


def suppliers(session: Session, *, after_id: int | None = None, limit: int = 50) -> Sequence[Supplier]:
    """Suppliers in id order."""
    statement = select(Supplier).order_by(Supplier.id).limit(limit)
    if after_id is not None:
        statement = statement.where(Supplier.id > after_id)
    return session.scalars(statement).all()


def add_product(
    session: Session, *, supplier_id: int, supplier_sku: str, variant_id: int, now: datetime, **terms: Unpack[Terms]
) -> SupplierProduct:
    """An article that stands for one variant.

    Raises NotFound (supplier, variant), InvalidInput (bundle, terms without sense), Conflict where the supplier sells
    something else under this SKU already.
    """
    get_supplier(session, supplier_id)
    check_stocked(session, variant_id)
    _check_terms(terms)
    if not supplier_sku.strip() or not {"cost_minor", "currency", "lead_time_days"} <= terms.keys():
        raise InvalidInput("an article has a supplier's SKU, a cost with its currency, and a lead time")
    product = SupplierProduct(
        supplier_id=supplier_id, supplier_sku=supplier_sku.strip(), variant_id=variant_id, created_at=now, **terms
    )
    try:
        with session.begin_nested():
            session.add(product)
    except IntegrityError as error:
        raise Conflict(f"the supplier's SKU {product.supplier_sku} is known already") from error
    return product


def update_product(session: Session, *, supplier_product_id: int, **terms: Unpack[Terms]) -> SupplierProduct:
    """Change an article's terms; orders that were placed keep theirs. Raises NotFound, InvalidInput."""
    product = get_product(session, supplier_product_id)
    _check_terms(terms)
    for name, value in terms.items():
        setattr(product, name, value)
    session.flush()
    return product


def get_product(session: Session, supplier_product_id: int) -> SupplierProduct:
    """One article; NotFound for an unknown one."""
    product = session.get(SupplierProduct, supplier_product_id)
    if product is None:
        raise NotFound(f"there is no supplier product {supplier_product_id}")
    return product


def products_of(
    session: Session, supplier_id: int, *, after_id: int | None = None, limit: int = 50
) -> Sequence[SupplierProduct]:
    """A supplier's articles in id order."""
    statement = select(SupplierProduct).where(SupplierProduct.supplier_id == supplier_id)
    if after_id is not None:
        statement = statement.where(SupplierProduct.id > after_id)
    return session.scalars(statement.order_by(SupplierProduct.id).limit(limit)).all()


def chosen_products(session: Session) -> dict[int, SupplierProduct]:
    """The article that each variant is bought as: the preferred one, else the cheapest, else the quickest."""
    rows = session.scalars(
        select(SupplierProduct)
        .join(Supplier, Supplier.id == SupplierProduct.supplier_id)
        .where(SupplierProduct.is_active, Supplier.is_active)
        .order_by(
            SupplierProduct.variant_id,
            SupplierProduct.is_preferred.desc(),
            SupplierProduct.cost_minor,
            SupplierProduct.lead_time_days,
            SupplierProduct.id,
        )
    )
    chosen: dict[int, SupplierProduct] = {}
    for product in rows:
        chosen.setdefault(product.variant_id, product)
    return chosen


def _check_terms(terms: Terms) -> None:
    if terms.get("pack_size", 1) < 1 or terms.get("minimum_quantity", 1) < 1:
        raise InvalidInput("pack size and minimum quantity are at least 1")
    if terms.get("cost_minor", 0) < 0 or terms.get("lead_time_days", 0) < 0:
        raise InvalidInput("cost and lead time are not negative")
