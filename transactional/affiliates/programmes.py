"""Programmes: what each version says, which one counts at a moment, and the text that is published of it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.affiliates.models import (
    Affiliate,
    AffiliateProgramme,
    AffiliateRate,
    ClickRule,
    ProgrammeVersion,
    Winner,
)
from transactional.affiliates.rates import RateCard, RateRow
from transactional.affiliates.rules import AttributionRule
from transactional.affiliates.terms import NamedRate, TermsValues, terms_text
from transactional.catalog import service as catalog
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.money import BASIS_POINTS
from transactional.settings import Settings

MAX_WINDOW_DAYS = 3_650


def create_programme(session: Session, *, key: str, name: str, actor: str, now: datetime) -> AffiliateProgramme:
    """A programme without a version: nobody earns by it yet. Raises InvalidInput, Conflict where the key is taken."""
    clean = key.strip().lower()
    if not clean or not name.strip():
        raise InvalidInput("a programme needs a key and a name", field="key")
    programme = AffiliateProgramme(key=clean, name=name.strip(), created_by=actor, created_at=now)
    try:
        with session.begin_nested():
            session.add(programme)
    except IntegrityError as error:
        raise Conflict(f"there is a programme {clean} already") from error
    return programme


def add_version(
    session: Session,
    *,
    programme_id: int,
    rate_bp: int,
    window_days: int,
    click_rule: ClickRule,
    winner: Winner,
    min_payout_minor: int,
    rates: Sequence[RateRow],
    actor: str,
    now: datetime,
    valid_from: datetime | None = None,
) -> ProgrammeVersion:
    """What the programme says from `valid_from` (default: now) on; orders placed before keep what they have.

    Raises NotFound for the programme, InvalidInput for figures outside their range, a start that lies before now or
    before the last version's, and for rates that are named twice or name nobody.
    """
    _lock(session, programme_id)
    starts = valid_from or now
    _check_figures(rate_bp, window_days, min_payout_minor)
    _check_rates(session, programme_id, rates)
    last = _last_version(session, programme_id)
    if starts < now or (last is not None and starts < last.valid_from):
        raise InvalidInput("a version starts now or later, and not before the one that it follows", field="valid_from")
    version = ProgrammeVersion(
        programme_id=programme_id,
        version=1 if last is None else last.version + 1,
        rate_bp=rate_bp,
        window_days=window_days,
        click_rule=click_rule,
        winner=winner,
        min_payout_minor=min_payout_minor,
        valid_from=starts,
        created_by=actor,
        created_at=now,
    )
    session.add(version)
    session.flush()
    session.add_all(
        AffiliateRate(
            version_id=version.id, affiliate_id=row.affiliate_id, category_id=row.category_id, rate_bp=row.rate_bp
        )
        for row in rates
    )
    session.flush()
    return version


def get_programme(session: Session, programme_id: int) -> AffiliateProgramme:
    """A programme. Raises NotFound."""
    programme = session.get(AffiliateProgramme, programme_id)
    if programme is None:
        raise NotFound("there is no such programme")
    return programme


def programme_by_key(session: Session, key: str) -> AffiliateProgramme:
    """The programme with this key. Raises NotFound."""
    programme = session.scalar(select(AffiliateProgramme).where(AffiliateProgramme.key == key.strip().lower()))
    if programme is None:
        raise NotFound(f"there is no programme {key}")
    return programme


def list_programmes(session: Session) -> Sequence[AffiliateProgramme]:
    """All programmes, the oldest first."""
    return session.scalars(select(AffiliateProgramme).order_by(AffiliateProgramme.id)).all()


def versions_of(session: Session, programme_id: int) -> Sequence[ProgrammeVersion]:
    """Every version of a programme, the oldest first."""
    return session.scalars(
        select(ProgrammeVersion).where(ProgrammeVersion.programme_id == programme_id).order_by(ProgrammeVersion.version)
    ).all()


def version_at(session: Session, programme_id: int, *, at: datetime) -> ProgrammeVersion | None:
    """The version that counts at a moment; None before the first one."""
    return session.scalar(
        select(ProgrammeVersion)
        .where(ProgrammeVersion.programme_id == programme_id, ProgrammeVersion.valid_from <= at)
        .order_by(ProgrammeVersion.valid_from.desc(), ProgrammeVersion.version.desc())
        .limit(1)
    )


def rule_of(version: ProgrammeVersion) -> AttributionRule:
    """The values of a version that decide whose an order is."""
    return AttributionRule(version.window_days, version.click_rule, version.winner)


def rate_card(session: Session, version: ProgrammeVersion) -> RateCard:
    """The rates of a version."""
    rows = [RateRow(row.rate_bp, row.affiliate_id, row.category_id) for row in _rates(session, version.id)]
    return RateCard(version.id, version.rate_bp, rows)


def published_text(
    session: Session, version: ProgrammeVersion, *, settings: Settings, affiliate_id: int | None = None
) -> list[str]:
    """What a version says, in sentences; with the affiliate's own rates where one is named, without anybody else's."""
    names = {category.id: category.name for category in catalog.list_categories(session)}
    rates = [
        NamedRate(
            row.rate_bp,
            category=None if row.category_id is None else names[row.category_id],
            affiliate=None if row.affiliate_id is None else "you",
        )
        for row in _rates(session, version.id)
        if row.affiliate_id in (None, affiliate_id)
    ]
    values = TermsValues(
        rule=rule_of(version),
        rate_bp=version.rate_bp,
        rates=rates,
        min_payout_minor=version.min_payout_minor,
        return_window_days=settings.return_window_days,
        currency=settings.base_currency,
    )
    return terms_text(values)


def _rates(session: Session, version_id: int) -> Sequence[AffiliateRate]:
    return session.scalars(
        select(AffiliateRate).where(AffiliateRate.version_id == version_id).order_by(AffiliateRate.id)
    ).all()


def _lock(session: Session, programme_id: int) -> None:
    """Versions of a programme are numbered one after the other."""
    statement = select(AffiliateProgramme.id).where(AffiliateProgramme.id == programme_id).with_for_update()
    if session.scalar(statement) is None:
        raise NotFound("there is no such programme")


def _last_version(session: Session, programme_id: int) -> ProgrammeVersion | None:
    return session.scalar(
        select(ProgrammeVersion)
        .where(ProgrammeVersion.programme_id == programme_id)
        .order_by(ProgrammeVersion.version.desc())
        .limit(1)
    )


def _check_figures(rate_bp: int, window_days: int, min_payout_minor: int) -> None:
    if not 0 <= rate_bp <= BASIS_POINTS:
        raise InvalidInput("a rate lies between 0 and 10,000 basis points", field="rate_bp")
    if not 1 <= window_days <= MAX_WINDOW_DAYS:
        raise InvalidInput(f"the window is 1 to {MAX_WINDOW_DAYS} days long", field="window_days")
    if min_payout_minor < 0:
        raise InvalidInput("the least payout is not negative", field="min_payout_minor")


def _check_rates(session: Session, programme_id: int, rates: Sequence[RateRow]) -> None:
    targets = [(row.affiliate_id, row.category_id) for row in rates]
    if len(set(targets)) != len(targets) or (None, None) in targets:
        raise InvalidInput("each rate names an affiliate, a category or both, and no two the same", field="rates")
    if any(not 0 <= row.rate_bp <= BASIS_POINTS for row in rates):
        raise InvalidInput("a rate lies between 0 and 10,000 basis points", field="rates")
    for category_id in {row.category_id for row in rates if row.category_id is not None}:
        catalog.get_category(session, category_id)
    wanted = {row.affiliate_id for row in rates if row.affiliate_id is not None}
    members = select(func.count()).where(Affiliate.id.in_(wanted), Affiliate.programme_id == programme_id)
    if session.scalar(members) != len(wanted):
        raise InvalidInput("a rate names an affiliate who is not in this programme", field="rates")
