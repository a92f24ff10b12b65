"""What if: the recorded history under other rules, and what that would have meant for what the shop owes.

Customers do again what they did: they buy the same, want to redeem as many points, return the same units; staff give
and take the same. What they would have done otherwise nobody knows. Points that the other rules would not have given
cannot be redeemed, so that less is redeemed and more paid in money. Nothing is written. Under unchanged rules the
replay gives every customer's actual balance, which proves it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.errors import InvalidInput
from transactional.loyalty.balances import Balance
from transactional.loyalty.book import Book
from transactional.loyalty.models import EntryKind, PointBalance
from transactional.loyalty.player import Player
from transactional.loyalty.programme import current_programme
from transactional.loyalty.recorded import Record, Rulebook, fold, read_records
from transactional.loyalty.replay_events import events_of, read_facts
from transactional.loyalty.scenario import Scenario, as_it_was, what_if
from transactional.loyalty.standings import qualifying_entries
from transactional.loyalty.tiers import TierLevel, compute_tier

_BATCH = 200


@dataclass(slots=True)
class Figures:
    """Points of a period and what is open at its end."""

    issued: int = 0
    """Given in the period: earned, or by hand."""
    redeemed: int = 0
    """Paid for orders in the period."""
    expired: int = 0
    open_points: int = 0
    """active + pending + held − owed at the end."""
    open_minor: int = 0
    """What these are worth at the end, in minor units of the shop's currency."""

    def add(self, other: "Figures") -> None:
        """Count more points in."""
        self.issued += other.issued
        self.redeemed += other.redeemed
        self.expired += other.expired
        self.open_points += other.open_points
        self.open_minor += other.open_minor


@dataclass(slots=True)
class Comparison:
    """What was, and what would have been."""

    actual: Figures = field(default_factory=Figures)
    replayed: Figures = field(default_factory=Figures)

    @property
    def change_minor(self) -> int:
        """By how much the shop would owe more, in minor units."""
        return self.replayed.open_minor - self.actual.open_minor


@dataclass(slots=True)
class TierComparison(Comparison):
    """The customers who are in a tier at the end."""

    customers: int = 0
    customers_replayed: int = 0
    """How many would be in it."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A customer and the effect on them."""

    customer_id: int
    comparison: Comparison
    tier: str
    tier_replayed: str


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of other rules over a period."""

    since: datetime
    until: datetime
    customers: int
    total: Comparison
    by_tier: Mapping[str, TierComparison]
    """By the tier that customers are in, at the end, under the actual rules."""
    most_affected: Sequence[Affected]


def replay(
    session: Session,
    *,
    changes: Mapping[str, Any],
    since: datetime,
    until: datetime,
    now: datetime,
    tiers: Sequence[TierLevel] | None = None,
    most: int = 20,
) -> Effect:
    """What `changes` of the programme's rules, and other tiers, would have done from `since` to `until`.

    Only reads. Raises InvalidInput for rules that make no programme, an end in the future or a period that ends before
    it begins, and where there is no programme yet.
    """
    if not since < until <= now:
        raise InvalidInput("a replay is about a period that has ended", field="until")
    if current_programme(session, now=now) is None:
        raise InvalidInput("there is no programme yet, and nothing to replay")
    actual = as_it_was(session)
    scenario = what_if(session, changes=changes, tiers=tiers, since=since)
    total, affected = Comparison(), []
    by_tier: defaultdict[str, TierComparison] = defaultdict(TierComparison)
    for found in _customers(session, actual, scenario, since=since, until=until):
        _count(total, found.comparison)
        _count(by_tier[found.tier], found.comparison)
        by_tier[found.tier].customers += 1
        by_tier[found.tier_replayed].customers_replayed += 1
        affected.append(found)
    changed = [found for found in affected if found.comparison.actual != found.comparison.replayed]
    changed.sort(key=lambda found: (-abs(found.comparison.change_minor), found.customer_id))
    return Effect(since, until, len(affected), total, dict(by_tier), changed[:most])


def replayed_balances(session: Session, *, at: datetime) -> Iterator[tuple[int, Balance]]:
    """Every customer's balance at a moment as the replay of the unchanged rules gives it: always the actual one."""
    scenario = as_it_was(session)
    for records in _batches(session):
        facts = read_facts(session, records)
        for customer_id, record in records.items():
            yield customer_id, Player(record, scenario).play(events_of(record, facts), until=at).balance()


def _customers(
    session: Session, actual: Scenario, scenario: Scenario, *, since: datetime, until: datetime
) -> Iterator[Affected]:
    rules = Rulebook.read(session)
    values = [chosen.at(until).programme.value_per_point_minor for chosen in (actual, scenario)]
    for records in _batches(session):
        facts = read_facts(session, records)
        for customer_id, record in records.items():
            player = Player(record, scenario)
            would = player.play(events_of(record, facts), until=until)
            was = fold(record, rules, until=until)
            comparison = Comparison(_figures(was, values[0], since=since), _figures(would, values[1], since=since))
            tier = compute_tier(qualifying_entries(session, customer_id), actual.tiers, until).name
            yield Affected(customer_id, comparison, tier, compute_tier(player.qualifying, scenario.tiers, until).name)


def _batches(session: Session) -> Iterator[dict[int, Record]]:
    last: int | None = 0
    while last is not None:
        customers = session.scalars(
            select(PointBalance.customer_id)
            .where(PointBalance.customer_id > last)
            .order_by(PointBalance.customer_id)
            .limit(_BATCH)
        ).all()
        if customers:
            yield read_records(session, customers)
        last = customers[-1] if customers else None


def _figures(book: Book, value_minor: int, *, since: datetime) -> Figures:
    figures = Figures()
    for move in book.movements:
        if move.at < since:
            continue
        if move.kind in {EntryKind.EARN, EntryKind.ADJUST} and move.points > 0:
            figures.issued += move.points
        elif move.kind is EntryKind.EXPIRE:
            figures.expired -= move.points
        elif move.kind is EntryKind.CAPTURE and move.order_id in book.paid:
            figures.redeemed += book.paid[move.order_id].points
    balance = book.balance()
    figures.open_points = balance.active + balance.pending + balance.held - balance.owed
    figures.open_minor = figures.open_points * value_minor
    return figures


def _count(into: Comparison, what: Comparison) -> None:
    into.actual.add(what.actual)
    into.replayed.add(what.replayed)
