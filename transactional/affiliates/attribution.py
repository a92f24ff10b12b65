"""The attribution of a paid order: evidence gathered as of the day of the order, judged by `rules`, written once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from transactional.affiliates.members import active_at
from transactional.affiliates.models import (
    Affiliate,
    AffiliateClick,
    AffiliateCode,
    AttributionOutcome,
    DecidedBy,
    OrderAttribution,
    OrderReferral,
    ProgrammeVersion,
)
from transactional.affiliates.persons import buyer_of, person_of_affiliate, same_person
from transactional.affiliates.programmes import rule_of, version_at
from transactional.affiliates.receipting import seal_attribution
from transactional.affiliates.referring import clean_code
from transactional.affiliates.rules import Binding, Click, CodeUse, Decision, Evidence, decide
from transactional.core.ids import public_id
from transactional.orders.service import Order

_BINDING = (DecidedBy.CLICK, DecidedBy.BINDING)


def attribution_of(session: Session, order_id: int) -> OrderAttribution | None:
    """Whose an order is, where that was decided."""
    return session.scalar(select(OrderAttribution).where(OrderAttribution.order_id == order_id))


def attribute(session: Session, order: Order, *, now: datetime) -> OrderAttribution | None:
    """Decide whose a paid order is, which the caller has locked; None where nobody sent the buyer.

    Asked again, the answer is the same: all evidence is as of the moment of the order, and an affiliate must have been
    active when it was placed and when it was paid. An order of the affiliate's own earns nothing, with the reason kept.
    """
    known = attribution_of(session, order.id)
    if known is not None:
        return known
    referral = session.scalar(select(OrderReferral).where(OrderReferral.order_id == order.id))
    versions, evidence = _gather(session, order, referral)
    if not versions:
        return None
    oldest = versions[min(versions)]
    decision = decide(rule_of(oldest), evidence)
    return None if decision is None else _write(session, order, referral, decision, now=now)


def _gather(
    session: Session, order: Order, referral: OrderReferral | None
) -> tuple[dict[int, ProgrammeVersion], Evidence]:
    """The evidence, and the versions (by programme) of those whom it names."""
    visitor = None if referral is None else referral.visitor_id
    clicks = _clicks(session, order, visitor)
    code = _code_use(session, order, referral)
    binding = _binding(session, order, visitor)
    others = [one.affiliate_id for one in (code, binding) if one is not None]
    programmes = _programmes(session, {*others, *(click.affiliate_id for click in clicks)})
    versions = {
        programme_id: version
        for programme_id in sorted(set(programmes.values()))
        if (version := version_at(session, programme_id, at=order.placed_at)) is not None
    }

    def counts(click: Click) -> bool:
        version = versions.get(programmes[click.affiliate_id])
        return version is not None and rule_of(version).covers(click.at, order.placed_at)

    counting = [click for click in clicks if counts(click)]
    used = {programmes[affiliate_id] for affiliate_id in (*others, *(click.affiliate_id for click in counting))}
    return (
        {programme_id: version for programme_id, version in versions.items() if programme_id in used},
        Evidence(order.placed_at, clicks=counting, binding=binding, code=code),
    )


def _clicks(session: Session, order: Order, visitor_id: str | None) -> Sequence[Click]:
    if visitor_id is None:
        return []
    rows = session.execute(
        select(AffiliateClick.id, AffiliateClick.affiliate_id, AffiliateClick.clicked_at)
        .join(Affiliate, Affiliate.id == AffiliateClick.affiliate_id)
        .where(AffiliateClick.visitor_id == visitor_id, AffiliateClick.clicked_at <= order.placed_at, _may_earn(order))
        .order_by(AffiliateClick.id)
    )
    return [Click(*row) for row in rows]


def _code_use(session: Session, order: Order, referral: OrderReferral | None) -> CodeUse | None:
    """The code that was named as such; without one the order's coupon."""
    said = [None if referral is None else referral.code, clean_code(order.coupon_code)]
    for code in filter(None, said):
        row = session.execute(
            select(AffiliateCode.id, AffiliateCode.affiliate_id)
            .join(Affiliate, Affiliate.id == AffiliateCode.affiliate_id)
            .where(
                AffiliateCode.code == code,
                AffiliateCode.created_at <= order.placed_at,
                or_(AffiliateCode.ended_at.is_(None), AffiliateCode.ended_at > order.placed_at),
                _may_earn(order),
            )
        ).one_or_none()
        if row is not None:
            return CodeUse(*row)
    return None


def _binding(session: Session, order: Order, visitor_id: str | None) -> Binding | None:
    """The latest earlier order of the same customer or visitor that a click had brought."""
    same = [OrderAttribution.customer_id == order.customer_id] if order.customer_id is not None else []
    same += [OrderAttribution.visitor_id == visitor_id] if visitor_id is not None else []
    if not same:
        return None
    row = session.execute(
        select(OrderAttribution.id, OrderAttribution.affiliate_id, OrderAttribution.placed_at)
        .join(Affiliate, Affiliate.id == OrderAttribution.affiliate_id)
        .where(
            or_(*same),
            OrderAttribution.outcome == AttributionOutcome.CREDITED,
            OrderAttribution.decided_by.in_(_BINDING),
            OrderAttribution.placed_at < order.placed_at,
            _may_earn(order),
        )
        .order_by(OrderAttribution.placed_at.desc(), OrderAttribution.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Binding(*row)


def _may_earn(order: Order) -> ColumnElement[bool]:
    assert order.paid_at is not None, "only a paid order is anybody's"
    return active_at(order.placed_at, order.paid_at)


def _programmes(session: Session, affiliate_ids: Collection[int]) -> dict[int, int]:
    rows = session.execute(select(Affiliate.id, Affiliate.programme_id).where(Affiliate.id.in_(affiliate_ids)))
    return {row.id: row.programme_id for row in rows}


def _write(
    session: Session, order: Order, referral: OrderReferral | None, decision: Decision, *, now: datetime
) -> OrderAttribution:
    # The lock numbers the affiliate's receipts one after the other. It leaves the key alone: a payout, which holds the
    # balance that is locked next, writes rows that refer to it.
    mine = select(Affiliate).where(Affiliate.id == decision.affiliate_id)
    affiliate = session.scalars(mine.with_for_update(key_share=True)).one()
    version = version_at(session, affiliate.programme_id, at=order.placed_at)
    assert version is not None, "whoever has no version was left out"
    reason = same_person(buyer_of(session, order), person_of_affiliate(session, affiliate))
    attribution = OrderAttribution(
        public_id=public_id("rcp"),
        order_id=order.id,
        affiliate_id=affiliate.id,
        version_id=version.id,
        outcome=AttributionOutcome.CREDITED if reason is None else AttributionOutcome.REFUSED,
        reason=reason,
        decided_by=decision.by,
        click_id=decision.evidence_id if decision.by is DecidedBy.CLICK else None,
        code_id=decision.evidence_id if decision.by is DecidedBy.CODE else None,
        bound_by_id=decision.evidence_id if decision.by is DecidedBy.BINDING else None,
        visitor_id=None if referral is None else referral.visitor_id,
        customer_id=order.customer_id,
        placed_at=order.placed_at,
        decided_at=now,
    )
    seal_attribution(session, attribution, affiliate=affiliate, version=version)
    session.add(attribution)
    session.flush()
    return attribution
