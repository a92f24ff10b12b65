"""Receipts as rows: the hashes that are written with an attribution and a lot, and the proof that they still fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.affiliates.models import (
    Affiliate,
    AffiliateClick,
    AffiliateCode,
    AffiliateLink,
    AffiliateProgramme,
    CommissionLot,
    DecidedBy,
    OrderAttribution,
    ProgrammeVersion,
)
from transactional.affiliates.receipts import Facts, attribution_facts, click_facts, digest, lot_facts


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a receipt's chain: its facts, the hash that was written, and whether the facts still give it."""

    kind: str
    """click, order or commission."""
    facts: Facts
    sha256: str

    @property
    def holds(self) -> bool:
        """Whether nothing was changed since."""
        return digest(self.facts) == self.sha256


def seal_attribution(
    session: Session, attribution: OrderAttribution, *, affiliate: Affiliate, version: ProgrammeVersion
) -> None:
    """Number an attribution among the affiliate's receipts and write its hash; the caller has locked the affiliate."""
    last = session.scalar(
        select(OrderAttribution)
        .where(OrderAttribution.affiliate_id == affiliate.id)
        .order_by(OrderAttribution.number.desc())
        .limit(1)
    )
    attribution.number = 1 if last is None else last.number + 1
    attribution.previous_sha256 = None if last is None else last.sha256
    attribution.sha256 = digest(_attribution_facts(session, attribution, affiliate, version))


def seal_lot(lot: CommissionLot, attribution: OrderAttribution) -> None:
    """Write the hash of a lot that was just earned."""
    lot.sha256 = digest(lot_facts(lot, attribution_sha256=attribution.sha256))


def chain(session: Session, attribution: OrderAttribution) -> Sequence[Link]:
    """The receipt of an order from the click that brought the buyer to each lot of commission.

    Where the buyer was bound by an earlier order, the chain begins with the click of that one.
    """
    affiliate = session.get_one(Affiliate, attribution.affiliate_id)
    back = [attribution]
    while (bound_by := back[-1].bound_by_id) is not None:
        back.append(session.get_one(OrderAttribution, bound_by))
    links = []
    if (click_id := back[-1].click_id) is not None:
        click = session.get_one(AffiliateClick, click_id)
        link = session.get_one(AffiliateLink, click.link_id)
        facts = click_facts(click, affiliate=affiliate.public_id, link=link.public_id)
        links.append(Link("click", facts, click.sha256))
    for row in reversed(back):
        version = session.get_one(ProgrammeVersion, row.version_id)
        links.append(Link("order", _attribution_facts(session, row, affiliate, version), row.sha256))
    lots = session.scalars(
        select(CommissionLot).where(CommissionLot.attribution_id == attribution.id).order_by(CommissionLot.id)
    )
    links += [Link("commission", lot_facts(lot, attribution_sha256=attribution.sha256), lot.sha256) for lot in lots]
    return links


def is_unbroken(links: Sequence[Link]) -> bool:
    """Whether every link's facts give its hash, and each names the hash of the link before it."""
    orders = [link for link in links if link.kind == "order"]
    names = [(link.facts["evidence_sha256"], before.sha256) for before, link in pairwise(links) if link.kind == "order"]
    names += [(link.facts["attribution_sha256"], orders[-1].sha256) for link in links if link.kind == "commission"]
    return all(link.holds for link in links) and all(named == sha256 for named, sha256 in names)


def follows_on(session: Session, attribution: OrderAttribution) -> bool:
    """Whether the receipt names the one before it, and that one is there: none was taken out or put in."""
    before = session.scalar(
        select(OrderAttribution.sha256).where(
            OrderAttribution.affiliate_id == attribution.affiliate_id,
            OrderAttribution.number == attribution.number - 1,
        )
    )
    return before == attribution.previous_sha256 and (before is None) == (attribution.number == 1)


def _attribution_facts(
    session: Session, attribution: OrderAttribution, affiliate: Affiliate, version: ProgrammeVersion
) -> Facts:
    programme = session.get_one(AffiliateProgramme, version.programme_id)
    evidence, evidence_sha256 = _evidence(session, attribution)
    return attribution_facts(
        attribution,
        affiliate=affiliate.public_id,
        version=f"{programme.key}/{version.version}",
        evidence=evidence,
        evidence_sha256=evidence_sha256,
    )


def _evidence(session: Session, attribution: OrderAttribution) -> tuple[str, str | None]:
    if attribution.decided_by is DecidedBy.CLICK:
        click = session.get_one(AffiliateClick, attribution.click_id)
        return click.public_id, click.sha256
    if attribution.decided_by is DecidedBy.BINDING:
        bound_by = session.get_one(OrderAttribution, attribution.bound_by_id)
        return bound_by.public_id, bound_by.sha256
    return session.get_one(AffiliateCode, attribution.code_id).code, None
