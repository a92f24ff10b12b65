"""Spending points in two phases: held at checkout, captured at payment, released when the order comes to nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput
from transactional.loyalty.ledger import (
    active_lots,
    consume,
    lock_balance,
    refresh,
    settle_owed,
    shift_balance,
    tie,
    write_entry,
)
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    PointBalance,
    PointConsumption,
    PointEntry,
    PointLot,
    Wallet,
)
from transactional.loyalty.programme import current_programme, spending_limits

_HOLD_STEPS = (EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE)


class PointsRefused(Conflict):
    """The customer has fewer free points than they want to spend."""

    code = "points-refused"
    title = "Not enough points"


@dataclass(frozen=True, slots=True)
class Held:
    """Points of an order that are held at this moment."""

    entry_id: int
    customer_id: int
    points: int


def hold(
    session: Session, *, customer_id: int, order_id: int, points: int, now: datetime, actor: str = "shop"
) -> PointEntry:
    """Set points aside for an order, earliest expiring first.

    Raises InvalidInput for fewer than one point, Conflict where the order holds points already, PointsRefused where
    fewer are free (active − owed).
    """
    if points < 1:
        raise InvalidInput("at least one point is redeemed")
    lock_balance(session, customer_id)
    refresh(session, customer_id, now=now, actor=actor)
    if live_hold(session, order_id) is not None:
        raise Conflict(f"order {order_id} holds points already")
    lots = active_lots(session, customer_id)
    limits = spending_limits(current_programme(session, now=now))
    within = within_limits(lots, limits)
    guard = PointBalance.active - PointBalance.owed >= points
    if within < points or not shift_balance(session, customer_id, active=-points, held=points, guard=guard):
        raise _refused(session, customer_id, points, within)
    entry = write_entry(
        session, EntryKind.HOLD, customer_id=customer_id, points=-points, actor=actor, now=now, order_id=order_id
    )
    taken = consume(session, lots, points, entry, drained=LotState.SPENT, now=now, limits=limits)
    assert sum(part.points for part in taken) == points, "the balance row and the lots disagree"
    return entry


def within_limits(lots: Iterable[PointLot], limits: Mapping[Wallet, int]) -> int:
    """How many points of the lots one order may take."""
    by_wallet = dict.fromkeys(Wallet, 0)
    for lot in lots:
        by_wallet[lot.wallet] += lot.remaining
    return sum(min(points, limits.get(wallet, points)) for wallet, points in by_wallet.items())


def _refused(session: Session, customer_id: int, points: int, within: int) -> PointsRefused:
    net = session.scalar(select(PointBalance.active - PointBalance.owed).where(PointBalance.customer_id == customer_id))
    free = max(0, min(within, net or 0))
    return PointsRefused(f"{points} points were asked for, {free} are free", free=free)


def capture(session: Session, *, order_id: int, now: datetime, actor: str = "shop") -> int:
    """The order is paid: its held points are spent. Gives their number; 0 when nothing is held (any more)."""
    held = _locked_hold(session, order_id)
    if held is None:
        return 0
    write_entry(
        session, EntryKind.CAPTURE, customer_id=held.customer_id, points=0, actor=actor, now=now, order_id=order_id
    )
    shift_balance(session, held.customer_id, held=-held.points, spent=held.points)
    return held.points


def release(session: Session, *, order_id: int, now: datetime, actor: str = "shop") -> int:
    """The order came to nothing: held points go back into their lots, exactly once; gives their number."""
    held = _locked_hold(session, order_id)
    if held is None:
        return 0
    refresh(session, held.customer_id, now=now, actor=actor)
    entry = write_entry(
        session,
        EntryKind.RELEASE,
        customer_id=held.customer_id,
        points=held.points,
        actor=actor,
        now=now,
        order_id=order_id,
    )
    lots: list[PointLot] = []
    for lot, amount in consumed_by(session, held.entry_id):
        lot.remaining += amount
        lot.state = LotState.ACTIVE
        tie(session, lot.id, entry.id, -amount, now)
        lots.append(lot)
    session.flush()
    shift_balance(session, held.customer_id, held=-held.points, active=held.points)
    settle_owed(session, held.customer_id, lots, now)
    return held.points


def live_hold(session: Session, order_id: int) -> Held | None:
    """The points that the order holds now; None where it holds none, captured or released them."""
    last = session.scalar(
        select(PointEntry)
        .where(PointEntry.order_id == order_id, PointEntry.kind.in_(_HOLD_STEPS))
        .order_by(PointEntry.id.desc())
        .limit(1)
    )
    if last is None or last.kind is not EntryKind.HOLD:
        return None
    return Held(last.id, last.customer_id, -last.points)


def consumed_by(session: Session, entry_id: int) -> Sequence[tuple[PointLot, int]]:
    """The lots that an entry took points from and how many, latest expiring first."""
    rows = session.execute(
        select(PointLot, PointConsumption.amount)
        .join(PointConsumption, PointConsumption.lot_id == PointLot.id)
        .where(PointConsumption.entry_id == entry_id)
        .order_by(PointLot.expires_at.desc(), PointLot.id.desc())
        .execution_options(populate_existing=True)
    )
    return [(lot, amount) for lot, amount in rows]


def last_hold_entry_id(session: Session, order_id: int) -> int | None:
    """The entry by which the order's points were set aside, whatever became of them."""
    return session.scalar(
        select(func.max(PointEntry.id)).where(PointEntry.order_id == order_id, PointEntry.kind == EntryKind.HOLD)
    )


def _locked_hold(session: Session, order_id: int) -> Held | None:
    """The order's live hold, asked again under the customer's lock: the first answer may be out of date."""
    seen = live_hold(session, order_id)
    if seen is None:
        return None
    lock_balance(session, seen.customer_id)
    return live_hold(session, order_id)
