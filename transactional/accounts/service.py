"""People: accounts that log in, customers who buy, guests, profiles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session

from transactional.accounts.addresses import list_addresses
from transactional.accounts.emails import identity_key, normalise_email
from transactional.accounts.models import GUESTS_ONLY, Address, Customer, RefreshToken, User
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.ids import public_id
from transactional.core.security import PasswordHasher

__all__ = [
    "Address",
    "Customer",
    "User",
    "check_password_rules",
    "create_user",
    "customer_of_user",
    "end_access_tokens",
    "existing_customer_ids",
    "get_customer",
    "get_or_create_guest",
    "get_user",
    "identity_key",
    "list_addresses",
    "live_session",
    "normalise_email",
    "register_customer",
    "update_profile",
    "user_by_email",
]

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 200


def check_password_rules(password: str, *, email_key: str) -> None:
    """Length only, as NIST SP 800-63B advises, and not the e-mail itself. Raises InvalidInput."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidInput(
            f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters", field="body.password"
        )
    if password.lower() == email_key:
        raise InvalidInput("the password must not be the e-mail address", field="body.password")


def create_user(session: Session, *, email: str, password_hash: str, full_name: str, now: datetime) -> User:
    """A new log-in identity. Conflict when the e-mail has one; the unique key decides, so two at once make one."""
    values: dict[str, Any] = {
        "public_id": public_id("usr"),
        "email": email.strip(),
        "email_key": normalise_email(email),
        "password_hash": password_hash,
        "full_name": full_name.strip(),
        "is_active": True,
        "session_epoch": 0,
        "created_at": now,
    }
    statement = (
        insert_into(session, User)
        .values(values)
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(User.id)
    )
    user_id = session.scalar(statement)
    if user_id is None:
        raise Conflict("this e-mail address has an account")
    return session.get_one(User, user_id)


def register_customer(
    session: Session,
    *,
    email: str,
    full_name: str,
    now: datetime,
    password: str | None = None,
    password_hash: str | None = None,
    hasher: PasswordHasher | None = None,
    country: str | None = None,
    city: str | None = None,
    birthday: date | None = None,
    phone: str | None = None,
    acquisition_channel: str = "direct",
    marketing_consent: bool = False,
) -> Customer:
    """An account and its customer. Conflict when the e-mail has an account; InvalidInput for a bad e-mail or password.

    Give either the password (hashed here) or, where a transaction must not wait for the hashing, its hash.
    """
    if password_hash is None:
        check_password_rules(password or "", email_key=normalise_email(email))
        password_hash = (hasher or _default_hasher()).hash(password or "")
    user = create_user(session, email=email, password_hash=password_hash, full_name=full_name, now=now)
    customer = Customer(
        user_id=user.id,
        email=user.email,
        email_key=user.email_key,
        full_name=user.full_name,
        phone=phone,
        country=country,
        city=city,
        birthday=birthday,
        acquisition_channel=acquisition_channel,
        marketing_consent=marketing_consent,
        is_guest=False,
        created_at=now,
    )
    session.add(customer)
    session.flush()
    return customer


@lru_cache(maxsize=1)
def _default_hasher() -> PasswordHasher:
    return PasswordHasher()


def get_or_create_guest(
    session: Session,
    *,
    email: str,
    now: datetime,
    full_name: str | None = None,
    phone: str | None = None,
    country: str | None = None,
    city: str | None = None,
    acquisition_channel: str = "direct",
    marketing_consent: bool = False,
) -> Customer:
    """The guest with this e-mail; one e-mail is one guest, whatever is typed beside it later."""
    values: dict[str, Any] = {
        "email": email.strip(),
        "email_key": normalise_email(email),
        "full_name": full_name,
        "phone": phone,
        "country": country,
        "city": city,
        "acquisition_channel": acquisition_channel,
        "marketing_consent": marketing_consent,
        "is_guest": True,
        "source": "shop",
        "created_at": now,
    }
    insert = insert_into(session, Customer).values(values)
    insert = insert.on_conflict_do_nothing(index_elements=["email_key"], index_where=GUESTS_ONLY)
    new = session.scalar(insert.returning(Customer))
    if new is not None:
        return new
    guest = select(Customer).where(Customer.email_key == values["email_key"], Customer.is_guest.is_(True))
    return session.scalars(guest).one()


def user_by_email(session: Session, email: str) -> User | None:
    """The account of an e-mail, however it is typed."""
    return session.scalar(select(User).where(User.email_key == normalise_email(email)))


def get_user(session: Session, user_id: int) -> User:
    """An account; NotFound if there is none."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("no such user")
    return user


def get_customer(session: Session, customer_id: int) -> Customer:
    """A customer; NotFound if there is none."""
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound("no such customer")
    return customer


def existing_customer_ids(session: Session, customer_ids: Iterable[int]) -> set[int]:
    """Which of these ids are customers."""
    return set(session.scalars(select(Customer.id).where(Customer.id.in_(set(customer_ids)))))


def customer_of_user(session: Session, user_id: int) -> Customer | None:
    """The customer behind an account; None for staff who never bought."""
    return session.scalar(select(Customer).where(Customer.user_id == user_id))


def update_profile(session: Session, *, user_id: int, changes: dict[str, Any]) -> User:
    """Change the name of an account and the fields of its customer. InvalidInput for fields that are not there."""
    user = get_user(session, user_id)
    customer = customer_of_user(session, user_id)
    if "full_name" in changes:
        user.full_name = changes["full_name"]
    own = {name: value for name, value in changes.items() if name != "full_name"}
    if customer is None and own:
        raise InvalidInput("this account has no customer profile", fields=sorted(own))
    if customer is not None:
        for name, value in changes.items():
            setattr(customer, name, value)
    session.flush()
    return user


def end_access_tokens(session: Session, *, user_id: int) -> None:
    """Every access token of the user dies at the next request; refresh tokens stay."""
    session.execute(update(User).where(User.id == user_id).values(session_epoch=User.session_epoch + 1))


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The holder of an access token whose session goes on."""

    user_id: int
    customer_id: int | None


# Asked with every request that carries a token, so it is built once.
_HOLDER = (
    select(User.id, Customer.id)
    .outerjoin(Customer, Customer.user_id == User.id)
    .where(
        User.id == bindparam("user_id"),
        User.is_active,
        User.session_epoch == bindparam("epoch"),
        exists().where(
            RefreshToken.family_id == bindparam("session_id"),
            RefreshToken.user_id == bindparam("user_id"),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > bindparam("now"),
        ),
    )
)


def live_session(session: Session, *, user_id: int, epoch: int, session_id: str, now: datetime) -> LiveSession | None:
    """The holder, if active, of the present epoch, and with this device's session neither ended nor run out."""
    values = {"user_id": user_id, "epoch": epoch, "session_id": session_id, "now": now}
    row = session.execute(_HOLDER, values).one_or_none()
    return None if row is None else LiveSession(user_id=row[0], customer_id=row[1])
