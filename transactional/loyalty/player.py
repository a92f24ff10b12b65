"""Plays a customer's history under the rules of a scenario."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from transactional.core.money import allocate, unit_share
from transactional.loyalty.book import Book, BookLot, Note
from transactional.loyalty.campaigns import RunningCampaign
from transactional.loyalty.clawback import RESTORED
from transactional.loyalty.dates import day_of
from transactional.loyalty.earning import Earning, EarningLine, earnings_of, within_caps
from transactional.loyalty.models import EntryKind, LoyaltyProgramme, PointEntry, PointLot, Wallet
from transactional.loyalty.programme import (
    available_from,
    expires_from,
    redeemable_points,
    spending_limits,
    wallet_rules,
)
from transactional.loyalty.recorded import Record
from transactional.loyalty.replay_events import Bought, Did, Event, GaveBack, LineFacts
from transactional.loyalty.reversal import EARNED
from transactional.loyalty.scenario import Rules, Scenario
from transactional.loyalty.tiers import Qualifying, TierLevel, level_of, rules_at, tier_periods


@dataclass(slots=True)
class _Line:
    """A paid line as the scenario has it."""

    earned: int
    qualifying: int
    spent: int
    quantity: int
    at: datetime
    root: int | None


@dataclass(slots=True)
class _Kept:
    """Points that count towards the caps."""

    order_id: int
    at: datetime
    points: int


class Player:
    """One customer's points under a scenario; what is asked of it must come in order."""

    def __init__(self, record: Record, scenario: Scenario) -> None:
        self.book = Book()
        self.qualifying: list[Qualifying] = []
        self._record = record
        self._scenario = scenario
        self._lines: dict[int, _Line] = {}
        self._kept: dict[int, _Kept] = {}
        """By lot."""
        self._lot_of: dict[int, BookLot] = {}
        """By the recorded lot's id."""
        self._programme_of: dict[int, LoyaltyProgramme] = {}
        """By lot: the version that it came under."""
        self._prices: dict[int, int] = {}
        """By order: its goods before points, in minor units."""
        self._value_of: dict[int, int] = {}
        """By order: what a point paid, in minor units."""

    def play(self, events: Sequence[Event], *, until: datetime) -> Book:
        """The book at `until`."""
        for event in events:
            if isinstance(event, Bought):
                price = sum(facts.line.net_minor + facts.line.points_discount_minor for facts in event.lines)
                self._prices.setdefault(event.order_id, price)
        for event in events:
            if event.at > until:
                continue
            self.book.advance(event.at)
            match event:
                case Bought():
                    self._buy(event)
                case GaveBack():
                    self._give_back(event)
                case Did():
                    self._do(event.entry)
        self.book.advance(until)
        closed = (
            s.points for s in self._record.shortfalls.values() if s.closed_at is not None and s.closed_at <= until
        )
        self.book.shortfall -= min(self.book.shortfall, sum(closed))
        return self.book

    def _do(self, entry: PointEntry) -> None:
        lot = self._record.lots[entry.lot_id] if entry.lot_id is not None else None
        note = Note(entry.order_id, entry.reason, entry.id)
        if entry.qualifying_at is not None:
            self.qualifying.append(Qualifying(entry.qualifying, entry.qualifying_at, entry.occurred_at))
        match entry.kind:
            case EntryKind.EARN | EntryKind.ADJUST if lot is not None:
                self._give(lot, entry, note)
            case EntryKind.ADJUST:
                free = min(-entry.points, self._redeemable())
                self.book.take_by_hand(self.book.choose(free, wallet=entry.wallet), note)
            case EntryKind.HOLD:
                self._hold(entry, note)
            case EntryKind.CAPTURE if entry.order_id in self.book.paid:
                self.book.capture(entry.order_id, note)
            case EntryKind.RELEASE if entry.order_id in self.book.paid:
                self.book.release(entry.order_id, note)
            case EntryKind.RESTORE if lot is not None and entry.order_id is None:
                self._reinstate(lot, note)
            case EntryKind.RESTORE if lot is not None and entry.order_id is not None:
                self._restore(entry.order_id, lot.amount, entry.occurred_at, [lot.id])
            case EntryKind.REVERSE if lot is not None and lot.id in self._lot_of:
                short = self._record.shortfalls.get(entry.id)
                due = -entry.points + (0 if short is None else short.points)
                self._reverse(self._lot_of[lot.id].id, due, note)
            case _:
                pass  # activations and expiries follow from the dates

    def _buy(self, event: Bought) -> None:
        rules = self._scenario.at(event.at)
        level = self._level(event.at)
        spent, bases = self._money(event, rules)
        found = [
            self._earning(rules.programme, level, line, base) for line, base in zip(event.lines, bases, strict=True)
        ]
        capped = list(within_caps(found, self._room(rules.programme, event)))
        for facts, earning, paid in zip(event.lines, capped, spent, strict=True):
            lot = self._earn(facts, earning, rules, level, event) if earning.points else None
            if earning.plain:
                self.qualifying.append(Qualifying(earning.plain, event.at, event.at))
            self._lines[facts.line.id] = _Line(
                earning.points, earning.plain, paid, facts.points.quantity, event.at, None if lot is None else lot.id
            )

    def _earning(self, programme: LoyaltyProgramme, level: TierLevel, facts: LineFacts, base: int) -> Earning:
        campaign = (facts.lot.terms.get("campaign") if facts.lot is not None else None) or None
        running = (
            [] if campaign is None else [RunningCampaign(**campaign, tier=None, product_id=None, category_ids=None)]
        )
        line = EarningLine(facts.line.id, facts.points.quantity, base)
        # What the base contains is settled already: no tax is left to take out or put on top.
        (earning,) = earnings_of(programme, level, [line], running=running)
        return earning

    def _money(self, event: Bought, rules: Rules) -> tuple[list[int], list[int]]:
        """Points spent on each line, and what each line earns on."""
        paid = self.book.paid.get(event.order_id)
        shares = [facts.line.points_discount_minor for facts in event.lines]
        discount = 0 if paid is None else paid.points * self._value_of[event.order_id]
        as_recorded = discount == sum(shares) or not any(facts.points.spent for facts in event.lines)
        if as_recorded:
            spent, nets = [f.points.spent for f in event.lines], [f.line.net_minor for f in event.lines]
        else:
            spent = allocate(0 if paid is None else paid.points, shares)
            less = allocate(discount, shares)
            nets = [f.line.net_minor + was - is_ for f, was, is_ in zip(event.lines, shares, less, strict=True)]
        if paid is not None and any(shares) and paid.points != sum(spent):
            spent = allocate(paid.points, shares)
        bases = self._bases(event, rules.programme, nets)
        if rules.base_stays and as_recorded:
            bases = [
                base if f.lot is None else int(f.lot.terms.get("base_minor", base))
                for f, base in zip(event.lines, bases, strict=True)
            ]
        return spent, bases

    def _bases(self, event: Bought, programme: LoyaltyProgramme, nets: Sequence[int]) -> list[int]:
        order = event.lines[0].order
        first = order.paid_at is None or event.at <= order.paid_at
        extras = order.shipping_minor * programme.earns_on_shipping + order.wrap_minor * programme.earns_on_wrap
        weights = nets if any(nets) else [facts.points.quantity for facts in event.lines]
        shares = allocate(extras if first else 0, weights)
        bases = []
        for facts, net, extra in zip(event.lines, nets, shares, strict=True):
            tax = facts.line.tax_minor * net // facts.line.net_minor if facts.line.net_minor else 0
            if programme.earns_on_tax:
                taxed = net + (0 if order.tax_included else tax)
            else:
                taxed = net - (tax if order.tax_included else 0)
            bases.append(taxed + extra)
        return bases

    def _room(self, programme: LoyaltyProgramme, event: Bought) -> dict[str, int]:
        room = {}
        if programme.max_earned_per_order is not None:
            kept = sum(k.points for k in self._kept.values() if k.order_id == event.order_id)
            room["order"] = max(0, programme.max_earned_per_order - kept)
        if programme.max_earned_per_day is not None:
            start, end = day_of(event.at, programme.time_zone)
            kept = sum(k.points for k in self._kept.values() if start <= k.at < end)
            room["day"] = max(0, programme.max_earned_per_day - kept)
        return room

    def _earn(self, facts: LineFacts, earning: Earning, rules: Rules, level: TierLevel, event: Bought) -> BookLot:
        available, expires = self._dates(facts, rules, level, event.at)
        lot = self._new(
            Wallet.EARNED,
            EARNED,
            earning.points,
            at=event.at,
            available=available,
            expires=expires,
            programme=rules.programme,
        )
        if facts.lot is not None:
            self._lot_of[facts.lot.id] = lot
        self._kept[lot.id] = _Kept(event.order_id, event.at, lot.amount)
        self.book.add(lot, EntryKind.EARN, Note(event.order_id))
        return lot

    def _dates(
        self, facts: LineFacts, rules: Rules, level: TierLevel, at: datetime
    ) -> tuple[datetime | None, datetime]:
        """When points of a line can be spent and expire; as recorded where the rules for it are."""
        if facts.lot is not None and rules.dates_stay:
            was = facts.lot.terms.get("tier", {}).get("expiry_extension_days", 0)
            if was == level.expiry_extension_days:
                return facts.lot.available_at, facts.lot.expires_at
        programme, delivered = rules.programme, facts.delivered_at
        available = available_from(programme, earned_at=at, delivered_at=None)
        expires = expires_from(programme, at, extension_days=level.expiry_extension_days)
        if delivered is not None and (available is None or available > delivered):
            later = available_from(programme, earned_at=at, delivered_at=delivered)
            assert later is not None, "a delivery is all that points can wait for"
            available = later if available is None else max(available, later)
            expires = max(expires, later + timedelta(days=programme.restore_grace_days))
        return available, expires

    def _give_back(self, event: GaveBack) -> None:
        line = self._lines.get(event.line_id)
        if line is None:
            return
        qualifying = unit_share(line.qualifying, line.quantity, event.first, event.count)
        due = unit_share(line.earned, line.quantity, event.first, event.count)
        if line.root is not None and due:
            self._kept[line.root].points -= self._reverse(line.root, due, Note(event.order_id))
        if qualifying:
            self.qualifying.append(Qualifying(-qualifying, line.at, event.at))
        spent = unit_share(line.spent, line.quantity, event.first, event.count)
        self._restore(event.order_id, spent, event.at, event.restored)

    def _restore(self, order_id: int, points: int, at: datetime, recorded: Sequence[int]) -> None:
        """Spent points come back; `recorded` are the lots that they came back as."""
        known = iter(recorded)
        for part in self.book.spent_on(order_id, points):
            programme = self._programme_of[part.lot.id]
            expires = max(part.lot.expires_at, at + timedelta(days=programme.restore_grace_days))
            lot = self._new(
                part.lot.wallet, RESTORED, part.points, at=at, available=at, expires=expires, programme=programme
            )
            lot.root = part.lot.root
            row_id = next(known, None)
            if row_id is not None:
                self._lot_of[row_id] = lot
            self.book.give_back(order_id, part, lot, Note(order_id))

    def _give(self, row: PointLot, entry: PointEntry, note: Note) -> None:
        rules = self._scenario.at(entry.occurred_at)
        available = max(row.available_at or entry.occurred_at, entry.occurred_at)
        expires = row.expires_at if rules.dates_stay else expires_from(rules.programme, available, wallet=row.wallet)
        lot = self._new(
            row.wallet,
            row.source,
            row.amount,
            at=entry.occurred_at,
            available=available,
            expires=expires,
            programme=rules.programme,
        )
        self._lot_of[row.id] = lot
        self.book.add(lot, entry.kind, note)

    def _reinstate(self, row: PointLot, note: Note) -> None:
        expired = self._lot_of.get(row.terms.get("expired_lot_id", 0))
        lost = 0 if expired is None else expired.expired - expired.reinstated
        if expired is None or not lost:
            return
        rules = self._scenario.at(row.earned_at)
        expires = row.earned_at + timedelta(days=rules.programme.restore_grace_days)
        lot = self._new(
            row.wallet,
            row.source,
            lost,
            at=row.earned_at,
            available=row.earned_at,
            expires=expires,
            programme=rules.programme,
        )
        lot.root = expired.root
        self._lot_of[row.id] = lot
        self.book.reinstate(expired, lot, note)

    def _hold(self, entry: PointEntry, note: Note) -> None:
        assert entry.order_id is not None
        rules = self._scenario.at(entry.occurred_at)
        wanted = min(-entry.points, self._redeemable())
        if not rules.redemption_stays:
            wanted = min(wanted, self._payable(rules.programme, entry))
            wanted = wanted if wanted >= rules.programme.min_redeem_points else 0
        parts = self.book.choose(wanted, limits=spending_limits(rules.programme))
        if parts:
            self._value_of[entry.order_id] = rules.programme.value_per_point_minor
            self.book.hold(entry.order_id, parts, note)

    def _payable(self, programme: LoyaltyProgramme, entry: PointEntry) -> int:
        """The most points that the order's goods let through; those of an order that came to nothing stand."""
        was = self._prices.get(entry.order_id or 0)
        return -entry.points if was is None else redeemable_points(programme, merchandise_minor=was)

    def _reverse(self, root: int, due: int, note: Note) -> int:
        wallet = self.book.lots[root].wallet
        floor = wallet_rules(self._scenario.at(self.book.now).programme, wallet).negative_floor
        return self.book.reverse(root, due, floor, note)

    def _redeemable(self) -> int:
        balance = self.book.balance()
        return balance.redeemable

    def _level(self, at: datetime) -> TierLevel:
        periods = tier_periods(self.qualifying, self._scenario.tiers, at)
        return level_of(rules_at(self._scenario.tiers, at), periods[-1].rank if periods else 0)

    def _new(
        self,
        wallet: Wallet,
        source: str,
        points: int,
        *,
        at: datetime,
        available: datetime | None,
        expires: datetime,
        programme: LoyaltyProgramme,
    ) -> BookLot:
        number = len(self._programme_of) + 1  # in the order of coming, as the recorded ids
        self._programme_of[number] = programme
        return BookLot(number, number, wallet, source, points, at, available, expires, programme.version)
