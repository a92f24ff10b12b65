"""What an affiliate sees: clicks, orders, earnings by state and payouts. Nothing here tells who the shoppers are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.affiliates.models import (
    AffiliateClick,
    AffiliatePayout,
    AttributionOutcome,
    CommissionBalance,
    CommissionLot,
    OrderAttribution,
    PayoutBatch,
)
from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page


@dataclass(frozen=True, slots=True)
class Figures:
    """An affiliate's sums."""

    clicks: int
    visitors: int
    """Distinct visitors among the clicks with consent."""
    orders: int
    """Credited ones."""
    refused: int
    """Orders of the affiliate's own."""
    balances: Sequence[CommissionBalance]


def figures(session: Session, affiliate_id: int) -> Figures:
    """The affiliate's sums at present, money by currency."""
    clicks, visitors = session.execute(
        select(func.count(), func.count(AffiliateClick.visitor_id.distinct())).where(
            AffiliateClick.affiliate_id == affiliate_id
        )
    ).one()
    outcomes = session.execute(
        select(OrderAttribution.outcome, func.count())
        .where(OrderAttribution.affiliate_id == affiliate_id)
        .group_by(OrderAttribution.outcome)
    )
    by_outcome = {outcome: int(count) for outcome, count in outcomes}
    balances = session.scalars(
        select(CommissionBalance)
        .where(CommissionBalance.affiliate_id == affiliate_id)
        .order_by(CommissionBalance.currency)
    ).all()
    return Figures(
        clicks=clicks,
        visitors=visitors,
        orders=by_outcome.get(AttributionOutcome.CREDITED, 0),
        refused=by_outcome.get(AttributionOutcome.REFUSED, 0),
        balances=balances,
    )


def clicks_page(session: Session, affiliate_id: int, cursor: Cursor) -> tuple[Sequence[AffiliateClick], str | None]:
    """Clicks, newest first."""
    statement = select(AffiliateClick).where(AffiliateClick.affiliate_id == affiliate_id)
    return fetch_page(session, statement, cursor, by=AffiliateClick.id)


def attributions_page(
    session: Session, affiliate_id: int, cursor: Cursor
) -> tuple[Sequence[OrderAttribution], str | None]:
    """Orders, newest first."""
    statement = select(OrderAttribution).where(OrderAttribution.affiliate_id == affiliate_id)
    return fetch_page(session, statement, cursor, by=OrderAttribution.id)


def own_attribution(session: Session, affiliate_id: int, reference: str) -> OrderAttribution:
    """One of the affiliate's receipts. Raises NotFound, also for another affiliate's."""
    attribution = session.scalar(
        select(OrderAttribution).where(
            OrderAttribution.public_id == reference, OrderAttribution.affiliate_id == affiliate_id
        )
    )
    if attribution is None:
        raise NotFound("there is no such receipt")
    return attribution


def lots_of_attributions(
    session: Session, attributions: Sequence[OrderAttribution]
) -> Mapping[int, Sequence[CommissionLot]]:
    """Attribution → its lots, the oldest first."""
    lots: defaultdict[int, list[CommissionLot]] = defaultdict(list)
    wanted = [attribution.id for attribution in attributions]
    rows = session.scalars(
        select(CommissionLot).where(CommissionLot.attribution_id.in_(wanted)).order_by(CommissionLot.id)
    )
    for lot in rows:
        lots[lot.attribution_id].append(lot)
    return lots


def payouts_page(session: Session, affiliate_id: int, cursor: Cursor) -> tuple[Sequence[AffiliatePayout], str | None]:
    """Payouts, newest first."""
    statement = select(AffiliatePayout).where(AffiliatePayout.affiliate_id == affiliate_id)
    return fetch_page(session, statement, cursor, by=AffiliatePayout.id)


def batches_of(session: Session, payouts: Sequence[AffiliatePayout]) -> Mapping[int, PayoutBatch]:
    """Payout → its batch."""
    wanted = {payout.batch_id for payout in payouts}
    batches = {batch.id: batch for batch in session.scalars(select(PayoutBatch).where(PayoutBatch.id.in_(wanted)))}
    return {payout.id: batches[payout.batch_id] for payout in payouts}
