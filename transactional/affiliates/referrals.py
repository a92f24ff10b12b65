"""Referrals: an invited person's first order, looked at anew whenever something happens to it.

Both sides are rewarded when its return window is over; what comes back later takes the reward back.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.accounts.service import Customer
from transactional.affiliates.invites import terms_at
from transactional.affiliates.models import OrderReferral, Referral, ReferralInvite, ReferralState, ReferralTerms
from transactional.affiliates.persons import buyer_of, person_of_customer, same_person
from transactional.affiliates.rewards import grant, take_back
from transactional.affiliates.worth import OrderWorth
from transactional.orders import service as orders
from transactional.orders.service import Order

NOT_FIRST_ORDER = "not_first_order"
INVITED_BEFORE = "invited_before"
GIVEN_BACK = "given_back"
TOO_SMALL = "too_small"


def settle_referral(session: Session, order: Order, worth: OrderWorth, *, now: datetime) -> None:
    """Bring the referral of a paid order that the caller has locked in line with it. Safe to repeat."""
    referral = session.scalar(select(Referral).where(Referral.order_id == order.id)) or _begin(session, order, now)
    if referral is None:
        return
    short = _falls_short(session, referral, worth)
    if referral.state is ReferralState.PENDING and short == GIVEN_BACK:
        referral.state, referral.reason = ReferralState.REFUSED, GIVEN_BACK
    elif referral.state is ReferralState.PENDING and worth.is_settled(now):
        if short is None:
            grant(session, referral, now=now)
        else:
            referral.state, referral.reason = ReferralState.REFUSED, short
    elif referral.state is ReferralState.GRANTED and short is not None:
        take_back(session, referral, reason=short, now=now)
    session.flush()


def due_referrals(session: Session, *, after_order_id: int, limit: int) -> list[int]:
    """Delivered orders whose referral still waits, by id."""
    return list(
        session.scalars(
            select(Referral.order_id)
            .join(Order, Order.id == Referral.order_id)
            .where(
                Referral.state == ReferralState.PENDING,
                Referral.order_id > after_order_id,
                Order.delivered_at.is_not(None),
            )
            .order_by(Referral.order_id)
            .limit(limit)
        )
    )


def _begin(session: Session, order: Order, now: datetime) -> Referral | None:
    """The referral of an order that named an invitation; None where it named none."""
    invite = session.scalar(
        select(ReferralInvite)
        .join(OrderReferral, OrderReferral.code == ReferralInvite.code)
        .where(OrderReferral.order_id == order.id)
    )
    terms = None if invite is None else terms_at(session, at=order.placed_at)
    if invite is None or terms is None or order.customer_id is None:
        return None
    customer = accounts.get_customer(session, order.customer_id)
    email = order.email or customer.email
    identity = accounts.identity_key(email) if email else f"customer:{customer.id}"
    reason = same_person(buyer_of(session, order), person_of_customer(session, invite.customer_id))
    refusal = reason or (NOT_FIRST_ORDER if _bought_before(session, order, identity) else None)
    return _write(session, order, invite, terms, identity, refusal, now)


def _write(  # noqa: PLR0917  each is a fact of the row
    session: Session,
    order: Order,
    invite: ReferralInvite,
    terms: ReferralTerms,
    identity: str,
    refusal: str | None,
    now: datetime,
) -> Referral:
    """The row; refused where the person was invited before, which the unique key decides for two at once."""

    def row(reason: str | None) -> Referral:
        return Referral(
            invite_id=invite.id,
            terms_id=terms.id,
            order_id=order.id,
            customer_id=order.customer_id,
            identity_key=identity,
            state=ReferralState.PENDING if reason is None else ReferralState.REFUSED,
            reason=reason,
            created_at=now,
        )

    referral = row(refusal)
    try:
        with session.begin_nested():
            session.add(referral)
    except IntegrityError:
        referral = row(INVITED_BEFORE)
        session.add(referral)
        session.flush()
    return referral


def _bought_before(session: Session, order: Order, identity: str) -> bool:
    """Whether the same person, with this or another account or as a guest, had placed an order that counts as a sale.

    The database finds e-mails that begin alike; which of them are one mailbox, says the un-aliased address.
    """
    local, _, _ = identity.partition("@")
    alike = session.execute(
        select(Customer.id, Customer.email).where(
            func.replace(Customer.email_key, ".", "").startswith(local.replace(".", ""), autoescape=True)
        )
    )
    same = {customer_id for customer_id, email in alike if email and accounts.identity_key(email) == identity}
    earlier = (
        bought.at < order.placed_at
        for customer_id in sorted(same | {order.customer_id or 0})
        for bought in orders.purchases_of(session, customer_id=customer_id)
    )
    return any(earlier)


def _falls_short(session: Session, referral: Referral, worth: OrderWorth) -> str | None:
    """Why what is kept of the order is worth no reward; None where it is."""
    if not any(line.given_back_quantity < line.quantity for line in worth.lines):
        return GIVEN_BACK
    if worth.value_minor and worth.kindness_minor == worth.value_minor:
        return GIVEN_BACK
    terms = session.get_one(ReferralTerms, referral.terms_id)
    kept = worth.kept_net_minor - worth.share_of_kindness(worth.kept_net_minor)
    return TOO_SMALL if kept < terms.min_order_minor else None
