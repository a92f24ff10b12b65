"""What customers hear of their points: that they will expire, and that their tier changed or is about to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.accounts.service import get_customer
from transactional.core.mail import queue_mail
from transactional.core.outbox import handles
from transactional.core.uow import Database
from transactional.loyalty.models import LotState, LoyaltyProgramme, PeriodReason, PointLot, TierPeriod
from transactional.loyalty.programme import current_programme
from transactional.loyalty.standings import TIER_CHANGED, tier_at

_UNSPENT = (LotState.PENDING, LotState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points of a customer that expire on one day."""

    customer_id: int
    day: date
    """In the programme's time zone."""
    points: int
    newest_lot_id: int
    """The last lot of that day, spent or not: points that join it later are told of anew."""


def expiring(
    session: Session, *, after: datetime, until: datetime, time_zone: str, customers: Sequence[int]
) -> list[Expiring]:
    """The unspent points of customers that expire after one moment and until another, day by day."""
    rows = session.execute(
        select(PointLot.customer_id, PointLot.expires_at, PointLot.state, PointLot.remaining, PointLot.id)
        .where(PointLot.customer_id.in_(customers), PointLot.expires_at > after, PointLot.expires_at <= until)
        .order_by(PointLot.customer_id, PointLot.expires_at, PointLot.id)
    )
    zone = ZoneInfo(time_zone)
    days: dict[tuple[int, date], tuple[int, int]] = {}
    for customer_id, expires_at, state, remaining, lot_id in rows:
        key = (customer_id, expires_at.astimezone(zone).date())
        points, newest = days.get(key, (0, 0))
        days[key] = (points + (remaining if state in _UNSPENT else 0), max(newest, lot_id))
    return [Expiring(*key, points, newest) for key, (points, newest) in days.items() if points]


def notify_expiries(session: Session, *, now: datetime, after_customer_id: int = 0, limit: int = 200) -> int | None:
    """Tell the next customers of points that expire soon: a first time and a last time, once each.

    Gives the last customer looked at, to go on from; None when there are no more.
    """
    programme = current_programme(session, now=now)
    if programme is None:
        return None
    last_call = now + timedelta(days=programme.last_notice_days)
    horizon = now + timedelta(days=programme.first_notice_days)
    customers = session.scalars(
        select(PointLot.customer_id)
        .where(PointLot.state.in_(_UNSPENT), PointLot.expires_at > now, PointLot.expires_at <= horizon)
        .where(PointLot.customer_id > after_customer_id)
        .distinct()
        .order_by(PointLot.customer_id)
        .limit(limit)
    ).all()
    for after, until, days in (
        (now, last_call, programme.last_notice_days),
        (last_call, horizon, programme.first_notice_days),
    ):
        for found in expiring(session, after=after, until=until, time_zone=programme.time_zone, customers=customers):
            _tell_of_expiry(session, found, days, now)
    return customers[-1] if customers else None


def notify_tier_ends(session: Session, *, now: datetime, after_customer_id: int = 0, limit: int = 200) -> int | None:
    """Tell the next customers whose tier will end, and what is missing to keep it: once a period.

    Gives the last customer looked at, to go on from; None when there are no more.
    """
    programme = current_programme(session, now=now)
    if programme is None:
        return None
    horizon = now + timedelta(days=programme.tier_notice_days)
    periods = session.scalars(
        select(TierPeriod)
        .where(TierPeriod.review_at > now, TierPeriod.review_at <= horizon)
        .where(TierPeriod.customer_id > after_customer_id)
        .order_by(TierPeriod.customer_id)
        .limit(limit)
    ).all()
    for period in periods:
        _tell_of_end(session, period, programme, now)
    return periods[-1].customer_id if periods else None


@handles(TIER_CHANGED)
def tell_of_tier(database: Database, payload: dict[str, Any]) -> None:
    """Queue a mail about a tier that was reached or lost; repeating it queues nothing."""
    now, customer_id, tier = database.clock.now(), payload["customer_id"], payload["tier"]
    up = payload["reason"] == PeriodReason.UPGRADE
    subject = f"Welcome to {tier}" if up else f"Your tier is now {tier}"
    body = (
        f"Your orders have brought you to our {tier} tier. Thank you!"
        if up
        else f"Your last period has ended and your tier is {tier} from now on. New orders bring you up again at once."
    )

    def work(session: Session) -> None:
        _write(session, customer_id, subject, body, key=f"points-tier:{customer_id}:{payload['since']}", now=now)

    database.run(work, actor="worker")


def _tell_of_expiry(session: Session, found: Expiring, days: int, now: datetime) -> None:
    what = "1 of your points expires" if found.points == 1 else f"{found.points} of your points expire"
    body = f"{what} on {found.day:%d %B %Y}. With your next order you spend first what expires first."
    key = f"points-expiry:{found.customer_id}:{found.day}:{days}:{found.newest_lot_id}"
    _write(session, found.customer_id, f"{what} soon", body, key=key, now=now)


def _tell_of_end(session: Session, period: TierPeriod, programme: LoyaltyProgramme, now: datetime) -> None:
    view = tier_at(session, period.customer_id, now)
    if view.points_to_stay == 0 or view.since != period.starts_at or view.expires_at is None:
        return
    end = (view.grace_until or view.expires_at).astimezone(ZoneInfo(programme.time_zone))
    body = (
        f"Your {view.name} tier is yours until {end:%d %B %Y}. Earn {view.points_to_stay} more points by then to keep"
        f" it; otherwise it becomes {view.projected}."
    )
    key = f"points-tier-end:{period.customer_id}:{period.starts_at.isoformat()}"
    _write(session, period.customer_id, f"Keep your {view.name} tier", body, key=key, now=now)


def _write(session: Session, customer_id: int, subject: str, body: str, *, key: str, now: datetime) -> None:
    customer = get_customer(session, customer_id)
    if customer.email:
        queue_mail(session, to=customer.email, subject=subject, body=body, dedup_key=key, now=now)
