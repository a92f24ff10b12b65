"""Procurement orders from the draft to their end.

Whoever writes an order locks its supplier first and then changes the status conditionally, so a delivery, a placement
and the reorder job never see half of each other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from transactional.core.counters import next_number
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.outbox import publish
from transactional.inventory.service import get_location
from transactional.suppliers import requirements
from transactional.suppliers.catalogue import get_product, lock_supplier
from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrigin,
    PurchaseStatus,
    SupplierProduct,
)

ORDER_PLACED = "procurement.order_placed"
"""Outbox topic {purchase_order_id}: the order goes to the supplier."""

TRANSITIONS: Mapping[PurchaseStatus, frozenset[PurchaseStatus]] = {
    PurchaseStatus.DRAFT: frozenset({PurchaseStatus.PLACED, PurchaseStatus.CANCELLED}),
    PurchaseStatus.PLACED: frozenset(
        {PurchaseStatus.PARTIALLY_RECEIVED, PurchaseStatus.RECEIVED, PurchaseStatus.CANCELLED}
    ),
    PurchaseStatus.PARTIALLY_RECEIVED: frozenset({PurchaseStatus.RECEIVED, PurchaseStatus.CLOSED}),
    PurchaseStatus.RECEIVED: frozenset({PurchaseStatus.CLOSED}),
    PurchaseStatus.CLOSED: frozenset(),
    PurchaseStatus.CANCELLED: frozenset(),
}
"""What may follow each status; nothing else moves an order."""

_BASIS_POINTS = 10_000


def draft_order(
    session: Session,
    *,
    supplier_id: int,
    location_id: int,
    currency: str,
    now: datetime,
    note: str = "",
    origin: PurchaseOrigin = PurchaseOrigin.MANUAL,
) -> PurchaseOrder:
    """A new draft without lines. Raises NotFound (supplier, location), Conflict for a supplier that is not active."""
    supplier = lock_supplier(session, supplier_id)
    if not supplier.is_active:
        raise Conflict(f"supplier {supplier.code} is not active")
    get_location(session, location_id)
    order = PurchaseOrder(
        purchase_number=f"PO-{next_number(session, 'purchase_orders'):06d}",
        supplier_id=supplier_id,
        location_id=location_id,
        currency=currency,
        status=PurchaseStatus.DRAFT,
        origin=origin,
        note=note[:500],
        created_at=now,
    )
    session.add(order)
    session.flush()
    return order


def set_line(
    session: Session, *, purchase_order_id: int, supplier_product_id: int, quantity: int, now: datetime
) -> PurchaseOrderLine:
    """Put so many units of an article on a draft, in place of what was there.

    Raises NotFound, InvalidInput (another supplier's article or currency, no whole packs, below the minimum),
    IllegalTransition once the order is placed.
    """
    order = lock_draft(session, purchase_order_id)
    product = get_product(session, supplier_product_id)
    _check_line(order, product, quantity)
    return write_line(session, order, product, quantity=quantity, now=now, inputs={}, is_edited=True)


def write_line(
    session: Session,
    order: PurchaseOrder,
    product: SupplierProduct,
    *,
    quantity: int,
    now: datetime,
    inputs: Mapping[str, object],
    is_edited: bool,
) -> PurchaseOrderLine:
    """Write a draft's line for an article. The caller has locked the order."""
    row = {
        "purchase_order_id": order.id,
        "supplier_product_id": product.id,
        "variant_id": product.variant_id,
        "quantity": quantity,
        "tolerance": 0,
        "received_quantity": 0,
        "damaged_quantity": 0,
        "short_quantity": 0,
        "is_edited": is_edited,
        "inputs": dict(inputs),
        "created_at": now,
    }
    changed: dict[str, object] = {"quantity": quantity, "is_edited": is_edited}
    if inputs:
        changed["inputs"] = dict(inputs)
    statement = insert_into(session, PurchaseOrderLine).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["purchase_order_id", "supplier_product_id"], set_=changed
    )
    line = session.scalar(statement.returning(PurchaseOrderLine), execution_options={"populate_existing": True})
    assert line is not None
    return line


def remove_line(session: Session, *, purchase_order_id: int, supplier_product_id: int) -> None:
    """Take an article off a draft; NotFound where it is not on it, IllegalTransition once the order is placed."""
    order = lock_draft(session, purchase_order_id)
    line_id = session.scalar(
        select(PurchaseOrderLine.id).where(
            PurchaseOrderLine.purchase_order_id == order.id,
            PurchaseOrderLine.supplier_product_id == supplier_product_id,
        )
    )
    if line_id is None:
        raise NotFound("the article is not on this order")
    delete_line(session, line_id)


def delete_line(session: Session, line_id: int) -> None:
    """Delete a draft's line; what it was to cover is open again. The caller has locked the order."""
    requirements.forget(session, [line_id])
    session.execute(delete(PurchaseOrderLine).where(PurchaseOrderLine.id == line_id))


def place(session: Session, *, purchase_order_id: int, now: datetime) -> PurchaseOrder:
    """Send a draft to its supplier: prices and tolerances are fixed from now on, and the goods count as on order.

    Publishes `procurement.order_placed`. Raises NotFound, IllegalTransition for what is no draft, InvalidInput for one
    without lines, Conflict where an article's currency has changed meanwhile.
    """
    order = lock_order(session, purchase_order_id)
    supplier = lock_supplier(session, order.supplier_id)
    rows = session.execute(
        select(PurchaseOrderLine, SupplierProduct)
        .join(SupplierProduct, SupplierProduct.id == PurchaseOrderLine.supplier_product_id)
        .where(PurchaseOrderLine.purchase_order_id == order.id)
        .order_by(PurchaseOrderLine.id)
        .execution_options(populate_existing=True)
    ).all()
    _refuse_unless(order, PurchaseStatus.PLACED)
    if not rows:
        raise InvalidInput("an order without lines cannot be placed")
    for line, product in rows:
        if product.currency != order.currency:
            raise Conflict(f"{product.supplier_sku} costs {product.currency} now, the order is in {order.currency}")
        line.unit_cost_minor = product.cost_minor
        line.tolerance = line.quantity * supplier.over_delivery_bp // _BASIS_POINTS
    longest = max(product.lead_time_days for _line, product in rows)
    move(session, order, PurchaseStatus.PLACED)
    order.placed_at, order.expected_at = now, now + timedelta(days=longest)
    session.flush()
    payload = {"purchase_order_id": order.id}
    publish(session, ORDER_PLACED, payload, dedup_key=f"{ORDER_PLACED}:{order.id}", now=now)
    return order


def cancel(session: Session, *, purchase_order_id: int, reason: str, now: datetime) -> PurchaseOrder:
    """Call off an order of which nothing has come. Raises NotFound, InvalidInput (no reason), IllegalTransition."""
    if not reason.strip():
        raise InvalidInput("a cancellation needs a reason", field="reason")
    order = lock_order(session, purchase_order_id)
    move(session, order, PurchaseStatus.CANCELLED)
    order.cancelled_at, order.closing_reason = now, reason[:200]
    requirements.give_up(session, _line_ids(session, order), now=now)
    session.flush()
    return order


def close(session: Session, *, purchase_order_id: int, reason: str, now: datetime) -> PurchaseOrder:
    """Nothing more will come: what is outstanding counts as short. Raises NotFound, IllegalTransition."""
    order = lock_order(session, purchase_order_id)
    move(session, order, PurchaseStatus.CLOSED)
    order.closed_at, order.closing_reason = now, reason[:200] or None
    missing = outstanding(PurchaseOrderLine)
    short = session.scalars(
        update(PurchaseOrderLine)
        .where(PurchaseOrderLine.purchase_order_id == order.id, missing > 0)
        .values(short_quantity=PurchaseOrderLine.short_quantity + missing)
        .returning(PurchaseOrderLine.id)
        .execution_options(synchronize_session=False)
    ).all()
    requirements.give_up(session, short, now=now)
    session.flush()
    return order


def lock_order(session: Session, purchase_order_id: int) -> PurchaseOrder:
    """The order as it stands, its supplier locked; NotFound for an unknown one."""
    supplier_id = session.scalar(select(PurchaseOrder.supplier_id).where(PurchaseOrder.id == purchase_order_id))
    if supplier_id is None:
        raise NotFound(f"there is no procurement order {purchase_order_id}")
    lock_supplier(session, supplier_id)
    return session.get_one(PurchaseOrder, purchase_order_id, populate_existing=True)


def lock_draft(session: Session, purchase_order_id: int) -> PurchaseOrder:
    """The order, its supplier locked; IllegalTransition where it is no draft any more."""
    order = lock_order(session, purchase_order_id)
    if order.status is not PurchaseStatus.DRAFT:
        raise IllegalTransition(f"order {order.purchase_number} is {order.status}: only a draft can be changed")
    return order


def move(session: Session, order: PurchaseOrder, to: PurchaseStatus) -> None:
    """Change the status; IllegalTransition where the table does not allow it or somebody was faster."""
    _refuse_unless(order, to)
    moved = session.scalar(
        update(PurchaseOrder)
        .where(PurchaseOrder.id == order.id, PurchaseOrder.status == order.status)
        .values(status=to)
        .returning(PurchaseOrder.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise IllegalTransition(f"order {order.purchase_number} has just been changed by somebody else")
    session.refresh(order, ["status"])


def outstanding(line: type[PurchaseOrderLine]) -> ColumnElement[int]:
    """Units of a line that are still to come; below 0 where more came than was ordered."""
    return line.quantity - line.received_quantity - line.damaged_quantity - line.short_quantity


def orders(
    session: Session,
    *,
    supplier_id: int | None = None,
    status: PurchaseStatus | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[PurchaseOrder]:
    """Procurement orders, newest first."""
    statement = select(PurchaseOrder).order_by(PurchaseOrder.id.desc()).limit(limit)
    if supplier_id is not None:
        statement = statement.where(PurchaseOrder.supplier_id == supplier_id)
    if status is not None:
        statement = statement.where(PurchaseOrder.status == status)
    if before_id is not None:
        statement = statement.where(PurchaseOrder.id < before_id)
    return session.scalars(statement).all()


def get_order(session: Session, purchase_order_id: int) -> PurchaseOrder:
    """One order; NotFound for an unknown one."""
    order = session.get(PurchaseOrder, purchase_order_id)
    if order is None:
        raise NotFound(f"there is no procurement order {purchase_order_id}")
    return order


def lines_of(session: Session, purchase_order_id: int) -> Sequence[PurchaseOrderLine]:
    """An order's lines in id order."""
    statement = select(PurchaseOrderLine).where(PurchaseOrderLine.purchase_order_id == purchase_order_id)
    return session.scalars(statement.order_by(PurchaseOrderLine.id).execution_options(populate_existing=True)).all()


def get_line(session: Session, line_id: int) -> PurchaseOrderLine:
    """One line; NotFound for an unknown one."""
    line = session.get(PurchaseOrderLine, line_id)
    if line is None:
        raise NotFound(f"there is no procurement order line {line_id}")
    return line


def _check_line(order: PurchaseOrder, product: SupplierProduct, quantity: int) -> None:
    if product.supplier_id != order.supplier_id:
        raise InvalidInput("the article is another supplier's", field="supplier_product_id")
    if product.currency != order.currency:
        raise InvalidInput(f"the article costs {product.currency}, the order is in {order.currency}")
    if not product.is_active:
        raise InvalidInput("the article is no longer bought", field="supplier_product_id")
    if quantity < product.minimum_quantity or quantity % product.pack_size:
        raise InvalidInput(
            f"{product.supplier_sku} comes in packs of {product.pack_size}, at least {product.minimum_quantity} units",
            field="quantity",
        )


def _refuse_unless(order: PurchaseOrder, to: PurchaseStatus) -> None:
    if to not in TRANSITIONS[order.status]:
        raise IllegalTransition(f"order {order.purchase_number} is {order.status}: it cannot become {to}")


def _line_ids(session: Session, order: PurchaseOrder) -> list[int]:
    statement = select(PurchaseOrderLine.id).where(PurchaseOrderLine.purchase_order_id == order.id)
    return list(session.scalars(statement))
