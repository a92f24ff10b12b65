"""What comes onto the shelf and leaves it for other reasons than a sale: receipts, returns, corrections, transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.catalog.service import InventoryPolicy
from transactional.core.errors import Conflict, InvalidInput
from transactional.inventory.bundles import expand, read_policies, recipes, refuse_bundle
from transactional.inventory.levels import ensure_level, keeps_promises, shift
from transactional.inventory.locations import default_location, get_location
from transactional.inventory.models import Location, MovementKind, StockLevel, StockMovement, StockTransfer

REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SoldLine:
    """An order line that leaves the house, or a part of one: its sale is posted in its own name."""

    order_line_id: int
    variant_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class _Source:
    """What a movement was made for, besides its reason in words."""

    order_line_id: int | None = None
    return_line_id: int | None = None
    purchase_receipt_line_id: int | None = None
    transfer_id: int | None = None


_UNNAMED = _Source()


def receive(
    session: Session,
    *,
    variant_id: int,
    location_id: int,
    quantity: int,
    reason: str,
    now: datetime,
    purchase_receipt_line_id: int | None = None,
) -> StockMovement:
    """Put `quantity` units on the shelf; gives the movement.

    Raises InvalidInput for a quantity below 1 or a bundle, NotFound for an unknown variant or location.
    """
    require_positive(quantity)
    refuse_bundle(read_policies(session, [variant_id]))
    _put_on_shelf(session, variant_id, location_id, quantity, now)
    source = _Source(purchase_receipt_line_id=purchase_receipt_line_id)
    return _post(
        session,
        MovementKind.RECEIPT,
        source,
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
) -> list[StockMovement]:
    """Put returned units, of a bundle its parts, back on the shelf of `location_id` (default: the main store room)."""
    return _put_back(
        session,
        MovementKind.RETURN,
        {variant_id: quantity},
        _Source(return_line_id=return_line_id),
        location_id=location_id,
        reason=reason,
        now=now,
    )


def take_back(
    session: Session,
    *,
    lines: Sequence[SoldLine],
    now: datetime,
    location_id: int | None = None,
    reason: str = "came back undelivered",
) -> list[StockMovement]:
    """A parcel never reached its buyer: its units are on the shelf again, as cancellations of their lines' sales.

    Posts as often as it is called: the caller sees to it that a parcel comes back once.
    """
    movements: list[StockMovement] = []
    for line in sorted(lines, key=lambda line: (line.variant_id, line.order_line_id)):
        movements += _put_back(
            session,
            MovementKind.CANCELLATION,
            {line.variant_id: line.quantity},
            _Source(order_line_id=line.order_line_id),
            location_id=location_id,
            reason=reason,
            now=now,
        )
    return movements


def adjust(
    session: Session, *, variant_id: int, location_id: int, quantity: int, reason: str, now: datetime
) -> StockMovement:
    """Correct the shelf by a signed `quantity` (breakage, a find).

    Raises InvalidInput for a zero quantity, an empty reason or a bundle, Conflict where units that are promised to
    orders would be taken beyond what may be back-ordered.
    """
    if quantity == 0:
        raise InvalidInput("an adjustment changes the stock by at least one unit")
    if not reason.strip():
        raise InvalidInput("an adjustment needs a reason")
    policies = read_policies(session, [variant_id])
    refuse_bundle(policies)
    if quantity > 0:
        _put_on_shelf(session, variant_id, location_id, quantity, now)
    else:
        _take_off_shelf(session, policies[variant_id], variant_id, location_id, quantity=-quantity, now=now)
    return _post(
        session,
        MovementKind.ADJUSTMENT,
        _UNNAMED,
        variant_id=variant_id,
        location_id=location_id,
        quantity=quantity,
        reason=reason,
        now=now,
    )


def count(
    session: Session, *, variant_id: int, location_id: int, counted: int, reason: str, now: datetime
) -> StockMovement | None:
    """Somebody counted the shelf: post the difference as an adjustment; None where the books were right.

    Raises InvalidInput for a negative count, and what `adjust` raises. Units that are promised to orders cannot be
    counted away: cancel or release the orders first.
    """
    if counted < 0:
        raise InvalidInput("a count is not negative", field="counted")
    read_policies(session, [variant_id])
    ensure_level(session, variant_id, location_id)
    # The row is locked until the commit: a sale in between would make the difference wrong.
    on_hand = session.scalars(
        select(StockLevel.on_hand)
        .where(StockLevel.variant_id == variant_id, StockLevel.location_id == location_id)
        .with_for_update()
    ).one()
    if counted == on_hand:
        return None
    text = f"counted {counted}, booked {on_hand}: {reason.strip()}" if reason.strip() else ""
    return adjust(
        session, variant_id=variant_id, location_id=location_id, quantity=counted - on_hand, reason=text, now=now
    )


def transfer(
    session: Session,
    *,
    variant_id: int,
    from_location_id: int,
    to_location_id: int,
    quantity: int,
    reason: str,
    now: datetime,
) -> StockTransfer:
    """Move units between two locations: one transfer, two movements, nothing of it alone.

    Raises InvalidInput (less than one unit, the same place twice, a bundle), NotFound, Conflict where the units are
    promised to orders; the caller then rolls back.
    """
    require_positive(quantity)
    if from_location_id == to_location_id:
        raise InvalidInput("a transfer goes to another location", field="to_location_id")
    policies = read_policies(session, [variant_id])
    refuse_bundle(policies)
    changes = {from_location_id: -quantity, to_location_id: quantity}
    places = [get_location(session, location_id) for location_id in changes]
    moved = StockTransfer(
        variant_id=variant_id,
        from_location_id=from_location_id,
        to_location_id=to_location_id,
        quantity=quantity,
        reason=reason[:REASON_LENGTH],
        occurred_at=now,
    )
    session.add(moved)
    session.flush()
    for place in sorted(places, key=_lock_order):
        change = changes[place.id]
        if change > 0:
            _put_on_shelf(session, variant_id, place.id, change, now)
        else:
            _take_off_shelf(session, policies[variant_id], variant_id, place.id, quantity=-change, now=now)
        _post(
            session,
            MovementKind.TRANSFER,
            _Source(transfer_id=moved.id),
            variant_id=variant_id,
            location_id=place.id,
            quantity=change,
            reason=reason,
            now=now,
        )
    return moved


def require_positive(quantity: int) -> None:
    """Raise InvalidInput for less than one unit."""
    if quantity < 1:
        raise InvalidInput(f"a quantity is at least 1, not {quantity}")


def _put_back(
    session: Session,
    kind: MovementKind,
    units: dict[int, int],
    source: _Source,
    *,
    location_id: int | None,
    reason: str,
    now: datetime,
) -> list[StockMovement]:
    for quantity in units.values():
        require_positive(quantity)
    target = location_id if location_id is not None else default_location(session).id
    parts = expand(units, recipes(session, read_policies(session, units)))
    movements = []
    for part in sorted(parts, key=lambda part: part.variant_id):
        _put_on_shelf(session, part.variant_id, target, part.quantity, now)
        movements.append(
            _post(
                session,
                kind,
                source,
                variant_id=part.variant_id,
                location_id=target,
                quantity=part.quantity,
                reason=reason,
                now=now,
            )
        )
    return movements


def _lock_order(place: Location) -> tuple[int, int]:
    return place.priority, place.id


def _put_on_shelf(session: Session, variant_id: int, location_id: int, quantity: int, now: datetime) -> None:
    if not shift(session, variant_id, location_id, on_hand=quantity, now=now):
        ensure_level(session, variant_id, location_id)
        shift(session, variant_id, location_id, on_hand=quantity, now=now)


def _take_off_shelf(
    session: Session, policy: InventoryPolicy, variant_id: int, location_id: int, *, quantity: int, now: datetime
) -> None:
    ensure_level(session, variant_id, location_id)
    guard = keeps_promises(policy, quantity)
    if not shift(session, variant_id, location_id, on_hand=-quantity, guard=guard, now=now):
        raise Conflict(f"fewer than {quantity} units of variant {variant_id} are free: the rest is promised to orders")


def _post(
    session: Session,
    kind: MovementKind,
    source: _Source,
    *,
    variant_id: int,
    location_id: int,
    quantity: int,
    reason: str,
    now: datetime,
) -> StockMovement:
    """Write one entry of the ledger. The caller moves the level in the same transaction."""
    movement = StockMovement(
        variant_id=variant_id,
        location_id=location_id,
        kind=kind,
        quantity=quantity,
        order_line_id=source.order_line_id,
        return_line_id=source.return_line_id,
        purchase_receipt_line_id=source.purchase_receipt_line_id,
        transfer_id=source.transfer_id,
        reason=reason[:REASON_LENGTH],
        occurred_at=now,
    )
    session.add(movement)
    session.flush()
    return movement
