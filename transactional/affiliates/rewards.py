"""Rewards of a referral: points or a single-use code for both sides, given once and taken back once."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.affiliates.invites import random_letters
from transactional.affiliates.models import Referral, ReferralInvite, ReferralState, ReferralTerms, RewardKind
from transactional.core.mail import queue_mail
from transactional.loyalty import service as loyalty
from transactional.promotions import service as promotions

SOURCE = "referral"
_REFERRER = "referrer"
_REFERRED = "referred"


def grant(session: Session, referral: Referral, *, now: datetime) -> None:
    """Reward both sides of a referral that has waited long enough."""
    terms = session.get_one(ReferralTerms, referral.terms_id)
    if terms.reward is RewardKind.POINTS:
        for side, customer_id, points in _points(session, referral, terms):
            loyalty.give(
                session,
                customer_id=customer_id,
                points=points,
                source=SOURCE,
                reference=reference(referral, side),
                now=now,
                reason="invitation",
            )
            _tell(session, referral, side, customer_id, f"{points} points are yours to spend.", now=now)
    else:
        referral.referrer_code = _new_code(session, terms, now)
        referral.referred_code = _new_code(session, terms, now)
        for side, customer_id, code in _codes(session, referral):
            _tell(session, referral, side, customer_id, f"Your code {code} can be used once.", now=now)
    referral.state, referral.granted_at = ReferralState.GRANTED, now
    session.flush()


def take_back(session: Session, referral: Referral, *, reason: str, now: datetime) -> None:
    """Take the rewards back: points to the last one, codes where they were not used yet."""
    terms = session.get_one(ReferralTerms, referral.terms_id)
    if terms.reward is RewardKind.POINTS:
        for side, _, _ in _points(session, referral, terms):
            loyalty.take_back(
                session, reference=reference(referral, side), share_bp=10_000, now=now, reason="invitation reversed"
            )
    else:
        for _, _, code in _codes(session, referral):
            _, coupon = promotions.get_coupon(session, code)
            if coupon.used == 0:
                promotions.set_status(session, code=code, status=promotions.PromotionStatus.ENDED)
    referral.state, referral.reason, referral.reversed_at = ReferralState.REVERSED, reason, now
    session.flush()


def reference(referral: Referral, side: str) -> str:
    """The name under which the points of one side were given: each once."""
    return f"referral:{referral.id}:{side}"


def _points(session: Session, referral: Referral, terms: ReferralTerms) -> list[tuple[str, int, int]]:
    """(side, customer, points) in the order of customers, in which their balances are locked.

    A guest gets none: nobody could ever spend them.
    """
    invite = session.get_one(ReferralInvite, referral.invite_id)
    sides = [
        (_REFERRER, invite.customer_id, terms.referrer_points),
        (_REFERRED, referral.customer_id, terms.referred_points),
    ]
    guest = accounts.get_customer(session, referral.customer_id).is_guest
    rewarded = [side for side in sides if side[2] > 0 and not (side[0] == _REFERRED and guest)]
    return sorted(rewarded, key=lambda side: side[1])


def _codes(session: Session, referral: Referral) -> list[tuple[str, int, str]]:
    invite = session.get_one(ReferralInvite, referral.invite_id)
    assert referral.referrer_code is not None, "a reward by code has its codes"
    assert referral.referred_code is not None, "a reward by code has its codes"
    return [
        (_REFERRER, invite.customer_id, referral.referrer_code),
        (_REFERRED, referral.customer_id, referral.referred_code),
    ]


def _new_code(session: Session, terms: ReferralTerms, now: datetime) -> str:
    assert terms.code_percent_bp is not None, "a reward by code has a percentage"
    assert terms.code_valid_days is not None, "a reward by code has an end"
    return promotions.create_percentage_coupon(
        session,
        code=f"THANKS-{random_letters()}",
        name="Invitation reward",
        percent_bp=terms.code_percent_bp,
        max_discount_minor=terms.code_max_discount_minor,
        starts_at=now,
        ends_at=now + timedelta(days=terms.code_valid_days),
        usage_limit=1,
        per_customer_limit=1,
    ).code


def _tell(session: Session, referral: Referral, side: str, customer_id: int, what: str, *, now: datetime) -> None:
    customer = accounts.get_customer(session, customer_id)
    if customer.email:
        who = "Somebody whom you invited has bought." if side == _REFERRER else "You came by an invitation."
        queue_mail(
            session,
            to=customer.email,
            subject="Thank you: your reward is here",
            body=f"{who} {what}",
            dedup_key=f"{reference(referral, side)}:granted",
            now=now,
        )
