"""The rules of the programme: a new version never touches what was earned under an old one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.money import BASIS_POINTS, unit_share
from transactional.loyalty.dates import rounded
from transactional.loyalty.models import ActivationRule, LoyaltyProgramme, LoyaltyTier, Wallet
from transactional.loyalty.tiers import TierLevel, TierRules

# Version 1: one point for every full ₹100 paid for a unit, worth ₹1, for at most half of an order's merchandise.
FIRST_VERSION: Mapping[str, Any] = {
    "version": 1,
    "earn_per_unit_minor": 10_000,
    "value_per_point_minor": 100,
    "min_redeem_points": 1,
    "max_share_bp": 5_000,
    "activation_days": 14,
    "expiry_days": 365,
    "restore_grace_days": 30,
}

FIRST_TIERS = (
    TierLevel("Bronze", 0),
    TierLevel("Silver", 50, grace_days=30),
    TierLevel("Gold", 150, grace_days=30, reinstatement_days=30),
    TierLevel("Platinum", 400, grace_days=30, reinstatement_days=90),
)
"""₹5,000, ₹15,000 and ₹40,000 a year at the first version's rate; all earn alike until a version says otherwise."""


@dataclass(frozen=True, slots=True)
class WalletRules:
    """The limits of one wallet."""

    negative_floor: int
    """How many of its points a customer may owe; 0: it never goes negative."""
    expiry_days: int
    max_spent_per_order: int | None

    @property
    def may_go_negative(self) -> bool:
        """Whether a customer can owe points of this wallet."""
        return self.negative_floor > 0


def ensure_programme(session: Session, *, now: datetime) -> LoyaltyProgramme:
    """The version in force at `now`; version 1 with its tiers is made on first use."""
    programme = _in_force(session, now)
    if programme is None:
        row = {**FIRST_VERSION, "valid_from": now}
        made = session.scalar(
            insert_into(session, LoyaltyProgramme)
            .values(row)
            .on_conflict_do_nothing(index_elements=["version"])
            .returning(LoyaltyProgramme.id)
        )
        if made is not None:
            add_tiers(session, made, FIRST_TIERS)
        programme = _in_force(session, now)
    assert programme is not None
    return programme


def add_tiers(session: Session, programme_id: int, levels: Sequence[TierLevel]) -> None:
    """Give a version tiers of its own, lowest first."""
    rows = [
        {
            "programme_id": programme_id,
            "rank": rank,
            "name": level.name,
            "threshold": level.threshold,
            "multiplier_bp": level.multiplier_bp,
            "grace_days": level.grace_days,
            "expiry_extension_days": level.expiry_extension_days,
            "reinstatement_days": level.reinstatement_days,
        }
        for rank, level in enumerate(levels)
    ]
    session.execute(insert(LoyaltyTier), rows)


def current_programme(session: Session, *, now: datetime) -> LoyaltyProgramme | None:
    """The version in force at `now`, for sessions that only read; None before the programme's first use."""
    return _in_force(session, now)


def points_for_line(
    programme: LoyaltyProgramme, *, net_minor: int, quantity: int, multiplier_bp: int = BASIS_POINTS
) -> int:
    """Points for a line: each unit's frozen net price earns full points only, rounded down unit by unit."""
    dearer = net_minor % quantity
    rate = programme.earn_per_unit_minor * BASIS_POINTS
    cheap_unit = unit_share(net_minor, quantity, quantity - 1, 1) * multiplier_bp // rate
    dear_unit = unit_share(net_minor, quantity, 0, 1) * multiplier_bp // rate
    return dear_unit * dearer + cheap_unit * (quantity - dearer)


def redeemable_points(programme: LoyaltyProgramme, *, merchandise_minor: int) -> int:
    """The most points that may pay for merchandise worth `merchandise_minor` after other discounts."""
    payable = merchandise_minor * programme.max_share_bp // BASIS_POINTS
    return payable // programme.value_per_point_minor


def wallet_rules(programme: LoyaltyProgramme, wallet: Wallet) -> WalletRules:
    """The limits of a wallet in one version."""
    if wallet is Wallet.EARNED:
        return WalletRules(programme.negative_floor, programme.expiry_days, programme.max_earned_points_spent)
    own = programme.promotional_expiry_days
    return WalletRules(
        programme.promotional_negative_floor,
        programme.expiry_days if own is None else own,
        programme.max_promotional_points_spent,
    )


def spending_limits(programme: LoyaltyProgramme | None) -> dict[Wallet, int]:
    """The most points that one order may take from each wallet; wallets without a limit are left out."""
    if programme is None:
        return {}
    limits = {wallet: wallet_rules(programme, wallet).max_spent_per_order for wallet in Wallet}
    return {wallet: limit for wallet, limit in limits.items() if limit is not None}


def available_from(
    programme: LoyaltyProgramme, *, earned_at: datetime, delivered_at: datetime | None
) -> datetime | None:
    """When points of an order can be spent; None while that depends on a delivery that has not come about."""
    match programme.activation:
        case ActivationRule.IMMEDIATE:
            return earned_at
        case ActivationRule.DURATION:
            start = earned_at if delivered_at is None else max(earned_at, delivered_at)
        case ActivationRule.DELIVERY:
            if delivered_at is None:
                return None
            start = delivered_at
    waited = start + timedelta(days=programme.activation_days)
    return rounded(waited, programme.activation_rounding, programme.time_zone)


def expires_from(
    programme: LoyaltyProgramme, start: datetime, *, wallet: Wallet = Wallet.EARNED, extension_days: int = 0
) -> datetime:
    """When points that came at `start` expire; a tier may extend it."""
    return start + timedelta(days=wallet_rules(programme, wallet).expiry_days + extension_days)


def versions(session: Session) -> Sequence[LoyaltyProgramme]:
    """Every version, oldest first."""
    return session.scalars(select(LoyaltyProgramme).order_by(LoyaltyProgramme.version)).all()


def tier_rules(session: Session) -> list[TierRules]:
    """The tiers of every version, oldest first; before the programme's first use, the first version's."""
    found = session.execute(
        select(LoyaltyProgramme, LoyaltyTier)
        .outerjoin(LoyaltyTier, LoyaltyTier.programme_id == LoyaltyProgramme.id)
        .order_by(LoyaltyProgramme.version, LoyaltyTier.rank)
    )
    levels_of: dict[LoyaltyProgramme, list[TierLevel]] = {}
    for programme, tier in found:
        levels = levels_of.setdefault(programme, [])
        if tier is not None:
            levels.append(level_from(tier))
    return rules_of_versions(levels_of)


def rules_of_versions(levels_of: Mapping[LoyaltyProgramme, Sequence[TierLevel]]) -> list[TierRules]:
    """The tier rules of versions, given oldest first; a version without tiers keeps those before it."""
    rules: list[TierRules] = []
    levels: tuple[TierLevel, ...] = FIRST_TIERS
    for programme, own in levels_of.items():
        levels = tuple(own) or levels
        rules.append(
            TierRules(
                valid_from=programme.valid_from,
                levels=levels,
                policy=programme.tier_policy,
                window_months=programme.tier_window_months,
                period_months=programme.tier_period_months,
            )
        )
    return rules or [TierRules(valid_from=datetime.min.replace(tzinfo=UTC), levels=FIRST_TIERS)]


def level_from(tier: LoyaltyTier) -> TierLevel:
    """The row as the tier rules want it."""
    return TierLevel(
        name=tier.name,
        threshold=tier.threshold,
        multiplier_bp=tier.multiplier_bp,
        grace_days=tier.grace_days,
        expiry_extension_days=tier.expiry_extension_days,
        reinstatement_days=tier.reinstatement_days,
    )


def _in_force(session: Session, now: datetime) -> LoyaltyProgramme | None:
    """The newest version that has begun; before the first began (a history played back), the first."""
    begun = select(LoyaltyProgramme).where(LoyaltyProgramme.valid_from <= now)
    newest = session.scalar(begun.order_by(LoyaltyProgramme.version.desc()).limit(1))
    return newest or session.scalar(select(LoyaltyProgramme).order_by(LoyaltyProgramme.version).limit(1))
