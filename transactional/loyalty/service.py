"""Points, as other domains use them: earned at payment, held and captured by checkout, settled on returns.

Every move runs under the lock of the customer's balance row; the balance row is a cache that `discrepancies` proves.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from transactional.loyalty.balances import (
    Balance,
    RedemptionOffer,
    WalletBalance,
    balance,
    balance_at,
    balance_from_lots,
    discrepancies,
    history,
    redemption_offer,
    wallet_balances,
)
from transactional.loyalty.campaigns import campaigns, create_campaign, end_campaign
from transactional.loyalty.clawback import ClawedBack, close_shortfall, open_shortfalls
from transactional.loyalty.earning import EarningLine, earn_for_order, postpone_activation
from transactional.loyalty.gifts import adjust, give, reinstate, take_back
from transactional.loyalty.ledger import lock_balance, refresh
from transactional.loyalty.models import (
    EntryKind,
    LotState,
    LoyaltyCampaign,
    LoyaltyProgramme,
    PointEntry,
    PointLot,
    PointShortfall,
    Wallet,
)
from transactional.loyalty.programme import ensure_programme
from transactional.loyalty.redemption import PointsRefused, capture, hold, live_hold, release
from transactional.loyalty.reversal import Reversal, reverse_for_return
from transactional.loyalty.standings import (
    TIER_CHANGED,
    customers_to_review,
    keep_periods,
    read_standing,
    tier_at,
    tier_discrepancies,
)
from transactional.loyalty.tiers import TierView, compute_tier

__all__ = [
    "TIER_CHANGED",
    "Balance",
    "ClawedBack",
    "EarningLine",
    "EntryKind",
    "LotState",
    "LoyaltyCampaign",
    "LoyaltyProgramme",
    "PointEntry",
    "PointLot",
    "PointShortfall",
    "PointsRefused",
    "RedemptionOffer",
    "Reversal",
    "TierView",
    "Wallet",
    "WalletBalance",
    "activate_due",
    "adjust",
    "balance",
    "balance_at",
    "balance_from_lots",
    "campaigns",
    "capture",
    "close_shortfall",
    "compute_tier",
    "create_campaign",
    "discrepancies",
    "earn_for_order",
    "end_campaign",
    "ensure_programme",
    "expire_due",
    "give",
    "history",
    "hold",
    "live_hold",
    "open_shortfalls",
    "postpone_activation",
    "redemption_offer",
    "reinstate",
    "release",
    "reverse_for_return",
    "review_tiers",
    "take_back",
    "tier_at",
    "tier_discrepancies",
    "wallet_balances",
]


def activate_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Activate pending lots whose window has ended; gives the number of lots moved. Safe to repeat."""
    due = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    return _refresh_customers(session, due, now, limit)


def expire_due(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Expire the unspent rest of lots whose time is up; gives the number of lots moved. Safe to repeat."""
    unspent = and_(PointLot.state == LotState.ACTIVE, PointLot.remaining > 0)
    pending = and_(PointLot.state == LotState.PENDING, PointLot.available_at <= now)
    return _refresh_customers(session, and_(or_(unspent, pending), PointLot.expires_at <= now), now, limit)


def review_tiers(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Renew or lower the tiers whose period is over; gives the number of customers looked at. Safe to repeat."""
    customers = customers_to_review(session, now=now, limit=limit)
    for customer_id in customers:
        lock_balance(session, customer_id)
        keep_periods(session, customer_id, read_standing(session, customer_id), now=now)
    return len(customers)


def _refresh_customers(session: Session, due: ColumnElement[bool], now: datetime, limit: int) -> int:
    customers = session.scalars(
        select(PointLot.customer_id).where(due).distinct().order_by(PointLot.customer_id).limit(limit)
    ).all()
    moved = 0
    for customer_id in customers:
        lock_balance(session, customer_id)
        moved += refresh(session, customer_id, now=now, actor="worker")
    return moved
