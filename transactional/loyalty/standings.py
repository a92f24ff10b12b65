"""Customers' tiers as the shop needs them: computed from the ledger, kept as periods, told when they change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.outbox import publish
from transactional.loyalty.models import PeriodReason, PointEntry, TierPeriod
from transactional.loyalty.programme import tier_rules
from transactional.loyalty.tiers import (
    Period,
    Qualifying,
    TierLevel,
    TierRules,
    TierView,
    compute_tier,
    level_of,
    rules_at,
    tier_periods,
)

TIER_CHANGED = "loyalty.tier_changed"
"""Payload: customer_id, tier, reason (a PeriodReason), since (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a customer's tier follows from."""

    entries: Sequence[Qualifying]
    rules: Sequence[TierRules]

    def level_at(self, at: datetime) -> TierLevel:
        """The tier that a customer is in."""
        periods = tier_periods(self.entries, self.rules, at)
        return level_of(rules_at(self.rules, at), periods[-1].rank if periods else 0)


def tier_at(session: Session, customer_id: int, at: datetime) -> TierView:
    """The customer's tier at any moment: a pure function of the ledger up to then, the rules, and the clock."""
    return compute_tier(qualifying_entries(session, customer_id), tier_rules(session), at)


def read_standing(session: Session, customer_id: int) -> Standing:
    """What the customer's tier follows from."""
    return Standing(qualifying_entries(session, customer_id), tier_rules(session))


def qualifying_entries(session: Session, customer_id: int) -> list[Qualifying]:
    """The entries of the ledger that count for tiers, in the order in which they came."""
    rows = session.execute(
        select(PointEntry.qualifying, PointEntry.qualifying_at, PointEntry.occurred_at)
        .where(PointEntry.customer_id == customer_id, PointEntry.qualifying_at.is_not(None))
        .order_by(PointEntry.id)
    )
    return [Qualifying(points, earned_at, known_at) for points, earned_at, known_at in rows if earned_at is not None]


def keep_periods(session: Session, customer_id: int, standing: Standing, *, now: datetime) -> None:
    """Bring the customer's rows up to now, and have a tier that changed told. The caller holds the balance's lock."""
    periods = tier_periods(standing.entries, standing.rules, now)
    newest = session.scalars(
        select(TierPeriod)
        .where(TierPeriod.customer_id == customer_id)
        .order_by(TierPeriod.starts_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    if not periods or (newest is not None and _said(newest) == periods[-1]):
        return
    stored = session.scalars(
        select(TierPeriod).where(TierPeriod.customer_id == customer_id).order_by(TierPeriod.starts_at)
    ).all()
    rows = {row.starts_at: row for row in stored}
    for period in periods:
        row = rows.pop(period.starts_at, None)
        tier = level_of(rules_at(standing.rules, period.starts_at), period.rank).name
        if row is None or row.rank != period.rank:
            _tell(session, customer_id, period, tier, now)
        if row is None:
            row = TierPeriod(customer_id=customer_id, starts_at=period.starts_at)
            session.add(row)
        _write_down(row, period, tier)
    for row in rows.values():
        session.delete(row)
    session.flush()


def customers_to_review(session: Session, *, now: datetime, limit: int) -> Sequence[int]:
    """Customers whose period has come to its end."""
    return session.scalars(
        select(TierPeriod.customer_id)
        .where(TierPeriod.review_at <= now)
        .distinct()
        .order_by(TierPeriod.customer_id)
        .limit(limit)
    ).all()


def tier_discrepancies(session: Session, *, now: datetime) -> list[int]:
    """Customers whose kept periods are not those that the ledger gives; empty when the job has run and all is well."""
    rules = tier_rules(session)
    customers = session.scalars(
        select(PointEntry.customer_id)
        .where(PointEntry.qualifying_at.is_not(None))
        .union(select(TierPeriod.customer_id))
        .order_by(PointEntry.customer_id)
    ).all()
    return [
        customer_id
        for customer_id in customers
        if _stored(session, customer_id) != tier_periods(qualifying_entries(session, customer_id), rules, now)
    ]


def _stored(session: Session, customer_id: int) -> list[Period]:
    rows = session.scalars(
        select(TierPeriod).where(TierPeriod.customer_id == customer_id).order_by(TierPeriod.starts_at)
    )
    return [_said(row) for row in rows]


def _said(row: TierPeriod) -> Period:
    return Period(row.rank, row.starts_at, row.expires_at, row.review_at, row.reason, row.ended_at)


def _write_down(row: TierPeriod, period: Period, tier: str) -> None:
    row.rank = period.rank
    row.tier = tier
    row.expires_at = period.expires_at
    row.ended_at = period.ended_at
    row.review_at = period.review_at
    row.reason = period.reason


def _tell(session: Session, customer_id: int, period: Period, tier: str, now: datetime) -> None:
    if period.reason not in {PeriodReason.UPGRADE, PeriodReason.DOWNGRADE}:
        return
    since = period.starts_at.isoformat()
    payload = {"customer_id": customer_id, "tier": tier, "reason": period.reason.value, "since": since}
    publish(session, TIER_CHANGED, payload, dedup_key=f"{TIER_CHANGED}:{customer_id}:{since}:{period.rank}", now=now)
