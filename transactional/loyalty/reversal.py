"""Returns: the points that the returned units earned are taken back, the points that paid for them are given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.money import unit_share
from transactional.loyalty.ledger import consume, lock_balance, refresh, settle_owed, shift_balance, write_entry
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    LoyaltyProgramme,
    OrderLinePoints,
    PointConsumption,
    PointEntry,
    PointLot,
)
from transactional.loyalty.redemption import consumed_by, last_hold_entry_id

EARNED = "order"
RESTORED = "restore"


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a return did to the customer's points."""

    taken_back: int
    restored: int


def reverse_for_return(
    session: Session, *, order_line_id: int, first: int, count: int, now: datetime, actor: str = "shop"
) -> Reversal:
    """Settle the points of units `first` … `first + count - 1` of a paid order line; call it once for each unit.

    Earned points leave their own lot; where they were spent meanwhile, the customer owes them. Spent points come back
    with their original expiry, or the programme's grace if that is later. A line without points changes nothing.
    """
    line = session.scalar(select(OrderLinePoints).where(OrderLinePoints.order_line_id == order_line_id))
    if line is None:
        return Reversal(0, 0)
    earned = unit_share(line.earned, line.quantity, first, count)
    spent = unit_share(line.spent, line.quantity, first, count)
    lock_balance(session, line.customer_id)
    refresh(session, line.customer_id, now=now, actor=actor)
    taken_back = _take_back(session, line, earned, now, actor) if earned else 0
    if spent:
        _give_back(session, line, spent, now, actor)
    return Reversal(taken_back, spent)


def _take_back(session: Session, line: OrderLinePoints, points: int, now: datetime, actor: str) -> int:
    lot = session.scalars(
        select(PointLot)
        .where(PointLot.order_line_id == line.order_line_id, PointLot.source == EARNED)
        .execution_options(populate_existing=True)
    ).one()
    family = [lot, *_restored_from(session, lot.id)]
    in_lots = min(points, sum(member.remaining for member in family))
    owed = min(points - in_lots, _spent_and_not_owed(session, lot, family))
    if in_lots + owed == 0:
        return 0  # the points expired in the customer's hands: nothing is left to take
    entry = write_entry(
        session,
        EntryKind.REVERSE,
        customer_id=line.customer_id,
        points=-(in_lots + owed),
        actor=actor,
        now=now,
        lot_id=lot.id,
        order_id=line.order_id,
        reason="units returned",
    )
    taken = consume(session, family, in_lots, entry, drained=LotState.REVERSED, now=now)
    pending = sum(part.points for part in taken if part.state is LotState.PENDING)
    shift_balance(session, line.customer_id, pending=-pending, active=pending - in_lots, owed=owed)
    return in_lots + owed


def _give_back(session: Session, line: OrderLinePoints, points: int, now: datetime, actor: str) -> None:
    hold_entry_id = last_hold_entry_id(session, line.order_id)
    assert hold_entry_id is not None, "spent points have a hold"
    skip = _restored_so_far(session, line.order_id)
    lots: list[PointLot] = []
    for spent_lot, amount in consumed_by(session, hold_entry_id):
        skipped = min(skip, amount)
        skip -= skipped
        part = min(amount - skipped, points - sum(lot.amount for lot in lots))
        if part > 0:
            lots.append(_restore(session, line, spent_lot, part, now=now, actor=actor))
    shift_balance(session, line.customer_id, active=points)
    settle_owed(session, line.customer_id, lots, now)


def _restore(
    session: Session, line: OrderLinePoints, spent_lot: PointLot, points: int, *, now: datetime, actor: str
) -> PointLot:
    programme = session.get_one(LoyaltyProgramme, spent_lot.programme_id)
    # A lot of its own: the grace must not prolong what else lies in the lot that they came from.
    lot = PointLot(
        customer_id=line.customer_id,
        programme_id=spent_lot.programme_id,
        source=RESTORED,
        order_line_id=line.order_line_id,
        restored_from_id=spent_lot.restored_from_id or spent_lot.id,
        state=LotState.ACTIVE,
        amount=points,
        remaining=points,
        earned_at=now,
        available_at=now,
        expires_at=max(spent_lot.expires_at, now + timedelta(days=programme.restore_grace_days)),
    )
    session.add(lot)
    session.flush()
    write_entry(
        session,
        EntryKind.RESTORE,
        customer_id=line.customer_id,
        points=points,
        actor=actor,
        now=now,
        lot_id=lot.id,
        order_id=line.order_id,
        reason="units returned",
    )
    return lot


def _restored_from(session: Session, lot_id: int) -> Sequence[PointLot]:
    return session.scalars(
        select(PointLot)
        .where(PointLot.restored_from_id == lot_id)
        .order_by(PointLot.id)
        .execution_options(populate_existing=True)
    ).all()


def _restored_so_far(session: Session, order_id: int) -> int:
    total = session.scalar(
        select(func.coalesce(func.sum(PointLot.amount), 0))
        .join(OrderLinePoints, OrderLinePoints.order_line_id == PointLot.order_line_id)
        .where(OrderLinePoints.order_id == order_id, PointLot.source == RESTORED)
    )
    return int(total or 0)


def _spent_and_not_owed(session: Session, lot: PointLot, family: Sequence[PointLot]) -> int:
    """How many of the lot's points are spent at this moment, less those that are owed or repaid already.

    Points that expired are neither: their loss is behind the customer, and taking them again would punish twice.
    """
    own_reversal = (PointEntry.kind == EntryKind.REVERSE) & (PointEntry.lot_id == lot.id)
    consumed = (
        select(func.coalesce(func.sum(PointConsumption.amount), 0))
        .join(PointEntry, PointEntry.id == PointConsumption.entry_id)
        .where(PointConsumption.lot_id.in_([member.id for member in family]))
    )
    spent = session.scalar(consumed.where(PointEntry.kind != EntryKind.EXPIRE, ~own_reversal)) or 0
    restored = sum(member.amount for member in family if member is not lot)
    taken_back = session.scalar(select(func.coalesce(func.sum(-PointEntry.points), 0)).where(own_reversal)) or 0
    taken_from_lots = session.scalar(consumed.where(own_reversal)) or 0
    return max(0, int(spent) - restored - (int(taken_back) - int(taken_from_lots)))
