"""The rules of points once more, as plainly as they can be said: lists and counters of one customer, no database.

What is due by the clock happens at once here; the shop does it when a job or the next move comes by. That both agree
after every step shows that jobs commute with everything else.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from transactional.core.money import percent_of, unit_share
from transactional.loyalty.models import Wallet

EARN_PER_POINT = 10_000
WAIT, LIFE, GRACE = timedelta(days=14), timedelta(days=365), timedelta(days=30)


@dataclass
class Lot:
    """Points that came together; `root` is the lot that they first came with."""

    number: int
    root: int
    wallet: Wallet
    left: int
    available: datetime
    expires: datetime
    active: bool


@dataclass
class Debt:
    """Points of a family that were spent before they were to be taken back."""

    root: int
    wallet: Wallet
    left: int


@dataclass
class Line:
    """An order of one line: its frozen price, the points that pay for it, and what it earned."""

    quantity: int
    net_minor: int
    points: int
    root: int | None = None
    """The lot that it earned."""
    paid_with: list[tuple[Lot, int]] = field(default_factory=list)
    held: bool = False
    paid: bool = False
    given_back: int = 0
    restored: int = 0

    def earned(self, first: int, count: int) -> int:
        """What units earned, each rounded down by itself."""
        prices = [unit_share(self.net_minor, self.quantity, n, 1) for n in range(first, first + count)]
        return sum(price // EARN_PER_POINT for price in prices)


@dataclass
class Model:
    """One customer's points under a floor for each wallet."""

    floors: dict[Wallet, int]
    lots: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    """By family: points that paid for something and were not given back."""
    settled: dict[int, int] = field(default_factory=dict)
    """By family: how many of the used ones are owed, paid by others, or short."""
    taken_back: dict[int, int] = field(default_factory=dict)
    held: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    shortfall: int = 0

    def add(
        self,
        points: int,
        wallet: Wallet,
        now: datetime,
        available: datetime,
        expires: datetime,
        root: int | None = None,
    ) -> Lot:
        """A new lot; what is active at once pays what is owed."""
        number = len(self.lots) + 1
        lot = Lot(number, root or number, wallet, points, available, expires, active=available <= now)
        self.lots.append(lot)
        if lot.active:
            self._settle([lot])
        return lot

    def refresh(self, now: datetime) -> None:
        """What is due: activations, then expiries."""
        waiting = [lot for lot in self.lots if not lot.active and lot.available <= now]
        for lot in sorted(waiting, key=lambda lot: (lot.available, lot.number)):
            lot.active = True
            self._settle([lot])
        for lot in self._active():
            if lot.expires <= now:
                self.expired += lot.left
                lot.left = 0

    @property
    def owed(self) -> int:
        """What later points have to pay."""
        return sum(debt.left for debt in self.debts)

    @property
    def active(self) -> int:
        """Free, before what is owed."""
        return sum(lot.left for lot in self._active())

    @property
    def pending(self) -> int:
        """Waiting."""
        return sum(lot.left for lot in self.lots if not lot.active)

    def hold(self, line: Line) -> bool:
        """Earliest expiring first; False where too few are free."""
        if line.points and self.active - self.owed < line.points:
            return False
        line.paid_with = self._use(self._active(), line.points)
        line.held = True
        self.held += line.points
        return True

    def release(self, line: Line) -> None:
        """What was held goes back where it came from."""
        if line.held:
            line.held = False
            self.held -= line.points
            for lot, points in line.paid_with:
                self._unuse(lot, points)
            self._settle([lot for lot, _ in _latest_first(line.paid_with)])

    def pay(self, line: Line, now: datetime) -> None:
        """Held becomes spent; the units earn."""
        self.held -= line.points
        self.spent += line.points
        line.held, line.paid = False, True
        earned = line.earned(0, line.quantity)
        if earned:
            line.root = self.add(earned, Wallet.EARNED, now, now + WAIT, now + LIFE).root

    def deliver(self, line: Line, now: datetime) -> None:
        """Points that still wait do so until the return window ends."""
        for lot in self.lots:
            if lot.number == line.root and lot.available > now:
                lot.available = max(lot.available, now + WAIT)
                lot.expires = max(lot.expires, lot.available + GRACE)

    def give_back(self, line: Line, count: int, now: datetime) -> None:
        """The next units are returned: what they earned is taken, what paid for them comes back."""
        first = line.given_back
        line.given_back += count
        if line.root is not None:
            self.claw_back(line.root, line.earned(first, count))
        wanted, skip = unit_share(line.points, line.quantity, first, count), line.restored
        line.restored += wanted
        self.spent -= wanted
        fresh = []
        for lot, points in _latest_first(line.paid_with):
            skipped = min(skip, points)
            part = min(points - skipped, wanted)
            skip, wanted = skip - skipped, wanted - part
            if part:
                self.used[lot.root] -= part
                expires = max(lot.expires, now + GRACE)
                fresh.append(Lot(len(self.lots) + 1, lot.root, lot.wallet, part, now, expires, active=True))
                self.lots.append(fresh[-1])
        self._settle(fresh)

    def take(self, points: int, wallet: Wallet) -> bool:
        """By hand."""
        lots = [lot for lot in self._active() if lot.wallet is wallet]
        if self.active - self.owed < points or sum(lot.left for lot in lots) < points:
            return False
        self._use(lots, points)
        return True

    def take_back(self, root: int, amount: int, share_bp: int) -> None:
        """So much of a gift altogether."""
        due = percent_of(amount, share_bp) - self.taken_back.get(root, 0)
        if due > 0:
            self.claw_back(root, due)

    def claw_back(self, root: int, due: int) -> None:
        """From the family, as a debt down to the floor, from the wallet's other lots, and the rest is short."""
        family = [lot for lot in self.lots if lot.root == root]
        others = [lot for lot in self._active() if lot.wallet is family[0].wallet and lot.root != root]
        gone = self._empty(family, due)
        used = min(due - gone, max(0, self.used.get(root, 0) - self.settled.get(root, 0)))
        wallet = family[0].wallet
        room = self.floors[wallet] - sum(debt.left for debt in self.debts if debt.wallet is wallet)
        owed = min(used, max(0, room))
        before = {lot.number: lot.left for lot in others}
        from_others = self._empty(others, used - owed)
        for lot in others:
            self._count_use(lot, before[lot.number] - lot.left)
        if owed:
            self.debts.append(Debt(root, wallet, owed))
        self.settled[root] = self.settled.get(root, 0) + used
        self.taken_back[root] = self.taken_back.get(root, 0) + gone + used
        self.reversed += gone + owed + from_others
        self.shortfall += used - owed - from_others

    def _active(self) -> list[Lot]:
        return sorted((lot for lot in self.lots if lot.active), key=lambda lot: (lot.expires, lot.number))

    def _settle(self, lots: list[Lot]) -> None:
        for debt in self.debts:
            for lot in lots:
                part = min(lot.left, debt.left)
                lot.left -= part
                debt.left -= part
                if lot.root == debt.root:
                    self.settled[debt.root] -= part
                else:
                    self._count_use(lot, part)

    def _use(self, lots: list[Lot], points: int) -> list[tuple[Lot, int]]:
        parts = []
        for lot in lots:
            part = min(lot.left, points)
            if part:
                points -= part
                lot.left -= part
                self._count_use(lot, part)
                parts.append((lot, part))
        return parts

    def _unuse(self, lot: Lot, points: int) -> None:
        lot.left += points
        self._count_use(lot, -points)

    def _count_use(self, lot: Lot, points: int) -> None:
        self.used[lot.root] = self.used.get(lot.root, 0) + points

    @staticmethod
    def _empty(lots: list[Lot], points: int) -> int:
        taken = 0
        for lot in lots:
            part = min(lot.left, points - taken)
            lot.left -= part
            taken += part
        return taken


def _latest_first(parts: list[tuple[Lot, int]]) -> list[tuple[Lot, int]]:
    return sorted(parts, key=lambda part: (part[0].expires, part[0].number), reverse=True)
