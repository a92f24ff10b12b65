"""What the shop should buy, and why: every figure that went into a suggestion is kept with it.

Suggestion = target − projected stock, in whole packs and not below the supplier's minimum, where projected stock =
on hand − reserved + on order. The target is the level's reorder point (policy `fixed`), or the demand over the lead
time and the safety stock (policy `forecast`, see `suppliers.demand`). On order is what was placed and has not come; a
draft is not. On hand, reserved, on order and demand can be told again for any past moment from the ledgers alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from transactional.core.errors import NotFound
from transactional.inventory import service as inventory
from transactional.inventory.service import ReorderPolicy, StockLevel
from transactional.suppliers.catalogue import chosen_products
from transactional.suppliers.demand import Demand, orderable, safety_stock, units_up
from transactional.suppliers.models import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseReceipt,
    PurchaseReceiptLine,
    SupplierProduct,
)

DEMAND_DAYS = 90
"""So many whole days before the day of the suggestion count as the demand, fewer for a level that is younger."""

_NO_DEMAND = Demand(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that a suggestion follows from, and what follows from it; stored with the line that it makes."""

    as_of: str
    """The moment, ISO 8601."""
    variant_id: int
    location_id: int
    policy: str
    on_hand: int
    reserved: int
    on_order: int
    demand_days: int
    demand_units: int
    demand_squares: int
    """Σ of the squares of each day's units: with days and units it gives the standard deviation."""
    lead_time_days: int
    service_level_bp: int
    reorder_point: int
    pack_size: int
    minimum_quantity: int
    demand_over_lead_time: float = 0.0
    safety_stock: float = 0.0
    target: int = 0
    projected: int = 0
    quantity: int = 0

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def same_apart_from_the_moment(self, stored: dict[str, Any]) -> bool:
        """Whether stored inputs say the same."""
        return self.stored() | {"as_of": None} == stored | {"as_of": None}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Units to buy for a level; `product` is None where nobody sells them to the shop."""

    inputs: Inputs
    product: SupplierProduct | None

    @property
    def quantity(self) -> int:
        """Units to order; 0 where there are enough."""
        return self.inputs.quantity


def suggestions(session: Session, *, now: datetime, supplier_id: int | None = None) -> list[Suggestion]:
    """A suggestion for every level with a reorder policy, those that need nothing included.

    With `supplier_id` only for what is bought there.
    """
    levels = inventory.reorder_levels(session)
    chosen = chosen_products(session)
    if supplier_id is not None:
        of_supplier = {variant for variant, product in chosen.items() if product.supplier_id == supplier_id}
        levels = [level for level in levels if level.variant_id in of_supplier]
    variant_ids = {level.variant_id for level in levels}
    coming = on_order(session, variant_ids, at=now)
    demand = observed_demand(session, variant_ids, at=now)
    return [
        suggest(level, chosen.get(level.variant_id), coming.get(place, 0), demand.get(place, _NO_DEMAND), now)
        for level in levels
        for place in [(level.variant_id, level.location_id)]
    ]


def suggest(
    level: StockLevel, product: SupplierProduct | None, on_order_units: int, demand: Demand, now: datetime
) -> Suggestion:
    """What to buy for one level from this article."""
    given = Inputs(
        as_of=now.astimezone(UTC).isoformat(),
        variant_id=level.variant_id,
        location_id=level.location_id,
        policy=level.reorder_policy.value,
        on_hand=level.on_hand,
        reserved=level.reserved,
        on_order=on_order_units,
        demand_days=demand.days,
        demand_units=demand.units,
        demand_squares=demand.squares,
        lead_time_days=product.lead_time_days if product else 0,
        service_level_bp=level.service_level_bp,
        reorder_point=level.reorder_point,
        pack_size=product.pack_size if product else 1,
        minimum_quantity=product.minimum_quantity if product else 1,
    )
    return Suggestion(evaluate(given), product)


def evaluate(given: Inputs) -> Inputs:
    """The formula: what follows from the inputs alone."""
    demand = Demand(given.demand_days, given.demand_units, given.demand_squares)
    expected = demand.over(given.lead_time_days)
    safety = safety_stock(demand, lead_time_days=given.lead_time_days, service_level_bp=given.service_level_bp)
    fixed = given.policy == ReorderPolicy.FIXED
    target = given.reorder_point if fixed else units_up(float(expected) + safety)
    projected = given.on_hand - given.reserved + given.on_order
    return replace(
        given,
        demand_over_lead_time=round(float(expected), 3),
        safety_stock=round(safety, 3),
        target=target,
        projected=projected,
        quantity=orderable(target - projected, pack_size=given.pack_size, minimum_quantity=given.minimum_quantity),
    )


def told_again(session: Session, stored: dict[str, Any]) -> Inputs:
    """A stored suggestion anew: stock, orders and demand from the ledgers at that moment, the terms as stored."""
    given = Inputs(**stored)
    at = datetime.fromisoformat(given.as_of)
    place = {"variant_id": given.variant_id, "location_id": given.location_id}
    position = inventory.position_at(session, **place, at=at)
    level = (given.variant_id, given.location_id)
    demand = observed_demand(session, [given.variant_id], at=at).get(level, _NO_DEMAND)
    return evaluate(
        replace(
            given,
            on_hand=position.on_hand,
            reserved=position.reserved,
            on_order=on_order(session, [given.variant_id], at=at).get(level, 0),
            demand_days=demand.days,
            demand_units=demand.units,
            demand_squares=demand.squares,
        )
    )


def explain(session: Session, line_id: int) -> tuple[Inputs, Inputs]:
    """A line's formula as stored and as told again now; NotFound for an unknown line or one that a person drew up."""
    line = session.get(PurchaseOrderLine, line_id)
    if line is None or not line.inputs:
        raise NotFound(f"there is no suggestion behind line {line_id}")
    return Inputs(**line.inputs), told_again(session, line.inputs)


def observed_demand(session: Session, variant_ids: Collection[int], *, at: datetime) -> dict[tuple[int, int], Demand]:
    """(variant, location) → what was sold there in the whole UTC days before the moment's own day.

    Levels without any movement are left out. Days on which nothing could be sold count as days without demand: a shelf
    that was empty for long is underestimated.
    """
    until = at.astimezone(UTC).date()
    earliest = until - timedelta(days=DEMAND_DAYS)
    sold = inventory.daily_sales(session, variant_ids=variant_ids, first=earliest, until=until)
    observed: dict[tuple[int, int], Demand] = {}
    for place, began in inventory.first_movements(session, variant_ids=variant_ids).items():
        first = max(earliest, began.astimezone(UTC).date())
        # Nothing was sold before the first movement.
        observed[place] = Demand.of(sold.get(place, {}).values(), days=max(0, (until - first).days))
    return observed


def on_order(session: Session, variant_ids: Iterable[int], *, at: datetime) -> dict[tuple[int, int], int]:
    """Units by (variant, location) that were placed by then and had neither come nor been given up."""
    came = (
        select(
            func.coalesce(
                func.sum(
                    PurchaseReceiptLine.quantity
                    + PurchaseReceiptLine.damaged_quantity
                    + PurchaseReceiptLine.short_quantity
                ),
                0,
            )
        )
        .join(PurchaseReceipt, PurchaseReceipt.id == PurchaseReceiptLine.purchase_receipt_id)
        .where(PurchaseReceiptLine.purchase_order_line_id == PurchaseOrderLine.id, PurchaseReceipt.received_at <= at)
        .correlate(PurchaseOrderLine)
        .scalar_subquery()
    )
    rows = session.execute(
        select(PurchaseOrderLine.variant_id, PurchaseOrder.location_id, PurchaseOrderLine.quantity - came)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id)
        .where(
            PurchaseOrderLine.variant_id.in_(list(variant_ids)),
            PurchaseOrder.placed_at <= at,
            or_(PurchaseOrder.cancelled_at.is_(None), PurchaseOrder.cancelled_at > at),
            or_(PurchaseOrder.closed_at.is_(None), PurchaseOrder.closed_at > at),
        )
    )
    coming: dict[tuple[int, int], int] = {}
    for variant_id, location_id, outstanding in rows:
        key = (variant_id, location_id)
        coming[key] = coming.get(key, 0) + max(0, int(outstanding))
    return coming


def in_words(inputs: Inputs) -> str:
    """The suggestion as a sentence for whoever approves it."""
    stock = (
        f"{inputs.on_hand} on hand − {inputs.reserved} reserved + {inputs.on_order} on order = {inputs.projected} units"
    )
    if inputs.policy == ReorderPolicy.FIXED:
        target = f"the reorder point of {inputs.reorder_point}"
    else:
        target = (
            f"{inputs.demand_over_lead_time:g} units expected in {inputs.lead_time_days} days "
            f"({inputs.demand_units} sold in {inputs.demand_days} days) + {inputs.safety_stock:g} of safety stock "
            f"for a service level of {inputs.service_level_bp / 100:g} % = {inputs.target}"
        )
    return (
        f"{stock}; wanted: {target}; to order: {inputs.quantity} "
        f"(packs of {inputs.pack_size}, at least {inputs.minimum_quantity})"
    )
