"""Zones and rates, which staff may change: what the shop charges for sending, and where it sends to."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.shipping import indian_zones
from transactional.shipping.models import ShippingRate, ShippingZone
from transactional.shipping.quoting import country_code

T = TypeVar("T")


def seed_tariff(session: Session) -> None:
    """The Indian default for a shop without any zone; whatever the shop has made of it stays. Safe to repeat."""
    if session.scalar(select(ShippingZone.id).limit(1)) is not None:
        return
    zones = [
        {"country": indian_zones.COUNTRY, "prefix": prefix, "zone": zone}
        for prefix, zone in indian_zones.PREFIXES.items()
    ]
    rates = [
        {
            "zone": zone,
            "currency": indian_zones.CURRENCY,
            "slab_grams": indian_zones.SLAB_GRAMS,
            "first_minor": first,
            "next_minor": further,
            "free_from_minor": free_from,
        }
        for zone, (first, further, free_from) in indian_zones.RATES.items()
    ]
    # Two processes may found the shop at once: whoever comes second finds the rows.
    session.execute(
        insert_into(session, ShippingZone).values(zones).on_conflict_do_nothing(index_elements=["country", "prefix"])
    )
    session.execute(
        insert_into(session, ShippingRate).values(rates).on_conflict_do_nothing(index_elements=["zone", "currency"])
    )


def list_zones(session: Session) -> Sequence[ShippingZone]:
    """Every prefix, by country and prefix."""
    return session.scalars(select(ShippingZone).order_by(ShippingZone.country, ShippingZone.prefix)).all()


def set_zone(session: Session, *, country: str, prefix: str, zone: str) -> ShippingZone:
    """Put a prefix into a zone, new or moved. An empty prefix is the whole country. Raises InvalidInput."""
    land = country_code(country)
    if len(land) != 2 or not land.isalpha():
        raise InvalidInput(f"{country!r} is no country code of two letters", field="country")
    row = session.scalar(select(ShippingZone).where(ShippingZone.country == land, ShippingZone.prefix == prefix))
    if row is None:
        row = ShippingZone(country=land, prefix=prefix, zone=zone)
        _insert(session, row, f"the prefix {prefix!r} of {land} is being set by somebody else")
    row.zone = zone
    session.flush()
    return row


def delete_zone(session: Session, *, zone_id: int) -> None:
    """Take a prefix out of the tariff. Raises NotFound."""
    session.delete(_known(session.get(ShippingZone, zone_id), "prefix"))


def list_rates(session: Session) -> Sequence[ShippingRate]:
    """Every rate, by zone and currency."""
    return session.scalars(select(ShippingRate).order_by(ShippingRate.zone, ShippingRate.currency)).all()


def set_rate(
    session: Session,
    *,
    zone: str,
    currency: str,
    slab_grams: int,
    first_minor: int,
    next_minor: int,
    free_from_minor: int | None,
    max_grams: int | None,
) -> ShippingRate:
    """What a zone costs in a currency, new or changed; frozen quotes of orders stay as they are."""
    row = session.scalar(select(ShippingRate).where(ShippingRate.zone == zone, ShippingRate.currency == currency))
    values = {
        "slab_grams": slab_grams,
        "first_minor": first_minor,
        "next_minor": next_minor,
        "free_from_minor": free_from_minor,
        "max_grams": max_grams,
    }
    if row is None:
        row = ShippingRate(zone=zone, currency=currency, **values)
        _insert(session, row, f"the rate of zone {zone} is being set by somebody else")
        return row
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    return row


def delete_rate(session: Session, *, rate_id: int) -> None:
    """Stop sending to a zone in a currency. Raises NotFound."""
    session.delete(_known(session.get(ShippingRate, rate_id), "rate"))


def _insert(session: Session, row: ShippingZone | ShippingRate, conflict: str) -> None:
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict(conflict) from error


def _known(row: T | None, what: str) -> T:
    if row is None:
        raise NotFound(f"there is no such {what}")
    return row
