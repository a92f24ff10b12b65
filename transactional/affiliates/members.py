"""Affiliates: application, decision, deactivation, and the codes and links by which their visitors are known."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.affiliates.models import (
    Affiliate,
    AffiliateCode,
    AffiliateLink,
    AffiliatePeriod,
    AffiliateStatus,
)
from transactional.affiliates.programmes import version_at
from transactional.affiliates.referring import clean_code
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.ids import public_id
from transactional.core.pagination import Cursor, fetch_page

INVITE_PREFIX = "GIFT-"
"""Codes of customers who invite others begin so, those of affiliates never do."""
MAX_LINKS = 200
MAX_CODES = 20

_LANDING = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,299}")
"""A path of the shop; `//host` and `/\\host` would lead elsewhere."""


def apply(
    session: Session,
    *,
    customer_id: int,
    programme_id: int,
    full_name: str,
    phone: str,
    line1: str,
    postal_code: str,
    country: str,
    pay_to: str,
    now: datetime,
    line2: str | None = None,
    website: str | None = None,
) -> Affiliate:
    """A customer with an account wants to join a programme.

    Raises InvalidInput for a guest, Conflict for a customer who has applied before or a programme without a version.
    """
    if accounts.get_customer(session, customer_id).is_guest:
        raise InvalidInput("an affiliate has an account")
    if version_at(session, programme_id, at=now) is None:
        raise Conflict("this programme has not begun")
    affiliate = Affiliate(
        public_id=public_id("aff"),
        customer_id=customer_id,
        programme_id=programme_id,
        status=AffiliateStatus.APPLIED,
        full_name=full_name,
        website=website,
        phone=phone,
        line1=line1,
        line2=line2,
        postal_code=postal_code,
        country=country,
        pay_to=pay_to,
        applied_at=now,
    )
    try:
        with session.begin_nested():
            session.add(affiliate)
    except IntegrityError as error:
        raise Conflict("you have applied before") from error
    return affiliate


def approve(session: Session, *, affiliate_id: int, actor: str, now: datetime, note: str | None = None) -> Affiliate:
    """From now on the affiliate earns: a first approval, or back after a rejection or deactivation.

    Raises NotFound, Conflict for one who is active, InvalidInput where somebody decides about themselves.
    """
    affiliate = _decide(session, affiliate_id, AffiliateStatus.ACTIVE, actor=actor, now=now, note=note)
    session.add(AffiliatePeriod(affiliate_id=affiliate.id, active_from=now))
    session.flush()
    return affiliate


def reject(session: Session, *, affiliate_id: int, actor: str, now: datetime, note: str) -> Affiliate:
    """The application is refused. Raises NotFound, Conflict for one that is decided, InvalidInput without a reason."""
    return _decide(session, affiliate_id, AffiliateStatus.REJECTED, actor=actor, now=now, note=note)


def deactivate(session: Session, *, affiliate_id: int, actor: str, now: datetime, note: str) -> Affiliate:
    """From this moment the affiliate earns nothing more; what was earned before stays theirs.

    Raises NotFound, Conflict for one who is not active, InvalidInput without a reason.
    """
    affiliate = _decide(session, affiliate_id, AffiliateStatus.INACTIVE, actor=actor, now=now, note=note)
    session.execute(
        update(AffiliatePeriod)
        .where(AffiliatePeriod.affiliate_id == affiliate.id, AffiliatePeriod.active_until.is_(None))
        .values(active_until=now)
        .execution_options(synchronize_session=False)
    )
    return affiliate


def active_at(*moments: datetime) -> ColumnElement[bool]:
    """A condition on `Affiliate`: active at each of these moments, the moment of deactivation not included."""
    period = AffiliatePeriod
    conditions = [
        exists().where(
            period.affiliate_id == Affiliate.id,
            period.active_from <= moment,
            or_(period.active_until.is_(None), period.active_until > moment),
        )
        for moment in moments
    ]
    return conditions[0] if len(conditions) == 1 else conditions[0] & active_at(*moments[1:])


def was_active(session: Session, affiliate_id: int, *, at: datetime) -> bool:
    """Whether the affiliate earned at a moment."""
    return session.scalar(select(Affiliate.id).where(Affiliate.id == affiliate_id, active_at(at))) is not None


def get_affiliate(session: Session, affiliate_id: int) -> Affiliate:
    """An affiliate as the database has it now. Raises NotFound."""
    affiliate = session.get(Affiliate, affiliate_id, populate_existing=True)
    if affiliate is None:
        raise NotFound("there is no such affiliate")
    return affiliate


def find_affiliate(session: Session, reference: str) -> Affiliate:
    """The affiliate with this public id. Raises NotFound."""
    affiliate = session.scalar(select(Affiliate).where(Affiliate.public_id == reference))
    if affiliate is None:
        raise NotFound("there is no such affiliate")
    return affiliate


def affiliate_of_customer(session: Session, customer_id: int | None) -> Affiliate:
    """The caller's own record. Raises NotFound for whoever has never applied."""
    found = None
    if customer_id is not None:
        found = session.scalar(select(Affiliate).where(Affiliate.customer_id == customer_id))
    if found is None:
        raise NotFound("you are no affiliate")
    return found


def page_of_affiliates(
    session: Session, cursor: Cursor, *, status: AffiliateStatus | None = None
) -> tuple[Sequence[Affiliate], str | None]:
    """Affiliates, newest first: in one status, or all."""
    statement = select(Affiliate)
    if status is not None:
        statement = statement.where(Affiliate.status == status)
    return fetch_page(session, statement, cursor, by=Affiliate.id)


def add_code(session: Session, *, affiliate_id: int, code: str, now: datetime) -> AffiliateCode:
    """A code that names the affiliate at checkout.

    Raises InvalidInput for an impossible one, Conflict where somebody has it or the affiliate is not active.
    """
    clean = clean_code(code)
    if clean is None or len(clean) < 4 or clean.startswith(INVITE_PREFIX):
        raise InvalidInput(
            f"a code has 4 to 40 letters, digits, hyphens and underscores and does not begin with {INVITE_PREFIX}",
            field="code",
        )
    _require_active(session, affiliate_id)
    if len(codes_of(session, affiliate_id)) >= MAX_CODES:
        raise Conflict(f"an affiliate has at most {MAX_CODES} codes")
    row = AffiliateCode(affiliate_id=affiliate_id, code=clean, created_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict(f"the code {clean} is taken") from error
    return row


def add_link(session: Session, *, affiliate_id: int, landing: str, label: str, now: datetime) -> AffiliateLink:
    """A link that leads to a page of the shop.

    Raises InvalidInput for a landing that is no path of the shop, Conflict where the affiliate is not active.
    """
    if not _LANDING.fullmatch(landing):
        raise InvalidInput("a link leads to a path of the shop, such as /products/diya-set", field="landing")
    _require_active(session, affiliate_id)
    if len(links_of(session, affiliate_id)) >= MAX_LINKS:
        raise Conflict(f"an affiliate has at most {MAX_LINKS} links")
    link = AffiliateLink(
        affiliate_id=affiliate_id, public_id=public_id("lnk"), landing=landing, label=label, created_at=now
    )
    session.add(link)
    session.flush()
    return link


def end_link(session: Session, *, affiliate_id: int, link: str, now: datetime) -> AffiliateLink:
    """The link still leads on, and counts nothing any more; repeating changes nothing. Raises NotFound."""
    row = session.scalar(
        select(AffiliateLink).where(AffiliateLink.public_id == link, AffiliateLink.affiliate_id == affiliate_id)
    )
    if row is None:
        raise NotFound("there is no such link")
    row.ended_at = row.ended_at or now
    session.flush()
    return row


def end_code(session: Session, *, affiliate_id: int, code: str, now: datetime) -> AffiliateCode:
    """From now on the code names nobody, and nobody else gets it; repeating changes nothing. Raises NotFound."""
    row = session.scalar(
        select(AffiliateCode).where(AffiliateCode.code == clean_code(code), AffiliateCode.affiliate_id == affiliate_id)
    )
    if row is None:
        raise NotFound("there is no such code")
    row.ended_at = row.ended_at or now
    session.flush()
    return row


def change_pay_to(session: Session, *, affiliate_id: int, pay_to: str) -> Affiliate:
    """Where later payouts go; those that were made keep their own copy. Raises NotFound."""
    affiliate = get_affiliate(session, affiliate_id)
    affiliate.pay_to = pay_to
    session.flush()
    return affiliate


def codes_of(session: Session, affiliate_id: int) -> Sequence[AffiliateCode]:
    """The affiliate's codes, the oldest first."""
    return session.scalars(
        select(AffiliateCode).where(AffiliateCode.affiliate_id == affiliate_id).order_by(AffiliateCode.id)
    ).all()


def links_of(session: Session, affiliate_id: int) -> Sequence[AffiliateLink]:
    """The affiliate's links, the oldest first."""
    return session.scalars(
        select(AffiliateLink).where(AffiliateLink.affiliate_id == affiliate_id).order_by(AffiliateLink.id)
    ).all()


_STEPS = {
    AffiliateStatus.ACTIVE: (AffiliateStatus.APPLIED, AffiliateStatus.REJECTED, AffiliateStatus.INACTIVE),
    AffiliateStatus.REJECTED: (AffiliateStatus.APPLIED,),
    AffiliateStatus.INACTIVE: (AffiliateStatus.ACTIVE,),
}
"""To → from."""


def _decide(
    session: Session, affiliate_id: int, to: AffiliateStatus, *, actor: str, now: datetime, note: str | None
) -> Affiliate:
    if to is not AffiliateStatus.ACTIVE and not (note or "").strip():
        raise InvalidInput("say why", field="note")
    statement = select(Affiliate).where(Affiliate.id == affiliate_id).with_for_update(key_share=True)
    affiliate = session.scalar(statement.execution_options(populate_existing=True))
    if affiliate is None:
        raise NotFound("there is no such affiliate")
    if affiliate.status not in _STEPS[to]:
        raise Conflict(f"an affiliate who is {affiliate.status} cannot become {to}", status=affiliate.status)
    _refuse_self_decision(session, affiliate, actor)
    affiliate.status, affiliate.decided_at, affiliate.decided_by, affiliate.decision_note = to, now, actor, note
    session.flush()
    return affiliate


def _refuse_self_decision(session: Session, affiliate: Affiliate, actor: str) -> None:
    user_id = accounts.get_customer(session, affiliate.customer_id).user_id
    if user_id is not None and actor == f"user:{user_id}":
        raise InvalidInput("nobody decides about their own application")


def _require_active(session: Session, affiliate_id: int) -> None:
    if get_affiliate(session, affiliate_id).status is not AffiliateStatus.ACTIVE:
        raise Conflict("only an active affiliate gets links and codes")
