"""How a supplier keeps its word: lead times as they were, and how much of what was ordered came."""

from dataclasses import dataclass
from statistics import mean, stdev

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.suppliers.catalogue import get_supplier
from transactional.suppliers.models import PurchaseOrder, PurchaseOrderLine, PurchaseStatus

_SECONDS_A_DAY = 86_400
_ENDED = (PurchaseStatus.RECEIVED, PurchaseStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class Performance:
    """Of orders that are complete or closed; None where there is nothing to tell yet."""

    orders: int
    on_time: int
    """Complete no later than expected."""
    lead_time_days: float | None
    lead_time_deviation_days: float | None
    ordered: int
    received: int
    damaged: int
    short: int


def performance(session: Session, supplier_id: int) -> Performance:
    """A supplier's record. Raises NotFound."""
    get_supplier(session, supplier_id)
    rows = session.execute(
        select(PurchaseOrder.placed_at, PurchaseOrder.expected_at, PurchaseOrder.received_at).where(
            PurchaseOrder.supplier_id == supplier_id, PurchaseOrder.status.in_(_ENDED)
        )
    ).all()
    spans = [received - placed for placed, _expected, received in rows if received and placed]
    days = [span.total_seconds() / _SECONDS_A_DAY for span in spans]
    line = PurchaseOrderLine
    sums = session.execute(
        select(
            func.coalesce(func.sum(line.quantity), 0),
            func.coalesce(func.sum(line.received_quantity), 0),
            func.coalesce(func.sum(line.damaged_quantity), 0),
            func.coalesce(func.sum(line.short_quantity), 0),
        )
        .join(PurchaseOrder, PurchaseOrder.id == line.purchase_order_id)
        .where(PurchaseOrder.supplier_id == supplier_id, PurchaseOrder.status.in_(_ENDED))
    ).one()
    ordered, received_units, damaged, short = (int(units) for units in sums)
    return Performance(
        orders=len(rows),
        on_time=sum(1 for _placed, expected, received in rows if received and expected and received <= expected),
        lead_time_days=round(mean(days), 2) if days else None,
        lead_time_deviation_days=round(stdev(days), 2) if len(days) > 1 else None,
        ordered=ordered,
        received=received_units,
        damaged=damaged,
        short=short,
    )
