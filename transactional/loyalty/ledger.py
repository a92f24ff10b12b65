"""The ledger's moves. Every function here runs under the lock of the customer's balance row.

Each entry that takes points is tied to the lots it took them from. What a reversal cannot take from its own lot,
because the points were spent, is owed: the entry stays uncovered until lots that become active later pay for it.

For every customer: Σ entries = active + pending − owed, and each lot's amount = remaining + Σ its consumptions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.loyalty.models import EntryKind, LotState, PointBalance, PointConsumption, PointEntry, PointLot


@dataclass(frozen=True, slots=True)
class Taken:
    """Points taken from a lot that was in `state` before."""

    lot: PointLot
    points: int
    state: LotState


def lock_balance(session: Session, customer_id: int) -> None:
    """Take the customer's balance row for this transaction; whoever moves their points does this first."""
    row = {"customer_id": customer_id, "active": 0, "pending": 0, "held": 0, "owed": 0}
    locked = select(PointBalance.id).where(PointBalance.customer_id == customer_id).with_for_update()
    if session.scalar(locked) is None:
        session.execute(
            insert_into(session, PointBalance).values(row).on_conflict_do_nothing(index_elements=["customer_id"])
        )
        session.scalar(locked)


def shift_balance(
    session: Session,
    customer_id: int,
    *,
    active: int = 0,
    pending: int = 0,
    held: int = 0,
    owed: int = 0,
    guard: ColumnElement[bool] | None = None,
) -> bool:
    """Move the balance if the guard allows; False where it does not."""
    moved = session.scalar(
        update(PointBalance)
        .where(PointBalance.customer_id == customer_id, true() if guard is None else guard)
        .values(
            active=PointBalance.active + active,
            pending=PointBalance.pending + pending,
            held=PointBalance.held + held,
            owed=PointBalance.owed + owed,
        )
        .returning(PointBalance.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def write_entry(
    session: Session,
    kind: EntryKind,
    *,
    customer_id: int,
    points: int,
    actor: str,
    now: datetime,
    lot_id: int | None = None,
    order_id: int | None = None,
    reason: str = "",
) -> PointEntry:
    """Append one entry."""
    entry = new_entry(
        kind,
        customer_id=customer_id,
        points=points,
        actor=actor,
        now=now,
        lot_id=lot_id,
        order_id=order_id,
        reason=reason,
    )
    session.add(entry)
    session.flush()
    return entry


def new_entry(
    kind: EntryKind,
    *,
    customer_id: int,
    points: int,
    actor: str,
    now: datetime,
    lot_id: int | None = None,
    order_id: int | None = None,
    reason: str = "",
) -> PointEntry:
    """An entry that is not written yet, for callers that write several at once."""
    return PointEntry(
        customer_id=customer_id,
        lot_id=lot_id,
        order_id=order_id,
        kind=kind,
        points=points,
        actor=actor,
        reason=reason[:200],
        occurred_at=now,
    )


def consume(
    session: Session,
    lots: Sequence[PointLot],
    points: int,
    entry: PointEntry,
    *,
    drained: LotState,
    now: datetime,
) -> list[Taken]:
    """Take up to `points` from the lots in their order, in the name of `entry`; an emptied lot becomes `drained`."""
    taken: list[Taken] = []
    missing = points
    for lot in lots:
        part = min(lot.remaining, missing)
        if part > 0:
            taken.append(Taken(lot, part, lot.state))
            lot.remaining -= part
            if lot.remaining == 0:
                lot.state = drained
            tie(session, lot.id, entry.id, part, now)
            missing -= part
    session.flush()
    return taken


def tie(session: Session, lot_id: int, entry_id: int, amount: int, now: datetime) -> None:
    """Record what an entry took from a lot (negative: gave back). A pair that meets again adds up."""
    statement = insert_into(session, PointConsumption).values(
        lot_id=lot_id, entry_id=entry_id, amount=amount, occurred_at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["lot_id", "entry_id"],
            set_={
                "amount": PointConsumption.amount + statement.excluded.amount,
                "occurred_at": statement.excluded.occurred_at,
            },
        )
    )


def active_lots(session: Session, customer_id: int) -> Sequence[PointLot]:
    """The lots that may be spent, in the order in which they are: earliest expiring, then oldest, first."""
    return session.scalars(
        select(PointLot)
        .where(PointLot.customer_id == customer_id, PointLot.state == LotState.ACTIVE, PointLot.remaining > 0)
        .order_by(PointLot.expires_at, PointLot.id)
        .execution_options(populate_existing=True)
    ).all()


def refresh(session: Session, customer_id: int, *, now: datetime, actor: str) -> int:
    """Do what is due for one customer by `now`, activations before expiries; gives the number of lots moved."""
    return _activate(session, customer_id, now, actor) + _expire(session, customer_id, now, actor)


def settle_owed(session: Session, customer_id: int, lots: Sequence[PointLot], now: datetime) -> int:
    """Let lots that have just become available pay what the customer owes; gives the points paid."""
    if not session.scalar(select(PointBalance.owed).where(PointBalance.customer_id == customer_id)):
        return 0
    paid = 0
    for entry, uncovered in _uncovered_reversals(session, customer_id):
        paid += sum(t.points for t in consume(session, lots, uncovered, entry, drained=LotState.REVERSED, now=now))
    if paid:
        shift_balance(session, customer_id, active=-paid, owed=-paid)
    return paid


def _activate(session: Session, customer_id: int, now: datetime, actor: str) -> int:
    due = session.scalars(
        select(PointLot)
        .where(
            PointLot.customer_id == customer_id,
            PointLot.state == LotState.PENDING,
            PointLot.available_at <= now,
        )
        .order_by(PointLot.available_at, PointLot.id)
        .execution_options(populate_existing=True)
    ).all()
    for lot in due:
        lot.state = LotState.ACTIVE
        write_entry(session, EntryKind.ACTIVATE, customer_id=customer_id, points=0, actor=actor, now=now, lot_id=lot.id)
        shift_balance(session, customer_id, pending=-lot.remaining, active=lot.remaining)
        settle_owed(session, customer_id, [lot], now)
    return len(due)


def _expire(session: Session, customer_id: int, now: datetime, actor: str) -> int:
    due = [lot for lot in active_lots(session, customer_id) if lot.expires_at <= now]
    for lot in due:
        points = lot.remaining
        entry = write_entry(
            session, EntryKind.EXPIRE, customer_id=customer_id, points=-points, actor=actor, now=now, lot_id=lot.id
        )
        consume(session, [lot], points, entry, drained=LotState.EXPIRED, now=now)
        shift_balance(session, customer_id, active=-points)
    return len(due)


def _uncovered_reversals(session: Session, customer_id: int) -> list[tuple[PointEntry, int]]:
    covered = func.coalesce(func.sum(PointConsumption.amount), 0)
    rows = session.execute(
        select(PointEntry, -PointEntry.points - covered)
        .outerjoin(PointConsumption, PointConsumption.entry_id == PointEntry.id)
        .where(PointEntry.customer_id == customer_id, PointEntry.kind == EntryKind.REVERSE)
        .group_by(PointEntry.id)
        .having(-PointEntry.points - covered > 0)
        .order_by(PointEntry.id)
    )
    return [(entry, int(uncovered)) for entry, uncovered in rows]
