"""Coupons: what a code is worth on a basket, and the claims that keep every limit.

Applying a code only evaluates it. Checkout reserves a use by one conditional write on the code's counter; payment turns
the reservation into a redemption; cancellation or expiry frees it exactly once. `CouponCode.used` = live redemptions.

One person is one `identity_key` (an un-aliased e-mail), with or without an account. Their n-th use takes slot n, unique
while it lives. Claims of one code serialise on its row, so the slots are read without a race.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import percent_of
from transactional.promotions.models import (
    CouponCode,
    CouponRedemption,
    Promotion,
    PromotionStatus,
    RedemptionState,
)

__all__ = [
    "CouponCode",
    "CouponRedemption",
    "CouponRefused",
    "CouponResult",
    "Promotion",
    "PromotionStatus",
    "RedemptionState",
    "claim_again",
    "counter_discrepancies",
    "create_percentage_coupon",
    "evaluate",
    "get_coupon",
    "list_coupons",
    "normalise_code",
    "redeem",
    "release",
    "reserve",
    "set_status",
]

PERCENTAGE = "percentage"
_CODE_LENGTH = 40
_LIVE = (RedemptionState.RESERVED, RedemptionState.REDEEMED)
_STATUS_STEPS: dict[PromotionStatus, frozenset[PromotionStatus]] = {
    PromotionStatus.DRAFT: frozenset({PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE, PromotionStatus.ENDED}),
    PromotionStatus.SCHEDULED: frozenset({PromotionStatus.ACTIVE, PromotionStatus.PAUSED, PromotionStatus.ENDED}),
    PromotionStatus.ACTIVE: frozenset({PromotionStatus.PAUSED, PromotionStatus.ENDED}),
    PromotionStatus.PAUSED: frozenset({PromotionStatus.ACTIVE, PromotionStatus.ENDED}),
    PromotionStatus.ENDED: frozenset(),
}


class CouponRefused(Conflict):
    """The code gives nothing to this basket, person or moment; the detail says why."""

    code = "coupon-refused"
    title = "This coupon cannot be used"


@dataclass(frozen=True, slots=True)
class CouponResult:
    """What a code is worth on a basket; where it does not apply, `reason` says why and the discount is 0."""

    code: str
    discount_minor: int
    reason: str | None = None
    code_id: int | None = None
    promotion_id: int | None = None
    promotion_version: int | None = None
    percent_bp: int | None = None

    @property
    def applies(self) -> bool:
        """Whether the code is accepted."""
        return self.reason is None


def normalise_code(code: str) -> str:
    """A code as it is stored: trimmed, upper case. Raises InvalidInput for an impossible one."""
    clean = code.strip().upper()
    if not clean or len(clean) > _CODE_LENGTH or not all(c.isascii() and (c.isalnum() or c in "-_") for c in clean):
        raise InvalidInput("a coupon code is 1 to 40 letters, digits, hyphens and underscores")
    return clean


def create_percentage_coupon(
    session: Session,
    *,
    code: str,
    percent_bp: int,
    starts_at: datetime,
    ends_at: datetime | None = None,
    name: str | None = None,
    max_discount_minor: int | None = None,
    min_spend_minor: int = 0,
    usage_limit: int | None = None,
    per_customer_limit: int | None = None,
    frees_on_full_refund: bool = False,
) -> CouponCode:
    """Make an active promotion of `percent_bp` basis points with one code.

    Raises InvalidInput for figures outside their range, Conflict where the code exists.
    """
    clean = normalise_code(code)
    _check_figures(percent_bp, starts_at, ends_at, [max_discount_minor, usage_limit, per_customer_limit])
    if min_spend_minor < 0:
        raise InvalidInput("a minimum spend is not negative")
    promotion = Promotion(
        name=name or f"{clean}: {Decimal(percent_bp) / 100} %",
        kind=PERCENTAGE,
        percent_bp=percent_bp,
        max_discount_minor=max_discount_minor,
        min_spend_minor=min_spend_minor,
        status=PromotionStatus.ACTIVE,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    session.add(promotion)
    session.flush()
    coupon = CouponCode(
        promotion_id=promotion.id,
        code=clean,
        usage_limit=usage_limit,
        per_customer_limit=per_customer_limit,
        used=0,
        frees_on_full_refund=frees_on_full_refund,
    )
    try:
        with session.begin_nested():
            session.add(coupon)
    except IntegrityError as error:
        raise Conflict(f"the code {clean} exists already") from error
    return coupon


def get_coupon(session: Session, code: str) -> tuple[Promotion, CouponCode]:
    """A code with its promotion, as the database has them now. Raises NotFound."""
    found = _find(session, normalise_code(code))
    if found is None:
        raise NotFound(f"there is no coupon {code.strip().upper()}")
    return found


def list_coupons(
    session: Session, *, before_id: int | None = None, limit: int = 50
) -> Sequence[tuple[Promotion, CouponCode]]:
    """Codes with their promotions, newest first."""
    statement = (
        select(Promotion, CouponCode)
        .join(CouponCode, CouponCode.promotion_id == Promotion.id)
        .order_by(CouponCode.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if before_id is not None:
        statement = statement.where(CouponCode.id < before_id)
    return [(promotion, coupon) for promotion, coupon in session.execute(statement)]


def set_status(session: Session, *, code: str, status: PromotionStatus) -> Promotion:
    """Pause, resume or end a code's promotion; open reservations keep what they have.

    Raises NotFound, and Conflict where the step is not possible from the present status.
    """
    promotion, _ = get_coupon(session, code)
    if status not in _STATUS_STEPS[promotion.status]:
        raise Conflict(f"a promotion that is {promotion.status} cannot become {status}")
    promotion.status = status
    session.flush()
    return promotion


def evaluate(
    session: Session, *, code: str, merchandise_minor: int, now: datetime, identity_key: str | None = None
) -> CouponResult:
    """What `code` takes off merchandise worth `merchandise_minor`; claims nothing.

    With `identity_key` the person's own limit counts as well. Never raises for a refusal: see `CouponResult.reason`.
    """
    try:
        clean = normalise_code(code)
    except InvalidInput as error:
        return CouponResult(code=code.strip()[:_CODE_LENGTH], discount_minor=0, reason=error.detail)
    found = _find(session, clean)
    if found is None:
        return CouponResult(code=clean, discount_minor=0, reason="there is no such code")
    promotion, coupon = found
    reason = _condition_missing(promotion, merchandise_minor, now) or _limit_reached(session, coupon, identity_key)
    return CouponResult(
        code=clean,
        discount_minor=0 if reason else _discount(promotion, merchandise_minor),
        reason=reason,
        code_id=coupon.id,
        promotion_id=promotion.id,
        promotion_version=promotion.version,
        percent_bp=promotion.percent_bp,
    )


def reserve(
    session: Session, *, result: CouponResult, order_id: int, customer_id: int | None, identity_key: str, now: datetime
) -> CouponRedemption:
    """Claim one use of an evaluated code for an order.

    Raises CouponRefused where a limit was reached meanwhile; the caller must then roll back.
    """
    if not result.applies or result.code_id is None or result.promotion_id is None:
        raise CouponRefused(f"{result.code}: {result.reason}", coupon_code=result.code)
    slot = _claim(session, result.code_id, identity_key)
    redemption = CouponRedemption(
        code_id=result.code_id,
        promotion_id=result.promotion_id,
        order_id=order_id,
        customer_id=customer_id,
        identity_key=identity_key,
        slot=slot,
        state=RedemptionState.RESERVED,
        discount_minor=result.discount_minor,
        reserved_at=now,
    )
    session.add(redemption)
    session.flush()
    return redemption


def claim_again(session: Session, *, order_id: int, now: datetime) -> None:
    """An expired order is paid after all: claim its freed uses anew.

    The period is not asked again, because the price was agreed while the code was valid; the limits are. Raises
    CouponRefused where a limit leaves no room.
    """
    freed = session.execute(
        select(CouponRedemption.id, CouponRedemption.code_id, CouponRedemption.identity_key)
        .where(CouponRedemption.order_id == order_id, CouponRedemption.state == RedemptionState.RELEASED)
        .order_by(CouponRedemption.code_id)
    ).all()
    for redemption_id, code_id, identity_key in freed:
        slot = _claim(session, code_id, identity_key)
        session.execute(
            update(CouponRedemption)
            .where(CouponRedemption.id == redemption_id)
            .values(state=RedemptionState.RESERVED, slot=slot, reserved_at=now, released_at=None)
            .execution_options(synchronize_session=False)
        )


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

    Reserved uses are always freed. A redeemed one is freed only when the order is `fully_refunded` and the code's
    policy says so; a partial refund never frees it.
    """
    freeable = CouponRedemption.state == RedemptionState.RESERVED
    if fully_refunded:
        by_policy = select(CouponCode.id).where(CouponCode.frees_on_full_refund)
        redeemed = CouponRedemption.state == RedemptionState.REDEEMED
        freeable = or_(freeable, redeemed & CouponRedemption.code_id.in_(by_policy))
    freed = session.scalars(
        update(CouponRedemption)
        .where(CouponRedemption.order_id == order_id, freeable)
        .values(state=RedemptionState.RELEASED, slot=None, released_at=now)
        .returning(CouponRedemption.code_id)
        .execution_options(synchronize_session=False)
    ).all()
    for code_id in sorted(freed):
        session.execute(
            update(CouponCode)
            .where(CouponCode.id == code_id)
            .values(used=CouponCode.used - 1)
            .execution_options(synchronize_session=False)
        )
    return len(freed)


def counter_discrepancies(session: Session) -> list[str]:
    """The codes whose counter differs from their live redemptions; empty when all is well."""
    live = (
        select(func.count())
        .where(CouponRedemption.code_id == CouponCode.id, CouponRedemption.state.in_(_LIVE))
        .correlate(CouponCode)
        .scalar_subquery()
    )
    return list(session.scalars(select(CouponCode.code).where(CouponCode.used != live).order_by(CouponCode.code)))


def _check_figures(
    percent_bp: int, starts_at: datetime, ends_at: datetime | None, positive_or_none: Sequence[int | None]
) -> None:
    if not 1 <= percent_bp <= 10_000:
        raise InvalidInput(f"a percentage lies between 1 and 10000 basis points, not at {percent_bp}")
    if ends_at is not None and ends_at <= starts_at:
        raise InvalidInput("a promotion ends after it starts")
    if any(figure is not None and figure < 1 for figure in positive_or_none):
        raise InvalidInput("a limit is at least 1, or absent")


def _find(session: Session, code: str) -> tuple[Promotion, CouponCode] | None:
    row = session.execute(
        select(Promotion, CouponCode)
        .join(CouponCode, CouponCode.promotion_id == Promotion.id)
        .where(CouponCode.code == code)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _condition_missing(promotion: Promotion, merchandise_minor: int, now: datetime) -> str | None:
    if promotion.status is not PromotionStatus.ACTIVE:
        return f"the promotion is {promotion.status}"
    if now < promotion.starts_at:
        return "the promotion has not started"
    if promotion.ends_at is not None and now >= promotion.ends_at:
        return "the promotion has ended"
    if merchandise_minor < promotion.min_spend_minor:
        return f"{promotion.min_spend_minor - merchandise_minor} minor units are missing to the minimum spend"
    return None


def _limit_reached(session: Session, coupon: CouponCode, identity_key: str | None) -> str | None:
    if coupon.usage_limit is not None and coupon.used >= coupon.usage_limit:
        return "all uses are taken"
    if identity_key is not None and coupon.per_customer_limit is not None:
        own = len(_taken_slots(session, coupon.id, identity_key))
        if own >= coupon.per_customer_limit:
            return "you have used it as often as one may"
    return None


def _discount(promotion: Promotion, merchandise_minor: int) -> int:
    share = percent_of(merchandise_minor, promotion.percent_bp or 0)
    return share if promotion.max_discount_minor is None else min(share, promotion.max_discount_minor)


def _claim(session: Session, code_id: int, identity_key: str) -> int:
    """One use of a code for a person: the counter by a conditional write, then the first free slot.

    The write locks the code's row until the commit, so nobody else takes a slot of this code meanwhile.
    """
    claimed = session.execute(
        update(CouponCode)
        .where(CouponCode.id == code_id)
        .where(or_(CouponCode.usage_limit.is_(None), CouponCode.used < CouponCode.usage_limit))
        .values(used=CouponCode.used + 1)
        .returning(CouponCode.code, CouponCode.per_customer_limit)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if claimed is None:
        raise CouponRefused("all uses of this code are taken")
    code, per_customer_limit = claimed
    taken = _taken_slots(session, code_id, identity_key)
    slot = next(n for n in range(1, len(taken) + 2) if n not in taken)
    if per_customer_limit is not None and len(taken) >= per_customer_limit:
        raise CouponRefused(f"{code}: you have used it as often as one may", coupon_code=code)
    return slot


def _taken_slots(session: Session, code_id: int, identity_key: str) -> set[int]:
    slots = session.scalars(
        select(CouponRedemption.slot).where(
            CouponRedemption.code_id == code_id,
            CouponRedemption.identity_key == identity_key,
            CouponRedemption.slot.is_not(None),
        )
    )
    return {slot for slot in slots if slot is not None}
