"""Customers who invite others: newcomers name the code of somebody who has bought before, and both are rewarded."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.affiliates import service as affiliates
from transactional.affiliates.service import RewardKind
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

_COMES_INVITED = 0.5
_CHEATS = 3


def found(session: Session, *, now: datetime) -> None:
    """Points for both sides, once the first order cannot come back any more."""
    affiliates.add_terms(
        session,
        reward=RewardKind.POINTS,
        referrer_points=100,
        referred_points=50,
        min_order_minor=39_900,
        actor=STAFF,
        now=now,
    )


def code_for(session: Session, stage: Stage, shopper: Shopper) -> str | None:
    """The invitation that somebody names with an order. Three people try their own, which the shop sees through."""
    circle = stage.shelf.circle
    if not shopper.bought:
        invited = shopper.channel == "referral" and bool(circle.inviters) and stage.chance(_COMES_INVITED)
        return _code_of(session, stage, stage.rng.choice(circle.inviters)) if invited else None
    if circle.cheats == _CHEATS or not _may_invite(stage, shopper):
        return None
    circle.cheats += 1
    return _code_of(session, stage, shopper)


def after_order(stage: Stage, shopper: Shopper) -> None:
    """Whoever has an account and has ordered may invite others."""
    circle = stage.shelf.circle
    if not shopper.is_guest and not _may_invite(stage, shopper):
        circle.inviters.append(shopper)


def _may_invite(stage: Stage, shopper: Shopper) -> bool:
    return any(known is shopper for known in stage.shelf.circle.inviters)


def _code_of(session: Session, stage: Stage, inviter: Shopper) -> str:
    assert inviter.customer_id is not None
    return affiliates.invite_of(session, customer_id=inviter.customer_id, now=stage.now).code
