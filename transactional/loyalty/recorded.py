"""The record of customers' points, read whole, and the book that it makes up to any moment."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.loyalty.book import Book, BookLot, Note, Part
from transactional.loyalty.models import (
    EntryKind,
    LoyaltyProgramme,
    PointConsumption,
    PointEntry,
    PointLot,
    PointShortfall,
    Wallet,
)
from transactional.loyalty.programme import versions, wallet_rules


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that the ledger knows of one customer."""

    customer_id: int
    entries: Sequence[PointEntry]
    lots: dict[int, PointLot]
    taken: dict[int, list[tuple[int, int]]]
    """By entry: lots and points that it took of them."""
    shortfalls: dict[int, PointShortfall]
    """By entry."""


def read_records(session: Session, customer_ids: Sequence[int]) -> dict[int, Record]:
    """The records of some customers, in five questions; customers without points have an empty one."""
    entries: defaultdict[int, list[PointEntry]] = defaultdict(list)
    for entry in session.scalars(
        select(PointEntry).where(PointEntry.customer_id.in_(customer_ids)).order_by(PointEntry.id)
    ):
        entries[entry.customer_id].append(entry)
    lots: defaultdict[int, dict[int, PointLot]] = defaultdict(dict)
    for lot in session.scalars(select(PointLot).where(PointLot.customer_id.in_(customer_ids)).order_by(PointLot.id)):
        lots[lot.customer_id][lot.id] = lot
    taken: defaultdict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    consumptions = (
        select(PointEntry.customer_id, PointConsumption.entry_id, PointConsumption.lot_id, PointConsumption.amount)
        .join(PointEntry, PointEntry.id == PointConsumption.entry_id)
        .where(PointEntry.customer_id.in_(customer_ids), PointEntry.kind.in_([EntryKind.HOLD, EntryKind.ADJUST]))
        .order_by(PointConsumption.id)
    )
    for customer_id, entry_id, lot_id, amount in session.execute(consumptions):
        taken[customer_id][entry_id].append((lot_id, amount))
    shortfalls: defaultdict[int, dict[int, PointShortfall]] = defaultdict(dict)
    for found in session.scalars(select(PointShortfall).where(PointShortfall.customer_id.in_(customer_ids))):
        shortfalls[found.customer_id][found.entry_id] = found
    return {
        customer_id: Record(
            customer_id, entries[customer_id], lots[customer_id], dict(taken[customer_id]), shortfalls[customer_id]
        )
        for customer_id in customer_ids
    }


class Rulebook:
    """The versions of the programme, for looking up what held at a moment."""

    def __init__(self, programmes: Sequence[LoyaltyProgramme]) -> None:
        self.programmes = programmes
        self._by_id = {programme.id: programme for programme in programmes}

    @classmethod
    def read(cls, session: Session) -> "Rulebook":
        """As they stand."""
        return cls(versions(session))

    def at(self, moment: datetime) -> LoyaltyProgramme:
        """The newest version that had begun; before the first began, the first."""
        begun = [programme for programme in self.programmes if programme.valid_from <= moment]
        return begun[-1] if begun else self.programmes[0]

    def version_of(self, programme_id: int) -> int:
        """The number of a version."""
        return self._by_id[programme_id].version

    def floor(self, wallet: Wallet, moment: datetime) -> int:
        """How many points of a wallet a customer could owe."""
        return wallet_rules(self.at(moment), wallet).negative_floor


def fold(record: Record, rules: Rulebook, *, until: datetime) -> Book:
    """The customer's book at a moment: what was written down by then, and what the calendar had done by then."""
    book = Book()
    for entry in record.entries:
        if entry.occurred_at <= until:
            book.advance(entry.occurred_at)
            _apply(book, record, rules, entry)
    book.advance(until)
    closed = (s.points for s in record.shortfalls.values() if s.closed_at is not None and s.closed_at <= until)
    book.shortfall -= sum(closed)
    return book


def book_lot(lot: PointLot, version: int) -> BookLot:
    """The lot as it came."""
    return BookLot(
        id=lot.id,
        root=lot.restored_from_id or lot.id,
        wallet=lot.wallet,
        source=lot.source,
        amount=lot.amount,
        earned_at=lot.earned_at,
        available_at=lot.available_at,
        expires_at=lot.expires_at,
        programme_version=version,
    )


def _apply(book: Book, record: Record, rules: Rulebook, entry: PointEntry) -> None:
    note = Note(entry.order_id, entry.reason, entry.id)
    lot = record.lots[entry.lot_id] if entry.lot_id is not None else None
    match entry.kind:
        case EntryKind.EARN | EntryKind.ADJUST if lot is not None:
            book.add(book_lot(lot, rules.version_of(lot.programme_id)), entry.kind, note)
        case EntryKind.ADJUST:
            book.take_by_hand(_parts(book, record.taken.get(entry.id, ())), note)
        case EntryKind.HOLD:
            assert entry.order_id is not None
            book.hold(entry.order_id, _parts(book, record.taken.get(entry.id, ())), note)
        case EntryKind.CAPTURE:
            assert entry.order_id is not None
            book.capture(entry.order_id, note)
        case EntryKind.RELEASE:
            assert entry.order_id is not None
            book.release(entry.order_id, note)
        case EntryKind.RESTORE if lot is not None:
            _restore(book, book_lot(lot, rules.version_of(lot.programme_id)), lot, note)
        case EntryKind.REVERSE if lot is not None:
            short = record.shortfalls.get(entry.id)
            due = -entry.points + (0 if short is None else short.points)
            book.reverse(lot.id, due, rules.floor(lot.wallet, entry.occurred_at), note)
        case EntryKind.ACTIVATE | EntryKind.EXPIRE:
            pass  # the book does it by the calendar; the entry says when a job came by
        case _:
            book.note(entry.kind, note)


def _restore(book: Book, lot: BookLot, row: PointLot, note: Note) -> None:
    if note.order_id is None:
        book.reinstate(book.lots[row.terms["expired_lot_id"]], lot, note)
        return
    (part,) = book.spent_on(note.order_id, lot.amount)
    book.give_back(note.order_id, part, lot, note)


def _parts(book: Book, taken: Iterable[tuple[int, int]]) -> list[Part]:
    return [Part(book.lots[lot_id], points) for lot_id, points in taken]
