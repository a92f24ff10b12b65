"""The rules of the programme: a new version never touches what was earned under an old one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.money import unit_share
from transactional.loyalty.models import LoyaltyProgramme

# Version 1: one point for every full ₹100 paid for a unit, worth ₹1, for at most half of an order's merchandise.
FIRST_VERSION = {
    "version": 1,
    "earn_per_unit_minor": 10_000,
    "value_per_point_minor": 100,
    "min_redeem_points": 1,
    "max_share_bp": 5_000,
    "activation_days": 14,
    "expiry_days": 365,
    "restore_grace_days": 30,
}


def ensure_programme(session: Session, *, now: datetime) -> LoyaltyProgramme:
    """The version in force at `now`; version 1 is made on first use."""
    programme = _in_force(session, now)
    if programme is None:
        row = {**FIRST_VERSION, "valid_from": now}
        session.execute(
            insert_into(session, LoyaltyProgramme).values(row).on_conflict_do_nothing(index_elements=["version"])
        )
        programme = _in_force(session, now)
    assert programme is not None
    return programme


def current_programme(session: Session, *, now: datetime) -> LoyaltyProgramme | None:
    """The version in force at `now`, for sessions that only read; None before the programme's first use."""
    return _in_force(session, now)


def points_for_line(programme: LoyaltyProgramme, *, net_minor: int, quantity: int) -> int:
    """Points for a line: each unit's frozen net price earns full points only, rounded down unit by unit."""
    dearer = net_minor % quantity
    cheap_unit = unit_share(net_minor, quantity, quantity - 1, 1) // programme.earn_per_unit_minor
    dear_unit = unit_share(net_minor, quantity, 0, 1) // programme.earn_per_unit_minor
    return dear_unit * dearer + cheap_unit * (quantity - dearer)


def redeemable_points(programme: LoyaltyProgramme, *, merchandise_minor: int) -> int:
    """The most points that may pay for merchandise worth `merchandise_minor` after other discounts."""
    payable = merchandise_minor * programme.max_share_bp // 10_000
    return payable // programme.value_per_point_minor


def lot_dates(programme: LoyaltyProgramme, earned_at: datetime) -> tuple[datetime, datetime]:
    """When points earned at `earned_at` become available, and when they expire."""
    return (
        earned_at + timedelta(days=programme.activation_days),
        earned_at + timedelta(days=programme.expiry_days),
    )


def versions(session: Session) -> Sequence[LoyaltyProgramme]:
    """Every version, oldest first."""
    return session.scalars(select(LoyaltyProgramme).order_by(LoyaltyProgramme.version)).all()


def _in_force(session: Session, now: datetime) -> LoyaltyProgramme | None:
    """The newest version that has begun; before the first began (a history played back), the first."""
    begun = select(LoyaltyProgramme).where(LoyaltyProgramme.valid_from <= now)
    newest = session.scalar(begun.order_by(LoyaltyProgramme.version.desc()).limit(1))
    return newest or session.scalar(select(LoyaltyProgramme).order_by(LoyaltyProgramme.version).limit(1))
