"""Offers as the engine takes them: rules from the database, each with the reason why it is ruled out, if it is.

Automatic offers are read once for each change of any promotion; see `stamps`. Codes are looked up as they are entered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, and_, bindparam, select
from sqlalchemy.orm import Session

from transactional.core.errors import InvalidInput
from transactional.promotions import limits, stamps
from transactional.promotions.codes import normalise_code
from transactional.promotions.engine import Candidate, Outcome, Reason, Refused, Rule, parse_rule
from transactional.promotions.engine.conditions import CustomerGroups, FirstOrder
from transactional.promotions.groups import groups_of
from transactional.promotions.models import CouponCode, Promotion, PromotionStatus, PromotionVersion
from transactional.promotions.people import NOBODY, Person, is_held_out

HONOURED = timedelta(minutes=30)
"""How long a code with an overdraft is honoured after the shop said that it is good, as long as the overdraft lasts."""
_CODE_SHOWN = 40
UNKNOWN_OFFER = 0
"""The offer of a code that does not exist."""
WHO_ARE_YOU = "sign in or give your e-mail to have it"


@dataclass(frozen=True, slots=True)
class EnteredCode:
    """A code that a shopper entered, and when the shop last said that it is good."""

    code: str
    applied_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """What a code brings along besides its promotion's rule."""

    id: int
    code: str
    usage_limit: int | None
    per_customer_limit: int | None
    overdraft_limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A promotion's present version with its terms."""

    promotion_id: int
    name: str
    version: int
    rule: Rule
    status: PromotionStatus
    starts_at: datetime
    ends_at: datetime | None
    usage_limit: int | None
    per_customer_limit: int | None
    used: int
    holdout_bp: int
    names_categories: bool = False
    code: CodeTerms | None = None

    @property
    def entered(self) -> str | None:
        """The code that brings it; None for an automatic offer."""
        return None if self.code is None else self.code.code

    @property
    def is_limited(self) -> bool:
        """Whether uses of the promotion as a whole are counted."""
        return self.usage_limit is not None or self.per_customer_limit is not None

    @property
    def for_first_order(self) -> bool:
        """Whether it is for somebody's first order only."""
        return asks_first_order(self.rule)

    @property
    def asks_who(self) -> bool:
        """Whether it can be granted only to somebody known."""
        return self.per_customer_limit is not None or self.for_first_order


@dataclass(frozen=True, slots=True)
class Offers:
    """What may apply to a basket: candidates for the engine, with the terms behind them."""

    candidates: tuple[Candidate, ...] = ()
    by_key: Mapping[tuple[int, str | None], Offer] = field(default_factory=dict)
    """By (promotion, code)."""
    unknown: tuple[str, ...] = ()
    """Entered codes that do not exist."""
    person: Person = NOBODY
    groups: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to work out."""
        return not self.candidates and not self.unknown

    @property
    def ask_first_order(self) -> bool:
        """Whether it matters that somebody has not ordered before."""
        return any(offer.for_first_order for offer in self.by_key.values())

    @property
    def ask_categories(self) -> bool:
        """Whether it matters which categories goods are of."""
        return any(offer.names_categories for offer in self.by_key.values())

    def with_unknown(self, outcome: Outcome) -> Outcome:
        """The outcome with a refusal for each code that does not exist."""
        refused = [
            Refused(UNKNOWN_OFFER, 0, code, Reason.UNKNOWN_CODE, "there is no such code") for code in self.unknown
        ]
        return replace(outcome, refused=(*outcome.refused, *refused)) if refused else outcome


_COLUMNS = (
    Promotion.id,
    Promotion.name,
    Promotion.version,
    PromotionVersion.rule,
    Promotion.status,
    Promotion.starts_at,
    Promotion.ends_at,
    Promotion.usage_limit,
    Promotion.per_customer_limit,
    Promotion.used,
    Promotion.holdout_bp,
)
_PRESENT = and_(PromotionVersion.promotion_id == Promotion.id, PromotionVersion.version == Promotion.version)
_OPEN = (PromotionStatus.SCHEDULED, PromotionStatus.ACTIVE)
_AUTOMATIC = (
    select(*_COLUMNS)
    .join(PromotionVersion, _PRESENT)
    .where(Promotion.is_automatic, Promotion.status.in_(_OPEN))
    .order_by(Promotion.id)
)
_BY_CODE = (
    select(
        *_COLUMNS,
        CouponCode.id.label("code_id"),
        CouponCode.code,
        CouponCode.usage_limit.label("code_usage_limit"),
        CouponCode.per_customer_limit.label("code_per_customer_limit"),
        CouponCode.overdraft_limit,
        CouponCode.used.label("code_used"),
    )
    .join(PromotionVersion, _PRESENT)
    .join(CouponCode, CouponCode.promotion_id == Promotion.id)
    .where(CouponCode.code.in_(bindparam("codes", expanding=True)))
    .order_by(CouponCode.id)
)
_USED = select(Promotion.id, Promotion.used).where(Promotion.id.in_(bindparam("ids", expanding=True)))

_read: WeakKeyDictionary[Engine, tuple[str, tuple[Offer, ...]]] = WeakKeyDictionary()


def nobody() -> Person:
    """A guest who has not said yet who they are."""
    return NOBODY


def offers_for(
    session: Session, *, codes: Iterable[EnteredCode | str], now: datetime, who: Callable[[], Person] = nobody
) -> Offers:
    """Every automatic offer that is open now, and those of the entered codes; nothing is claimed.

    `who` tells the shopper; it is asked only where there is any offer. Without any this costs one question.
    Codes that cannot exist count as unknown. An offer that is ruled out (not open, used up, left out of by a hold-out)
    is a candidate with the reason in `blocked`.
    """
    automatic = [offer for offer in automatic_offers(session) if _is_open(offer, now)]
    entered = _entered(codes)
    if not automatic and not entered:
        return Offers()
    person = who()
    by_code = _offers_of_codes(session, entered)
    known = [*_with_uses(session, automatic), *by_code]
    key, used_up = person.main_key, limits.used_up(session, _person_limits(known), person.keys)
    candidates = tuple(
        Candidate(
            offer.promotion_id,
            offer.version,
            offer.entered,
            offer.rule,
            _blocked(offer, now, key, used_up, _honoured(offer, entered, now)),
        )
        for offer in known
    )
    found = {offer.code.code for offer in by_code if offer.code}
    return Offers(
        candidates=candidates,
        by_key={(offer.promotion_id, offer.entered): offer for offer in known},
        unknown=tuple(code for code in entered if code not in found),
        person=person,
        groups=_groups(session, known, person, now),
    )


def automatic_offers(session: Session) -> tuple[Offer, ...]:
    """Every automatic offer that is scheduled or active; their counters are as old as the last change."""
    engine = session.get_bind()
    engine = engine if isinstance(engine, Engine) else engine.engine
    token = stamps.token(session)
    known = _read.get(engine)
    if known is not None and known[0] == token:
        return known[1]
    offers = tuple(_offer(row) for row in session.execute(_AUTOMATIC))
    _read[engine] = (token, offers)
    return offers


def _entered(codes: Iterable[EnteredCode | str]) -> dict[str, EnteredCode]:
    """By the code as it is stored, or as it was typed where it could not be stored."""
    entered: dict[str, EnteredCode] = {}
    for one in codes:
        code = EnteredCode(one) if isinstance(one, str) else one
        entered.setdefault(stored_code(code.code), code)
    return entered


def stored_code(typed: str) -> str:
    """A code as it is stored, or its beginning as it was typed where it could not be stored."""
    try:
        return normalise_code(typed)
    except InvalidInput:
        return typed.strip()[:_CODE_SHOWN]


def _offers_of_codes(session: Session, entered: Mapping[str, EnteredCode]) -> list[Offer]:
    if not entered:
        return []
    return [_offer_of_code(row) for row in session.execute(_BY_CODE, {"codes": sorted(entered)})]


def _offer(row: Row[*tuple[Any, ...]]) -> Offer:
    rule = parse_rule(row.rule)
    return Offer(
        promotion_id=row.id,
        name=row.name,
        version=row.version,
        rule=rule,
        status=row.status,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        usage_limit=row.usage_limit,
        per_customer_limit=row.per_customer_limit,
        used=row.used,
        holdout_bp=row.holdout_bp,
        names_categories=_names_categories(rule),
    )


def _offer_of_code(row: Row[*tuple[Any, ...]]) -> Offer:
    terms = CodeTerms(
        id=row.code_id,
        code=row.code,
        usage_limit=row.code_usage_limit,
        per_customer_limit=row.code_per_customer_limit,
        overdraft_limit=row.overdraft_limit,
        used=row.code_used,
    )
    return replace(_offer(row), code=terms)


def _with_uses(session: Session, offers: Sequence[Offer]) -> list[Offer]:
    """The same with their counters as they stand now."""
    counted = [offer.promotion_id for offer in offers if offer.usage_limit is not None]
    if not counted:
        return list(offers)
    used = {row.id: row.used for row in session.execute(_USED, {"ids": counted})}
    return [replace(offer, used=used.get(offer.promotion_id, offer.used)) for offer in offers]


def _is_open(offer: Offer, now: datetime) -> bool:
    return offer.starts_at <= now and (offer.ends_at is None or now < offer.ends_at)


def _blocked(
    offer: Offer, now: datetime, person_key: str | None, used_up: frozenset[str], overdraft: int
) -> str | None:
    return (
        closed_reason(offer.status, offer.starts_at, offer.ends_at, now)
        or _limit_reached(offer, overdraft)
        or _person_refused(offer, person_key, used_up)
    )


def closed_reason(
    status: PromotionStatus, starts_at: datetime, ends_at: datetime | None, now: datetime
) -> Reason | None:
    """Why a promotion gives nothing at a moment; None while it is open. The end is exclusive."""
    if status is PromotionStatus.DRAFT or now < starts_at:
        return Reason.NOT_ACTIVE if status is not PromotionStatus.ENDED else Reason.ENDED
    if status is PromotionStatus.PAUSED:
        return Reason.PAUSED
    if status is PromotionStatus.ENDED or (ends_at is not None and now >= ends_at):
        return Reason.ENDED
    return None


def _limit_reached(offer: Offer, overdraft: int) -> Reason | None:
    if offer.usage_limit is not None and offer.used >= offer.usage_limit:
        return Reason.LIMIT_REACHED
    code = offer.code
    if code is not None and code.usage_limit is not None and code.used >= code.usage_limit + overdraft:
        return Reason.LIMIT_REACHED
    return None


def _honoured(offer: Offer, entered: Mapping[str, EnteredCode], now: datetime) -> int:
    """How far beyond its limit the code counts for this shopper: they were told that it is good a short while ago."""
    if offer.code is None:
        return 0
    applied_at = entered[offer.code.code].applied_at
    return offer.code.overdraft_limit if applied_at is not None and now - applied_at <= HONOURED else 0


def _person_refused(offer: Offer, person_key: str | None, used_up: frozenset[str]) -> str | None:
    if person_key is None:
        unknowable = offer.holdout_bp > 0 or (offer.code is None and offer.asks_who)
        return WHO_ARE_YOU if unknowable else None
    if not used_up.isdisjoint(scope for scope, _ in limits.scopes_of(offer)):
        return Reason.PERSON_LIMIT_REACHED
    return Reason.HELD_OUT if is_held_out(offer.promotion_id, person_key, offer.holdout_bp) else None


def _person_limits(offers: Iterable[Offer]) -> dict[str, int]:
    """The most that one person may use within each scope. First orders are the orders' own word."""
    return {
        scope: limit
        for offer in offers
        for scope, limit in limits.scopes_of(offer)
        if limit is not None and scope != limits.FIRST_ORDER
    }


def _groups(session: Session, offers: Iterable[Offer], person: Person, now: datetime) -> frozenset[str]:
    if person.customer_id is None or not any(asks_groups(offer.rule) for offer in offers):
        return frozenset()
    return groups_of(session, customer_id=person.customer_id, now=now)


def asks_groups(rule: Rule) -> bool:
    """Whether a rule is for members of groups."""
    return _has(rule, CustomerGroups)


def asks_first_order(rule: Rule) -> bool:
    """Whether a rule is for a first order."""
    return _has(rule, FirstOrder)


def leaves_out(promotion: Promotion, person: Person) -> bool:
    """Whether a promotion's hold-out leaves a person out."""
    return person.main_key is not None and is_held_out(promotion.id, person.main_key, promotion.holdout_bp)


def _has(rule: Rule, kind: type[Any]) -> bool:
    return any(isinstance(condition, kind) for condition in rule.conditions)


def _names_categories(rule: Rule) -> bool:
    """Whatever selects goods by category, at whatever depth, has the same argument."""
    return "category_ids" in str((rule.args, [condition.args for condition in rule.conditions]))
