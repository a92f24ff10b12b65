"""Points beyond what orders earn: a programme that grows, campaigns, birthdays, and gestures by hand."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from transactional.loyalty import adjustments, programme_admin
from transactional.loyalty import service as loyalty
from transactional.loyalty.models import AdjustmentState
from transactional.loyalty.tiers import TierLevel
from transactional.simulation.feasts import Feast
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

_GROWS_AFTER = timedelta(days=30)
_CHANGES = {"promotional_expiry_days": 75, "adjustment_limit": 100, "max_promotional_points_spent": 300}
_TIERS = (
    TierLevel("Bronze", 0),
    TierLevel("Silver", 50, multiplier_bp=11_000, grace_days=30),
    TierLevel("Gold", 150, multiplier_bp=12_500, grace_days=30, reinstatement_days=30),
    TierLevel("Platinum", 400, multiplier_bp=15_000, grace_days=30, reinstatement_days=90),
)
_QUIET_CATEGORY = "Wellness"
_BIRTHDAY_POINTS = 50
_KNOWN_FROM_UNITS = 3
"""Birthdays are remembered of those who have bought so many things."""
_SMALL = (20, 40, 60)
_LARGE = 150
_LARGE_EVERY = 2
_SECOND_SAYS_NO = 0.25


def found(
    session: Session, *, categories: Mapping[str, int], feasts: list[Feast], now: datetime, end: datetime
) -> None:
    """The programme, a second version of it with tiers that earn more, and the campaigns of the whole history."""
    loyalty.ensure_programme(session, now=now)
    programme_admin.plan_version(session, changes=_CHANGES, tiers=_TIERS, valid_from=now + _GROWS_AFTER, now=now)
    for feast in feasts:
        closes = datetime(feast.day.year, feast.day.month, feast.day.day, tzinfo=now.tzinfo)
        if feast.occasion == "diwali" and closes - timedelta(days=10) > now:
            loyalty.create_campaign(
                session,
                name=f"Double points before Diwali {feast.day.year}",
                multiplier_bp=20_000,
                starts_at=closes - timedelta(days=10),
                ends_at=closes,
                actor=STAFF,
                now=now,
            )
    loyalty.create_campaign(
        session,
        name="Triple points on wellness",
        multiplier_bp=30_000,
        category_id=categories[_QUIET_CATEGORY],
        starts_at=now + (end - now) * 0.3,
        ends_at=now + (end - now) * 0.4,
        actor=STAFF,
        now=now,
    )


def of_month(stage: Stage) -> None:
    """Points for the birthdays of the month, and what the desk puts right by hand."""
    known = [shopper for shopper in stage.shoppers if _is_known(shopper)]
    born = [shopper for shopper in known if shopper.consents and shopper.birthday.month == stage.now.month]
    if born:
        stage.work(STAFF, lambda session: _congratulate(session, stage, born))
    if known:
        _make_up_for(stage, stage.rng.choice(known), stage.rng.choice(_SMALL))
        if stage.now.month % _LARGE_EVERY == 0:
            _make_up_for(stage, stage.rng.choice(known), _LARGE)


def _is_known(shopper: Shopper) -> bool:
    bought = sum(shopper.bought.values())
    return not shopper.is_guest and shopper.customer_id is not None and bought >= _KNOWN_FROM_UNITS


def _congratulate(session: Session, stage: Stage, born: list[Shopper]) -> None:
    for shopper in born:
        assert shopper.customer_id is not None
        loyalty.give(
            session,
            customer_id=shopper.customer_id,
            points=_BIRTHDAY_POINTS,
            source="campaign",
            reference=f"birthday:{shopper.customer_id}:{stage.now.year}",
            reason="happy birthday",
            actor=STAFF,
            now=stage.now,
        )
    stage.counts["birthday points"] += len(born)


def _make_up_for(stage: Stage, shopper: Shopper, points: int) -> None:
    """The analyst gives points for a mishap; of many a second person decides the next day."""
    assert shopper.customer_id is not None
    customer_id = shopper.customer_id
    asked = stage.work(
        STAFF,
        lambda session: adjustments.request_adjustment(
            session,
            customer_id=customer_id,
            points=points,
            reason="sorry for the trouble",
            actor=f"user:{stage.shelf.staff_user_id}",
            now=stage.now,
        ),
    )
    stage.counts["points adjusted by hand"] += 1
    if asked.state is AdjustmentState.REQUESTED:
        declines = stage.chance(_SECOND_SAYS_NO)
        stage.plan_work(
            stage.after(10, 30), STAFF, lambda s, then: _decide(s, stage, asked.id, then, declines=declines)
        )


def _decide(session: Session, stage: Stage, adjustment_id: int, now: datetime, *, declines: bool) -> None:
    actor = f"user:{stage.shelf.admin_user_id}"
    if declines:
        note = "half of it would do"
        adjustments.refuse_adjustment(session, adjustment_id=adjustment_id, actor=actor, note=note, now=now)
    else:
        adjustments.approve_adjustment(session, adjustment_id=adjustment_id, actor=actor, now=now)
    stage.counts["adjustments refused" if declines else "adjustments approved"] += 1
