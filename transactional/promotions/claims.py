"""Claims on uses, so that every limit holds however many check out at once.

Applying an offer only evaluates it. Checkout opens a session: it reserves one use by a conditional write on the
counter, kept until the order's time to pay is over. Payment turns the reservation into a redemption; cancellation or
expiry frees it exactly once. A counter always equals its live redemptions.

Locks are taken in one order everywhere: codes by id, promotions by id, then the slots of persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from transactional.promotions.engine import Applied, Outcome
from transactional.promotions.lifecycle import rule_of
from transactional.promotions.limits import CouponRefused, Slots, scopes_of, take_slots
from transactional.promotions.models import (
    CouponCode,
    CouponRedemption,
    Promotion,
    RedemptionKey,
    RedemptionState,
)
from transactional.promotions.offers import CodeTerms, Offer, Offers, closed_reason
from transactional.promotions.people import Person

_LIVE = (RedemptionState.RESERVED, RedemptionState.REDEEMED)
_LIMITED = or_(Promotion.usage_limit.is_not(None), Promotion.per_customer_limit.is_not(None))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A use to be counted: by its code, by its promotion, or both."""

    offer: Offer
    amount_minor: int
    code_id: int | None

    @property
    def promotion_id(self) -> int:
        return self.offer.promotion_id


def reserve(
    session: Session,
    *,
    offers: Offers,
    outcome: Outcome,
    order_id: int,
    person: Person,
    now: datetime,
    expires_at: datetime | None = None,
) -> Sequence[CouponRedemption]:
    """Claim a use of every applied offer that counts its uses, for an order that may be paid until `expires_at`.

    Raises CouponRefused where a limit was reached meanwhile; the caller must then roll back.
    """
    claims = [claim for applied in outcome.applied if (claim := _claim_of(offers, applied)) is not None]
    if not claims:
        return []
    overdrawn = _count(session, claims)
    redemptions = [
        CouponRedemption(
            code_id=claim.code_id,
            promotion_id=claim.promotion_id,
            version=claim.offer.version,
            order_id=order_id,
            customer_id=person.customer_id,
            identity_key=person.main_key or f"order:{order_id}",
            slot=None,
            state=RedemptionState.RESERVED,
            discount_minor=claim.amount_minor,
            is_overdrawn=claim.code_id in overdrawn,
            reserved_at=now,
            expires_at=expires_at,
        )
        for claim in claims
    ]
    session.add_all(redemptions)
    session.flush()
    _take(session, [(one.id, claim.offer) for one, claim in zip(redemptions, claims, strict=True)], person.keys)
    return redemptions


def claim_again(session: Session, *, order_id: int, now: datetime) -> None:
    """An expired order is paid after all: claim its freed uses anew.

    The session is over, so offer and limits must stand now as for anybody else; the price stays as agreed. Raises
    CouponRefused where the offer has ended or is paused, or a limit leaves no room.
    """
    freed = session.execute(
        select(CouponRedemption, Promotion, CouponCode)
        .join(Promotion, Promotion.id == CouponRedemption.promotion_id)
        .outerjoin(CouponCode, CouponCode.id == CouponRedemption.code_id)
        .where(CouponRedemption.order_id == order_id, CouponRedemption.state == RedemptionState.RELEASED)
        .order_by(CouponRedemption.id)
        .execution_options(populate_existing=True)
    ).all()
    if not freed:
        return
    claims = []
    for redemption, promotion, coupon in freed:
        reason = closed_reason(promotion.status, promotion.starts_at, promotion.ends_at, now)
        if reason is not None:
            raise CouponRefused(f"{coupon.code if coupon else promotion.name}: {reason.value.replace('_', ' ')}")
        offer = _stored_offer(session, redemption, promotion, coupon)
        claims.append(_Claim(offer, redemption.discount_minor, redemption.code_id))
    overdrawn = _count(session, claims)
    keys = _keys_of(session, [redemption.id for redemption, _, _ in freed])
    _forget_keys(session, [redemption.id for redemption, _, _ in freed])
    for redemption, _, _ in freed:
        redemption.state = RedemptionState.RESERVED
        redemption.reserved_at = now
        redemption.released_at = None
        redemption.expires_at = None
        redemption.is_overdrawn = redemption.code_id in overdrawn
    session.flush()
    _take(session, [(row[0].id, claim.offer) for row, claim in zip(freed, claims, strict=True)], keys)


def redeem(session: Session, *, order_id: int, now: datetime) -> int:
    """The order is paid: its reserved uses count for good. Gives their number; repeating changes nothing."""
    redeemed = session.scalars(
        update(CouponRedemption)
        .where(CouponRedemption.order_id == order_id, CouponRedemption.state == RedemptionState.RESERVED)
        .values(state=RedemptionState.REDEEMED, redeemed_at=now)
        .returning(CouponRedemption.id)
        .execution_options(synchronize_session=False)
    )
    return len(redeemed.all())


def release(session: Session, *, order_id: int, now: datetime, fully_refunded: bool = False) -> int:
    """Free an order's uses exactly once; gives the number freed.

    Reserved uses are always freed. A redeemed one is freed only when the order is `fully_refunded` and the policy of
    its code (of its promotion, where it has none) says so; a partial refund never frees it.
    """
    freeable = CouponRedemption.state == RedemptionState.RESERVED
    if fully_refunded:
        freeable = or_(freeable, (CouponRedemption.state == RedemptionState.REDEEMED) & _freed_by_policy())
    freed = session.execute(
        update(CouponRedemption)
        .where(CouponRedemption.order_id == order_id, freeable)
        .values(state=RedemptionState.RELEASED, slot=None, released_at=now)
        .returning(CouponRedemption.id, CouponRedemption.code_id, CouponRedemption.promotion_id)
        .execution_options(synchronize_session=False)
    ).all()
    for code_id in sorted(row.code_id for row in freed if row.code_id is not None):
        session.execute(
            update(CouponCode)
            .where(CouponCode.id == code_id)
            .values(used=CouponCode.used - 1)
            .execution_options(synchronize_session=False)
        )
    for promotion_id in sorted(row.promotion_id for row in freed):
        session.execute(
            update(Promotion)
            .where(Promotion.id == promotion_id, _LIMITED)
            .values(used=Promotion.used - 1)
            .execution_options(synchronize_session=False)
        )
    if freed:
        session.execute(
            update(RedemptionKey)
            .where(RedemptionKey.redemption_id.in_([row.id for row in freed]))
            .values(slot=None)
            .execution_options(synchronize_session=False)
        )
    return len(freed)


def counter_discrepancies(session: Session) -> list[str]:
    """The codes and promotions whose counter differs from their live redemptions; empty when all is well."""
    live = select(func.count()).where(CouponRedemption.state.in_(_LIVE))
    of_code = live.where(CouponRedemption.code_id == CouponCode.id).correlate(CouponCode).scalar_subquery()
    of_promotion = live.where(CouponRedemption.promotion_id == Promotion.id).correlate(Promotion).scalar_subquery()
    codes = session.scalars(select(CouponCode.code).where(CouponCode.used != of_code).order_by(CouponCode.code))
    promotions = session.scalars(
        select(Promotion.name).where(_LIMITED, Promotion.used != of_promotion).order_by(Promotion.id)
    )
    return [*codes, *promotions]


def _claim_of(offers: Offers, applied: Applied) -> _Claim | None:
    """None for an automatic offer without limits: a counter that every order changes would be a queue."""
    offer = offers.by_key[applied.offer_id, applied.code]
    if not scopes_of(offer):
        return None
    return _Claim(offer, applied.amount_minor, offer.code.id if offer.code else None)


def _count(session: Session, claims: Sequence[_Claim]) -> set[int]:
    """Count every use by one conditional write each; gives the codes that went beyond their limit.

    Each write locks its counter until the commit. A code's overdraft is for whoever was told that it is good; nobody
    else gets as far as this.
    """
    overdrawn = set()
    for claim in sorted((one for one in claims if one.code_id is not None), key=lambda one: one.code_id or 0):
        counted = session.execute(
            update(CouponCode)
            .where(CouponCode.id == claim.code_id)
            .where(
                or_(
                    CouponCode.usage_limit.is_(None),
                    CouponCode.used < CouponCode.usage_limit + CouponCode.overdraft_limit,
                )
            )
            .values(used=CouponCode.used + 1)
            .returning(CouponCode.id, CouponCode.used, CouponCode.usage_limit)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if counted is None:
            raise _used_up(claim)
        if counted.usage_limit is not None and counted.used > counted.usage_limit:
            overdrawn.add(counted.id)
    for claim in sorted((one for one in claims if one.offer.is_limited), key=lambda one: one.promotion_id):
        counted_id = session.scalar(
            update(Promotion)
            .where(Promotion.id == claim.promotion_id)
            .where(or_(Promotion.usage_limit.is_(None), Promotion.used < Promotion.usage_limit))
            .values(used=Promotion.used + 1)
            .returning(Promotion.id)
            .execution_options(synchronize_session=False)
        )
        if counted_id is None:
            raise _used_up(claim)
    return overdrawn


def _take(session: Session, redemptions: Sequence[tuple[int, Offer]], keys: Sequence[str]) -> None:
    wanted = [
        Slots(redemption_id, scope, most) for redemption_id, offer in redemptions for scope, most in scopes_of(offer)
    ]
    for redemption_id, slot in take_slots(session, wanted, keys).items():
        session.execute(update(CouponRedemption).where(CouponRedemption.id == redemption_id).values(slot=slot))


def _stored_offer(
    session: Session, redemption: CouponRedemption, promotion: Promotion, coupon: CouponCode | None
) -> Offer:
    """The terms as they are now, with the rule that the order used."""
    terms = (
        None
        if coupon is None
        else CodeTerms(
            id=coupon.id,
            code=coupon.code,
            usage_limit=coupon.usage_limit,
            per_customer_limit=coupon.per_customer_limit,
            overdraft_limit=coupon.overdraft_limit,
            used=coupon.used,
        )
    )
    return Offer(
        promotion_id=promotion.id,
        name=promotion.name,
        version=redemption.version,
        rule=rule_of(session, promotion.id, redemption.version),
        status=promotion.status,
        starts_at=promotion.starts_at,
        ends_at=promotion.ends_at,
        usage_limit=promotion.usage_limit,
        per_customer_limit=promotion.per_customer_limit,
        used=promotion.used,
        holdout_bp=promotion.holdout_bp,
        code=terms,
    )


def _keys_of(session: Session, redemption_ids: Sequence[int]) -> tuple[str, ...]:
    keys = select(RedemptionKey.identity_key).where(RedemptionKey.redemption_id.in_(redemption_ids))
    return tuple(sorted(set(session.scalars(keys))))


def _forget_keys(session: Session, redemption_ids: Sequence[int]) -> None:
    """The freed slots of a use that is claimed anew: its new ones tell the same."""
    session.execute(
        delete(RedemptionKey)
        .where(RedemptionKey.redemption_id.in_(redemption_ids))
        .execution_options(synchronize_session=False)
    )


def _freed_by_policy() -> ColumnElement[bool]:
    codes = select(CouponCode.id).where(CouponCode.frees_on_full_refund)
    promotions = select(Promotion.id).where(Promotion.frees_on_full_refund)
    return or_(
        CouponRedemption.code_id.in_(codes),
        CouponRedemption.code_id.is_(None) & CouponRedemption.promotion_id.in_(promotions),
    )


def _used_up(claim: _Claim) -> CouponRefused:
    code = claim.offer.code
    if code is None:
        return CouponRefused(f"{claim.offer.name}: all its uses are taken", promotion_id=claim.promotion_id)
    return CouponRefused(f"{code.code}: all its uses are taken", coupon_code=code.code)
