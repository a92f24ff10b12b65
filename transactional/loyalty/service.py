"""Points, as other domains use them: earned at payment, held and captured by checkout, settled on returns.

Every move runs under the lock of the customer's balance row; the balance row is a cache that `discrepancies` proves.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import InvalidInput
from transactional.loyalty.ledger import (
    active_lots,
    consume,
    lock_balance,
    new_entry,
    refresh,
    settle_owed,
    shift_balance,
    write_entry,
)
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    LoyaltyProgramme,
    OrderLinePoints,
    PointBalance,
    PointEntry,
    PointLot,
)
from transactional.loyalty.programme import (
    current_programme,
    ensure_programme,
    lot_dates,
    points_for_line,
    redeemable_points,
)
from transactional.loyalty.redemption import PointsRefused, capture, hold, live_hold, release
from transactional.loyalty.reversal import EARNED, Reversal, reverse_for_return

__all__ = [
    "Balance",
    "EarningLine",
    "EntryKind",
    "LotState",
    "LoyaltyProgramme",
    "PointEntry",
    "PointLot",
    "PointsRefused",
    "RedemptionOffer",
    "Reversal",
    "activate_due",
    "adjust",
    "balance",
    "balance_at",
    "capture",
    "discrepancies",
    "earn_for_order",
    "ensure_programme",
    "expire_due",
    "history",
    "hold",
    "live_hold",
    "postpone_activation",
    "redemption_offer",
    "release",
    "reverse_for_return",
]

_ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class EarningLine:
    """A paid order line: its frozen net price and the part of the order's points that paid for it."""

    order_line_id: int
    quantity: int
    net_minor: int
    points_spent: int = 0


@dataclass(frozen=True, slots=True)
class Balance:
    """A customer's points at one moment."""

    active: int
    """Free to spend, before what is owed."""
    pending: int
    """Earned, waiting for the return window to end."""
    held: int
    """Set aside for orders that are not paid yet."""
    owed: int
    """Taken back after they had been spent; the next points pay for them."""
    spent: int
    expired: int

    @property
    def redeemable(self) -> int:
        """How many points an order could take now."""
        return max(0, self.active - self.owed)


@dataclass(frozen=True, slots=True)
class RedemptionOffer:
    """What a customer's points can do for a basket."""

    max_points: int
    min_points: int
    value_per_point_minor: int


def balance(session: Session, customer_id: int, *, now: datetime) -> Balance:
    """The customer's points at `now`, computed from lots and entries: right even before the jobs have run."""
    active, pending = _unspent(session, customer_id, now)
    row = session.execute(
        select(PointBalance.held, PointBalance.owed).where(PointBalance.customer_id == customer_id)
    ).one_or_none()
    held, owed = (0, 0) if row is None else (row[0], row[1])
    by_kind = _sum_by_kind(session, customer_id)
    given = by_kind.get(EntryKind.RELEASE, 0) + by_kind.get(EntryKind.RESTORE, 0)
    return Balance(
        active=active,
        pending=pending,
        held=held,
        owed=owed,
        spent=-by_kind.get(EntryKind.HOLD, 0) - given - held,
        expired=-by_kind.get(EntryKind.EXPIRE, 0),
    )


def balance_at(session: Session, customer_id: int, *, at: datetime) -> int:
    """active + pending − owed as of any moment, from the entries alone."""
    total = session.scalar(
        select(func.coalesce(func.sum(PointEntry.points), 0)).where(
            PointEntry.customer_id == customer_id, PointEntry.occurred_at <= at
        )
    )
    return int(total or 0)


def history(
    session: Session, customer_id: int, *, before_id: int | None = None, limit: int = 50
) -> Sequence[PointEntry]:
    """The customer's entries, newest first."""
    statement = select(PointEntry).where(PointEntry.customer_id == customer_id)
    if before_id is not None:
        statement = statement.where(PointEntry.id < before_id)
    return session.scalars(statement.order_by(PointEntry.id.desc()).limit(limit)).all()


def redemption_offer(
    session: Session, *, customer_id: int, merchandise_minor: int, now: datetime
) -> RedemptionOffer | None:
    """How many points may pay for merchandise worth so much after other discounts; None without a programme."""
    programme = current_programme(session, now=now)
    if programme is None:
        return None
    most = min(
        redeemable_points(programme, merchandise_minor=merchandise_minor),
        balance(session, customer_id, now=now).redeemable,
    )
    return RedemptionOffer(
        max_points=most if most >= programme.min_redeem_points else 0,
        min_points=programme.min_redeem_points,
        value_per_point_minor=programme.value_per_point_minor,
    )


def earn_for_order(
    session: Session,
    *,
    order_id: int,
    customer_id: int,
    lines: Iterable[EarningLine],
    now: datetime,
    actor: str = "shop",
) -> int:
    """Give a paid order's points, pending until the return window ends; gives their number.

    Repeating it for the same lines changes nothing; lines that join the order later earn when they do.
    """
    lock_balance(session, customer_id)
    lines = _not_yet_earned(session, list(lines))
    if not lines:
        return 0
    programme = ensure_programme(session, now=now)
    earned = {
        line.order_line_id: points_for_line(programme, net_minor=line.net_minor, quantity=line.quantity)
        for line in lines
    }
    session.add_all(
        OrderLinePoints(
            order_line_id=line.order_line_id,
            order_id=order_id,
            customer_id=customer_id,
            quantity=line.quantity,
            earned=earned[line.order_line_id],
            spent=line.points_spent,
        )
        for line in lines
    )
    lots = [
        _new_lot(programme, customer_id=customer_id, source=EARNED, points=points, now=now, order_line_id=line_id)
        for line_id, points in earned.items()
        if points
    ]
    session.add_all(lots)
    session.flush()
    session.add_all(
        new_entry(
            EntryKind.EARN,
            customer_id=customer_id,
            points=lot.amount,
            actor=actor,
            now=now,
            lot_id=lot.id,
            order_id=order_id,
        )
        for lot in lots
    )
    session.flush()
    total = sum(lot.amount for lot in lots)
    shift_balance(session, customer_id, pending=total)
    return total


def _not_yet_earned(session: Session, lines: Sequence[EarningLine]) -> Sequence[EarningLine]:
    ids = [line.order_line_id for line in lines]
    known = set(session.scalars(select(OrderLinePoints.order_line_id).where(OrderLinePoints.order_line_id.in_(ids))))
    return [line for line in lines if line.order_line_id not in known]


def postpone_activation(session: Session, *, order_id: int, delivered_at: datetime) -> None:
    """The return window runs from delivery: pending points of the order wait until it ends, if that is later."""
    waiting = session.execute(
        select(PointLot.id, LoyaltyProgramme)
        .join(OrderLinePoints, OrderLinePoints.order_line_id == PointLot.order_line_id)
        .join(LoyaltyProgramme, LoyaltyProgramme.id == PointLot.programme_id)
        .where(OrderLinePoints.order_id == order_id, PointLot.state == LotState.PENDING, PointLot.source == EARNED)
        .order_by(PointLot.id)
    )
    lots_by_date: defaultdict[datetime, list[int]] = defaultdict(list)
    for lot_id, programme in waiting:
        available_at, _ = lot_dates(programme, delivered_at)
        lots_by_date[available_at].append(lot_id)
    for available_at, lot_ids in lots_by_date.items():
        session.execute(
            update(PointLot)
            .where(PointLot.id.in_(lot_ids), PointLot.state == LotState.PENDING, PointLot.available_at < available_at)
            .values(available_at=available_at)
        )


def adjust(session: Session, *, customer_id: int, points: int, actor: str, reason: str, now: datetime) -> PointEntry:
    """Give (positive) or take (negative) points by hand.

    Raises InvalidInput for 0 points or no reason, PointsRefused where fewer points are free than are to be taken.
    """
    if points == 0:
        raise InvalidInput("an adjustment changes the balance by at least one point")
    if not reason.strip():
        raise InvalidInput("an adjustment needs a reason")
    lock_balance(session, customer_id)
    refresh(session, customer_id, now=now, actor=actor)
    if points > 0:
        programme = ensure_programme(session, now=now)
        lot = _credit(session, programme, customer_id=customer_id, source=_ADJUSTMENT, points=points, now=now)
        shift_balance(session, customer_id, active=points)
        entry = write_entry(
            session,
            EntryKind.ADJUST,
            customer_id=customer_id,
            points=points,
            actor=actor,
            now=now,
            lot_id=lot.id,
            reason=reason,
        )
        settle_owed(session, customer_id, [lot], now)
        return entry
    if not shift_balance(session, customer_id, active=points, guard=PointBalance.active - PointBalance.owed >= -points):
        raise PointsRefused(f"fewer than {-points} points are free")
    entry = write_entry(
        session, EntryKind.ADJUST, customer_id=customer_id, points=points, actor=actor, now=now, reason=reason
    )
    consume(session, active_lots(session, customer_id), -points, entry, drained=LotState.SPENT, now=now)
    return entry


def activate_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Activate pending lots whose window has ended; gives the number of lots moved. Safe to repeat."""
    due = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    return _refresh_customers(session, due, now, limit)


def expire_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Expire the unspent rest of lots whose time is up; gives the number of lots moved. Safe to repeat."""
    unspent = and_(PointLot.state == LotState.ACTIVE, PointLot.remaining > 0)
    pending = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    return _refresh_customers(session, and_(or_(unspent, pending), PointLot.expires_at <= now), now, limit)


def discrepancies(session: Session) -> list[int]:
    """Customers whose balance row differs from their lots or entries; empty when all is well."""
    entries = (
        select(func.coalesce(func.sum(PointEntry.points), 0))
        .where(PointEntry.customer_id == PointBalance.customer_id)
        .correlate(PointBalance)
        .scalar_subquery()
    )
    wrong = or_(
        PointBalance.active + PointBalance.pending - PointBalance.owed != entries,
        PointBalance.active != _in_lots(LotState.ACTIVE),
        PointBalance.pending != _in_lots(LotState.PENDING),
    )
    return list(session.scalars(select(PointBalance.customer_id).where(wrong).order_by(PointBalance.customer_id)))


def _in_lots(state: LotState) -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.sum(PointLot.remaining), 0))
        .where(PointLot.customer_id == PointBalance.customer_id, PointLot.state == state)
        .correlate(PointBalance)
        .scalar_subquery()
    )


def _unspent(session: Session, customer_id: int, now: datetime) -> tuple[int, int]:
    """The unspent points that may be spent at `now`, and those that still wait."""
    usable = and_(PointLot.available_at <= now, PointLot.expires_at > now)
    active, pending = session.execute(
        select(
            func.coalesce(func.sum(PointLot.remaining).filter(usable), 0),
            func.coalesce(func.sum(PointLot.remaining).filter(PointLot.available_at > now), 0),
        ).where(
            PointLot.customer_id == customer_id,
            PointLot.state.in_([LotState.PENDING, LotState.ACTIVE]),
            PointLot.remaining > 0,
        )
    ).one()
    return int(active), int(pending)


def _sum_by_kind(session: Session, customer_id: int) -> dict[EntryKind, int]:
    rows = session.execute(
        select(PointEntry.kind, func.sum(PointEntry.points))
        .where(PointEntry.customer_id == customer_id)
        .group_by(PointEntry.kind)
    )
    return {kind: int(points) for kind, points in rows}


def _refresh_customers(session: Session, due: ColumnElement[bool], now: datetime, limit: int) -> int:
    customers = session.scalars(
        select(PointLot.customer_id).where(due).distinct().order_by(PointLot.customer_id).limit(limit)
    ).all()
    moved = 0
    for customer_id in customers:
        lock_balance(session, customer_id)
        moved += refresh(session, customer_id, now=now, actor="worker")
    return moved


def _credit(
    session: Session, programme: LoyaltyProgramme, *, customer_id: int, source: str, points: int, now: datetime
) -> PointLot:
    lot = _new_lot(programme, customer_id=customer_id, source=source, points=points, now=now)
    session.add(lot)
    session.flush()
    return lot


def _new_lot(
    programme: LoyaltyProgramme,
    *,
    customer_id: int,
    source: str,
    points: int,
    now: datetime,
    order_line_id: int | None = None,
) -> PointLot:
    available_at, expires_at = lot_dates(programme, now)
    waits = source == EARNED
    return PointLot(
        customer_id=customer_id,
        programme_id=programme.id,
        source=source,
        order_line_id=order_line_id,
        state=LotState.PENDING if waits else LotState.ACTIVE,
        amount=points,
        remaining=points,
        earned_at=now,
        available_at=available_at if waits else now,
        expires_at=expires_at,
    )
