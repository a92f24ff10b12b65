"""What an invitation is worth, and the code by which a customer invites."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.affiliates.members import INVITE_PREFIX
from transactional.affiliates.models import Referral, ReferralInvite, ReferralTerms, RewardKind
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput
from transactional.core.money import BASIS_POINTS

_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that look alike: the code is read aloud and typed
_LENGTH = 8


def add_terms(
    session: Session,
    *,
    reward: RewardKind,
    actor: str,
    now: datetime,
    is_open: bool = True,
    referrer_points: int = 0,
    referred_points: int = 0,
    code_percent_bp: int | None = None,
    code_max_discount_minor: int | None = None,
    code_valid_days: int | None = None,
    min_order_minor: int = 0,
) -> ReferralTerms:
    """What invitations are worth from now on; orders placed before keep what they were promised.

    Raises InvalidInput for figures that do not fit the kind of reward.
    """
    _check_terms(reward, [referrer_points, referred_points, min_order_minor], code_percent_bp, code_valid_days)
    if code_max_discount_minor is not None and code_max_discount_minor < 1:
        raise InvalidInput("the most that a code gives is above zero", field="code_max_discount_minor")
    last = session.scalar(select(ReferralTerms).order_by(ReferralTerms.version.desc()).limit(1).with_for_update())
    terms = ReferralTerms(
        version=1 if last is None else last.version + 1,
        is_open=is_open,
        reward=reward,
        referrer_points=referrer_points,
        referred_points=referred_points,
        code_percent_bp=code_percent_bp,
        code_max_discount_minor=code_max_discount_minor,
        code_valid_days=code_valid_days,
        min_order_minor=min_order_minor,
        valid_from=now,
        created_by=actor,
        created_at=now,
    )
    session.add(terms)
    session.flush()
    return terms


def terms_at(session: Session, *, at: datetime) -> ReferralTerms | None:
    """What an invitation was worth at a moment; None before the first terms and while invitations were closed."""
    terms = session.scalar(
        select(ReferralTerms)
        .where(ReferralTerms.valid_from <= at)
        .order_by(ReferralTerms.valid_from.desc(), ReferralTerms.version.desc())
        .limit(1)
    )
    return terms if terms is not None and terms.is_open else None


def list_terms(session: Session) -> Sequence[ReferralTerms]:
    """Every version, the newest first."""
    return session.scalars(select(ReferralTerms).order_by(ReferralTerms.version.desc())).all()


def invite_of(session: Session, *, customer_id: int, now: datetime) -> ReferralInvite:
    """The customer's own code, made when it is first asked for. Raises InvalidInput for a guest.

    Raises Conflict while invitations are closed and the customer has no code yet.
    """
    known = _invite(session, customer_id)
    if known is not None:
        return known
    if accounts.get_customer(session, customer_id).is_guest:
        raise InvalidInput("whoever invites has an account")
    if terms_at(session, at=now) is None:
        raise Conflict("nobody can be invited at present")
    while known is None:  # once, unless another customer has the code by chance
        session.execute(
            insert_into(session, ReferralInvite)
            .values(customer_id=customer_id, code=_new_code(), created_at=now)
            .on_conflict_do_nothing()
        )
        known = _invite(session, customer_id)
    return known


def invited_by(session: Session, invite: ReferralInvite) -> Sequence[Referral]:
    """What came of a customer's invitations, the newest first."""
    return session.scalars(
        select(Referral).where(Referral.invite_id == invite.id).order_by(Referral.id.desc()).limit(200)
    ).all()


def _invite(session: Session, customer_id: int) -> ReferralInvite | None:
    return session.scalar(select(ReferralInvite).where(ReferralInvite.customer_id == customer_id))


def _new_code() -> str:
    return INVITE_PREFIX + random_letters()


def random_letters() -> str:
    """Eight letters and digits from a secure source (39 bits)."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _check_terms(reward: RewardKind, figures: Sequence[int], percent_bp: int | None, valid_days: int | None) -> None:
    if any(figure < 0 for figure in figures):
        raise InvalidInput("points and amounts are not negative")
    if reward is RewardKind.POINTS:
        if percent_bp is not None or valid_days is not None or not any(figures[:2]):
            raise InvalidInput("a reward in points names points for one side at least, and nothing of a code")
    elif percent_bp is None or valid_days is None or any(figures[:2]):
        raise InvalidInput("a reward by code names its percentage and how long it is valid, and no points")
    elif not 1 <= percent_bp <= BASIS_POINTS or valid_days < 1:
        raise InvalidInput("a code gives 1 to 10,000 basis points for one day or more")
