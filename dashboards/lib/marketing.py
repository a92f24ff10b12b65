"""Marketing's figures: what the shop owes in points, what offers cost and bring, and who sends shoppers."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from dashboards.lib.filters import Grain, Period
from dashboards.lib.session import Snapshot

MARTS = (
    "loyalty_liability",
    "fct_points",
    "fct_order_discounts",
    "coupon_performance",
    "fct_commissions",
    "fct_referrals",
    "referral_performance",
)
"""What the page reads; snapshots of an older house lack them."""

ALL_WALLETS = "All wallets"
WALLETS = (ALL_WALLETS, "earned", "promotional")

_AT = """
SELECT coalesce(sum(balance_points), 0)::BIGINT AS points,
       coalesce(sum(balance_points) FILTER (state = 'active'), 0)::BIGINT AS active,
       coalesce(sum(balance_points) FILTER (state = 'pending'), 0)::BIGINT AS pending,
       coalesce(sum(points) FILTER (state = 'owed'), 0)::BIGINT AS owed,
       coalesce(sum(value_owed), 0)::DECIMAL(18, 2) AS value_owed,
       coalesce(sum(expected_breakage_amount), 0)::DECIMAL(18, 2) AS expected_breakage,
       coalesce(sum(expected_cost), 0)::DECIMAL(18, 2) AS expected_cost,
       max(breakage_rate) AS breakage_rate,
       max(matured_lots)::BIGINT AS matured_lots
FROM loyalty_liability
WHERE date_day = (SELECT max(date_day) FROM loyalty_liability WHERE date_day <= ?) AND (? = '' OR wallet = ?)
"""
_LIABILITY = """
WITH days AS (
    SELECT CAST(date_trunc('{grain}', date_day) AS DATE) AS period, max(date_day) AS date_day
    FROM loyalty_liability
    WHERE date_day BETWEEN ? AND ?
    GROUP BY 1
)
SELECT days.period,
       coalesce(sum(balance_points) FILTER (state = 'active'), 0)::BIGINT AS active,
       coalesce(sum(balance_points) FILTER (state = 'pending'), 0)::BIGINT AS pending,
       coalesce(sum(balance_points) FILTER (state = 'owed'), 0)::BIGINT AS owed,
       sum(value_owed)::DECIMAL(18, 2) AS value_owed,
       sum(expected_breakage_points)::BIGINT AS expected_breakage_points,
       sum(expected_breakage_amount)::DECIMAL(18, 2) AS expected_breakage_amount,
       sum(expected_cost)::DECIMAL(18, 2) AS expected_cost
FROM days
JOIN loyalty_liability USING (date_day)
WHERE ? = '' OR wallet = ?
GROUP BY 1
ORDER BY 1
"""
_FLOWS = """
SELECT CAST(date_trunc('{grain}', occurred_day) AS DATE) AS period,
       coalesce(sum(points) FILTER (kind = 'earn' OR (kind = 'adjust' AND points > 0)), 0)::BIGINT AS issued,
       coalesce(-sum(points) FILTER (kind IN ('hold', 'release') OR (kind = 'restore' AND order_id IS NOT NULL)), 0)
           ::BIGINT AS redeemed,
       coalesce(-sum(points) FILTER (kind = 'expire' OR (kind = 'restore' AND order_id IS NULL)), 0)::BIGINT AS expired,
       coalesce(-sum(points) FILTER (kind = 'reverse' OR (kind = 'adjust' AND points < 0)), 0)::BIGINT AS taken_back
FROM fct_points
WHERE occurred_day BETWEEN ? AND ? AND points <> 0 AND (? = '' OR wallet = ?)
GROUP BY 1
ORDER BY 1
"""
_TIERS = """
SELECT loyalty_tier AS tier,
       (SELECT count(*) FROM dim_customers AS c WHERE c.loyalty_tier = l.loyalty_tier)::BIGINT AS members,
       sum(balance_points)::BIGINT AS points,
       sum(value_owed)::DECIMAL(18, 2) AS value_owed,
       sum(expected_cost)::DECIMAL(18, 2) AS expected_cost
FROM loyalty_liability AS l
WHERE date_day = (SELECT max(date_day) FROM loyalty_liability) AND (? = '' OR wallet = ?)
GROUP BY 1
ORDER BY points DESC, 1
"""
_OFFERS = """
SELECT promotion_name || CASE WHEN offer_key = 'automatic' THEN '' ELSE ' · ' || offer_label END AS offer,
       promotion_kind AS kind, status, is_automatic, uses, customers, new_customers, revenue, discount_cost,
       round(discount_rate, 4) AS discount_rate, average_basket, first_used_at, last_used_at
FROM coupon_performance
WHERE uses > 0 OR status = 'active'
ORDER BY discount_cost DESC, uses DESC, promotion_id, offer_key
LIMIT 500
"""
_UPLIFT = """
SELECT DISTINCT promotion_id, promotion_name AS offer, uplift_state, treated_people, held_out_people,
       treated_per_person, held_out_per_person, uplift_per_person, uplift_low, uplift_high,
       round(uplift_rate, 4) AS uplift_rate
FROM coupon_performance
WHERE uses > 0 OR uplift_state <> 'no control group'
ORDER BY uplift_per_person DESC NULLS LAST, promotion_id
"""
_DISCOUNTS = """
SELECT CAST(date_trunc('{grain}', order_day) AS DATE) AS period,
       coalesce(sum(amount) FILTER (NOT is_automatic), 0)::DECIMAL(18, 2) AS by_code,
       coalesce(sum(amount) FILTER (is_automatic), 0)::DECIMAL(18, 2) AS automatic,
       count(DISTINCT order_id)::BIGINT AS orders
FROM fct_order_discounts
WHERE is_sale AND order_day BETWEEN ? AND ?
GROUP BY 1
ORDER BY 1
"""
_AFFILIATE_FUNNEL = """
SELECT step, figure FROM (
    SELECT 1 AS place, 'clicks' AS step, sum(clicks)::BIGINT AS figure FROM referral_performance
    WHERE referrer_kind = 'affiliate'
    UNION ALL SELECT 2, 'orders named', sum(referrals)::BIGINT FROM referral_performance
    WHERE referrer_kind = 'affiliate'
    UNION ALL SELECT 3, 'orders credited', sum(orders)::BIGINT FROM referral_performance
    WHERE referrer_kind = 'affiliate'
    UNION ALL SELECT 4, 'new customers', sum(new_customers)::BIGINT FROM referral_performance
    WHERE referrer_kind = 'affiliate'
)
WHERE figure IS NOT NULL
ORDER BY place
"""
_AFFILIATES = """
SELECT referrer, status, clicks, visitors, orders, refused_orders, new_customers, revenue,
       round(conversion_rate, 4) AS conversion_rate, commission_pending, commission_payable, commission_paid,
       commission_reversed, commission_owed
FROM referral_performance
WHERE referrer_kind = 'affiliate'
ORDER BY revenue DESC, referrer_id
LIMIT 500
"""
_COMMISSION = """
SELECT CAST(date_trunc('{grain}', occurred_day) AS DATE) AS period,
       coalesce(sum(pending_amount) FILTER (kind = 'earn'), 0)::DECIMAL(18, 2) AS earned,
       coalesce(sum(payable_amount) FILTER (kind = 'approve'), 0)::DECIMAL(18, 2) AS approved,
       coalesce(-sum(payable_amount) FILTER (kind = 'pay'), 0)::DECIMAL(18, 2) AS paid,
       coalesce(-sum(pending_amount + payable_amount) FILTER (kind IN ('reverse', 'offset')), 0)::DECIMAL(18, 2)
           AS reversed
FROM fct_commissions
WHERE occurred_day BETWEEN ? AND ?
GROUP BY 1
ORDER BY 1
"""
_INVITES = """
SELECT step, figure FROM (
    SELECT 1 AS place, 'inviting customers' AS step, count(*)::BIGINT AS figure FROM referral_performance
    WHERE referrer_kind = 'customer'
    UNION ALL SELECT 2, 'invitations taken up', count(*)::BIGINT FROM fct_referrals
    UNION ALL SELECT 3, 'not refused', count(*) FILTER (status <> 'refused')::BIGINT FROM fct_referrals
    UNION ALL SELECT 4, 'rewarded', count(*) FILTER (status = 'granted')::BIGINT FROM fct_referrals
)
WHERE (SELECT count(*) FROM referral_performance WHERE referrer_kind = 'customer') > 0
ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Points at the end of a day; money in the shop's currency."""

    points: int
    active: int
    pending: int
    owed: int
    value_owed: Decimal
    expected_breakage: Decimal
    expected_cost: Decimal
    breakage_rate: float | None
    matured_lots: int | None


def standing(snapshot: Snapshot, day: date, wallet: str) -> Standing:
    """What the shop owed at the end of a day, in one wallet or in all (`ALL_WALLETS`)."""
    return Standing(**snapshot.query(_AT, day, *_of(wallet)).row(0, named=True))


def liability(snapshot: Snapshot, period: Period, grain: Grain, wallet: str) -> pl.DataFrame:
    """One row a period of the grain, as it stood on the period's last day."""
    return snapshot.query(_LIABILITY.format(grain=grain), period.start, period.end, *_of(wallet))


def flows(snapshot: Snapshot, period: Period, grain: Grain, wallet: str) -> pl.DataFrame:
    """Points issued, redeemed (less what came back), expired (less what was reinstated) and taken back."""
    return snapshot.query(_FLOWS.format(grain=grain), period.start, period.end, *_of(wallet))


def tiers(snapshot: Snapshot, wallet: str) -> pl.DataFrame:
    """Members of each tier and the points that they have now."""
    return snapshot.query(_TIERS, *_of(wallet))


def offers(snapshot: Snapshot) -> pl.DataFrame:
    """Offers that were used or run now, the dearest first; over the whole history."""
    return snapshot.query(_OFFERS)


def uplift(snapshot: Snapshot) -> pl.DataFrame:
    """One row an offer: what it brings beyond its control group, or that it has none."""
    return snapshot.query(_UPLIFT).drop("promotion_id")


def discounts(snapshot: Snapshot, period: Period, grain: Grain) -> pl.DataFrame:
    """What offers took off orders in figures, by code or of themselves."""
    return snapshot.query(_DISCOUNTS.format(grain=grain), period.start, period.end)


def affiliate_funnel(snapshot: Snapshot) -> pl.DataFrame:
    """From a click on an affiliate's link to a new customer, over the whole history."""
    return snapshot.query(_AFFILIATE_FUNNEL)


def affiliates(snapshot: Snapshot) -> pl.DataFrame:
    """One row an affiliate, those who bring most first."""
    return snapshot.query(_AFFILIATES)


def commission(snapshot: Snapshot, period: Period, grain: Grain) -> pl.DataFrame:
    """Commission earned, approved, paid and taken back."""
    return snapshot.query(_COMMISSION.format(grain=grain), period.start, period.end)


def invitations(snapshot: Snapshot) -> pl.DataFrame:
    """From a customer's invitation to a reward, over the whole history."""
    return snapshot.query(_INVITES)


def _of(wallet: str) -> tuple[str, str]:
    chosen = "" if wallet == ALL_WALLETS else wallet
    return chosen, chosen
