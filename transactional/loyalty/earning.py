"""Points for paid orders: so many for each unit's frozen price, times what tier and campaign give, up to the caps."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from transactional.core.money import BASIS_POINTS, allocate
from transactional.loyalty.campaigns import RunningCampaign, best_campaign, categories_of, running_campaigns
from transactional.loyalty.dates import day_of
from transactional.loyalty.ledger import lock_balance, new_entry, refresh, settle_owed, shift_balance
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    LoyaltyProgramme,
    OrderLinePoints,
    PointEntry,
    PointLot,
    Wallet,
)
from transactional.loyalty.programme import available_from, ensure_programme, expires_from, points_for_line
from transactional.loyalty.reversal import EARNED
from transactional.loyalty.standings import Standing, keep_periods, read_standing
from transactional.loyalty.tiers import Qualifying, TierLevel


@dataclass(frozen=True, slots=True)
class EarningLine:
    """A paid order line: its frozen net price and the part of the order's points that paid for it.

    `tax_minor` is the line's tax, contained in `net_minor` or (`tax_included=False`) on top of it.
    """

    order_line_id: int
    quantity: int
    net_minor: int
    points_spent: int = 0
    tax_minor: int = 0
    tax_included: bool = True
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Earning:
    """What a line earns and why."""

    line: EarningLine
    base_minor: int
    """What earns: the net price, with or without tax, and the line's part of shipping and wrapping."""
    plain: int
    """Points at the plain rate: these count for tiers."""
    points: int
    multiplier_bp: int
    terms: dict[str, Any]


def earn_for_order(
    session: Session,
    *,
    order_id: int,
    customer_id: int,
    lines: Iterable[EarningLine],
    now: datetime,
    shipping_minor: int = 0,
    wrap_minor: int = 0,
    actor: str = "shop",
) -> int:
    """Give a paid order's points, in the state that the programme's activation rule says; gives their number.

    Repeating it for the same lines changes nothing; lines that join the order later earn when they do. Where shipping
    or wrapping earn, they do as parts of the lines, in proportion to their prices, and go back with the units.
    """
    lock_balance(session, customer_id)
    new = _not_yet_earned(session, list(lines))
    if not new:
        return 0
    programme = ensure_programme(session, now=now)
    standing = read_standing(session, customer_id)
    refresh(session, customer_id, now=now, actor=actor)
    level = standing.level_at(now)
    running = running_campaigns(session, at=now)
    earnings = earnings_of(
        programme,
        level,
        new,
        extras_minor=shipping_minor * programme.earns_on_shipping + wrap_minor * programme.earns_on_wrap,
        running=running,
        categories=categories_of(session, running, [line.product_id for line in new if line.product_id is not None]),
    )
    room = _room(session, programme, order_id=order_id, customer_id=customer_id, now=now)
    capped = list(within_caps(earnings, room))
    lots = _write(session, programme, level, capped, order_id=order_id, customer_id=customer_id, now=now, actor=actor)
    _count(session, customer_id, lots, now)
    entries = [*standing.entries, *(Qualifying(e.plain, now, now) for e in capped if e.plain)]
    keep_periods(session, customer_id, Standing(entries, standing.rules), now=now)
    return sum(lot.amount for lot in lots)


def earnings_of(
    programme: LoyaltyProgramme,
    level: TierLevel,
    lines: Sequence[EarningLine],
    *,
    extras_minor: int = 0,
    running: Sequence[RunningCampaign] = (),
    categories: Mapping[int, int] | None = None,
) -> list[Earning]:
    """What lines earn before caps, from the rules alone; `categories` maps products to their category."""
    weights = [line.net_minor for line in lines]
    extras = allocate(extras_minor, weights if any(weights) else [line.quantity for line in lines])
    found = []
    for line, extra in zip(lines, extras, strict=True):
        category_id = (categories or {}).get(line.product_id or 0)
        campaign = best_campaign(running, tier=level.name, product_id=line.product_id, category_id=category_id)
        multiplier_bp = level.multiplier_bp * (campaign.multiplier_bp if campaign else BASIS_POINTS) // BASIS_POINTS
        base = _taxed(programme, line) + extra
        plain = points_for_line(programme, net_minor=base, quantity=line.quantity)
        points = points_for_line(programme, net_minor=base, quantity=line.quantity, multiplier_bp=multiplier_bp)
        terms = _terms(programme, level, campaign, base_minor=base, plain=plain, extra=extra)
        found.append(Earning(line, base, plain, points, multiplier_bp, terms))
    return found


def within_caps(earnings: Iterable[Earning], room: Mapping[str, int]) -> Iterator[Earning]:
    """The earnings as far as caps let them, line by line; `room` names each cap and what it leaves."""
    left = dict(room)
    for earning in earnings:
        points = min(earning.points, *left.values()) if left else earning.points
        left = {name: value - points for name, value in left.items()}
        if points == earning.points:
            yield earning
        else:
            cap = min(left, key=lambda name: left[name])
            terms = {**earning.terms, "capped_by": cap, "points_before_cap": earning.points}
            yield Earning(earning.line, earning.base_minor, earning.plain, points, earning.multiplier_bp, terms)


def postpone_activation(session: Session, *, order_id: int, delivered_at: datetime) -> None:
    """The return window runs from delivery: pending points of the order wait until it ends, if that is later.

    Points whose time came before the delivery stay free, whether or not the job has moved them yet. Points that a late
    delivery sets free live for at least the programme's grace from then.
    """
    waiting = session.execute(
        select(PointLot.id, PointLot.earned_at, LoyaltyProgramme)
        .join(OrderLinePoints, OrderLinePoints.order_line_id == PointLot.order_line_id)
        .join(LoyaltyProgramme, LoyaltyProgramme.id == PointLot.programme_id)
        .where(OrderLinePoints.order_id == order_id, PointLot.state == LotState.PENDING, PointLot.source == EARNED)
        .where(or_(PointLot.available_at.is_(None), PointLot.available_at > delivered_at))
        .order_by(PointLot.id)
    )
    lots_by_dates: defaultdict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    for lot_id, earned_at, programme in waiting:
        available_at = available_from(programme, earned_at=earned_at, delivered_at=delivered_at)
        if available_at is not None:
            least = available_at + timedelta(days=programme.restore_grace_days)
            lots_by_dates[available_at, least].append(lot_id)
    for (available_at, least), lot_ids in lots_by_dates.items():
        mine = (PointLot.id.in_(lot_ids), PointLot.state == LotState.PENDING)
        later = or_(PointLot.available_at.is_(None), PointLot.available_at < available_at)
        session.execute(update(PointLot).where(*mine, later).values(available_at=available_at))
        session.execute(update(PointLot).where(*mine, PointLot.expires_at < least).values(expires_at=least))


def _not_yet_earned(session: Session, lines: Sequence[EarningLine]) -> Sequence[EarningLine]:
    ids = [line.order_line_id for line in lines]
    known = set(session.scalars(select(OrderLinePoints.order_line_id).where(OrderLinePoints.order_line_id.in_(ids))))
    return [line for line in lines if line.order_line_id not in known]


def _taxed(programme: LoyaltyProgramme, line: EarningLine) -> int:
    if programme.earns_on_tax:
        return line.net_minor + (0 if line.tax_included else line.tax_minor)
    return line.net_minor - (line.tax_minor if line.tax_included else 0)


def _terms(
    programme: LoyaltyProgramme,
    level: TierLevel,
    campaign: RunningCampaign | None,
    *,
    base_minor: int,
    plain: int,
    extra: int,
) -> dict[str, Any]:
    """Plain values that explain a lot years later, whatever the rules are then."""
    return {
        "rule_version": programme.version,
        "base_minor": base_minor,
        "of_which_shipping_and_wrap_minor": extra,
        "minor_per_point": programme.earn_per_unit_minor,
        "plain_points": plain,
        "tier": {
            "name": level.name,
            "multiplier_bp": level.multiplier_bp,
            "expiry_extension_days": level.expiry_extension_days,
        },
        "campaign": None
        if campaign is None
        else {"id": campaign.id, "name": campaign.name, "multiplier_bp": campaign.multiplier_bp},
    }


def _room(
    session: Session, programme: LoyaltyProgramme, *, order_id: int, customer_id: int, now: datetime
) -> dict[str, int]:
    """What each cap leaves for an order at `now`; what was given back counts no more."""
    room = {}
    if programme.max_earned_per_order is not None:
        of_order = PointLot.order_line_id.in_(
            select(OrderLinePoints.order_line_id).where(OrderLinePoints.order_id == order_id)
        )
        room["order"] = programme.max_earned_per_order - _kept(session, PointLot.customer_id == customer_id, of_order)
    if programme.max_earned_per_day is not None:
        start, end = day_of(now, programme.time_zone)
        that_day = (PointLot.earned_at >= start, PointLot.earned_at < end)
        room["day"] = programme.max_earned_per_day - _kept(session, PointLot.customer_id == customer_id, *that_day)
    return {name: max(0, left) for name, left in room.items()}


def _kept(session: Session, *which: Any) -> int:
    lots = select(PointLot.id).where(PointLot.source == EARNED, *which)
    kinds = (EntryKind.EARN, EntryKind.REVERSE)
    entries = select(func.coalesce(func.sum(PointEntry.points), 0))
    return int(session.scalar(entries.where(PointEntry.lot_id.in_(lots), PointEntry.kind.in_(kinds))) or 0)


def _write(
    session: Session,
    programme: LoyaltyProgramme,
    level: TierLevel,
    earnings: Sequence[Earning],
    *,
    order_id: int,
    customer_id: int,
    now: datetime,
    actor: str,
) -> list[PointLot]:
    """The frozen points of each line, their lots and their entries, written together."""
    session.add_all(
        OrderLinePoints(
            order_line_id=earning.line.order_line_id,
            order_id=order_id,
            customer_id=customer_id,
            quantity=earning.line.quantity,
            earned=earning.points,
            qualifying=earning.plain,
            spent=earning.line.points_spent,
            earned_at=now,
        )
        for earning in earnings
    )
    lots = {e.line.order_line_id: _lot(programme, level, e, customer_id, now) for e in earnings if e.points}
    session.add_all(lots.values())
    session.flush()
    session.add_all(
        new_entry(
            EntryKind.EARN,
            customer_id=customer_id,
            points=earning.points,
            actor=actor,
            now=now,
            lot=lots.get(earning.line.order_line_id),
            order_id=order_id,
            qualifying=earning.plain,
            qualifying_at=now if earning.plain else None,
        )
        for earning in earnings
        if earning.points or earning.plain
    )
    session.flush()
    return list(lots.values())


def _lot(programme: LoyaltyProgramme, level: TierLevel, earning: Earning, customer_id: int, now: datetime) -> PointLot:
    available_at = available_from(programme, earned_at=now, delivered_at=None)
    waits = available_at is None or available_at > now
    return PointLot(
        customer_id=customer_id,
        programme_id=programme.id,
        wallet=Wallet.EARNED,
        source=EARNED,
        order_line_id=earning.line.order_line_id,
        state=LotState.PENDING if waits else LotState.ACTIVE,
        amount=earning.points,
        remaining=earning.points,
        multiplier_bp=earning.multiplier_bp,
        terms=earning.terms,
        earned_at=now,
        available_at=available_at,
        expires_at=expires_from(programme, now, extension_days=level.expiry_extension_days),
    )


def _count(session: Session, customer_id: int, lots: Sequence[PointLot], now: datetime) -> None:
    at_once = [lot for lot in lots if lot.state is LotState.ACTIVE]
    active = sum(lot.amount for lot in at_once)
    shift_balance(session, customer_id, active=active, pending=sum(lot.amount for lot in lots) - active)
    if at_once:
        settle_owed(session, customer_id, at_once, now)
