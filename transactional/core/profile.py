"""The shop's own row: name, base currency and time zone. Imports and first trade fix them; settings only start them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.models import ShopProfile
from transactional.core.uow import Database
from transactional.settings import Settings


@dataclass(frozen=True, slots=True)
class Profile:
    """What the shop is called, counts in, and whose midnight ends its days."""

    name: str
    base_currency: str
    time_zone: str


def read_profile(session: Session, settings: Settings) -> Profile:
    """The shop's row; before there is one, what the settings say."""
    row = session.scalar(select(ShopProfile))
    if row is None:
        return Profile(settings.shop_name, settings.base_currency, settings.time_zone)
    return Profile(row.name, row.base_currency, row.time_zone)


def ensure_profile(session: Session, settings: Settings, *, now: datetime) -> Profile:
    """The shop's row, written from the settings where there is none yet; of two at once the first writes."""
    row = {
        "id": 1,
        "name": settings.shop_name,
        "base_currency": settings.base_currency,
        "time_zone": settings.time_zone,
        "created_at": now,
    }
    session.execute(insert_into(session, ShopProfile).values(row).on_conflict_do_nothing(index_elements=["id"]))
    return read_profile(session, settings)


def as_founded(settings: Settings, database: Database) -> Settings:
    """The settings with the shop's own name, currency and time zone, which an import may have fixed otherwise.

    A database that does not answer, or has no tables yet, leaves the settings as they are: `/ready` tells.
    """
    try:
        with database.read() as session:
            profile = read_profile(session, settings)
    except DBAPIError:
        return settings
    own = {"shop_name": profile.name, "base_currency": profile.base_currency, "time_zone": profile.time_zone}
    return settings.model_copy(update=own)
