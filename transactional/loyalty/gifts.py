"""Points that no order earned: referrals, campaigns, gestures, and what is had back after it expired."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import BASIS_POINTS, percent_of
from transactional.loyalty.clawback import RESTORED, ClawedBack, Unearned, claw_back, descendants
from transactional.loyalty.ledger import (
    active_lots,
    consume,
    lock_balance,
    refresh,
    settle_owed,
    shift_balance,
    write_entry,
)
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    PointBalance,
    PointConsumption,
    PointEntry,
    PointLot,
    PointShortfall,
    Wallet,
)
from transactional.loyalty.programme import ensure_programme, expires_from
from transactional.loyalty.redemption import PointsRefused
from transactional.loyalty.reversal import EARNED
from transactional.loyalty.standings import read_standing

ADJUSTMENT = "adjustment"
REINSTATED = "reinstatement"
_RESERVED = {EARNED, RESTORED, ADJUSTMENT, REINSTATED}


def give(
    session: Session,
    *,
    customer_id: int,
    points: int,
    source: str,
    reference: str,
    now: datetime,
    available_at: datetime | None = None,
    wallet: Wallet = Wallet.PROMOTIONAL,
    reason: str = "",
    actor: str = "shop",
) -> PointLot:
    """Give points for something that is known by a reference: once, however often this is asked.

    `source` is what kind of thing (referral, campaign, …); they can be spent from `available_at` on, default at once.
    Raises InvalidInput for fewer than one point, no reference, or a source that the ledger uses itself; Conflict where
    the reference stands for other points.
    """
    if points < 1:
        raise InvalidInput("at least one point is given")
    if not reference.strip() or not source.strip() or source in _RESERVED:
        raise InvalidInput("a gift needs a reference, and a source that is not one of the ledger's own")
    lock_balance(session, customer_id)
    known = _by_reference(session, reference)
    if known is not None:
        if (known.customer_id, known.amount, known.source) != (customer_id, points, source):
            raise Conflict(f"the reference {reference} stands for other points")
        return known
    refresh(session, customer_id, now=now, actor=actor)
    lot = new_lot(
        session,
        customer_id=customer_id,
        points=points,
        source=source,
        wallet=wallet,
        now=now,
        available_at=available_at,
        reference=reference,
    )
    write_entry(
        session,
        EntryKind.EARN,
        customer_id=customer_id,
        points=points,
        actor=actor,
        now=now,
        lot=lot,
        reason=reason or f"{source}: {reference}",
    )
    credit(session, lot, now)
    return lot


def take_back(
    session: Session,
    *,
    reference: str,
    now: datetime,
    points: int | None = None,
    share_bp: int | None = None,
    reason: str = "",
    actor: str = "shop",
) -> ClawedBack:
    """Take back points that were given by reference: so many, or such a share of them, **altogether**.

    What was taken back before counts towards it, so that asking again changes nothing and a larger share takes only
    the difference. Gives what was taken now. Raises NotFound for an unknown reference, InvalidInput where not exactly
    one of `points` and `share_bp` is given, or more than there were.
    """
    if (points is None) == (share_bp is None):
        raise InvalidInput("either a number of points or a share of them is taken back")
    seen = _by_reference(session, reference)
    if seen is None:
        raise NotFound(f"no points were given for {reference}")
    lock_balance(session, seen.customer_id)
    refresh(session, seen.customer_id, now=now, actor=actor)
    lot = session.get_one(PointLot, seen.id, populate_existing=True)
    altogether = points if points is not None else percent_of(lot.amount, share_bp or 0)
    if not (0 <= altogether <= lot.amount and 0 <= (share_bp or 0) <= BASIS_POINTS):
        raise InvalidInput(f"{lot.amount} points were given for {reference}, no more can be taken back")
    due = altogether - _taken_back(session, lot)
    if due <= 0:
        return ClawedBack()
    return claw_back(session, lot, Unearned(due, reason or f"taken back: {reference}"), now=now, actor=actor)


def adjust(
    session: Session,
    *,
    customer_id: int,
    points: int,
    actor: str,
    reason: str,
    now: datetime,
    wallet: Wallet = Wallet.EARNED,
) -> PointEntry:
    """Give (positive) or take (negative) points of a wallet by hand.

    Raises InvalidInput for 0 points or no reason, PointsRefused where fewer points are free than are to be taken.
    """
    if points == 0:
        raise InvalidInput("an adjustment changes the balance by at least one point")
    if not reason.strip():
        raise InvalidInput("an adjustment needs a reason")
    if not actor.strip():
        raise InvalidInput("an adjustment needs somebody who makes it")
    lock_balance(session, customer_id)
    refresh(session, customer_id, now=now, actor=actor)
    if points < 0:
        return _take_by_hand(session, customer_id, -points, wallet, actor=actor, reason=reason, now=now)
    lot = new_lot(session, customer_id=customer_id, points=points, source=ADJUSTMENT, wallet=wallet, now=now)
    entry = write_entry(
        session, EntryKind.ADJUST, customer_id=customer_id, points=points, actor=actor, now=now, lot=lot, reason=reason
    )
    credit(session, lot, now)
    return entry


def reinstate(session: Session, *, customer_id: int, actor: str, reason: str, now: datetime) -> int:
    """Give expired points back, as far as the customer's tier lets them be had back; gives their number.

    They live for the programme's grace from now, once: repeating it gives nothing more. Raises InvalidInput without a
    reason.
    """
    if not reason.strip():
        raise InvalidInput("reinstating points needs a reason")
    lock_balance(session, customer_id)
    refresh(session, customer_id, now=now, actor=actor)
    window = timedelta(days=read_standing(session, customer_id).level_at(now).reinstatement_days)
    grace = timedelta(days=ensure_programme(session, now=now).restore_grace_days)
    total = 0
    for expired, points in _expired_since(session, customer_id, now - window):
        lot = new_lot(
            session,
            customer_id=customer_id,
            points=points,
            source=REINSTATED,
            wallet=expired.wallet,
            now=now,
            restored_from_id=expired.restored_from_id or expired.id,
            expires_at=now + grace,
        )
        lot.terms = {"expired_lot_id": expired.id, "expired_at": expired.expires_at.isoformat()}
        write_entry(
            session,
            EntryKind.RESTORE,
            customer_id=customer_id,
            points=points,
            actor=actor,
            now=now,
            lot=lot,
            reason=reason,
        )
        shift_balance(session, customer_id, active=points, expired=-points)
        settle_owed(session, customer_id, [lot], now)
        total += points
    return total


def new_lot(
    session: Session,
    *,
    customer_id: int,
    points: int,
    source: str,
    wallet: Wallet,
    now: datetime,
    available_at: datetime | None = None,
    reference: str | None = None,
    restored_from_id: int | None = None,
    expires_at: datetime | None = None,
) -> PointLot:
    """A lot under the rules of now; one that must wait is pending. Its entry and the balance are the caller's."""
    programme = ensure_programme(session, now=now)
    available = max(now, available_at or now)
    lot = PointLot(
        customer_id=customer_id,
        programme_id=programme.id,
        wallet=wallet,
        source=source,
        reference=reference,
        restored_from_id=restored_from_id,
        state=LotState.PENDING if available > now else LotState.ACTIVE,
        amount=points,
        remaining=points,
        terms={"rule_version": programme.version},
        earned_at=now,
        available_at=available,
        expires_at=expires_at or expires_from(programme, available, wallet=wallet),
    )
    session.add(lot)
    session.flush()
    return lot


def credit(session: Session, lot: PointLot, now: datetime) -> None:
    """Count a new lot on its balance row; what is active at once pays what is owed."""
    if lot.state is LotState.PENDING:
        shift_balance(session, lot.customer_id, pending=lot.amount)
    else:
        shift_balance(session, lot.customer_id, active=lot.amount)
        settle_owed(session, lot.customer_id, [lot], now)


def _take_by_hand(
    session: Session, customer_id: int, points: int, wallet: Wallet, *, actor: str, reason: str, now: datetime
) -> PointEntry:
    lots = active_lots(session, customer_id, wallet=wallet)
    enough = sum(lot.remaining for lot in lots) >= points
    guard = PointBalance.active - PointBalance.owed >= points
    if not enough or not shift_balance(session, customer_id, active=-points, guard=guard):
        raise PointsRefused(f"fewer than {points} points of the {wallet} wallet are free")
    entry = write_entry(
        session,
        EntryKind.ADJUST,
        customer_id=customer_id,
        points=-points,
        actor=actor,
        now=now,
        wallet=wallet,
        reason=reason,
    )
    consume(session, lots, points, entry, drained=LotState.SPENT, now=now)
    return entry


def _by_reference(session: Session, reference: str) -> PointLot | None:
    return session.scalar(select(PointLot).where(PointLot.reference == reference))


def _taken_back(session: Session, lot: PointLot) -> int:
    """What was taken back of a lot so far, or should have been."""
    reversals = select(func.coalesce(func.sum(-PointEntry.points), 0)).where(
        PointEntry.lot_id == lot.id, PointEntry.kind == EntryKind.REVERSE
    )
    short = select(func.coalesce(func.sum(PointShortfall.points), 0)).where(PointShortfall.lot_id == lot.id)
    return int(session.scalar(reversals) or 0) + int(session.scalar(short) or 0)


def _expired_since(session: Session, customer_id: int, since: datetime) -> list[tuple[PointLot, int]]:
    """Lots that expired after a moment, and the points that they lost and that were not reinstated yet."""
    lost = (
        select(PointLot, func.sum(PointConsumption.amount))
        .join(PointConsumption, PointConsumption.lot_id == PointLot.id)
        .join(PointEntry, PointEntry.id == PointConsumption.entry_id)
        .where(PointLot.customer_id == customer_id, PointLot.expires_at > since, PointLot.source != REINSTATED)
        .where(PointEntry.kind == EntryKind.EXPIRE)
        .group_by(PointLot.id)
        .order_by(PointLot.expires_at, PointLot.id)
    )
    found = [(lot, int(points)) for lot, points in session.execute(lost)]
    again = {
        member.terms.get("expired_lot_id")
        for lot, _ in found
        for member in descendants(session, lot.restored_from_id or lot.id)
        if member.source == REINSTATED
    }
    return [(lot, points) for lot, points in found if lot.id not in again]
