"""The commission ledger: every move of a lot writes an entry and moves the balance, under the balance row's lock.

A lot waits (`earn`), is approved, paid, or taken back. What is taken back after it was paid is owed, and the next
approved commission pays for it (`offset`), so that what can be paid out is never below zero.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, SQLColumnExpression, func, or_, select
from sqlalchemy.orm import Session

from transactional.affiliates.models import (
    CommissionBalance,
    CommissionEntry,
    CommissionKind,
    CommissionLot,
    CommissionState,
)
from transactional.core.db import insert_into


def lock_balance(session: Session, affiliate_id: int, currency: str) -> CommissionBalance:
    """The affiliate's balance row as it is now, locked until the commit; made on first use."""
    fresh = dict.fromkeys(("pending_minor", "approved_minor", "reversed_minor", "paid_minor", "owed_minor"), 0)
    session.execute(
        insert_into(session, CommissionBalance)
        .values(affiliate_id=affiliate_id, currency=currency, **fresh)
        .on_conflict_do_nothing(index_elements=["affiliate_id", "currency"])
    )
    return session.scalars(
        select(CommissionBalance)
        .where(CommissionBalance.affiliate_id == affiliate_id, CommissionBalance.currency == currency)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def earn(session: Session, balance: CommissionBalance, lots: Sequence[CommissionLot], *, actor: str) -> None:
    """New lots wait for the end of their return window."""
    session.add_all(lots)
    session.flush()
    for lot in lots:
        balance.pending_minor += lot.amount_minor
        _enter(session, lot, CommissionKind.EARN, actor=actor, now=lot.earned_at, pending_minor=lot.amount_minor)
    session.flush()


def approve(
    session: Session, balance: CommissionBalance, lots: Sequence[CommissionLot], *, now: datetime, actor: str
) -> None:
    """Waiting lots can be paid out; first they pay for what the affiliate owes."""
    for lot in lots:
        assert lot.state is CommissionState.PENDING, "only what waits is approved"
        lot.state, lot.approved_at = CommissionState.APPROVED, now
        balance.pending_minor -= lot.remaining_minor
        balance.approved_minor += lot.remaining_minor
        _enter(
            session,
            lot,
            CommissionKind.APPROVE,
            actor=actor,
            now=now,
            pending_minor=-lot.remaining_minor,
            payable_minor=lot.remaining_minor,
        )
    session.flush()
    settle_owed(session, balance, now=now, actor=actor)


def reverse(
    session: Session,
    balance: CommissionBalance,
    lot: CommissionLot,
    amount_minor: int,
    *,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    """Take back a part of a lot: from what it still has, and what it has no more becomes owed."""
    assert 0 < amount_minor <= lot.amount_minor - lot.reversed_minor, "a lot gives back what it was and no more"
    own = min(amount_minor, lot.remaining_minor)
    rest = amount_minor - own
    waits = lot.state is CommissionState.PENDING
    lot.remaining_minor -= own
    lot.reversed_minor += amount_minor
    lot.clawed_minor += rest
    if lot.reversed_minor == lot.amount_minor:
        lot.state = CommissionState.REVERSED
    if waits:
        balance.pending_minor -= own
    else:
        balance.reversed_minor += own
    balance.owed_minor += rest
    _enter(
        session,
        lot,
        CommissionKind.REVERSE,
        actor=actor,
        now=now,
        reason=reason,
        pending_minor=-own if waits else 0,
        payable_minor=0 if waits else -own,
        owed_minor=rest,
    )
    _close_if_empty(lot)
    session.flush()
    if rest:
        settle_owed(session, balance, now=now, actor=actor)


def pay(
    session: Session, balance: CommissionBalance, lot: CommissionLot, *, payout_id: int, now: datetime, actor: str
) -> int:
    """All that an approved lot still has is paid out; gives how much that is."""
    assert lot.state is CommissionState.APPROVED, "only what is approved is paid"
    amount = lot.remaining_minor
    lot.state, lot.remaining_minor = CommissionState.PAID, 0
    lot.paid_minor += amount
    balance.paid_minor += amount
    _enter(session, lot, CommissionKind.PAY, actor=actor, now=now, payable_minor=-amount, payout_id=payout_id)
    return amount


def settle_owed(session: Session, balance: CommissionBalance, *, now: datetime, actor: str) -> None:
    """Approved lots pay for reversals that found their own lot paid out: the oldest debt first, from the oldest lot."""
    if balance.owed_minor == 0 or balance.payable_minor == 0:
        return
    lots = approved_lots(session, balance)
    for reversal, uncovered in _uncovered(session, balance):
        _cover(session, balance, reversal, uncovered, lots, now=now, actor=actor)
    session.flush()


def approved_lots(session: Session, balance: CommissionBalance) -> Sequence[CommissionLot]:
    """The lots that can be paid out, the oldest first."""
    return session.scalars(
        select(CommissionLot)
        .where(
            CommissionLot.affiliate_id == balance.affiliate_id,
            CommissionLot.currency == balance.currency,
            CommissionLot.state == CommissionState.APPROVED,
        )
        .order_by(CommissionLot.id)
        .execution_options(populate_existing=True)
    ).all()


def discrepancies(session: Session) -> list[int]:
    """Affiliates whose balance differs from their entries or their lots; empty when all is well."""
    balance, entry, lot = CommissionBalance, CommissionEntry, CommissionLot
    own_entry = (entry.affiliate_id == balance.affiliate_id, entry.currency == balance.currency)
    own_lot = (lot.affiliate_id == balance.affiliate_id, lot.currency == balance.currency)

    def total(column: SQLColumnExpression[int], *where: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(func.coalesce(func.sum(column), 0)).where(*where).correlate(balance).scalar_subquery()

    payable = balance.approved_minor - balance.reversed_minor - balance.paid_minor
    wrong = or_(
        balance.pending_minor != total(entry.pending_minor, *own_entry),
        payable != total(entry.payable_minor, *own_entry),
        balance.owed_minor != total(entry.owed_minor, *own_entry),
        balance.pending_minor != total(lot.remaining_minor, *own_lot, lot.state == CommissionState.PENDING),
        payable != total(lot.remaining_minor, *own_lot, lot.state == CommissionState.APPROVED),
        balance.paid_minor != total(lot.paid_minor, *own_lot),
        balance.owed_minor != total(lot.clawed_minor - lot.offset_minor, *own_lot),
    )
    return list(session.scalars(select(balance.affiliate_id).where(wrong).distinct().order_by(balance.affiliate_id)))


def _uncovered(session: Session, balance: CommissionBalance) -> Sequence[tuple[CommissionEntry, int]]:
    """Reversals of which something is still owed, the oldest first, and how much."""
    offset = (
        select(CommissionEntry.covers_id, func.sum(CommissionEntry.owed_minor).label("covered"))
        .where(CommissionEntry.affiliate_id == balance.affiliate_id, CommissionEntry.kind == CommissionKind.OFFSET)
        .group_by(CommissionEntry.covers_id)
        .subquery()
    )
    left = CommissionEntry.owed_minor + func.coalesce(offset.c.covered, 0)
    rows = session.execute(
        select(CommissionEntry, left)
        .outerjoin(offset, offset.c.covers_id == CommissionEntry.id)
        .where(
            CommissionEntry.affiliate_id == balance.affiliate_id,
            CommissionEntry.currency == balance.currency,
            CommissionEntry.kind == CommissionKind.REVERSE,
            left > 0,
        )
        .order_by(CommissionEntry.id)
    )
    return [(entry, int(minor)) for entry, minor in rows]


def _cover(
    session: Session,
    balance: CommissionBalance,
    reversal: CommissionEntry,
    uncovered_minor: int,
    lots: Sequence[CommissionLot],
    *,
    now: datetime,
    actor: str,
) -> None:
    left = uncovered_minor
    for lot in lots:
        part = min(left, lot.remaining_minor)
        if part:
            _offset(session, balance, lot, reversal, part, now=now, actor=actor)
            left -= part


def _offset(
    session: Session,
    balance: CommissionBalance,
    lot: CommissionLot,
    reversal: CommissionEntry,
    part: int,
    *,
    now: datetime,
    actor: str,
) -> None:
    lot.remaining_minor -= part
    lot.offset_minor += part
    balance.reversed_minor += part
    balance.owed_minor -= part
    _enter(
        session,
        lot,
        CommissionKind.OFFSET,
        actor=actor,
        now=now,
        payable_minor=-part,
        owed_minor=-part,
        covers_id=reversal.id,
    )
    _close_if_empty(lot)


def _close_if_empty(lot: CommissionLot) -> None:
    """An approved lot of which nothing is left has been kept against debts."""
    if lot.state is CommissionState.APPROVED and lot.remaining_minor == 0:
        lot.state = CommissionState.OFFSET


def _enter(
    session: Session,
    lot: CommissionLot,
    kind: CommissionKind,
    *,
    actor: str,
    now: datetime,
    reason: str = "",
    pending_minor: int = 0,
    payable_minor: int = 0,
    owed_minor: int = 0,
    covers_id: int | None = None,
    payout_id: int | None = None,
) -> None:
    session.add(
        CommissionEntry(
            affiliate_id=lot.affiliate_id,
            lot_id=lot.id,
            kind=kind,
            currency=lot.currency,
            pending_minor=pending_minor,
            payable_minor=payable_minor,
            owed_minor=owed_minor,
            covers_id=covers_id,
            payout_id=payout_id,
            actor=actor,
            reason=reason[:200],
            occurred_at=now,
        )
    )
