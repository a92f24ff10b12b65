"""Clicks: a link is followed, and with the visitor's consent it is remembered who sent them."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.affiliates.members import active_at
from transactional.affiliates.models import Affiliate, AffiliateClick, AffiliateLink
from transactional.affiliates.receipts import click_facts, digest
from transactional.affiliates.referring import known_form
from transactional.core.errors import NotFound
from transactional.core.ids import public_id


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser says of itself and its network. Only a keyed hash of it is ever kept."""

    address: str
    user_agent: str
    language: str

    def hashed(self, secret: str) -> str:
        """HMAC-SHA-256: the same browser gives the same hash, and nobody without the secret can try browsers out."""
        said = "\n".join((self.address, self.user_agent, self.language))
        return hmac.new(f"affiliate-clicks:{secret}".encode(), said.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a link leads, and the visitor's id where one may be kept."""

    landing: str
    visitor_id: str | None
    click: AffiliateClick | None
    """None for a link that nobody earns by any more."""


def follow(
    session: Session, *, link: str, visitor_id: str | None, consent: bool, browser: Browser, secret: str, now: datetime
) -> Followed:
    """Somebody follows a link: the click is kept, with visitor and browser only where they consented.

    A link of an affiliate who is not active, or one that was ended, still leads on but is not counted. Raises NotFound.
    """
    found = session.execute(
        select(AffiliateLink, Affiliate, active_at(now))
        .join(Affiliate, Affiliate.id == AffiliateLink.affiliate_id)
        .where(AffiliateLink.public_id == link)
    ).one_or_none()
    if found is None:
        raise NotFound("this link leads nowhere")
    row, affiliate, is_active = found
    if not is_active or row.ended_at is not None:
        return Followed(row.landing, None, None)
    visitor = (known_form(visitor_id) or public_id("vis")) if consent else None
    click = AffiliateClick(
        public_id=public_id("clk"),
        affiliate_id=affiliate.id,
        link_id=row.id,
        landing=row.landing,
        visitor_id=visitor,
        browser_hash=browser.hashed(secret) if consent else None,
        consent=consent,
        clicked_at=now,
    )
    click.sha256 = digest(click_facts(click, affiliate=affiliate.public_id, link=row.public_id))
    session.add(click)
    session.flush()
    return Followed(row.landing, visitor, click)
