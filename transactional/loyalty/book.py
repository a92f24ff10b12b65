"""One customer's points without a database: lots, debts and what became of every point, at a moment that moves on.

The shop moves points when a job or the next order comes by; here what is due happens at its own time. Both agree at
every moment, because whoever moves points in the shop first does what is due. Statements fold what is recorded into a
book; a replay folds what other rules would have made of it.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from transactional.loyalty.balances import Balance
from transactional.loyalty.models import EntryKind, Wallet

_START = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class BookLot:
    """A lot and what became of its points: amount = left + held + spent + by_hand + reversed + expired."""

    id: int
    root: int
    """The lot that the points first came with."""
    wallet: Wallet
    source: str
    amount: int
    earned_at: datetime
    available_at: datetime | None
    expires_at: datetime
    programme_version: int
    left: int = 0
    active: bool = False
    held: int = 0
    spent: int = 0
    given_back: int = 0
    """Of the spent ones: given back on returns, as lots of their own."""
    by_hand: int = 0
    reversed: int = 0
    expired: int = 0
    reinstated: int = 0
    """Of the expired ones: had back, as a lot of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """Points of one lot."""

    lot: BookLot
    points: int


@dataclass(slots=True)
class _Debt:
    root: int
    wallet: Wallet
    left: int


@dataclass(frozen=True, slots=True)
class Movement:
    """Something that happened to the points; `points` is what active + pending − owed changed by."""

    at: datetime
    kind: EntryKind
    points: int
    lot_id: int | None = None
    order_id: int | None = None
    reason: str = ""
    entry_id: int | None = None
    """The entry of the ledger; None for what happened by the calendar alone."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the record says about a movement besides its points."""

    order_id: int | None = None
    reason: str = ""
    entry_id: int | None = None


_NO_NOTE = Note()


@dataclass(slots=True)
class Paid:
    """The points that an order took: from which lots, and how many of them were given back."""

    parts: list[Part]
    live: bool = True
    """Held: neither captured nor released."""
    given_back: int = 0

    @property
    def points(self) -> int:
        """All of them."""
        return sum(part.points for part in self.parts)


@dataclass
class Book:
    """One customer's points at `now`; `floors` says how many points of a wallet may be owed at a moment."""

    now: datetime = _START
    lots: dict[int, BookLot] = field(default_factory=dict)
    paid: dict[int, Paid] = field(default_factory=dict)
    """By order."""
    movements: list[Movement] = field(default_factory=list)
    shortfall: int = 0
    _reversed: int = 0
    _debts: list[_Debt] = field(default_factory=list)
    _used: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """By family: points that paid for something and were not given back."""
    _settled: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    """By family: how many of the used ones are owed, paid by other lots, or short."""
    _due: list[tuple[datetime, int, int]] = field(default_factory=list)
    """Activations (0) and expiries (1) to come."""

    def balance(self) -> Balance:
        """The figures of this moment."""
        lots = self.lots.values()
        return Balance(
            active=sum(lot.left for lot in lots if lot.active),
            pending=sum(lot.left for lot in lots if not lot.active),
            held=sum(lot.held for lot in lots),
            owed=self.owed(),
            spent=sum(lot.spent - lot.given_back for lot in lots),
            expired=sum(lot.expired - lot.reinstated for lot in lots),
            reversed=self._reversed,
            shortfall=self.shortfall,
        )

    def owed(self, wallet: Wallet | None = None) -> int:
        """What later points have to pay, of one wallet or of both."""
        return sum(debt.left for debt in self._debts if wallet is None or debt.wallet is wallet)

    def active_lots(self, wallet: Wallet | None = None) -> list[BookLot]:
        """Lots that may be spent, earliest expiring first."""
        found = [lot for lot in self.lots.values() if lot.active and lot.left and wallet in {None, lot.wallet}]
        return sorted(found, key=lambda lot: (lot.expires_at, lot.id))

    def advance(self, to: datetime) -> None:
        """Let time pass: what becomes available or expires meanwhile does so at its own moment."""
        while self._due and self._due[0][0] <= to:
            moment, expiry, lot_id = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            if expiry:
                self._expire(self.lots[lot_id])
            else:
                self._activate(self.lots[lot_id])
        self.now = max(self.now, to)

    def add(self, lot: BookLot, kind: EntryKind, note: Note = _NO_NOTE) -> None:
        """Points come in; what is free at once pays what is owed."""
        lot.left = lot.amount
        self.lots[lot.id] = lot
        self._move(kind, lot.amount, lot, note)
        heapq.heappush(self._due, (lot.expires_at, 1, lot.id))
        if lot.available_at is None or lot.available_at > self.now:
            if lot.available_at is not None:
                heapq.heappush(self._due, (lot.available_at, 0, lot.id))
            return
        lot.active = True
        self._settle([lot])

    def choose(
        self, points: int, *, wallet: Wallet | None = None, limits: Mapping[Wallet, int] | None = None
    ) -> list[Part]:
        """Up to so many points of the lots that expire first; `limits`: the most that may come from a wallet."""
        left, parts = dict(limits or {}), []
        for lot in self.active_lots(wallet):
            part = min(lot.left, points, left.get(lot.wallet, points))
            if part > 0:
                parts.append(Part(lot, part))
                points -= part
                if lot.wallet in left:
                    left[lot.wallet] -= part
        return parts

    def hold(self, order_id: int, parts: Sequence[Part], note: Note = _NO_NOTE) -> None:
        """Set points aside for an order."""
        for part in parts:
            self._use(part.lot, part.points)
            part.lot.held += part.points
        self.paid[order_id] = Paid(list(parts))
        self._move(EntryKind.HOLD, -sum(part.points for part in parts), None, note)

    def capture(self, order_id: int, note: Note = _NO_NOTE) -> None:
        """The order is paid."""
        paid = self.paid[order_id]
        paid.live = False
        for part in paid.parts:
            part.lot.held -= part.points
            part.lot.spent += part.points
        self._move(EntryKind.CAPTURE, 0, None, note)

    def release(self, order_id: int, note: Note = _NO_NOTE) -> None:
        """The order came to nothing: points go back where they came from; those whose time is up expire there."""
        paid = self.paid.pop(order_id)
        self._move(EntryKind.RELEASE, paid.points, None, note)
        lots = [part.lot for part in _latest_first(paid.parts)]
        for part in paid.parts:
            part.lot.held -= part.points
            self._use(part.lot, -part.points)
        self._settle(lots)
        for lot in lots:
            self._expire_if_over(lot)

    def take_by_hand(self, parts: Sequence[Part], note: Note = _NO_NOTE) -> None:
        """Staff take points."""
        for part in parts:
            self._use(part.lot, part.points)
            part.lot.by_hand += part.points
        self._move(EntryKind.ADJUST, -sum(part.points for part in parts), None, note)

    def spent_on(self, order_id: int, points: int) -> list[Part]:
        """Where the next points come from that are given back for a paid order: latest expiring first."""
        paid = self.paid.get(order_id)
        if paid is None:
            return []
        skip, parts = paid.given_back, []
        for part in _latest_first(paid.parts):
            skipped = min(skip, part.points)
            skip -= skipped
            given = min(part.points - skipped, points)
            points -= given
            if given:
                parts.append(Part(part.lot, given))
        return parts

    def give_back(self, order_id: int, part: Part, lot: BookLot, note: Note = _NO_NOTE) -> None:
        """Spent points come back as a lot of their own."""
        self.paid[order_id].given_back += part.points
        part.lot.given_back += part.points
        self._used[part.lot.root] -= part.points
        self.add(lot, EntryKind.RESTORE, note)

    def reinstate(self, expired: BookLot, lot: BookLot, note: Note = _NO_NOTE) -> None:
        """Expired points are had back as a lot of their own."""
        expired.reinstated += lot.amount
        self.add(lot, EntryKind.RESTORE, note)

    def reverse(self, root: int, due: int, floor: int, note: Note = _NO_NOTE) -> int:
        """Take points back that came with a lot; gives what left the balance.

        From its family first; what was spent is owed, down to `floor`; what would go deeper comes from the wallet's
        other lots, and the rest is short. What expired in the customer's hands is not taken again.
        """
        wallet = self.lots[root].wallet
        family = [lot for lot in self.lots.values() if lot.root == root]
        gone = self._empty(family, due)
        used = min(due - gone, max(0, self._used[root] - self._settled[root]))
        owed = min(used, max(0, floor - self.owed(wallet)))
        others = [lot for lot in self.active_lots(wallet) if lot.root != root] if used > owed else []
        before = {lot.id: lot.left for lot in others}
        from_others = self._empty(others, used - owed)
        for lot in others:
            self._used[lot.root] += before[lot.id] - lot.left
        if owed:
            self._debts.append(_Debt(root, wallet, owed))
        self._settled[root] += used
        self._reversed += gone + owed + from_others
        self.shortfall += used - owed - from_others
        debited = gone + owed + from_others
        self._move(EntryKind.REVERSE, -debited, self.lots[root], note)
        return debited

    def note(self, kind: EntryKind, note: Note) -> None:
        """Something that moved no points."""
        self._move(kind, 0, None, note)

    def _move(self, kind: EntryKind, points: int, lot: BookLot | None, note: Note) -> None:
        lot_id = None if lot is None else lot.id
        self.movements.append(Movement(self.now, kind, points, lot_id, note.order_id, note.reason, note.entry_id))

    def _activate(self, lot: BookLot) -> None:
        lot.active = True
        self._move(EntryKind.ACTIVATE, 0, lot, _NO_NOTE)
        self._settle([lot])
        self._expire_if_over(lot)

    def _expire_if_over(self, lot: BookLot) -> None:
        if lot.expires_at <= self.now:
            self._expire(lot)

    def _expire(self, lot: BookLot) -> None:
        if not lot.active or not lot.left:
            return  # waits still (it expires once its wait is over), or nothing is left of it
        points, lot.left = lot.left, 0
        lot.expired += points
        self._move(EntryKind.EXPIRE, -points, lot, _NO_NOTE)

    def _settle(self, lots: Iterable[BookLot]) -> None:
        if not self._debts:
            return
        for debt in self._debts:
            for lot in lots:
                part = min(lot.left, debt.left)
                lot.left -= part
                lot.reversed += part
                debt.left -= part
                if lot.root == debt.root:
                    self._settled[debt.root] -= part
                else:
                    self._used[lot.root] += part
        self._debts = [debt for debt in self._debts if debt.left]

    def _use(self, lot: BookLot, points: int) -> None:
        lot.left -= points
        if not 0 <= lot.left <= lot.amount:
            raise AssertionError(f"lot {lot.id} has no {points} points left: the record contradicts itself")
        self._used[lot.root] += points

    @staticmethod
    def _empty(lots: Iterable[BookLot], points: int) -> int:
        taken = 0
        for lot in lots:
            part = min(lot.left, points - taken)
            lot.left -= part
            lot.reversed += part
            taken += part
        return taken


def _latest_first(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (part.lot.expires_at, part.lot.id), reverse=True)
