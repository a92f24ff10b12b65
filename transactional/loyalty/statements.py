"""Statements of points: what a customer had at any past moment, where it came from and what had become of it.

A statement of a past day is what the shop would have shown on that day. What becomes available or expires does so on
its date, whenever a job came by to write it down.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.core.errors import InvalidInput
from transactional.loyalty.balances import Balance
from transactional.loyalty.book import Book, BookLot, Movement
from transactional.loyalty.models import LotState
from transactional.loyalty.recorded import Record, Rulebook, fold, read_records


@dataclass(frozen=True, slots=True)
class LotLine:
    """A lot at the moment of the statement: amount = left + held + spent + by_hand + reversed + expired."""

    lot: BookLot
    state: LotState

    @property
    def rule_version(self) -> int:
        """The version of the programme that the lot was earned under."""
        return self.lot.programme_version


@dataclass(frozen=True, slots=True)
class Statement:
    """A customer's points from one moment (not included) to another (included).

    opening.net + Σ movements = closing.net.
    """

    customer_id: int
    since: datetime | None
    """None: from the first point on."""
    as_of: datetime
    opening: Balance
    closing: Balance
    lots: Sequence[LotLine]
    """Every lot that had come by `as_of`, oldest first, also those that are used up."""
    movements: Sequence[Movement]
    """Oldest first, each on the day on which it counted."""


def net(balance: Balance) -> int:
    """active + pending − owed: what the movements of points add up to."""
    return balance.active + balance.pending - balance.owed


def statement(
    session: Session, customer_id: int, *, as_of: datetime, now: datetime, since: datetime | None = None
) -> Statement:
    """The customer's points as of a moment that is not in the future, with what happened after `since`.

    Raises InvalidInput for a moment that has not come, or a period that ends before it begins.
    """
    if as_of > now:
        raise InvalidInput("a statement is of a moment that has come", field="as_of")
    if since is not None and since > as_of:
        raise InvalidInput("a period ends after it begins", field="since")
    record = read_records(session, [customer_id])[customer_id]
    return state(record, Rulebook.read(session), as_of=as_of, since=since)


def state(record: Record, rules: Rulebook, *, as_of: datetime, since: datetime | None = None) -> Statement:
    """The statement that a record makes."""
    book = fold(record, rules, until=as_of)
    opening = Book() if since is None else fold(record, rules, until=since)
    return Statement(
        customer_id=record.customer_id,
        since=since,
        as_of=as_of,
        opening=opening.balance(),
        closing=book.balance(),
        lots=[LotLine(lot, _state_of(lot)) for lot in sorted(book.lots.values(), key=lambda lot: lot.id)],
        movements=[move for move in book.movements if since is None or move.at > since],
    )


def as_csv(made: Statement) -> str:
    """The movements with a running balance, one a line, between an opening and a closing line."""
    out = io.StringIO(newline="")
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(["at", "what", "points", "balance", "lot", "order", "reason"])
    balance = net(made.opening)
    write.writerow(["" if made.since is None else made.since.isoformat(), "opening", "", balance, "", "", ""])
    for move in made.movements:
        balance += move.points
        write.writerow(
            [move.at.isoformat(), move.kind, move.points, balance, move.lot_id, move.order_id, _harmless(move.reason)]
        )
    write.writerow([made.as_of.isoformat(), "closing", "", net(made.closing), "", "", ""])
    return out.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet must not run what somebody wrote as a reason."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _state_of(lot: BookLot) -> LotState:
    if lot.left:
        return LotState.ACTIVE if lot.active else LotState.PENDING
    if lot.expired:
        return LotState.EXPIRED
    return LotState.SPENT if lot.spent or lot.held or lot.by_hand else LotState.REVERSED
