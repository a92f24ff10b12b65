"""What customers and staff are shown of one customer's points; the same for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.pagination import Cursor
from transactional.loyalty import schemas, statements
from transactional.loyalty.balances import balance, history, wallet_balances
from transactional.loyalty.models import LotState, PointEntry, PointLot
from transactional.loyalty.programme import current_programme
from transactional.loyalty.standings import tier_at

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Period:
    """What a statement is asked for: up to `as_of` (default: now), from `since` (default: the first point)."""

    now: datetime
    as_of: datetime | None = None
    since: datetime | None = None


def points(session: Session, customer_id: int, now: datetime) -> schemas.PointsOut:
    """Balance, wallets, tier and what expires soon."""
    shown = schemas.BalanceOut.of(balance(session, customer_id, now=now))
    return schemas.PointsOut(
        **shown.model_dump(),
        wallets=[schemas.PointsWalletOut.of(each) for each in wallet_balances(session, customer_id, now=now)],
        tier=schemas.PointsTierOut.of(tier_at(session, customer_id, now)),
        expires_soon=sum(lot.points for lot in expiring(session, customer_id, now, SOON)),
    )


def expiring(session: Session, customer_id: int, now: datetime, within: timedelta) -> list[schemas.ExpiringLotOut]:
    """Unspent lots that expire within a time, the next first."""
    lots = session.scalars(
        select(PointLot)
        .where(
            PointLot.customer_id == customer_id,
            PointLot.state.in_([LotState.PENDING, LotState.ACTIVE]),
            PointLot.remaining > 0,
            PointLot.expires_at > now,
            PointLot.expires_at <= now + within,
        )
        .order_by(PointLot.expires_at, PointLot.id)
    )
    return [schemas.ExpiringLotOut.of(lot) for lot in lots]


def history_rows(session: Session, customer_id: int, cursor: Cursor) -> Sequence[PointEntry]:
    """Entries of a page, newest first, and one more."""
    return history(session, customer_id, before_id=cursor.after, limit=cursor.limit + 1)


def statement(session: Session, customer_id: int, period: Period) -> statements.Statement:
    """The customer's statement; raises InvalidInput for a period that is none."""
    as_of = period.now if period.as_of is None else period.as_of
    return statements.statement(session, customer_id, as_of=as_of, since=period.since, now=period.now)


def statement_table(session: Session, customer_id: int, period: Period) -> tuple[str, date]:
    """The statement as CSV, and its day in the programme's time zone."""
    made = statement(session, customer_id, period)
    programme = current_programme(session, now=period.now)
    zone = ZoneInfo(programme.time_zone) if programme else made.as_of.tzinfo
    return statements.as_csv(made), made.as_of.astimezone(zone).date()
