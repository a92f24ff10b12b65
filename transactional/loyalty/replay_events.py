"""What customers and staff did with points, in the order in which it happened, free of what the rules made of it.

The ledger says when points were earned, held, captured, released and moved by hand. What an order was worth and which
of its units came back is read from the order itself, so that other rules can be asked what they would have given.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.money import unit_share
from transactional.loyalty.models import EntryKind, OrderLinePoints, PointEntry, PointLot
from transactional.loyalty.recorded import Record
from transactional.loyalty.reversal import EARNED
from transactional.orders import service as orders

_STEP = 4
"""Places between two entries: what left none stands there."""
_GIVEN_BACK = (orders.UnitMove.CANCELLED, orders.UnitMove.CAME_BACK, orders.UnitMove.RETURNED)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A line of a paid order: what was frozen, and the lot that it earned."""

    points: OrderLinePoints
    line: orders.OrderLine
    order: orders.Order
    delivered_at: datetime | None
    lot: PointLot | None


@dataclass(frozen=True, slots=True)
class Bought:
    """Lines were paid."""

    at: datetime
    order_id: int
    lines: Sequence[LineFacts]


@dataclass(frozen=True, slots=True)
class GaveBack:
    """Units of a paid line came back; `restored` are the lots that were recorded for it."""

    at: datetime
    order_id: int
    line_id: int
    first: int
    count: int
    restored: Sequence[int]


@dataclass(frozen=True, slots=True)
class Did:
    """Anything else, as the ledger has it."""

    entry: PointEntry

    @property
    def at(self) -> datetime:
        """When."""
        return self.entry.occurred_at


Event = Bought | GaveBack | Did


@dataclass
class Facts:
    """What the orders of some customers say."""

    lines: defaultdict[int, list[LineFacts]] = field(default_factory=lambda: defaultdict(list))
    """By customer."""
    moves: defaultdict[int, list[orders.OrderUnitMove]] = field(default_factory=lambda: defaultdict(list))
    """By order line: units that were given back, oldest first."""


def read_facts(session: Session, records: dict[int, Record]) -> Facts:
    """The facts behind records."""
    facts = Facts()
    rows = session.execute(
        select(OrderLinePoints, orders.OrderLine, orders.Order)
        .join(orders.OrderLine, orders.OrderLine.id == OrderLinePoints.order_line_id)
        .join(orders.Order, orders.Order.id == OrderLinePoints.order_id)
        .where(OrderLinePoints.customer_id.in_(list(records)), OrderLinePoints.earned_at.is_not(None))
        .order_by(OrderLinePoints.id)
    ).all()
    delivered: dict[int, datetime | None] = {}
    for points, line, order in rows:
        if order.id not in delivered:
            delivered[order.id] = orders.return_window_opens(session, order) if order.delivered_at else None
        lots = records[points.customer_id].lots.values()
        lot = next((lot for lot in lots if lot.order_line_id == line.id and lot.source == EARNED), None)
        facts.lines[points.customer_id].append(LineFacts(points, line, order, delivered[order.id], lot))
    moves = (
        select(orders.OrderUnitMove)
        .join(OrderLinePoints, OrderLinePoints.order_line_id == orders.OrderUnitMove.order_line_id)
        .where(OrderLinePoints.customer_id.in_(list(records)), orders.OrderUnitMove.kind.in_(_GIVEN_BACK))
        .order_by(orders.OrderUnitMove.id)
    )
    for move in session.scalars(moves):
        facts.moves[move.order_line_id].append(move)
    return facts


def events_of(record: Record, facts: Facts) -> list[Event]:
    """A customer's events, oldest first. The ledger's own order decides between things of one moment."""
    sequence = _Sequence(record, facts)
    return [event for _, event in sorted(sequence.placed(), key=lambda pair: pair[0])]


class _Sequence:
    """Puts events at the place of the entries that came of them; what left no entry stands where its time is."""

    def __init__(self, record: Record, facts: Facts) -> None:
        self._record = record
        self._facts = facts
        self._times = [entry.occurred_at for entry in record.entries]
        self._told: set[int] = set()
        """Entries that an event explains."""
        self._of_order: defaultdict[int, list[PointEntry]] = defaultdict(list)
        for entry in record.entries:
            if entry.order_id is not None:
                self._of_order[entry.order_id].append(entry)

    def placed(self) -> Iterator[tuple[tuple[int, int], Event]]:
        groups: defaultdict[tuple[int, datetime], list[LineFacts]] = defaultdict(list)
        for line in self._facts.lines[self._record.customer_id]:
            assert line.points.earned_at is not None
            groups[line.points.order_id, line.points.earned_at].append(line)
        for (order_id, at), lines in groups.items():
            place = self._place_of_earning(order_id, at)
            yield (place, 0), Bought(at, order_id, lines)
            yield from (((max(place, where), 1), back) for line in lines for where, back in self._returns(line, at))
        for entry in self._record.entries:
            if entry.id not in self._told:
                yield (entry.id * _STEP, 0), Did(entry)

    def _place_of_earning(self, order_id: int, at: datetime) -> int:
        same = [entry for entry in self._of_order[order_id] if entry.occurred_at == at]
        earned = [entry for entry in same if entry.kind is EntryKind.EARN]
        self._told.update(entry.id for entry in earned)
        captured = [entry.id * _STEP + 1 for entry in same if entry.kind is EntryKind.CAPTURE]
        places = [entry.id * _STEP for entry in earned] or captured
        return min(places, default=self._before(at))

    def _returns(self, line: LineFacts, earned_at: datetime) -> Iterator[tuple[int, GaveBack]]:
        moves = self._facts.moves[line.line.id]
        early = sum(move.quantity for move in moves if move.occurred_at < earned_at)
        units = [(earned_at, 0, early)] if early else []
        units += [(m.occurred_at, m.first_unit or 0, m.quantity) for m in moves if m.occurred_at >= earned_at]
        for at, first, count in units:
            told = self._entries_of_return(line, at, first, count)
            restored = [e.lot_id for e in told if e.kind is EntryKind.RESTORE and e.lot_id is not None]
            place = told[0].id * _STEP if told else self._after(at)
            yield place, GaveBack(at, line.order.id, line.line.id, first, count, restored)

    def _entries_of_return(self, line: LineFacts, at: datetime, first: int, count: int) -> list[PointEntry]:
        """The entries that a return left: one that takes back, and those that give back what was spent."""
        frozen = line.points
        qualifying = unit_share(frozen.qualifying, frozen.quantity, first, count)
        left = unit_share(frozen.spent, frozen.quantity, first, count)
        found: list[PointEntry] = []
        for entry in self._of_order[line.order.id]:
            if entry.occurred_at != at or entry.id in self._told or not self._is_about(entry, line):
                continue
            if entry.kind is EntryKind.REVERSE and not found and entry.qualifying == -qualifying:
                found.append(entry)
            elif entry.kind is EntryKind.RESTORE and left >= entry.points:
                found.append(entry)
                left -= entry.points
                if not left:
                    break
            elif entry.kind is EntryKind.REVERSE and found:
                break
        self._told.update(entry.id for entry in found)
        return found

    def _is_about(self, entry: PointEntry, line: LineFacts) -> bool:
        if entry.lot_id is None:
            return entry.kind is EntryKind.REVERSE and line.lot is None
        return self._record.lots[entry.lot_id].order_line_id == line.line.id

    def _before(self, at: datetime) -> int:
        place = bisect_left(self._times, at)
        return self._record.entries[place - 1].id * _STEP + 2 if place else 0

    def _after(self, at: datetime) -> int:
        place = bisect_right(self._times, at)
        return self._record.entries[place - 1].id * _STEP + 2 if place else 0
