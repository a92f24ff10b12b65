"""What sending an order costs the shopper: by destination zone and chargeable weight, free above a threshold."""

import re
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.core.errors import InvalidInput
from transactional.settings import Settings
from transactional.shipping.models import ShippingRate, ShippingZone
from transactional.shipping.serviceability import is_unserved
from transactional.shipping.weights import Box, chargeable, slabs

_COUNTRY_NAMES = {"INDIA": "IN", "BHARAT": "IN"}
_INDIAN_PINCODE = re.compile(r"[1-9][0-9]{5}")
_SEPARATORS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class ShippingQuote:
    """The charge for sending an order, in minor units, and how it came about."""

    amount_minor: int
    rule: str
    zone: str | None = None
    """None where the flat rule of the settings applies."""
    chargeable_grams: int | None = None
    """Rounded up to the zone's slab."""
    is_estimate: bool = False
    """The destination is not known yet: this is the cheapest zone."""


def quote(
    session: Session,
    *,
    merchandise_minor: int,
    settings: Settings,
    weight_grams: int | None = None,
    box: Box | None = None,
    postal_code: str | None = None,
    country: str = "IN",
    currency: str = "INR",
) -> ShippingQuote:
    """The charge for goods worth `merchandise_minor` after discounts (points count as payment, not as a discount).

    Without a postal code the cheapest zone is given as an estimate. A shop that keeps no rates in its currency charges
    the flat rule of the settings, wherever it sends. Raises InvalidInput for a place the shop does not send to, an
    impossible postal code, one that no courier serves, a weight of zero, and more than a zone carries.
    """
    if postal_code is None:
        return _estimate(session, merchandise_minor, max(weight_grams or 0, 1), box, currency) or _flat(
            merchandise_minor, settings
        )
    grams = chargeable(max(weight_grams or 0, 1), box)
    found = _find(session, postal_code=postal_code, country=country, currency=currency, grams=grams)
    if found.is_unserved:
        raise InvalidInput(
            f"no courier carries {grams} g to {found.country} {found.code} at present", field="postal_code"
        )
    if found.rate is None:
        if _has_rates(session, currency):
            raise found.refusal()
        return _flat(merchandise_minor, settings)
    rate, grams = found.rate, chargeable(weight_grams or 0, box)
    if rate.max_grams is not None and grams > rate.max_grams:
        raise InvalidInput(
            f"at most {rate.max_grams} g can be sent to zone {rate.zone}, this order weighs {grams} g",
            field="weight_grams",
        )
    return _charge(rate, merchandise_minor, grams)


def zone_of(session: Session, *, postal_code: str, country: str) -> str:
    """The zone of a destination. Raises InvalidInput where the shop does not send to."""
    found = _find(session, postal_code=postal_code, country=country, currency="")
    if found.zone is None:
        raise found.refusal()
    return found.zone


def country_code(country: str) -> str:
    """The two letters of a country; its English name is understood for the home country."""
    name = country.strip().upper()
    return _COUNTRY_NAMES.get(name, name)


def normalise_postal_code(postal_code: str, country: str) -> str:
    """The code without blanks and hyphens. Raises InvalidInput for an Indian one that is not six digits from 1…."""
    code = _SEPARATORS.sub("", postal_code).upper()
    if country == "IN" and not (code.isascii() and _INDIAN_PINCODE.fullmatch(code)):
        raise InvalidInput(f"{postal_code!r} is no Indian pincode: it has six digits", field="postal_code")
    return code


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of a destination."""

    country: str
    code: str
    zone: str | None
    rate: ShippingRate | None
    is_unserved: bool
    """The carrier said of late that nobody goes there with such a weight."""

    def refusal(self) -> InvalidInput:
        return InvalidInput(f"we do not send to {self.country} {self.code}", field="postal_code")


def _find(session: Session, *, postal_code: str, country: str, currency: str, grams: int = 0) -> _Found:
    """Zone, rate and the carrier's refusal in one query: this lies on the way of every checkout."""
    land = country_code(country)
    code = normalise_postal_code(postal_code, land)
    prefixes = [code[:length] for length in range(len(code) + 1)]
    found = session.execute(
        select(ShippingZone.zone, ShippingRate, is_unserved(code, grams))
        .outerjoin(ShippingRate, (ShippingRate.zone == ShippingZone.zone) & (ShippingRate.currency == currency))
        .where(ShippingZone.country == land, ShippingZone.prefix.in_(prefixes))
        .order_by(func.length(ShippingZone.prefix).desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return _Found(land, code, None, None, is_unserved=False)
    zone, rate, unserved = found
    return _Found(land, code, zone, rate, is_unserved=bool(unserved))


def _has_rates(session: Session, currency: str) -> bool:
    return session.scalar(select(ShippingRate.id).where(ShippingRate.currency == currency).limit(1)) is not None


def _estimate(
    session: Session, merchandise_minor: int, grams: int, box: Box | None, currency: str
) -> ShippingQuote | None:
    """The cheapest zone's charge; None without rates in this currency."""
    rates = session.scalars(select(ShippingRate).where(ShippingRate.currency == currency)).all()
    weight = chargeable(grams, box)
    quotes = [_charge(rate, merchandise_minor, weight, is_estimate=True) for rate in rates]
    return min(quotes, key=lambda each: (each.amount_minor, each.zone or ""), default=None)


def _charge(rate: ShippingRate, merchandise_minor: int, grams: int, *, is_estimate: bool = False) -> ShippingQuote:
    count = slabs(grams, rate.slab_grams)
    weight = count * rate.slab_grams
    if rate.free_from_minor is not None and merchandise_minor >= rate.free_from_minor:
        rule = f"zone {rate.zone}: free from {rate.free_from_minor} minor units"
        return ShippingQuote(0, rule, rate.zone, weight, is_estimate)
    amount = rate.first_minor + (count - 1) * rate.next_minor
    rule = (
        f"zone {rate.zone}: {rate.first_minor} for the first {rate.slab_grams} g,"
        f" {rate.next_minor} for each further; {weight} g charged"
    )
    return ShippingQuote(amount, rule, rate.zone, weight, is_estimate)


def _flat(merchandise_minor: int, settings: Settings) -> ShippingQuote:
    free_from = settings.shipping_free_from_minor
    if merchandise_minor >= free_from:
        return ShippingQuote(0, f"free from {free_from} minor units")
    return ShippingQuote(settings.shipping_flat_minor, f"flat below {free_from} minor units")
