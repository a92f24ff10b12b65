"""Tiers: a pure function of the ledger and the clock.

Qualifying points are those that orders earned in the last months (`window_months`) at the plain rate, less those of
units that were given back since. Whoever reaches a threshold is upgraded at once, and a new period begins. A period
lasts `period_months`; at its end the tier is renewed where the points of that moment are still worth it. If not, the
tier holds for its days of grace, in which new points renew it; then the customer falls, one tier (`one_down`) or to
what their points are worth (`balance_based`). What is given back lowers the points and with them the next review; it
ends no period that has begun.

New rules take effect for a customer with their next points or their next review, whichever comes first.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from transactional.loyalty.dates import add_months
from transactional.loyalty.models import PeriodReason, TierPolicy


@dataclass(frozen=True, slots=True)
class TierLevel:
    """A tier and what it is good for; basis points of the plain rate, days."""

    name: str
    threshold: int
    multiplier_bp: int = 10_000
    grace_days: int = 0
    expiry_extension_days: int = 0
    reinstatement_days: int = 0


@dataclass(frozen=True, slots=True)
class TierRules:
    """The tiers of one version of the programme, lowest first; the first needs no points."""

    valid_from: datetime
    levels: tuple[TierLevel, ...]
    policy: TierPolicy = TierPolicy.ONE_DOWN
    window_months: int = 12
    period_months: int = 12

    def rank_for(self, points: int) -> int:
        """The highest tier whose threshold so many qualifying points reach."""
        return max(rank for rank, level in enumerate(self.levels) if rank == 0 or level.threshold <= points)


@dataclass(frozen=True, slots=True)
class Qualifying:
    """Points of the ledger that count for tiers; negative ones take back points that were earned at `earned_at`."""

    points: int
    earned_at: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """A tier from one moment to the next."""

    rank: int
    starts_at: datetime
    expires_at: datetime | None
    """The end of the period, before the grace; None for the tier that never ends."""
    review_at: datetime | None
    """When it is looked at next: at its end, or at the end of its grace."""
    reason: PeriodReason
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TierView:
    """A customer's tier at one moment."""

    name: str
    rank: int
    since: datetime | None
    """None where no order has earned points yet."""
    expires_at: datetime | None
    grace_until: datetime | None
    """Set while a tier that was not kept still holds."""
    projected: str
    """The tier after the end of the period if no more points come in."""
    qualifying: int
    points_to_stay: int
    """What is missing until the end of the period (or of the grace) to keep the tier."""
    points_to_next: int | None
    """None in the highest tier."""
    next_name: str | None


def compute_tier(entries: Iterable[Qualifying], rules: Sequence[TierRules], at: datetime) -> TierView:
    """The tier at a moment: what is known later, and any other state than these arguments, plays no part.

    `rules` are the versions of the programme, oldest first, at least one.
    """
    known = [entry for entry in entries if entry.known_at <= at]
    periods = tier_periods(known, rules, at)
    current = periods[-1] if periods else None
    return _view(current, known, rules_at(rules, at), at)


def tier_periods(entries: Iterable[Qualifying], rules: Sequence[TierRules], until: datetime) -> list[Period]:
    """Every period of a customer up to a moment, oldest first; none before their first points."""
    fold = _Fold(rules)
    known = sorted((entry for entry in entries if entry.known_at <= until), key=attrgetter("known_at"))
    for moment, group in groupby(known, key=attrgetter("known_at")):
        fold.review_before(moment)
        fold.learn(group, moment)
    fold.review_before(until)
    fold.review(until)
    return fold.periods


def rules_at(rules: Sequence[TierRules], at: datetime) -> TierRules:
    """The newest version that has begun; before the first began, the first."""
    return next((version for version in reversed(rules) if version.valid_from <= at), rules[0])


def level_of(rules: TierRules, rank: int) -> TierLevel:
    """The tier of a rank; the highest where a version has fewer tiers than an older one had."""
    return rules.levels[min(rank, len(rules.levels) - 1)]


def window_sum(entries: Iterable[Qualifying], at: datetime, months: int) -> int:
    """The qualifying points of the months up to `at`."""
    after = add_months(at, -months)
    return sum(entry.points for entry in entries if after < entry.earned_at <= at)


class _Window:
    """The sum of a window that moves on with time: what leaves it is taken off once."""

    def __init__(self) -> None:
        self._all: list[Qualifying] = []
        self._inside: list[tuple[datetime, int]] = []
        self._total = 0
        self._months = 0

    def add(self, entry: Qualifying) -> None:
        self._all.append(entry)
        self._enter(entry)

    def total(self, at: datetime, months: int) -> int:
        if months != self._months:
            self._months, self._inside, self._total = months, [], 0
            for entry in self._all:
                self._enter(entry)
        after = add_months(at, -months)
        while self._inside and self._inside[0][0] <= after:
            self._total -= heapq.heappop(self._inside)[1]
        return self._total

    def _enter(self, entry: Qualifying) -> None:
        heapq.heappush(self._inside, (entry.earned_at, entry.points))
        self._total += entry.points


class _Fold:
    """Goes through a customer's history once."""

    def __init__(self, rules: Sequence[TierRules]) -> None:
        self.periods: list[Period] = []
        self._rules = rules
        self._window = _Window()

    def learn(self, entries: Iterable[Qualifying], moment: datetime) -> None:
        """Entries become known; the tier may rise, or be renewed within its grace."""
        for entry in entries:
            self._window.add(entry)
        if not self.periods:
            self._begin(0, moment, PeriodReason.START)
        current, worth = self.periods[-1], self._worth(moment)
        if worth > current.rank:
            self._begin(worth, moment, PeriodReason.UPGRADE)
        elif _in_grace(current) and worth == current.rank:
            self._begin(worth, moment, PeriodReason.RENEWAL)
        else:
            self.review(moment)

    def review_before(self, moment: datetime) -> None:
        """Do every review that was due before `moment`, each at its own time."""
        while self.periods and (due := self.periods[-1].review_at) is not None and due < moment:
            self.review(due)

    def review(self, moment: datetime) -> None:
        """Look at the tier if its review is due by now."""
        if not self.periods:
            return
        current = self.periods[-1]
        if current.review_at is None or current.review_at > moment:
            return
        assert current.expires_at is not None
        worth = self._worth(moment)
        grace = timedelta(days=level_of(self._rules_at(moment), current.rank).grace_days)
        if worth >= current.rank:
            self._begin(worth, moment, PeriodReason.UPGRADE if worth > current.rank else PeriodReason.RENEWAL)
        elif current.expires_at + grace > moment:
            self.periods[-1] = replace(current, review_at=current.expires_at + grace)
        else:
            self._begin(_fallen(self._rules_at(moment), current.rank, worth), moment, PeriodReason.DOWNGRADE)

    def _worth(self, moment: datetime) -> int:
        rules = self._rules_at(moment)
        return rules.rank_for(self._window.total(moment, rules.window_months))

    def _rules_at(self, moment: datetime) -> TierRules:
        return rules_at(self._rules, moment)

    def _begin(self, rank: int, moment: datetime, reason: PeriodReason) -> None:
        if self.periods:
            last = self.periods.pop()
            if last.starts_at < moment:
                self.periods.append(replace(last, ended_at=moment, review_at=None))
        expires_at = add_months(moment, self._rules_at(moment).period_months) if rank else None
        self.periods.append(Period(rank, moment, expires_at, expires_at, reason))


def _in_grace(period: Period) -> bool:
    return period.review_at != period.expires_at and period.review_at is not None


def _fallen(rules: TierRules, rank: int, worth: int) -> int:
    """Where a customer ends who was not worth their tier."""
    one_down = min(rank, len(rules.levels)) - 1
    return one_down if rules.policy is TierPolicy.ONE_DOWN else worth


def _view(current: Period | None, known: Sequence[Qualifying], rules: TierRules, at: datetime) -> TierView:
    rank = 0 if current is None else min(current.rank, len(rules.levels) - 1)
    end = current.expires_at if current is not None else None
    points = window_sum(known, at, rules.window_months)
    at_the_end = window_sum(known, max(end, at), rules.window_months) if end else points
    worth = rules.rank_for(at_the_end)
    projected = rank if worth >= rank else _fallen(rules, rank, worth)
    following = rules.levels[rank + 1] if rank + 1 < len(rules.levels) else None
    return TierView(
        name=rules.levels[rank].name,
        rank=rank,
        since=current.starts_at if current else None,
        expires_at=end,
        grace_until=current.review_at if current and _in_grace(current) else None,
        projected=rules.levels[projected].name,
        qualifying=points,
        points_to_stay=max(0, rules.levels[rank].threshold - at_the_end) if rank else 0,
        points_to_next=max(0, following.threshold - points) if following else None,
        next_name=following.name if following else None,
    )
