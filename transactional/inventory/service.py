"""The shelf: receipts, adjustments, holds for orders, and the ledger that proves every level.

For every stock level `on_hand` = Σ movements and `reserved` = Σ live holds. Levels change only by conditional writes;
rows are taken in (variant, location) order, so that two orders for the same goods never wait for each other in a ring.

How far a level may be promised is the variant's policy: `deny` keeps `on_hand − reserved − threshold` at zero or above;
`backorder` does the same where the threshold is negative and knows no limit otherwise; `untracked` knows no limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy, variants_by_id
from transactional.core.errors import Conflict, InvalidInput, NotFound, OutOfStock
from transactional.inventory.levels import (
    default_location,
    discrepancies,
    ensure_level,
    most_saleable,
    promise,
    read_levels,
    shift,
)
from transactional.inventory.models import HoldState, Location, MovementKind, StockHold, StockLevel, StockMovement

__all__ = [
    "HoldState",
    "Location",
    "MovementKind",
    "SoldLine",
    "StockHold",
    "StockLevel",
    "StockMovement",
    "adjust",
    "confirm_holds",
    "default_location",
    "discrepancies",
    "fulfil_holds",
    "hold",
    "levels",
    "locations",
    "movements",
    "receive",
    "release_holds",
    "restock",
    "saleable",
]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """An order line that leaves the house: its sale is posted in its own name."""

    order_line_id: int
    variant_id: int
    quantity: int


def receive(
    session: Session, *, variant_id: int, location_id: int, quantity: int, reason: str, now: datetime
) -> StockMovement:
    """Put `quantity` units on the shelf; gives the movement. Raises InvalidInput for a quantity below 1."""
    _require_positive(quantity)
    _put_on_shelf(session, variant_id, location_id, quantity)
    return _post(
        session,
        MovementKind.RECEIPT,
        variant_id=variant_id,
        location_id=location_id,
        quantity=quantity,
        reason=reason,
        now=now,
    )


def restock(
    session: Session,
    *,
    variant_id: int,
    quantity: int,
    now: datetime,
    location_id: int | None = None,
    return_line_id: int | None = None,
    reason: str = "returned by the customer",
) -> StockMovement:
    """Put returned units back on the shelf of `location_id` (default: the main store room)."""
    _require_positive(quantity)
    target = location_id if location_id is not None else default_location(session).id
    _put_on_shelf(session, variant_id, target, quantity)
    return _post(
        session,
        MovementKind.RETURN,
        variant_id=variant_id,
        location_id=target,
        quantity=quantity,
        reason=reason,
        now=now,
        return_line_id=return_line_id,
    )


def adjust(
    session: Session, *, variant_id: int, location_id: int, quantity: int, reason: str, now: datetime
) -> StockMovement:
    """Correct the shelf by a signed `quantity` (breakage, a count).

    Raises InvalidInput for a zero quantity or an empty reason, Conflict where units that are promised to orders would
    be taken from a variant that cannot be back-ordered.
    """
    if quantity == 0:
        raise InvalidInput("an adjustment changes the stock by at least one unit")
    if not reason.strip():
        raise InvalidInput("an adjustment needs a reason")
    if quantity > 0:
        _put_on_shelf(session, variant_id, location_id, quantity)
    else:
        _take_off_shelf(session, variant_id, location_id, -quantity)
    return _post(
        session,
        MovementKind.ADJUSTMENT,
        variant_id=variant_id,
        location_id=location_id,
        quantity=quantity,
        reason=reason,
        now=now,
    )


def hold(
    session: Session, *, order_id: int, demand: Mapping[int, int], expires_at: datetime | None, now: datetime
) -> None:
    """Promise `demand` (units per variant, summed over the order's lines) to an order until `expires_at`.

    All or nothing. A variant is taken from the first location that has all of it. Raises OutOfStock with `shortages`
    (variant_id, sku, wanted, left); the caller must then roll back, because earlier variants are promised already.
    """
    policies = _policies(session, demand)
    known = read_levels(session, demand)
    held: list[StockHold] = []
    for variant_id in sorted(demand):
        quantity = demand[variant_id]
        _require_positive(quantity)
        location_id = promise(session, variant_id, quantity, policies[variant_id], known.get(variant_id, []))
        if location_id is None:
            raise _out_of_stock(session, demand)
        held.append(
            StockHold(
                variant_id=variant_id,
                location_id=location_id,
                order_id=order_id,
                quantity=quantity,
                state=HoldState.LIVE,
                expires_at=expires_at,
                created_at=now,
            )
        )
    session.add_all(held)
    session.flush()


def confirm_holds(session: Session, order_id: int) -> int:
    """The order is paid: its holds no longer expire. Gives the number of live holds."""
    confirmed = session.scalars(
        update(StockHold)
        .where(StockHold.order_id == order_id, StockHold.state == HoldState.LIVE)
        .values(expires_at=None)
        .returning(StockHold.id)
        .execution_options(synchronize_session=False)
    )
    return len(confirmed.all())


def release_holds(session: Session, order_id: int, *, state: HoldState, now: datetime) -> int:
    """Free an order's live holds, exactly once however often it is called; gives the number freed.

    `state` says why: RELEASED (cancelled) or EXPIRED (not paid in time).
    """
    closed = _close_holds(session, order_id, state, now)
    for variant_id, location_id, quantity in closed:
        shift(session, variant_id, location_id, reserved=-quantity)
    return len(closed)


def fulfil_holds(session: Session, order_id: int, *, now: datetime, lines: Sequence[SoldLine] = ()) -> int:
    """The order's goods leave: live holds end and the sale is posted, exactly once; gives the number of holds.

    Where `lines` account for all of a hold, each line gets its own sale movement; else the hold gets one.
    """
    closed = _close_holds(session, order_id, HoldState.FULFILLED, now)
    for variant_id, location_id, quantity in closed:
        shift(session, variant_id, location_id, on_hand=-quantity, reserved=-quantity)
        for order_line_id, units in _sold(lines, variant_id, quantity):
            _post(
                session,
                MovementKind.SALE,
                variant_id=variant_id,
                location_id=location_id,
                quantity=-units,
                reason=f"order {order_id}",
                now=now,
                order_line_id=order_line_id,
            )
    return len(closed)


def saleable(session: Session, variant_ids: Sequence[int]) -> dict[int, int | None]:
    """How many units one order can have of each variant now; None where there is no limit.

    The figure is that of the best location: a line is not split over two. Unknown variants are left out.
    """
    known = read_levels(session, variant_ids)
    variants = variants_by_id(session, variant_ids)
    return {id_: most_saleable(variant.inventory_policy, known.get(id_, [])) for id_, variant in variants.items()}


def locations(session: Session) -> list[Location]:
    """Every place where stock lies."""
    return list(session.scalars(select(Location).order_by(Location.id)))


def levels(
    session: Session, *, variant_id: int | None = None, after_id: int | None = None, limit: int = 50
) -> list[StockLevel]:
    """Stock levels in id order, of all variants or of one."""
    statement = select(StockLevel).order_by(StockLevel.id).limit(limit)
    if variant_id is not None:
        statement = statement.where(StockLevel.variant_id == variant_id)
    if after_id is not None:
        statement = statement.where(StockLevel.id > after_id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def movements(
    session: Session, *, variant_id: int | None = None, before_id: int | None = None, limit: int = 50
) -> list[StockMovement]:
    """Entries of the stock ledger, newest first."""
    statement = select(StockMovement).order_by(StockMovement.id.desc()).limit(limit)
    if variant_id is not None:
        statement = statement.where(StockMovement.variant_id == variant_id)
    if before_id is not None:
        statement = statement.where(StockMovement.id < before_id)
    return list(session.scalars(statement))


def _require_positive(quantity: int) -> None:
    if quantity < 1:
        raise InvalidInput(f"a quantity is at least 1, not {quantity}")


def _policies(session: Session, variant_ids: Mapping[int, int]) -> dict[int, InventoryPolicy]:
    variants = variants_by_id(session, variant_ids)
    unknown = sorted(set(variant_ids) - set(variants))
    if unknown:
        raise NotFound(f"there is no variant {unknown[0]}")
    return {variant_id: variant.inventory_policy for variant_id, variant in variants.items()}


def _put_on_shelf(session: Session, variant_id: int, location_id: int, quantity: int) -> None:
    if not shift(session, variant_id, location_id, on_hand=quantity):
        _policies(session, {variant_id: quantity})  # refuses an unknown variant by name
        ensure_level(session, variant_id, location_id)
        shift(session, variant_id, location_id, on_hand=quantity)


def _take_off_shelf(session: Session, variant_id: int, location_id: int, quantity: int) -> None:
    policy = _policies(session, {variant_id: quantity})[variant_id]
    ensure_level(session, variant_id, location_id)
    guard = StockLevel.on_hand - quantity >= StockLevel.reserved if policy is InventoryPolicy.DENY else true()
    if not shift(session, variant_id, location_id, on_hand=-quantity, guard=guard):
        raise Conflict(f"fewer than {quantity} units of variant {variant_id} are free: the rest is promised to orders")


def _post(
    session: Session,
    kind: MovementKind,
    *,
    variant_id: int,
    location_id: int,
    quantity: int,
    reason: str,
    now: datetime,
    order_line_id: int | None = None,
    return_line_id: int | None = None,
) -> StockMovement:
    movement = StockMovement(
        variant_id=variant_id,
        location_id=location_id,
        kind=kind,
        quantity=quantity,
        order_line_id=order_line_id,
        return_line_id=return_line_id,
        reason=reason[:200],
        occurred_at=now,
    )
    session.add(movement)
    session.flush()
    return movement


def _sold(lines: Sequence[SoldLine], variant_id: int, quantity: int) -> list[tuple[int | None, int]]:
    of_variant = [line for line in lines if line.variant_id == variant_id]
    if sum(line.quantity for line in of_variant) == quantity:
        return [(line.order_line_id, line.quantity) for line in of_variant]
    return [(None, quantity)]


def _close_holds(session: Session, order_id: int, state: HoldState, now: datetime) -> list[tuple[int, int, int]]:
    """End an order's live holds; (variant, location, quantity) of each, in the order in which levels are locked."""
    closed = session.execute(
        update(StockHold)
        .where(StockHold.order_id == order_id, StockHold.state == HoldState.LIVE)
        .values(state=state, closed_at=now)
        .returning(StockHold.variant_id, StockHold.location_id, StockHold.quantity)
        .execution_options(synchronize_session=False)
    )
    return sorted((variant_id, location_id, quantity) for variant_id, location_id, quantity in closed)


def _out_of_stock(session: Session, demand: Mapping[int, int]) -> OutOfStock:
    left = saleable(session, list(demand))
    skus = {variant_id: variant.sku for variant_id, variant in variants_by_id(session, demand).items()}
    shortages = [
        {"variant_id": variant_id, "sku": skus[variant_id], "wanted": demand[variant_id], "left": free}
        for variant_id, free in sorted(left.items())
        if free is not None and free < demand[variant_id]
    ]
    named = ", ".join(f"{short['sku']} ({short['left']} left, {short['wanted']} wanted)" for short in shortages)
    return OutOfStock(f"not enough units are left of {named}", shortages=shortages)
