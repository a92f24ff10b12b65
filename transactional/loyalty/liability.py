"""What the shop owes in points: how much, of which kind, to whom, and when it lapses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from transactional.loyalty.models import LotState, PointBalance, PointLot, Wallet
from transactional.loyalty.programme import current_programme

_UNSPENT = (LotState.PENDING, LotState.ACTIVE)


@dataclass(frozen=True, slots=True)
class SourceLiability:
    """Unspent points of one wallet and one source."""

    wallet: Wallet
    source: str
    active: int
    pending: int


@dataclass(frozen=True, slots=True)
class Liability:
    """Open points of all customers at one moment; money in minor units, at the value of a point at that moment."""

    active: int
    pending: int
    held: int
    owed: int
    """Points that customers owe; their next ones pay."""
    shortfall: int
    expiring: int
    """Of the unspent ones: those that lapse within 30 days."""
    value_per_point_minor: int
    by_source: Sequence[SourceLiability]
    largest: Sequence[tuple[int, int]]
    """The customers with most unspent points, with their number."""

    @property
    def points(self) -> int:
        """What may still be redeemed: active + pending + held − owed."""
        return self.active + self.pending + self.held - self.owed

    @property
    def value_minor(self) -> int:
        """What that is worth."""
        return self.points * self.value_per_point_minor


def liability(session: Session, *, now: datetime, largest: int = 10) -> Liability:
    """The shop's debt in points at `now`, by the dates of the lots, whether or not the jobs have run."""
    alive = and_(
        PointLot.state.in_(_UNSPENT),
        PointLot.remaining > 0,
        or_(PointLot.expires_at > now, PointLot.available_at.is_(None), PointLot.available_at > now),
    )
    usable = PointLot.available_at <= now
    waits = or_(PointLot.available_at.is_(None), PointLot.available_at > now)
    total = func.coalesce(func.sum(PointLot.remaining), 0)
    by_source = [
        SourceLiability(wallet, source, int(active or 0), int(pending or 0))
        for wallet, source, active, pending in session.execute(
            select(
                PointLot.wallet,
                PointLot.source,
                func.sum(PointLot.remaining).filter(usable),
                func.sum(PointLot.remaining).filter(waits),
            )
            .where(alive)
            .group_by(PointLot.wallet, PointLot.source)
            .order_by(PointLot.wallet, PointLot.source)
        )
    ]
    held, owed, shortfall = session.execute(
        select(
            func.coalesce(func.sum(PointBalance.held), 0),
            func.coalesce(func.sum(PointBalance.owed), 0),
            func.coalesce(func.sum(PointBalance.shortfall), 0),
        )
    ).one()
    top = session.execute(
        select(PointLot.customer_id, total)
        .where(alive)
        .group_by(PointLot.customer_id)
        .order_by(total.desc(), PointLot.customer_id)
        .limit(largest)
    )
    programme = current_programme(session, now=now)
    return Liability(
        active=sum(each.active for each in by_source),
        pending=sum(each.pending for each in by_source),
        held=int(held),
        owed=int(owed),
        shortfall=int(shortfall),
        expiring=int(session.scalar(select(total).where(alive, PointLot.expires_at <= now + timedelta(days=30))) or 0),
        value_per_point_minor=programme.value_per_point_minor if programme else 0,
        by_source=by_source,
        largest=[(customer_id, int(points)) for customer_id, points in top],
    )
