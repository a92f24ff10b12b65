"""The life of an offer: draft → scheduled → active → paused → ended. A change makes a new version; orders keep theirs.

A scheduled offer starts by itself at its time, whether or not the job that says so has run: the clock decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions import stamps
from transactional.promotions.codes import NewCode, add_code, get_coupon, normalise_code
from transactional.promotions.engine import Rule, dump_rule, parse_rule
from transactional.promotions.engine.conditions import MinSpend
from transactional.promotions.models import (
    CouponCode,
    OrderDiscount,
    Promotion,
    PromotionStatus,
    PromotionVersion,
)

_LEFT_OUT_MOST = 9_999
_STEPS: dict[PromotionStatus, frozenset[PromotionStatus]] = {
    PromotionStatus.DRAFT: frozenset({PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE, PromotionStatus.ENDED}),
    PromotionStatus.SCHEDULED: frozenset({PromotionStatus.ACTIVE, PromotionStatus.PAUSED, PromotionStatus.ENDED}),
    PromotionStatus.ACTIVE: frozenset({PromotionStatus.PAUSED, PromotionStatus.ENDED}),
    PromotionStatus.PAUSED: frozenset({PromotionStatus.ACTIVE, PromotionStatus.ENDED}),
    PromotionStatus.ENDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a promotion is besides its rule. Limits are of the promotion as a whole; None: none."""

    name: str
    starts_at: datetime
    ends_at: datetime | None = None
    is_automatic: bool = False
    usage_limit: int | None = None
    per_customer_limit: int | None = None
    frees_on_full_refund: bool = False
    holdout_bp: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a promotion has given: orders that it lowered and by how much, and live uses of its codes."""

    orders: int
    discount_minor: int
    codes: int
    code_uses: int


def create_draft(session: Session, *, terms: Terms, rule: Mapping[str, Any], actor: str, now: datetime) -> Promotion:
    """A promotion that gives nothing yet. Raises InvalidInput for a rule or terms that cannot be."""
    parsed = parse_rule(rule)
    _check(terms)
    promotion = Promotion(version=1, used=0, status=PromotionStatus.DRAFT, min_spend_minor=0, priority=0)
    _write_terms(promotion, terms)
    _write_headline(promotion, parsed)
    session.add(promotion)
    session.flush()
    _add_version(session, promotion, parsed, actor, now)
    return promotion


def change(
    session: Session, *, promotion_id: int, terms: Terms, rule: Mapping[str, Any], actor: str, now: datetime
) -> Promotion:
    """Change terms and rule; a changed rule is a new version from now on, and orders keep the one that they used.

    Whether its uses are counted is settled when it leaves the draft, and so is whether it needs a code. Raises
    NotFound, InvalidInput, and Conflict for an ended one, or a limit below what is used already.
    """
    parsed = parse_rule(rule)
    _check(terms)
    promotion = _lock(session, promotion_id)
    if promotion.status is PromotionStatus.ENDED:
        raise Conflict("a promotion that has ended is history; make a new one")
    if promotion.status is not PromotionStatus.DRAFT:
        _check_running(promotion, terms)
    _write_terms(promotion, terms)
    if dump_rule(parsed) != dump_rule(rule_of(session, promotion.id, promotion.version)):
        promotion.version += 1
        _write_headline(promotion, parsed)
        _add_version(session, promotion, parsed, actor, now)
    session.flush()
    stamps.touch(session)
    return promotion


def move(session: Session, *, promotion_id: int, status: PromotionStatus) -> Promotion:
    """Schedule, start, pause, resume or end a promotion; from that moment it gives, or gives nothing.

    Uses that orders hold stay theirs. Raises NotFound, and Conflict where the step is not possible, or where nobody
    could use what starts now because it is neither automatic nor has a code.
    """
    promotion = _lock(session, promotion_id)
    if status not in _STEPS[promotion.status]:
        raise Conflict(f"a promotion that is {promotion.status} cannot become {status}")
    if status is PromotionStatus.ACTIVE and not promotion.is_automatic and not _has_code(session, promotion_id):
        raise Conflict("nobody could use it: the promotion is not automatic and has no code")
    promotion.status = status
    session.flush()
    stamps.touch(session)
    return promotion


def _has_code(session: Session, promotion_id: int) -> bool:
    found = select(CouponCode.id).where(CouponCode.promotion_id == promotion_id).limit(1)
    return session.scalar(found) is not None


def set_status(session: Session, *, code: str, status: PromotionStatus) -> Promotion:
    """As `move`, for the promotion of a code."""
    promotion, _ = get_coupon(session, code)
    return move(session, promotion_id=promotion.id, status=status)


def follow_the_clock(session: Session, *, now: datetime) -> int:
    """Call active what has started and ended what is over; gives how many changed. Prices follow the clock anyway."""
    over = Promotion.ends_at <= now
    due = (Promotion.status == PromotionStatus.SCHEDULED) & (Promotion.starts_at <= now)
    running = Promotion.status.in_((PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE, PromotionStatus.PAUSED))
    changed = session.scalars(
        update(Promotion)
        .where(due | (running & over))
        .values(status=case((over, PromotionStatus.ENDED.value), else_=PromotionStatus.ACTIVE.value))
        .returning(Promotion.id)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        stamps.touch(session)
    return len(changed)


def get_promotion(session: Session, promotion_id: int) -> Promotion:
    """The promotion as it stands. Raises NotFound."""
    found = session.get(Promotion, promotion_id, populate_existing=True)
    if found is None:
        raise NotFound(f"there is no promotion {promotion_id}")
    return found


def list_promotions(
    session: Session, *, before_id: int | None = None, limit: int = 50, status: PromotionStatus | None = None
) -> Sequence[Promotion]:
    """Newest first."""
    statement = select(Promotion).order_by(Promotion.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(Promotion.id < before_id)
    if status is not None:
        statement = statement.where(Promotion.status == status)
    return session.scalars(statement.execution_options(populate_existing=True)).all()


def figures(session: Session, promotion_ids: Sequence[int]) -> dict[int, Figures]:
    """What each of the promotions has given so far, in minor units of the orders' currencies."""
    given = {
        promotion_id: (orders, int(amount))
        for promotion_id, orders, amount in session.execute(
            select(
                OrderDiscount.promotion_id,
                func.count(OrderDiscount.order_id.distinct()),
                func.sum(OrderDiscount.amount_minor),
            )
            .where(OrderDiscount.promotion_id.in_(promotion_ids))
            .group_by(OrderDiscount.promotion_id)
        )
    }
    codes = {
        promotion_id: (count, int(used))
        for promotion_id, count, used in session.execute(
            select(CouponCode.promotion_id, func.count(), func.sum(CouponCode.used))
            .where(CouponCode.promotion_id.in_(promotion_ids))
            .group_by(CouponCode.promotion_id)
        )
    }
    return {
        promotion_id: Figures(*given.get(promotion_id, (0, 0)), *codes.get(promotion_id, (0, 0)))
        for promotion_id in promotion_ids
    }


def versions_of(session: Session, promotion_id: int) -> Sequence[PromotionVersion]:
    """Every version, oldest first."""
    return session.scalars(
        select(PromotionVersion).where(PromotionVersion.promotion_id == promotion_id).order_by(PromotionVersion.version)
    ).all()


def rule_of(session: Session, promotion_id: int, version: int) -> Rule:
    """The rule of a version. Raises NotFound."""
    rule = session.scalar(
        select(PromotionVersion.rule).where(
            PromotionVersion.promotion_id == promotion_id, PromotionVersion.version == version
        )
    )
    if rule is None:
        raise NotFound(f"promotion {promotion_id} has no version {version}")
    return parse_rule(rule)


def min_spend_of(rule: Rule) -> int:
    """What a basket must be worth for a rule; 0 where it does not say, or speaks of some goods only."""
    return max(
        (
            condition.amount_minor
            for condition in rule.conditions
            if isinstance(condition, MinSpend) and condition.select.everything
        ),
        default=0,
    )


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
    overdraft_limit: int = 0,
) -> CouponCode:
    """Make an active promotion of `percent_bp` basis points off the order, with one code.

    Raises InvalidInput for figures outside their range, Conflict where the code exists.
    """
    clean = normalise_code(code)
    if min_spend_minor < 0:
        raise InvalidInput("a minimum spend is not negative")
    args = {"bp": percent_bp} | ({} if max_discount_minor is None else {"cap_minor": max_discount_minor})
    minimum = [{"kind": "min_spend", "args": {"amount_minor": min_spend_minor}}] if min_spend_minor else []
    promotion = create_draft(
        session,
        terms=Terms(name=name or f"{clean}: {Decimal(percent_bp) / 100} %", starts_at=starts_at, ends_at=ends_at),
        rule={"kind": "percentage", "args": args, "conditions": minimum, "discount_class": "order"},
        actor="shop",
        now=starts_at,
    )
    new = NewCode(clean, usage_limit, per_customer_limit, overdraft_limit, frees_on_full_refund)
    coupon = add_code(session, promotion=promotion, new=new)
    move(session, promotion_id=promotion.id, status=PromotionStatus.ACTIVE)
    return coupon


def _lock(session: Session, promotion_id: int) -> Promotion:
    found = session.scalar(
        select(Promotion)
        .where(Promotion.id == promotion_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(f"there is no promotion {promotion_id}")
    return found


def _check(terms: Terms) -> None:
    if not terms.name.strip():
        raise InvalidInput("a promotion has a name", field="name")
    if terms.ends_at is not None and terms.ends_at <= terms.starts_at:
        raise InvalidInput("a promotion ends after it starts", field="ends_at")
    for name in ("usage_limit", "per_customer_limit"):
        limit = getattr(terms, name)
        if limit is not None and limit < 1:
            raise InvalidInput("a limit is at least 1, or absent", field=name)
    if not 0 <= terms.holdout_bp <= _LEFT_OUT_MOST:
        raise InvalidInput(f"a hold-out lies between 0 and {_LEFT_OUT_MOST} basis points", field="holdout_bp")


def _check_running(promotion: Promotion, terms: Terms) -> None:
    counts = terms.usage_limit is not None or terms.per_customer_limit is not None
    if counts != promotion.is_limited:
        raise Conflict("whether uses are counted was settled when the promotion left the draft; make a new one")
    if terms.is_automatic != promotion.is_automatic:
        raise Conflict("whether a code is needed was settled when the promotion left the draft; make a new one")
    if terms.usage_limit is not None and terms.usage_limit < promotion.used:
        raise Conflict(f"{promotion.used} uses are taken already", field="usage_limit")


def _write_terms(promotion: Promotion, terms: Terms) -> None:
    promotion.name = terms.name.strip()
    promotion.starts_at = terms.starts_at
    promotion.ends_at = terms.ends_at
    promotion.is_automatic = terms.is_automatic
    promotion.usage_limit = terms.usage_limit
    promotion.per_customer_limit = terms.per_customer_limit
    promotion.frees_on_full_refund = terms.frees_on_full_refund
    promotion.holdout_bp = terms.holdout_bp


def _write_headline(promotion: Promotion, rule: Rule) -> None:
    promotion.kind = rule.kind
    promotion.discount_class = rule.discount_class.value
    promotion.priority = rule.priority
    promotion.percent_bp = rule.args.get("bp")
    promotion.max_discount_minor = rule.args.get("cap_minor")
    promotion.min_spend_minor = min_spend_of(rule)


def _add_version(session: Session, promotion: Promotion, rule: Rule, actor: str, now: datetime) -> None:
    session.add(
        PromotionVersion(
            promotion_id=promotion.id, version=promotion.version, rule=dump_rule(rule), valid_from=now, actor=actor
        )
    )
    session.flush()
