"""Affiliates: some early customers become partners of the shop, spread links, and are paid every month."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.affiliates import events
from transactional.affiliates import service as affiliates
from transactional.affiliates.service import Affiliate, Browser, ClickRule, RateRow, Winner
from transactional.core.errors import Conflict
from transactional.core.security import jwt_secret
from transactional.simulation.circle import Circle, Partner
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

_CHANNELS = ("instagram", "referral")
_COMES_BY_LINK = 0.2
_CLICKS_AGAIN = 0.2
_SAYS_THE_CODE = 0.3
_USES_OWN_CODE = 0.3
_SHOPPERS_A_PARTNER = 75
_WEEK_HOURS = 168
_DEAR_CATEGORY = "Jewellery"


def found(session: Session, *, categories: Mapping[str, int], now: datetime) -> Circle:
    """A programme: eight per cent, five on jewellery, for thirty days after the last click; a code beats a click."""
    programme = affiliates.create_programme(session, key="partners", name="Partners", actor=STAFF, now=now)
    affiliates.add_version(
        session,
        programme_id=programme.id,
        rate_bp=800,
        window_days=30,
        click_rule=ClickRule.LAST_CLICK,
        winner=Winner.CODE,
        min_payout_minor=5_000,
        rates=[RateRow(500, category_id=categories[_DEAR_CATEGORY])],
        actor=STAFF,
        now=now,
    )
    return Circle(programme.id)


def after_registration(stage: Stage, shopper: Shopper) -> None:
    """The first customers want to be partners; staff look at it within a week."""
    circle = stage.shelf.circle
    if circle.applied <= len(stage.shoppers) // _SHOPPERS_A_PARTNER:
        circle.applied += 1
        stage.later(stage.after(2, 48), lambda: _apply(stage, shopper))


def _apply(stage: Stage, shopper: Shopper) -> None:
    assert shopper.customer_id is not None
    customer_id, home = shopper.customer_id, shopper.address(shopper.home)

    def job(session: Session) -> Affiliate:
        return affiliates.apply(
            session,
            customer_id=customer_id,
            programme_id=stage.shelf.circle.programme_id,
            full_name=shopper.name,
            phone=home["phone"],
            line1=home["line1"],
            postal_code=home["postal_code"],
            country="IN",
            pay_to=f"upi:partner{shopper.number}@bank",
            now=stage.now,
        )

    affiliate = stage.work(f"customer:{customer_id}", job)
    stage.later(stage.after(4, _WEEK_HOURS), lambda: stage.work(STAFF, lambda s: _accept(s, stage, shopper, affiliate)))


def _accept(session: Session, stage: Stage, shopper: Shopper, affiliate: Affiliate) -> None:
    affiliates.approve(session, affiliate_id=affiliate.id, actor=STAFF, now=stage.now)
    wanted = f"{shopper.name.split()[0]}{shopper.number:03d}"
    code = affiliates.add_code(session, affiliate_id=affiliate.id, code=wanted, now=stage.now).code
    link = affiliates.add_link(session, affiliate_id=affiliate.id, landing="/", label="profile", now=stage.now)
    stage.shelf.circle.partners.append(Partner(shopper, affiliate.id, code, link.public_id))
    stage.counts["partners"] += 1


def link_of_visit(stage: Stage, shopper: Shopper) -> Partner | None:
    """By whose link the shopper comes this time, if by any."""
    circle = stage.shelf.circle
    known = shopper.number in circle.brought
    if not known:
        comes = bool(circle.partners) and shopper.channel in _CHANNELS and stage.chance(_COMES_BY_LINK)
        circle.brought[shopper.number] = stage.rng.choice(circle.partners) if comes else None
    partner = circle.brought[shopper.number]
    return partner if partner is not None and (not known or stage.chance(_CLICKS_AGAIN)) else None


def click(session: Session, stage: Stage, shopper: Shopper, partner: Partner) -> None:
    """Follow the link; who consents is known again."""
    followed = affiliates.follow(
        session,
        link=partner.link,
        visitor_id=stage.shelf.circle.visitors.get(shopper.number),
        consent=shopper.consents,
        browser=Browser("198.51.100.7", f"device-{shopper.number:06d}", "en-IN"),
        secret=jwt_secret(stage.settings),
        now=stage.now,
    )
    if followed.visitor_id is not None:
        stage.shelf.circle.visitors[shopper.number] = followed.visitor_id
    stage.counts["clicks"] += 1


def code_for(stage: Stage, shopper: Shopper) -> str | None:
    """A partner's code that the shopper names; partners try their own."""
    circle = stage.shelf.circle
    own = next((partner for partner in circle.partners if partner.shopper is shopper), None)
    if own is not None:
        return own.code if stage.chance(_USES_OWN_CODE) else None
    partner = circle.brought.get(shopper.number)
    return partner.code if partner is not None and stage.chance(_SAYS_THE_CODE) else None


def of_month(stage: Stage) -> None:
    """Approve what has waited out its return window, then pay what is approved."""
    events.settle_due(stage.database)
    try:
        stage.work(STAFF, lambda session: _pay(session, stage))
    except Conflict:
        return  # nobody has earned enough yet
    stage.counts["payouts"] += 1


def _pay(session: Session, stage: Stage) -> None:
    affiliates.create_batch(
        session,
        programme_id=stage.shelf.circle.programme_id,
        currency=stage.settings.base_currency,
        actor=STAFF,
        note=f"{stage.now:%B %Y}",
        now=stage.now,
    )
