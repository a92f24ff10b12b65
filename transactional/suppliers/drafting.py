"""The reorder job: suggestions become drafts, one a supplier, currency and location, however often it runs.

A draft's line follows the suggestion until somebody edits it or places the order. What stands on somebody's own draft
is left alone: it is being bought already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.suppliers import ordering, requirements
from transactional.suppliers.catalogue import lock_supplier
from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrigin,
    PurchaseStatus,
    Supplier,
    SupplierProduct,
)
from transactional.suppliers.reorder import Inputs, Suggestion, suggestions

_NOT_NEEDED = "nothing is needed any more"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What a run changed: draft lines written and taken off again."""

    written: int = 0
    removed: int = 0

    def __add__(self, other: "Drafted") -> "Drafted":
        return Drafted(self.written + other.written, self.removed + other.removed)


def active_suppliers(session: Session) -> Sequence[int]:
    """Whom the job draws up orders for, in the order in which they are locked."""
    return session.scalars(select(Supplier.id).where(Supplier.is_active).order_by(Supplier.id)).all()


def draw_up_all(session: Session, *, now: datetime) -> Drafted:
    """Bring every supplier's reorder drafts up to date in one transaction; suppliers are locked in id order."""
    return sum(
        (draw_up_orders(session, supplier_id=supplier_id, now=now) for supplier_id in active_suppliers(session)),
        Drafted(),
    )


def draw_up_orders(session: Session, *, supplier_id: int, now: datetime) -> Drafted:
    """Bring one supplier's reorder drafts to what the suggestions say now. Running it again changes nothing.

    The supplier is locked before anything is read, so what is placed or received meanwhile is seen whole.
    """
    lock_supplier(session, supplier_id)
    drafts = _drafts(session)
    taken = {
        (order.location_id, line.variant_id)
        for order, line in drafts
        if order.origin is PurchaseOrigin.MANUAL or line.is_edited
    }
    wanted = [
        (suggestion, suggestion.product)
        for suggestion in suggestions(session, now=now, supplier_id=supplier_id)
        if suggestion.quantity and suggestion.product
        if (suggestion.inputs.location_id, suggestion.inputs.variant_id) not in taken
    ]
    own = [
        (order, line)
        for order, line in drafts
        if order.supplier_id == supplier_id and order.origin is PurchaseOrigin.REORDER and not line.is_edited
    ]
    removed = _remove_stale(session, own, wanted, now)
    written = sum(_write(session, suggestion.inputs, product, own, now) for suggestion, product in wanted)
    return Drafted(written, removed)


def _drafts(session: Session) -> list[tuple[PurchaseOrder, PurchaseOrderLine]]:
    rows = session.execute(
        select(PurchaseOrder, PurchaseOrderLine)
        .join(PurchaseOrderLine, PurchaseOrderLine.purchase_order_id == PurchaseOrder.id)
        .where(PurchaseOrder.status == PurchaseStatus.DRAFT)
        .order_by(PurchaseOrderLine.id)
        .execution_options(populate_existing=True)
    )
    return [(order, line) for order, line in rows]


def _remove_stale(
    session: Session,
    own: Sequence[tuple[PurchaseOrder, PurchaseOrderLine]],
    wanted: Sequence[tuple[Suggestion, SupplierProduct]],
    now: datetime,
) -> int:
    """Take lines off that no suggestion asks for any more; a draft that this empties is cancelled."""
    asked = {(suggestion.inputs.location_id, product.currency, product.id) for suggestion, product in wanted}
    stale = [
        (order, line)
        for order, line in own
        if (order.location_id, order.currency, line.supplier_product_id) not in asked
    ]
    for _order, line in stale:
        ordering.delete_line(session, line.id)
    still_wanted = {(location_id, currency) for location_id, currency, _product in asked}
    for order in {order.id: order for order, _line in stale}.values():
        if (order.location_id, order.currency) not in still_wanted and not ordering.lines_of(session, order.id):
            ordering.cancel(session, purchase_order_id=order.id, reason=_NOT_NEEDED, now=now)
    return len(stale)


def _write(
    session: Session,
    inputs: Inputs,
    product: SupplierProduct,
    own: Sequence[tuple[PurchaseOrder, PurchaseOrderLine]],
    now: datetime,
) -> bool:
    """Put a suggestion on the supplier's draft; False where it stands there already."""
    for order, line in own:
        stands = order.location_id == inputs.location_id and line.supplier_product_id == product.id
        if stands and inputs.same_apart_from_the_moment(line.inputs):
            return False
    order = _reorder_draft(session, product, inputs.location_id, now)
    line = ordering.write_line(
        session,
        order,
        product,
        quantity=inputs.quantity,
        now=now,
        inputs=inputs.stored(),
        is_edited=False,
    )
    requirements.forecast(
        session,
        line=line,
        location_id=inputs.location_id,
        quantity=inputs.target - inputs.projected,
        needed_by=(now + timedelta(days=inputs.lead_time_days)).date(),
        now=now,
    )
    return True


def _reorder_draft(session: Session, product: SupplierProduct, location_id: int, now: datetime) -> PurchaseOrder:
    known = session.scalar(
        select(PurchaseOrder).where(
            PurchaseOrder.supplier_id == product.supplier_id,
            PurchaseOrder.location_id == location_id,
            PurchaseOrder.currency == product.currency,
            PurchaseOrder.status == PurchaseStatus.DRAFT,
            PurchaseOrder.origin == PurchaseOrigin.REORDER,
        )
    )
    return known or ordering.draft_order(
        session,
        supplier_id=product.supplier_id,
        location_id=location_id,
        currency=product.currency,
        now=now,
        origin=PurchaseOrigin.REORDER,
        note="drawn up by the reorder job",
    )
