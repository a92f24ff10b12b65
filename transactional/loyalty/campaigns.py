"""Campaigns: more points for a while, or for good, on everything, a category or a product."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from transactional.catalog import service as catalog
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.loyalty.models import LoyaltyCampaign
from transactional.loyalty.programme import tier_rules


@dataclass(frozen=True, slots=True)
class RunningCampaign:
    """A campaign with the categories that it means, those below its own included; None for any."""

    id: int
    name: str
    multiplier_bp: int
    tier: str | None
    product_id: int | None
    category_ids: frozenset[int] | None

    def fits(self, *, tier: str, product_id: int | None, category_id: int | None) -> bool:
        """Whether a line of so-and-so's order earns by it."""
        return (
            (self.tier is None or self.tier == tier)
            and (self.product_id is None or self.product_id == product_id)
            and (self.category_ids is None or category_id in self.category_ids)
        )


def create_campaign(
    session: Session,
    *,
    name: str,
    multiplier_bp: int,
    starts_at: datetime,
    actor: str,
    now: datetime,
    ends_at: datetime | None = None,
    category_id: int | None = None,
    product_id: int | None = None,
    tier: str | None = None,
) -> LoyaltyCampaign:
    """Announce a campaign. What was earned before it, or under it, is never touched.

    Raises InvalidInput for a multiplier below 0, a period that ends before it begins or has begun in the past, or a
    category together with a product, or a tier that no version knows; NotFound for a category or product that does not
    exist.
    """
    if multiplier_bp < 0:
        raise InvalidInput("a multiplier is not negative")
    if starts_at < now:
        raise InvalidInput("a campaign begins now or later: points that were earned before stay as they are")
    if ends_at is not None and ends_at <= starts_at:
        raise InvalidInput("a campaign ends after it begins")
    if category_id is not None and product_id is not None:
        raise InvalidInput("a campaign is for a category or for a product, not for both")
    if tier is not None and tier not in {level.name for rules in tier_rules(session) for level in rules.levels}:
        raise InvalidInput(f"no version of the programme has a tier {tier!r}")
    if category_id is not None:
        catalog.get_category(session, category_id)
    if product_id is not None:
        catalog.get_product(session, product_id)
    campaign = LoyaltyCampaign(
        name=name.strip(),
        multiplier_bp=multiplier_bp,
        category_id=category_id,
        product_id=product_id,
        tier=tier,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=actor,
        created_at=now,
    )
    session.add(campaign)
    session.flush()
    return campaign


def end_campaign(session: Session, *, campaign_id: int, now: datetime) -> None:
    """End a campaign from now on; one that has not begun is forgotten.

    Raises NotFound, Conflict for one that is over.
    """
    campaign = session.get(LoyaltyCampaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise NotFound(f"no campaign {campaign_id}")
    if campaign.ends_at is not None and campaign.ends_at <= now:
        raise Conflict(f"campaign {campaign_id} is over")
    if campaign.starts_at >= now:
        session.delete(campaign)
    else:
        campaign.ends_at = now
    session.flush()


def campaigns(session: Session) -> Sequence[LoyaltyCampaign]:
    """Every campaign, newest first."""
    return session.scalars(select(LoyaltyCampaign).order_by(LoyaltyCampaign.id.desc())).all()


def running_campaigns(session: Session, *, at: datetime) -> list[RunningCampaign]:
    """The campaigns that run at a moment, oldest first."""
    found = session.scalars(
        select(LoyaltyCampaign)
        .where(LoyaltyCampaign.starts_at <= at, or_(LoyaltyCampaign.ends_at.is_(None), LoyaltyCampaign.ends_at > at))
        .order_by(LoyaltyCampaign.id)
    )
    return [
        RunningCampaign(
            id=campaign.id,
            name=campaign.name,
            multiplier_bp=campaign.multiplier_bp,
            tier=campaign.tier,
            product_id=campaign.product_id,
            category_ids=None
            if campaign.category_id is None
            else frozenset(catalog.descendant_ids(session, campaign.category_id)),
        )
        for campaign in found
    ]


def best_campaign(
    running: Iterable[RunningCampaign], *, tier: str, product_id: int | None, category_id: int | None
) -> RunningCampaign | None:
    """The campaign that counts for a line: the largest multiplier, of equal ones the oldest; they never add up."""
    fitting = [c for c in running if c.fits(tier=tier, product_id=product_id, category_id=category_id)]
    return min(fitting, key=lambda campaign: (-campaign.multiplier_bp, campaign.id), default=None)


def categories_of(session: Session, running: Iterable[RunningCampaign], product_ids: Collection[int]) -> dict[int, int]:
    """Each product's category, where a campaign asks for it."""
    if not product_ids or all(campaign.category_ids is None for campaign in running):
        return {}
    return {
        product_id: product.category_id
        for product_id, product in catalog.products_by_id(session, list(product_ids)).items()
    }
