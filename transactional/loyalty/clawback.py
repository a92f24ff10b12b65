"""Taking points back that should not have been given: from their lot, as a debt, and what not even a debt can cover.

A wallet's debt never exceeds its floor. What would go deeper is taken from the wallet's other active points, and what
these cannot pay either is a shortfall: a receivable for staff, which later points do not pay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.loyalty.ledger import Taken, active_lots, consume, lock_balance, shift_balance, write_entry
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
from transactional.loyalty.programme import ensure_programme, wallet_rules

RESTORED = "restore"


@dataclass(frozen=True, slots=True)
class Unearned:
    """What is to be taken back, and why; `qualifying` points count for tiers no more, from `earned_at` on."""

    points: int
    reason: str
    order_id: int | None = None
    qualifying: int = 0
    earned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClawedBack:
    """What became of points that were to be taken back; what had expired unspent is in none of them."""

    taken: int = 0
    """From lots."""
    owed: int = 0
    """Spent meanwhile: the customer's next points pay for them."""
    shortfall: int = 0
    """Below the floor: not taken."""

    @property
    def debited(self) -> int:
        """What the entry took off the balance."""
        return self.taken + self.owed


def claw_back(session: Session, lot: PointLot, due: Unearned, *, now: datetime, actor: str) -> ClawedBack:
    """Take points back that came with a lot. The caller holds the balance's lock and has refreshed the customer."""
    family = [lot, *descendants(session, lot.id)]
    in_lots = min(due.points, sum(member.remaining for member in family))
    spent = min(due.points - in_lots, _spent_and_not_settled(session, lot, family))
    owed = min(spent, _room_for_debt(session, lot, now)) if spent else 0
    others = _others(session, lot, family) if spent > owed else []
    from_others = min(spent - owed, sum(other.remaining for other in others))
    result = ClawedBack(in_lots + from_others, owed, spent - owed - from_others)
    if not (result.debited or result.shortfall or due.qualifying):
        return result  # the points expired in the customer's hands: nothing is left to take
    entry = write_entry(
        session,
        EntryKind.REVERSE,
        customer_id=lot.customer_id,
        points=-result.debited,
        actor=actor,
        now=now,
        lot=lot,
        order_id=due.order_id,
        reason=due.reason,
        qualifying=-due.qualifying,
        qualifying_at=due.earned_at,
    )
    taken = consume(session, family, in_lots, entry, drained=LotState.REVERSED, now=now)
    taken += consume(session, others, from_others, entry, drained=LotState.REVERSED, now=now)
    _shift(session, lot, result, taken)
    if result.shortfall:
        _record_shortfall(session, entry, lot, result.shortfall, now)
    return result


def close_shortfall(session: Session, *, shortfall_id: int, actor: str, note: str, now: datetime) -> PointShortfall:
    """Staff settled a shortfall with the customer, or wrote it off; the note says which.

    Raises NotFound, InvalidInput without a note, Conflict for one that is closed already.
    """
    if not note.strip():
        raise InvalidInput("closing a shortfall needs a note that says how it was settled")
    found = session.get(PointShortfall, shortfall_id)
    if found is None:
        raise NotFound(f"no shortfall {shortfall_id}")
    lock_balance(session, found.customer_id)
    closed = session.scalar(
        update(PointShortfall)
        .where(PointShortfall.id == shortfall_id, PointShortfall.closed_at.is_(None))
        .values(closed_at=now, closed_by=actor, closing_note=note.strip()[:200])
        .returning(PointShortfall.id)
        .execution_options(synchronize_session=False)
    )
    if closed is None:
        raise Conflict(f"shortfall {shortfall_id} is closed already")
    shift_balance(session, found.customer_id, shortfall=-found.points)
    session.refresh(found)
    return found


def open_shortfalls(
    session: Session, *, customer_id: int | None = None, after_id: int = 0, limit: int = 100
) -> Sequence[PointShortfall]:
    """Receivables that nobody has closed, oldest first; one customer's, or everybody's."""
    statement = select(PointShortfall).where(PointShortfall.closed_at.is_(None), PointShortfall.id > after_id)
    if customer_id is not None:
        statement = statement.where(PointShortfall.customer_id == customer_id)
    return session.scalars(statement.order_by(PointShortfall.id).limit(limit)).all()


def descendants(session: Session, lot_id: int) -> Sequence[PointLot]:
    """Lots whose points came from this one: given back after they were spent, or reinstated after they expired."""
    return session.scalars(
        select(PointLot)
        .where(PointLot.restored_from_id == lot_id)
        .order_by(PointLot.id)
        .execution_options(populate_existing=True)
    ).all()


def _others(session: Session, lot: PointLot, family: Sequence[PointLot]) -> list[PointLot]:
    own = {member.id for member in family}
    return [other for other in active_lots(session, lot.customer_id, wallet=lot.wallet) if other.id not in own]


def _room_for_debt(session: Session, lot: PointLot, now: datetime) -> int:
    owed, promotional = session.execute(
        select(PointBalance.owed, PointBalance.owed_promotional).where(PointBalance.customer_id == lot.customer_id)
    ).one()
    owes = promotional if lot.wallet is Wallet.PROMOTIONAL else owed - promotional
    return max(0, wallet_rules(ensure_programme(session, now=now), lot.wallet).negative_floor - owes)


def _shift(session: Session, lot: PointLot, result: ClawedBack, taken: Sequence[Taken]) -> None:
    pending = sum(part.points for part in taken if part.state is LotState.PENDING)
    shift_balance(
        session,
        lot.customer_id,
        pending=-pending,
        active=pending - result.taken,
        owed=result.owed,
        owed_promotional=result.owed if lot.wallet is Wallet.PROMOTIONAL else 0,
        reversed=result.debited,
        shortfall=result.shortfall,
    )


def _record_shortfall(session: Session, entry: PointEntry, lot: PointLot, points: int, now: datetime) -> None:
    session.add(
        PointShortfall(
            customer_id=lot.customer_id,
            entry_id=entry.id,
            lot_id=lot.id,
            wallet=lot.wallet,
            points=points,
            value_minor=points * ensure_programme(session, now=now).value_per_point_minor,
            occurred_at=now,
        )
    )
    session.flush()


def _spent_and_not_settled(session: Session, lot: PointLot, family: Sequence[PointLot]) -> int:
    """How many of the lot's points are spent at this moment, less those that are owed, repaid or short already.

    Points that expired are none of these: their loss is behind the customer, and taking them again would punish twice.
    """
    own_reversal = (PointEntry.kind == EntryKind.REVERSE) & (PointEntry.lot_id == lot.id)
    consumed = (
        select(func.coalesce(func.sum(PointConsumption.amount), 0))
        .join(PointEntry, PointEntry.id == PointConsumption.entry_id)
        .where(PointConsumption.lot_id.in_([member.id for member in family]))
    )
    spent = session.scalar(consumed.where(PointEntry.kind != EntryKind.EXPIRE, ~own_reversal)) or 0
    restored = sum(member.amount for member in family if member.source == RESTORED and member is not lot)
    taken_back = session.scalar(select(func.coalesce(func.sum(-PointEntry.points), 0)).where(own_reversal)) or 0
    from_family = session.scalar(consumed.where(own_reversal)) or 0
    short = session.scalar(
        select(func.coalesce(func.sum(PointShortfall.points), 0)).where(PointShortfall.lot_id == lot.id)
    )
    return max(0, int(spent) - restored - (int(taken_back) - int(from_family)) - int(short or 0))
