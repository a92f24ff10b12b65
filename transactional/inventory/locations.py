"""The places where stock lies."""

from typing import TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.inventory.models import Location

DEFAULT_LOCATION_CODE = "MAIN"


class LocationChanges(TypedDict, total=False):
    """What can be said of a location besides its code; absent fields stay as they are."""

    name: str
    address: str
    city: str
    postal_code: str | None
    is_active: bool
    priority: int


def default_location(session: Session) -> Location:
    """The shop's main store room; made on first use."""
    wanted = select(Location).where(Location.code == DEFAULT_LOCATION_CODE)
    location = session.scalar(wanted)
    if location is None:
        row = {"code": DEFAULT_LOCATION_CODE, "name": "Main store room"}
        session.execute(insert_into(session, Location).values(row).on_conflict_do_nothing(index_elements=["code"]))
        location = session.scalars(wanted).one()
    return location


def locations(session: Session) -> list[Location]:
    """Every place where stock lies."""
    return list(session.scalars(select(Location).order_by(Location.id)))


def get_location(session: Session, location_id: int) -> Location:
    """One place; NotFound for an unknown one."""
    location = session.get(Location, location_id)
    if location is None:
        raise NotFound(f"there is no location {location_id}")
    return location


def create_location(session: Session, *, code: str, **details: Unpack[LocationChanges]) -> Location:
    """A new place. Raises InvalidInput without code or name, Conflict for a code in use."""
    if not code.strip() or not details.get("name", "").strip():
        raise InvalidInput("a location has a code and a name")
    location = Location(code=code.strip().upper(), **details)
    try:
        with session.begin_nested():
            session.add(location)
    except IntegrityError as error:
        raise Conflict(f"there is a location {location.code} already") from error
    return location


def update_location(session: Session, *, location_id: int, **changes: Unpack[LocationChanges]) -> Location:
    """Change what is given. Raises NotFound, InvalidInput for an empty name."""
    location = get_location(session, location_id)
    if not changes.get("name", location.name).strip():
        raise InvalidInput("a location has a name", field="name")
    for name, value in changes.items():
        setattr(location, name, value)
    session.flush()
    return location
