"""The ledger's moves. Every function here runs under the lock of the customer's balance row.

Each entry that takes points is tied to the lots it took them from. What a reversal cannot take from its own lot,
because the points were spent, is owed: the entry stays uncovered until lots that become active later pay for it.

For every customer: Σ entries = active + pending − owed, and each lot's amount = remaining + Σ its consumptions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    PointBalance,
    PointConsumption,
    PointEntry,
    PointLot,
    Wallet,
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Points taken from a lot that was in `state` before."""

    lot: PointLot
    points: int
    state: LotState


class EntryFacts(TypedDict):
    """What an entry says besides its kind."""

    customer_id: int
    points: int
    actor: str
    now: datetime
    lot: NotRequired[PointLot | None]
    """The one lot that the entry is about; it gives the wallet."""
    wallet: NotRequired[Wallet]
    """The wallet of an entry about several of its lots."""
    order_id: NotRequired[int | None]
    reason: NotRequired[str]
    qualifying: NotRequired[int]
    qualifying_at: NotRequired[datetime | None]


def lock_balance(session: Session, customer_id: int) -> None:
    """Take the customer's balance row for this transaction; whoever moves their points does this first."""
    row = {"customer_id": customer_id, "active": 0, "pending": 0, "held": 0, "owed": 0}
    locked = select(PointBalance.id).where(PointBalance.customer_id == customer_id).with_for_update()
    if session.scalar(locked) is None:
        session.execute(
            insert_into(session, PointBalance).values(row).on_conflict_do_nothing(index_elements=["customer_id"])
        )
        session.scalar(locked)


class Shift(TypedDict, total=False):
    """By how much each sum of the balance row moves."""

    active: int
    pending: int
    held: int
    owed: int
    owed_promotional: int
    spent: int
    expired: int
    reversed: int
    shortfall: int


def shift_balance(
    session: Session, customer_id: int, *, guard: ColumnElement[bool] | None = None, **shifts: Unpack[Shift]
) -> bool:
    """Move the sums that are named, all at once, if the guard allows; False where it does not."""
    moved = session.scalar(
        update(PointBalance)
        .where(PointBalance.customer_id == customer_id, true() if guard is None else guard)
        .values({column: PointBalance.__table__.c[column] + shift for column, shift in shifts.items()})
        .returning(PointBalance.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def write_entry(session: Session, kind: EntryKind, **facts: Unpack[EntryFacts]) -> PointEntry:
    """Append one entry."""
    entry = new_entry(kind, **facts)
    session.add(entry)
    session.flush()
    return entry


def new_entry(kind: EntryKind, **facts: Unpack[EntryFacts]) -> PointEntry:
    """An entry that is not written yet, for callers that write several at once."""
    lot = facts.get("lot")
    return PointEntry(
        customer_id=facts["customer_id"],
        lot_id=None if lot is None else lot.id,
        order_id=facts.get("order_id"),
        kind=kind,
        wallet=facts.get("wallet") if lot is None else lot.wallet,
        points=facts["points"],
        qualifying=facts.get("qualifying", 0),
        qualifying_at=facts.get("qualifying_at"),
        actor=facts["actor"],
        reason=facts.get("reason", "")[:200],
        occurred_at=facts["now"],
    )


def consume(
    session: Session,
    lots: Sequence[PointLot],
    points: int,
    entry: PointEntry,
    *,
    drained: LotState,
    now: datetime,
    limits: Mapping[Wallet, int] | None = None,
) -> list[Taken]:
    """Take up to `points` from the lots in their order, in the name of `entry`; an emptied lot becomes `drained`.

    `limits`: the most points that may come from a wallet.
    """
    taken: list[Taken] = []
    missing = points
    left = dict(limits or {})
    for lot in lots:
        part = min(lot.remaining, missing, left.get(lot.wallet, missing))
        if part > 0:
            taken.append(Taken(lot, part, lot.state))
            lot.remaining -= part
            if lot.remaining == 0:
                lot.state = drained
            tie(session, lot.id, entry.id, part, now)
            missing -= part
            if lot.wallet in left:
                left[lot.wallet] -= part
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


def active_lots(session: Session, customer_id: int, *, wallet: Wallet | None = None) -> Sequence[PointLot]:
    """The lots that may be spent, in the order in which they are: earliest expiring, then oldest, first.

    All wallets together unless one is named.
    """
    return session.scalars(
        select(PointLot)
        .where(
            PointLot.customer_id == customer_id,
            PointLot.state == LotState.ACTIVE,
            PointLot.remaining > 0,
            true() if wallet is None else PointLot.wallet == wallet,
        )
        .order_by(PointLot.expires_at, PointLot.id)
        .execution_options(populate_existing=True)
    ).all()


def refresh(session: Session, customer_id: int, *, now: datetime, actor: str) -> int:
    """Do what is due for one customer by `now`, activations before expiries; gives the number of lots moved."""
    waited = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    over = and_(PointLot.state == LotState.ACTIVE, PointLot.remaining > 0, PointLot.expires_at <= now)
    due = session.scalars(
        select(PointLot)
        .where(PointLot.customer_id == customer_id, or_(waited, over))
        .order_by(PointLot.expires_at, PointLot.id)
        .execution_options(populate_existing=True)
    ).all()
    pending = [(lot.available_at, lot.id, lot) for lot in due if lot.available_at and lot.state is LotState.PENDING]
    for _, _, lot in sorted(pending):
        _activate(session, lot, now, actor)
    expired = [lot for lot in due if lot.state is LotState.ACTIVE and lot.remaining and lot.expires_at <= now]
    for lot in expired:
        _expire(session, lot, now, actor)
    return len(pending) + len(expired)


def settle_owed(session: Session, customer_id: int, lots: Sequence[PointLot], now: datetime) -> int:
    """Let lots that have just become available pay what the customer owes; gives the points paid."""
    if not session.scalar(select(PointBalance.owed).where(PointBalance.customer_id == customer_id)):
        return 0
    paid = dict.fromkeys(Wallet, 0)
    for entry, uncovered in uncovered_reversals(session, customer_id):
        covered = consume(session, lots, uncovered, entry, drained=LotState.REVERSED, now=now)
        paid[entry.wallet or Wallet.EARNED] += sum(part.points for part in covered)
    total = sum(paid.values())
    if total:
        shift_balance(session, customer_id, active=-total, owed=-total, owed_promotional=-paid[Wallet.PROMOTIONAL])
    return total


def uncovered_reversals(session: Session, customer_id: int) -> list[tuple[PointEntry, int]]:
    """The reversals that no lot has paid for yet, oldest first, with the points that are missing."""
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


def _activate(session: Session, lot: PointLot, now: datetime, actor: str) -> None:
    lot.state = LotState.ACTIVE
    write_entry(session, EntryKind.ACTIVATE, customer_id=lot.customer_id, points=0, actor=actor, now=now, lot=lot)
    shift_balance(session, lot.customer_id, pending=-lot.remaining, active=lot.remaining)
    settle_owed(session, lot.customer_id, [lot], now)


def _expire(session: Session, lot: PointLot, now: datetime, actor: str) -> None:
    points = lot.remaining
    entry = write_entry(
        session, EntryKind.EXPIRE, customer_id=lot.customer_id, points=-points, actor=actor, now=now, lot=lot
    )
    consume(session, [lot], points, entry, drained=LotState.EXPIRED, now=now)
    shift_balance(session, lot.customer_id, active=-points, expired=points)
