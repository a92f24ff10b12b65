"""Returns: the points that the returned units earned are taken back, the points that paid for them are given back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.money import unit_share
from transactional.loyalty.clawback import RESTORED, Unearned, claw_back
from transactional.loyalty.ledger import lock_balance, refresh, settle_owed, shift_balance, write_entry
from transactional.loyalty.models import EntryKind, LotState, LoyaltyProgramme, OrderLinePoints, PointLot
from transactional.loyalty.redemption import consumed_by, last_hold_entry_id

EARNED = "order"


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a return did to the customer's points."""

    taken_back: int
    restored: int


def reverse_for_return(
    session: Session, *, order_line_id: int, first: int, count: int, now: datetime, actor: str = "shop"
) -> Reversal:
    """Settle the points of units `first` … `first + count - 1` of a paid order line; call it once for each unit.

    Earned points leave their own lot; where they were spent meanwhile, the customer owes them (see `clawback`). Spent
    points come back with their original expiry, or the programme's grace if that is later. A line without points
    changes nothing.
    """
    line = session.scalar(select(OrderLinePoints).where(OrderLinePoints.order_line_id == order_line_id))
    if line is None:
        return Reversal(0, 0)
    earned = unit_share(line.earned, line.quantity, first, count)
    spent = unit_share(line.spent, line.quantity, first, count)
    lock_balance(session, line.customer_id)
    refresh(session, line.customer_id, now=now, actor=actor)
    due = Unearned(
        points=earned,
        reason="units returned",
        order_id=line.order_id,
        qualifying=unit_share(line.qualifying, line.quantity, first, count),
        earned_at=line.earned_at,
    )
    taken_back = _take_back(session, line, due, now, actor) if due.points or due.qualifying else 0
    if spent:
        _give_back(session, line, spent, now, actor)
    return Reversal(taken_back, spent)


def _take_back(session: Session, line: OrderLinePoints, due: Unearned, now: datetime, actor: str) -> int:
    lot = session.scalars(
        select(PointLot)
        .where(PointLot.order_line_id == line.order_line_id, PointLot.source == EARNED)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if lot is not None:
        return claw_back(session, lot, due, now=now, actor=actor).debited
    if due.qualifying:  # a cap left the line without points, but not without what counts for tiers
        write_entry(
            session,
            EntryKind.REVERSE,
            customer_id=line.customer_id,
            points=0,
            actor=actor,
            now=now,
            order_id=line.order_id,
            reason=due.reason,
            qualifying=-due.qualifying,
            qualifying_at=due.earned_at,
        )
    return 0


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
    shift_balance(session, line.customer_id, active=points, spent=-points)
    settle_owed(session, line.customer_id, lots, now)


def _restore(
    session: Session, line: OrderLinePoints, spent_lot: PointLot, points: int, *, now: datetime, actor: str
) -> PointLot:
    programme = session.get_one(LoyaltyProgramme, spent_lot.programme_id)
    # A lot of its own: the grace must not prolong what else lies in the lot that they came from.
    lot = PointLot(
        customer_id=line.customer_id,
        programme_id=spent_lot.programme_id,
        wallet=spent_lot.wallet,
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
        lot=lot,
        order_id=line.order_id,
        reason="units returned",
    )
    return lot


def _restored_so_far(session: Session, order_id: int) -> int:
    total = session.scalar(
        select(func.coalesce(func.sum(PointLot.amount), 0))
        .join(OrderLinePoints, OrderLinePoints.order_line_id == PointLot.order_line_id)
        .where(OrderLinePoints.order_id == order_id, PointLot.source == RESTORED)
    )
    return int(total or 0)
