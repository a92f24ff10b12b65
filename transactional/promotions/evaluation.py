"""What one code is worth on goods of a value, without a basket: for a first word on a code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.promotions.engine import Basket, Line, Shopper, solve
from transactional.promotions.offers import Offers, offers_for
from transactional.promotions.people import NOBODY, Person

_THE_LINE = 1
_NO_GOODS = 0


@dataclass(frozen=True, slots=True)
class CouponResult:
    """What a code is worth; where it does not apply, `reason` says why and the discount is 0."""

    code: str
    discount_minor: int
    reason: str | None = None
    code_id: int | None = None
    promotion_id: int | None = None
    promotion_version: int | None = None

    @property
    def applies(self) -> bool:
        """Whether the code is accepted."""
        return self.reason is None


def evaluate(
    session: Session,
    *,
    code: str,
    merchandise_minor: int,
    now: datetime,
    identity_key: str | None = None,
    currency: str = "INR",
) -> CouponResult:
    """What `code` alone takes off one article worth `merchandise_minor`; claims nothing.

    With `identity_key` (an e-mail) the person's own limit counts as well. Never raises for a refusal: see
    `CouponResult.reason`. A code for certain goods cannot be judged without a basket: it gives nothing here.
    """
    person = Person(email=identity_key) if identity_key else NOBODY
    found = offers_for(session, codes=[code], now=now, who=lambda: person)
    own = Offers(
        candidates=tuple(one for one in found.candidates if one.code is not None),
        by_key=found.by_key,
        unknown=found.unknown,
    )
    line = Line(_THE_LINE, _NO_GOODS, _NO_GOODS, frozenset(), 1, merchandise_minor)
    outcome = own.with_unknown(solve(Basket(currency, (line,)), Shopper(person.main_key, True), now, own.candidates))
    if outcome.applied:
        applied = outcome.applied[0]
        offer = own.by_key[applied.offer_id, applied.code]
        return CouponResult(
            code=applied.code or "",
            discount_minor=applied.amount_minor,
            code_id=offer.code.id if offer.code else None,
            promotion_id=applied.offer_id,
            promotion_version=applied.version,
        )
    refused = outcome.refused[0]
    return CouponResult(code=refused.code or "", discount_minor=0, reason=refused.detail)
