"""New versions of the programme: checked as a whole, planned ahead, never touching what went before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import BASIS_POINTS
from transactional.loyalty.models import LoyaltyCampaign, LoyaltyProgramme, LoyaltyTier, PointLot
from transactional.loyalty.programme import add_tiers, ensure_programme, level_from, versions
from transactional.loyalty.tiers import TierLevel

RULES = tuple(
    column.key for column in LoyaltyProgramme.__table__.columns if column.key not in {"id", "version", "valid_from"}
)
"""What a version may say anew; what it does not say stays as in the version before."""

_AT_LEAST = {
    "earn_per_unit_minor": 1,
    "value_per_point_minor": 1,
    "min_redeem_points": 1,
    "max_share_bp": 0,
    "activation_days": 0,
    "expiry_days": 1,
    "restore_grace_days": 0,
    "max_earned_per_order": 0,
    "max_earned_per_day": 0,
    "negative_floor": 0,
    "promotional_negative_floor": 0,
    "promotional_expiry_days": 1,
    "max_earned_points_spent": 0,
    "max_promotional_points_spent": 0,
    "adjustment_limit": 0,
    "last_notice_days": 1,
    "tier_window_months": 1,
    "tier_period_months": 1,
    "tier_notice_days": 0,
}
_MOST_DAYS = 36_500
_MOST_MONTHS = 1_200


def plan_version(
    session: Session,
    *,
    changes: Mapping[str, Any],
    valid_from: datetime,
    now: datetime,
    tiers: Sequence[TierLevel] | None = None,
) -> LoyaltyProgramme:
    """Plan the next version; `tiers` None: those of the version before.

    Raises InvalidInput, with every rule that it breaks, and for a start that is not in the future or not after every
    other version's.
    """
    ensure_programme(session, now=now)
    # The first version's row stands for the list: of two who plan at once the second sees the first's version.
    session.execute(select(LoyaltyProgramme.id).where(LoyaltyProgramme.version == 1).with_for_update())
    known = versions(session)
    if valid_from <= max(now, known[-1].valid_from):
        raise InvalidInput(f"a version begins in the future and after version {known[-1].version}", field="valid_from")
    planned = amended(known[-1], changes)
    levels = tuple(tiers) if tiers is not None else tiers_of(session, known[-1])
    check(planned, levels)
    planned.version, planned.valid_from = known[-1].version + 1, valid_from
    session.add(planned)
    session.flush()
    if tiers is not None:
        add_tiers(session, planned.id, tiers)
    return planned


def withdraw_version(session: Session, *, version: int, now: datetime) -> None:
    """Forget the newest version before it begins.

    Raises NotFound, Conflict for a version that has begun, is in use or is not the newest.
    """
    session.execute(select(LoyaltyProgramme.id).where(LoyaltyProgramme.version == 1).with_for_update())
    known = {programme.version: programme for programme in versions(session)}
    planned = known.get(version)
    if planned is None:
        raise NotFound(f"no version {version} of the programme")
    used = session.scalar(select(PointLot.id).where(PointLot.programme_id == planned.id).limit(1))
    if planned.valid_from <= now or version != max(known) or version == min(known) or used is not None:
        raise Conflict(f"version {version} has begun or another one follows it: plan a new one instead")
    session.execute(delete(LoyaltyTier).where(LoyaltyTier.programme_id == planned.id))
    session.delete(planned)
    session.flush()


def amended(programme: LoyaltyProgramme, changes: Mapping[str, Any]) -> LoyaltyProgramme:
    """A copy of a version with other rules, not written. Raises InvalidInput for a rule that does not exist."""
    unknown = sorted(set(changes) - set(RULES))
    if unknown:
        raise InvalidInput(f"the programme has no rule {', '.join(unknown)}", field=unknown[0])
    values = {name: getattr(programme, name) for name in RULES} | dict(changes)
    return LoyaltyProgramme(version=programme.version, valid_from=programme.valid_from, **values)


def check(programme: LoyaltyProgramme, tiers: Sequence[TierLevel]) -> None:
    """Raise InvalidInput with every rule that a version breaks."""
    found = [*_faults(programme), *_tier_faults(tiers), *_together(programme, tiers)]
    if found:
        raise InvalidInput(
            "; ".join(message for _, message in found),
            errors=[{"field": field, "message": message} for field, message in found],
        )


def tiers_of(session: Session, programme: LoyaltyProgramme) -> tuple[TierLevel, ...]:
    """The tiers that hold in a version: its own, or those of the last version before it that has some."""
    rows = session.execute(
        select(LoyaltyProgramme.version, LoyaltyTier)
        .join(LoyaltyTier, LoyaltyTier.programme_id == LoyaltyProgramme.id)
        .where(LoyaltyProgramme.version <= programme.version)
        .order_by(LoyaltyProgramme.version, LoyaltyTier.rank)
    ).all()
    last = rows[-1][0] if rows else None
    return tuple(level_from(tier) for version, tier in rows if version == last)


def start_campaign(session: Session, *, campaign_id: int, now: datetime) -> LoyaltyCampaign:
    """Begin a planned campaign now instead of later.

    Raises NotFound, Conflict for one that runs or is over.
    """
    campaign = session.get(LoyaltyCampaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(f"no campaign {campaign_id}")
    if campaign.starts_at <= now:
        raise Conflict(f"campaign {campaign_id} has begun already")
    campaign.starts_at = now
    session.flush()
    return campaign


def _faults(programme: LoyaltyProgramme) -> Iterator[tuple[str, str]]:
    for name, least in _AT_LEAST.items():
        value = getattr(programme, name)
        if value is not None and value < least:
            yield name, f"{name} is at least {least}"
    for name in RULES:
        value = getattr(programme, name)
        most = _MOST_DAYS if name.endswith("_days") else _MOST_MONTHS if name.endswith("_months") else None
        if most is not None and value is not None and value > most:
            yield name, f"{name} is at most {most}"
    if programme.max_share_bp > BASIS_POINTS:
        yield "max_share_bp", "points pay at most all of an order: 10000 basis points"
    if programme.first_notice_days <= programme.last_notice_days:
        yield "first_notice_days", "the first notice comes before the last"
    try:
        ZoneInfo(programme.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "time_zone", f"{programme.time_zone!r} is not a time zone"


def _tier_faults(tiers: Sequence[TierLevel]) -> Iterator[tuple[str, str]]:
    if not tiers:
        yield "tiers", "a programme has at least one tier"
        return
    if tiers[0].threshold != 0:
        yield "tiers.0.threshold", "the first tier is everybody's and needs 0 points"
    for rank in range(1, len(tiers)):
        if tiers[rank].threshold <= tiers[rank - 1].threshold:
            yield f"tiers.{rank}.threshold", "each tier needs more points than the one below"
    if len({level.name.strip().casefold() for level in tiers}) < len(tiers) or not all(t.name.strip() for t in tiers):
        yield "tiers", "each tier has a name of its own"
    for rank, level in enumerate(tiers):
        for field in fields(level):
            value = getattr(level, field.name)
            if isinstance(value, int) and value < 0:
                yield f"tiers.{rank}.{field.name}", f"{field.name} is not negative"


def _together(programme: LoyaltyProgramme, tiers: Sequence[TierLevel]) -> Iterator[tuple[str, str]]:
    if programme.expiry_days <= programme.activation_days:
        yield "expiry_days", "points would expire before they can be spent"
    best = max((level.multiplier_bp for level in tiers), default=BASIS_POINTS)
    if programme.value_per_point_minor * best >= programme.earn_per_unit_minor * BASIS_POINTS:
        yield "value_per_point_minor", "points would be worth as much as the money that earns them, or more"
