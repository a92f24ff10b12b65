"""Promises of stock to orders: holds, their end in whole or in part, and the sales that come of them.

A hold names what was ordered; a bundle's holds are on its parts. Every function that ends holds does it once: a hold
that has ended is no longer found.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from transactional.catalog.service import inventory_policies, variants_by_id
from transactional.core.errors import Conflict, OutOfStock
from transactional.inventory.bundles import Part, Policies, components_of, expand, read_policies, recipes
from transactional.inventory.levels import LevelFacts, most_saleable, promise, read_levels, shift
from transactional.inventory.models import HoldState, Location, MovementKind, StockHold, StockMovement
from transactional.inventory.shelf import REASON_LENGTH, SoldLine, require_positive


@dataclass(frozen=True, slots=True)
class Ended:
    """Units of a hold that have ended; `ordered` is the bundle where the variant is only a part of one."""

    ordered: int
    variant_id: int
    location_id: int
    quantity: int
    priority: int
    """Of the location: levels are locked in its order."""


def hold(
    session: Session,
    *,
    order_id: int,
    demand: Mapping[int, int],
    expires_at: datetime | None,
    now: datetime,
    policies: Policies | None = None,
) -> None:
    """Promise `demand` (units per variant, summed over the order's lines) to an order until `expires_at`.

    All or nothing; a bundle's parts are held in its place. A variant is taken from the first location that has all of
    it. Raises OutOfStock with `shortages` (variant_id, sku, wanted, left); the caller must then roll back, because
    earlier variants are promised already. `policies` spares reading them where the caller has just done so.
    """
    for quantity in demand.values():
        require_positive(quantity)
    policies = dict(policies) if policies is not None else read_policies(session, demand)
    parts_of = recipes(session, policies, keep=True)
    if parts_of:
        policies |= read_policies(session, {component for parts in parts_of.values() for component in parts})
    parts = expand(demand, parts_of)
    empty = [bundle for bundle, components in parts_of.items() if not components]
    if empty:
        raise _out_of_stock(session, demand, empty)
    places = _promise_all(session, demand, parts, policies, now=now)
    rows = [
        {
            "variant_id": part.variant_id,
            "location_id": places[part.variant_id],
            "order_id": order_id,
            "bundle_variant_id": part.bundle_variant_id,
            "quantity": part.quantity,
            "state": HoldState.LIVE,
            "expires_at": expires_at,
            "created_at": now,
        }
        for part in parts
    ]
    if rows:
        # One statement whatever the number of holds: nobody needs their ids.
        session.execute(insert(StockHold), rows)


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


def extend_holds(session: Session, order_id: int, *, expires_at: datetime) -> int:
    """Give an order's live holds time until `expires_at`; never less than they have. Gives the number extended."""
    extended = session.scalars(
        update(StockHold)
        .where(
            StockHold.order_id == order_id,
            StockHold.state == HoldState.LIVE,
            StockHold.expires_at < expires_at,
        )
        .values(expires_at=expires_at)
        .returning(StockHold.id)
        .execution_options(synchronize_session=False)
    )
    return len(extended.all())


def release_holds(session: Session, order_id: int, *, state: HoldState, now: datetime) -> int:
    """Free an order's live holds, exactly once however often it is called; gives the number freed.

    `state` says why: RELEASED (cancelled) or EXPIRED (not paid in time).
    """
    ended = _end_all(session, order_id, state, now)
    _move_levels(session, ended, leaves=False, now=now)
    return len(ended)


def release_units(session: Session, *, order_id: int, units: Mapping[int, int], now: datetime) -> None:
    """Free a part of what an order holds: `units` per ordered variant (a partial cancellation).

    Raises Conflict where the order does not hold so many; nothing is freed then once the caller rolls back.
    """
    _move_levels(session, _end_units(session, order_id, units, HoldState.RELEASED, now), leaves=False, now=now)


def fulfil_holds(session: Session, order_id: int, *, now: datetime, lines: Sequence[SoldLine] = ()) -> int:
    """All of the order's goods leave: live holds end and the sale is posted, exactly once; gives the number of holds.

    Where `lines` account for all that was held of a variant, each line gets its own sale movement; else the hold gets
    one that names no line.
    """
    ended = _end_all(session, order_id, HoldState.FULFILLED, now)
    _move_levels(session, ended, leaves=True, now=now)
    _post_sales(session, order_id, ended, lines, now)
    return len(ended)


def fulfil_units(session: Session, *, order_id: int, lines: Sequence[SoldLine], now: datetime) -> None:
    """A part of the order's goods leaves: exactly the units of `lines`, whose sales are posted in their names.

    Raises Conflict where the order does not hold so many: calling it once a parcel is the caller's part.
    """
    units: dict[int, int] = defaultdict(int)
    for line in lines:
        units[line.variant_id] += line.quantity
    ended = _end_units(session, order_id, units, HoldState.FULFILLED, now)
    _move_levels(session, ended, leaves=True, now=now)
    _post_sales(session, order_id, ended, lines, now)


def saleable(
    session: Session,
    variant_ids: Sequence[int],
    *,
    own_order_id: int | None = None,
    policies: Policies | None = None,
) -> dict[int, int | None]:
    """How many units one order can have of each variant now; None where there is no limit.

    The figure is that of the best location: a line is not split over two. A bundle has as many as its scarcest part
    makes. What `own_order_id` holds counts as free for it. Unknown variants are left out. `policies` spares reading
    them where the caller has just done so.
    """
    if policies is None:
        policies = inventory_policies(session, variant_ids)
    parts_of = recipes(session, policies)
    components = {component for parts in parts_of.values() for component in parts}
    all_policies = policies | (read_policies(session, components) if components else {})
    known = read_levels(session, all_policies)
    if own_order_id is not None:
        known = _with_own(known, _held(session, own_order_id))
    free = {id_: most_saleable(policy, known.get(id_, [])) for id_, policy in all_policies.items()}
    return {id_: _of_bundle(parts_of[id_], free) if id_ in parts_of else free[id_] for id_ in policies}


def _promise_all(
    session: Session, demand: Mapping[int, int], parts: Sequence[Part], policies: Policies, *, now: datetime
) -> dict[int, int]:
    """Reserve what the parts need; the location of each variant. Raises OutOfStock."""
    needed = _per_variant(parts)
    known = read_levels(session, needed)
    places: dict[int, int] = {}
    for variant_id in sorted(needed):
        place = promise(
            session, variant_id, needed[variant_id], policies[variant_id], known.get(variant_id, []), now=now
        )
        if place is None:
            raise _out_of_stock(session, demand, [part.ordered for part in parts if part.variant_id == variant_id])
        places[variant_id] = place
    return places


def _of_bundle(parts: Mapping[int, int], free: Mapping[int, int | None]) -> int | None:
    if not parts:
        return 0
    limits = [left // units for component, units in parts.items() if (left := free[component]) is not None]
    return min(limits, default=None)


def _held(session: Session, order_id: int) -> dict[tuple[int, int], int]:
    rows = session.execute(
        select(StockHold.variant_id, StockHold.location_id, func.sum(StockHold.quantity))
        .where(StockHold.order_id == order_id, StockHold.state == HoldState.LIVE)
        .group_by(StockHold.variant_id, StockHold.location_id)
    )
    return {(variant_id, location_id): int(quantity) for variant_id, location_id, quantity in rows}


def _with_own(
    known: Mapping[int, list[LevelFacts]], held: Mapping[tuple[int, int], int]
) -> dict[int, list[LevelFacts]]:
    return {
        variant_id: [
            LevelFacts(
                level.location_id,
                level.free + held.get((variant_id, level.location_id), 0),
                level.threshold,
                level.backorder_limit,
            )
            for level in of_variant
        ]
        for variant_id, of_variant in known.items()
    }


def _per_variant(parts: Iterable[Part]) -> dict[int, int]:
    """The units needed of each variant: two lines, or a line and a bundle, may share one."""
    needed: dict[int, int] = defaultdict(int)
    for part in parts:
        needed[part.variant_id] += part.quantity
    return dict(needed)


def _end_all(session: Session, order_id: int, state: HoldState, now: datetime) -> list[Ended]:
    rows = session.execute(
        update(StockHold)
        .where(StockHold.order_id == order_id, StockHold.state == HoldState.LIVE)
        .values(state=state, closed_at=now)
        .returning(
            func.coalesce(StockHold.bundle_variant_id, StockHold.variant_id),
            StockHold.variant_id,
            StockHold.location_id,
            StockHold.quantity,
            select(Location.priority).where(Location.id == StockHold.location_id).scalar_subquery(),
        )
        .execution_options(synchronize_session=False)
    )
    return [Ended(*row) for row in rows.tuples()]


def _end_units(
    session: Session, order_id: int, units: Mapping[int, int], state: HoldState, now: datetime
) -> list[Ended]:
    """End `units` per ordered variant of the order's live holds, the oldest first; a part becomes a row of its own."""
    for quantity in units.values():
        require_positive(quantity)
    live = session.execute(
        select(StockHold, Location.priority)
        .join(Location, Location.id == StockHold.location_id)
        .where(StockHold.order_id == order_id, StockHold.state == HoldState.LIVE)
        .order_by(StockHold.id)
        .with_for_update(of=StockHold)
        .execution_options(populate_existing=True)
    ).all()
    left = _wanted(session, units, [row for row, _priority in live])
    ended: list[Ended] = []
    for row, priority in live:
        ordered = row.bundle_variant_id or row.variant_id
        quantity = min(row.quantity, left.get((ordered, row.variant_id), 0))
        if quantity:
            left[ordered, row.variant_id] -= quantity
            _end_part(session, row, quantity, state, now)
            ended.append(Ended(ordered, row.variant_id, row.location_id, quantity, priority))
    missing = sorted(ordered for (ordered, _variant), quantity in left.items() if quantity)
    if missing:
        raise Conflict(f"the order does not hold {units[missing[0]]} units of variant {missing[0]}")
    session.flush()
    return ended


def _wanted(session: Session, units: Mapping[int, int], live: Iterable[StockHold]) -> dict[tuple[int, int], int]:
    """Units to end by (ordered, variant): of a bundle that the order holds, those of its parts."""
    bundles = {row.bundle_variant_id for row in live if row.bundle_variant_id is not None} & set(units)
    parts = expand(units, components_of(session, bundles) if bundles else {})
    return {(part.ordered, part.variant_id): part.quantity for part in parts}


def _end_part(session: Session, row: StockHold, quantity: int, state: HoldState, now: datetime) -> None:
    """The row is locked by the caller."""
    if quantity == row.quantity:
        row.state, row.closed_at = state, now
        return
    row.quantity -= quantity
    session.add(
        StockHold(
            variant_id=row.variant_id,
            location_id=row.location_id,
            order_id=row.order_id,
            bundle_variant_id=row.bundle_variant_id,
            quantity=quantity,
            state=state,
            expires_at=row.expires_at,
            created_at=row.created_at,
            closed_at=now,
        )
    )


def _move_levels(session: Session, ended: Iterable[Ended], *, leaves: bool, now: datetime) -> None:
    """What ended is no longer reserved, and where it `leaves` no longer on the shelf."""
    totals: dict[tuple[int, int, int], int] = defaultdict(int)
    for part in ended:
        totals[part.variant_id, part.priority, part.location_id] += part.quantity
    for (variant_id, _priority, location_id), quantity in sorted(totals.items()):
        shift(session, variant_id, location_id, reserved=-quantity, on_hand=-quantity if leaves else 0, now=now)


def _post_sales(
    session: Session, order_id: int, ended: Sequence[Ended], lines: Sequence[SoldLine], now: datetime
) -> None:
    by_part: dict[tuple[int, int], list[Ended]] = defaultdict(list)
    for part in ended:
        by_part[part.ordered, part.variant_id].append(part)
    rows = [
        {
            "variant_id": variant_id,
            "location_id": location_id,
            "kind": MovementKind.SALE,
            "quantity": -units,
            "order_line_id": order_line_id,
            "reason": f"order {order_id}"[:REASON_LENGTH],
            "occurred_at": now,
        }
        for (ordered, variant_id), parts in sorted(by_part.items())
        for order_line_id, location_id, units in _shared(parts, [line for line in lines if line.variant_id == ordered])
    ]
    if rows:
        session.execute(insert(StockMovement), rows, execution_options={"render_nulls": True})


def _shared(parts: Sequence[Ended], lines: Sequence[SoldLine]) -> list[tuple[int | None, int, int]]:
    """(line, location, units) of what left: the lines take their units from the holds in order.

    A bundle's part leaves as many units for each line as one bundle has of it. Where the lines do not account for all
    of it, no line is named.
    """
    left = sum(part.quantity for part in parts)
    sold = sum(line.quantity for line in lines)
    if not sold or left % sold:
        return [(None, part.location_id, part.quantity) for part in parts]
    each = left // sold
    waiting = [(line.order_line_id, line.quantity * each) for line in lines]
    shares: list[tuple[int | None, int, int]] = []
    for part in parts:
        open_units = part.quantity
        while open_units:
            order_line_id, wanted = waiting.pop(0)
            taken = min(open_units, wanted)
            shares.append((order_line_id, part.location_id, taken))
            open_units -= taken
            if wanted > taken:
                waiting.insert(0, (order_line_id, wanted - taken))
    return shares


def _out_of_stock(session: Session, demand: Mapping[int, int], scarce: Sequence[int]) -> OutOfStock:
    """Every variant that is short, at least those ordered ones that could not be promised (`scarce`)."""
    left = saleable(session, list(demand))
    skus = {variant_id: variant.sku for variant_id, variant in variants_by_id(session, demand).items()}
    shortages = [
        {"variant_id": variant_id, "sku": skus[variant_id], "wanted": demand[variant_id], "left": free}
        for variant_id, free in sorted(left.items())
        if free is not None and free < demand[variant_id]
    ] or [
        # Each alone could be had: together they need more of one part than there is.
        {"variant_id": variant_id, "sku": skus[variant_id], "wanted": demand[variant_id], "left": left[variant_id]}
        for variant_id in sorted(set(scarce))
    ]
    named = ", ".join(f"{short['sku']} ({short['left']} left, {short['wanted']} wanted)" for short in shortages)
    return OutOfStock(f"not enough units are left of {named}", shortages=shortages)
