"""What a customer has, and the proofs of it.

The balance is the balance row, corrected by the few lots that are due and not moved yet: it costs the same for ten
entries as for ten thousand. The row is a cache of the ledger; `discrepancies` proves every sum of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

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
from transactional.loyalty.programme import current_programme, redeemable_points, spending_limits


@dataclass(frozen=True, slots=True)
class Balance:
    """A customer's points at one moment.

    Points issued = active + pending − owed + held + spent + expired + reversed.
    """

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
    reversed: int = 0
    """Taken back with what had earned them."""
    shortfall: int = 0
    """Could not be taken back because the balance was at its floor; no later points pay for them."""

    @property
    def redeemable(self) -> int:
        """How many points an order could take now."""
        return max(0, self.active - self.owed)

    @property
    def receivable(self) -> int:
        """What the customer owes the shop in points, one way or the other."""
        return self.owed + self.shortfall


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """A customer's points in one wallet."""

    wallet: Wallet
    active: int
    pending: int
    owed: int


@dataclass(frozen=True, slots=True)
class RedemptionOffer:
    """What a customer's points can do for a basket."""

    max_points: int
    min_points: int
    value_per_point_minor: int


def balance(session: Session, customer_id: int, *, now: datetime) -> Balance:
    """The customer's points at `now`, right even before the jobs have run."""
    waited = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    over = PointLot.expires_at <= now
    found = session.execute(
        select(
            PointBalance,
            _in_lots(waited, ~over),
            _in_lots(waited, over),
            _in_lots(PointLot.state == LotState.ACTIVE, over),
        )
        .where(PointBalance.customer_id == customer_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return Balance(0, 0, 0, 0, 0, 0)
    row, ripe, never_used, expired = found._tuple()
    paid, unused_paid = _about_to_pay(session, row, now) if row.owed and ripe + never_used else (0, 0)
    return Balance(
        active=row.active + ripe - paid - expired,
        pending=row.pending - ripe - never_used,
        held=row.held,
        owed=row.owed - paid - unused_paid,
        spent=row.spent,
        expired=row.expired + never_used - unused_paid + expired,
        reversed=row.reversed,
        shortfall=row.shortfall,
    )


def wallet_balances(session: Session, customer_id: int, *, now: datetime) -> list[WalletBalance]:
    """The customer's points by wallet; what they add up to is `balance`."""
    usable = and_(PointLot.available_at <= now, PointLot.expires_at > now)
    waits = or_(PointLot.available_at.is_(None), PointLot.available_at > now)
    rows = session.execute(
        select(
            PointLot.wallet,
            func.coalesce(func.sum(PointLot.remaining).filter(usable), 0),
            func.coalesce(func.sum(PointLot.remaining).filter(waits), 0),
        )
        .where(PointLot.customer_id == customer_id, PointLot.state.in_([LotState.PENDING, LotState.ACTIVE]))
        .group_by(PointLot.wallet)
    )
    unspent = {wallet: (int(active), int(pending)) for wallet, active, pending in rows}
    debts = session.execute(
        select(PointBalance.owed, PointBalance.owed_promotional).where(PointBalance.customer_id == customer_id)
    ).one_or_none()
    owed, promotional = (0, 0) if debts is None else debts._tuple()
    owed_of = {Wallet.EARNED: owed - promotional, Wallet.PROMOTIONAL: promotional}
    return [WalletBalance(wallet, *unspent.get(wallet, (0, 0)), owed_of[wallet]) for wallet in Wallet]


def balance_at(session: Session, customer_id: int, *, at: datetime) -> int:
    """active + pending − owed as of any moment, from the entries alone."""
    return _total(session, func.sum(PointEntry.points), PointEntry.customer_id == customer_id, _until(at))


def balance_from_lots(session: Session, customer_id: int, *, at: datetime) -> int:
    """active + pending − owed as of any moment, from lots and what was taken from them; always `balance_at`."""
    came = _total(session, func.sum(PointLot.amount), PointLot.customer_id == customer_id, PointLot.earned_at <= at)
    taken = select(func.coalesce(func.sum(PointConsumption.amount), 0)).join(
        PointEntry, PointEntry.id == PointConsumption.entry_id
    )
    taken = taken.where(PointEntry.customer_id == customer_id, PointConsumption.occurred_at <= at)
    reversals = (PointEntry.customer_id == customer_id, PointEntry.kind == EntryKind.REVERSE, _until(at))
    due = -_total(session, func.sum(PointEntry.points), *reversals)
    paid = int(session.scalar(taken.where(PointEntry.kind == EntryKind.REVERSE)) or 0)
    return came - int(session.scalar(taken) or 0) - (due - paid)


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
    limits = spending_limits(programme)
    if limits:
        wallets = wallet_balances(session, customer_id, now=now)
        most = min(most, sum(min(each.active, limits.get(each.wallet, each.active)) for each in wallets))
    return RedemptionOffer(
        max_points=most if most >= programme.min_redeem_points else 0,
        min_points=programme.min_redeem_points,
        value_per_point_minor=programme.value_per_point_minor,
    )


def discrepancies(session: Session) -> list[int]:
    """Customers whose balance row differs from their lots or entries in any sum; empty when all is well."""
    hold, release, restore = EntryKind.HOLD, EntryKind.RELEASE, EntryKind.RESTORE
    of_an_order = PointEntry.order_id.is_not(None)
    used = _entries(PointEntry.kind.in_([hold, release])) + _entries(PointEntry.kind == restore, of_an_order)
    expired = _entries(PointEntry.kind == EntryKind.EXPIRE) + _entries(PointEntry.kind == restore, ~of_an_order)
    wrong = or_(
        PointBalance.active + PointBalance.pending - PointBalance.owed != _entries(),
        PointBalance.active != _in_lots(PointLot.state == LotState.ACTIVE),
        PointBalance.pending != _in_lots(PointLot.state == LotState.PENDING),
        PointBalance.held != -_entries(PointEntry.kind == hold, ~_ended()),
        PointBalance.held + PointBalance.spent != -used,
        PointBalance.expired != -expired,
        PointBalance.reversed != -_entries(PointEntry.kind == EntryKind.REVERSE),
        PointBalance.owed != _uncovered(),
        PointBalance.owed_promotional != _uncovered(PointEntry.wallet == Wallet.PROMOTIONAL),
        PointBalance.shortfall != _short(),
    )
    return list(session.scalars(select(PointBalance.customer_id).where(wrong).order_by(PointBalance.customer_id)))


def _about_to_pay(session: Session, row: PointBalance, now: datetime) -> tuple[int, int]:
    """What lots whose wait is over will pay of a debt once a job moves them: those still alive, and those not."""
    waiting = session.execute(
        select(PointLot.remaining, PointLot.expires_at)
        .where(PointLot.customer_id == row.customer_id, PointLot.state == LotState.PENDING)
        .where(PointLot.available_at <= now)
        .order_by(PointLot.available_at, PointLot.id)
    )
    alive, over, left = 0, 0, row.owed
    for remaining, expires_at in waiting:
        part = min(remaining, left)
        left -= part
        if expires_at > now:
            alive += part
        else:
            over += part
    return alive, over


def _until(at: datetime) -> ColumnElement[bool]:
    return PointEntry.occurred_at <= at


def _total(session: Session, figure: ColumnElement[int], *where: ColumnElement[bool]) -> int:
    return int(session.scalar(select(func.coalesce(figure, 0)).where(*where)) or 0)


def _entries(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    return _of_balance(select(func.coalesce(func.sum(PointEntry.points), 0)), PointEntry.customer_id, *which)


def _in_lots(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    return _of_balance(select(func.coalesce(func.sum(PointLot.remaining), 0)), PointLot.customer_id, *which)


def _of_balance(
    figure: Select[int], customer_id: InstrumentedAttribute[int], *which: ColumnElement[bool]
) -> ScalarSelect[int]:
    """A figure of the balance row's customer."""
    return figure.where(customer_id == PointBalance.customer_id, *which).correlate(PointBalance).scalar_subquery()


def _ended() -> ColumnElement[bool]:
    """A hold that was captured or released later."""
    later = aliased(PointEntry)
    return exists().where(
        later.order_id == PointEntry.order_id,
        later.id > PointEntry.id,
        later.kind.in_([EntryKind.CAPTURE, EntryKind.RELEASE]),
    )


def _uncovered(*which: ColumnElement[bool]) -> ColumnElement[int]:
    """What reversals took off the balance and no lot has paid for."""
    reversals = (PointEntry.kind == EntryKind.REVERSE, *which)
    covered = select(func.coalesce(func.sum(PointConsumption.amount), 0)).join(
        PointEntry, PointEntry.id == PointConsumption.entry_id
    )
    return -_entries(*reversals) - _of_balance(covered, PointEntry.customer_id, *reversals)


def _short() -> ScalarSelect[int]:
    total = select(func.coalesce(func.sum(PointShortfall.points), 0))
    return _of_balance(total, PointShortfall.customer_id, PointShortfall.closed_at.is_(None))
