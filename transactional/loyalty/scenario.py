"""Other rules from a moment on: the versions of the programme as they were until then, and changed afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.loyalty.models import LoyaltyProgramme, LoyaltyTier
from transactional.loyalty.programme import level_from, rules_of_versions, versions
from transactional.loyalty.programme_admin import amended, check, tiers_of
from transactional.loyalty.tiers import TierLevel, TierRules

_EVER = datetime.min.replace(tzinfo=UTC)
_DATES = (
    "activation",
    "activation_days",
    "activation_rounding",
    "expiry_days",
    "promotional_expiry_days",
    "restore_grace_days",
    "time_zone",
)
_BASE = ("earns_on_shipping", "earns_on_wrap", "earns_on_tax")
_REDEEM = ("value_per_point_minor", "max_share_bp", "min_redeem_points")


@dataclass(frozen=True, slots=True)
class Rules:
    """A version as it counts in a scenario."""

    programme: LoyaltyProgramme
    changed: frozenset[str]
    """The rules that are other ones than were in force."""

    @property
    def dates_stay(self) -> bool:
        """Whether points become available and expire when they did."""
        return not self.changed.intersection(_DATES)

    @property
    def base_stays(self) -> bool:
        """Whether the same money earns."""
        return not self.changed.intersection(_BASE)

    @property
    def redemption_stays(self) -> bool:
        """Whether points pay for as much as they did."""
        return not self.changed.intersection(_REDEEM)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The versions, oldest first, and the tiers that they make."""

    versions: Sequence[Rules]
    tiers: Sequence[TierRules]

    def at(self, moment: datetime) -> Rules:
        """The newest version that has begun; before the first began, the first."""
        begun = [rules for rules in self.versions if rules.programme.valid_from <= moment]
        return begun[-1] if begun else self.versions[0]


def as_it_was(session: Session) -> Scenario:
    """The rules as they stand."""
    known = versions(session)
    own = _own_tiers(session)
    tiers = rules_of_versions({programme: own.get(programme.id, ()) for programme in known})
    return Scenario([Rules(programme, frozenset()) for programme in known], tiers)


def what_if(
    session: Session, *, changes: Mapping[str, Any], tiers: Sequence[TierLevel] | None, since: datetime
) -> Scenario:
    """The rules with `changes` in every version from `since` on, and with other tiers where some are given.

    Raises InvalidInput for rules that make no programme.
    """
    known, own = versions(session), _own_tiers(session)
    before = [programme for programme in known if programme.valid_from < since]
    in_force = before[-1] if before else known[0]
    untouched = before or [_begin(amended(known[0], {}), _EVER)]
    listed: list[tuple[LoyaltyProgramme, Sequence[TierLevel], frozenset[str]]] = [
        (programme, own.get(known[0].id if not before else programme.id, ()), frozenset()) for programme in untouched
    ]
    later = [programme for programme in known if programme.valid_from >= since]
    for programme, begins in [(in_force, since), *((programme, programme.valid_from) for programme in later)]:
        changed = _begin(amended(programme, changes), begins)
        check(changed, tuple(tiers) if tiers is not None else tiers_of(session, programme))
        names = frozenset(name for name, value in changes.items() if getattr(programme, name) != value)
        levels = tiers if tiers is not None else () if programme is in_force else own.get(programme.id, ())
        listed.append((changed, levels, names))
    return Scenario(
        [Rules(programme, names) for programme, _, names in listed],
        rules_of_versions({programme: levels for programme, levels, _ in listed}),
    )


def _begin(programme: LoyaltyProgramme, moment: datetime) -> LoyaltyProgramme:
    programme.valid_from = moment
    return programme


def _own_tiers(session: Session) -> dict[int, list[TierLevel]]:
    found: dict[int, list[TierLevel]] = {}
    for tier in session.scalars(select(LoyaltyTier).order_by(LoyaltyTier.programme_id, LoyaltyTier.rank)):
        found.setdefault(tier.programme_id, []).append(level_from(tier))
    return found
