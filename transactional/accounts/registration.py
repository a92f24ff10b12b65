"""Registration as the public sees it: the same answer and the same work for known and unknown addresses."""

from datetime import date

from sqlalchemy.orm import Session

from transactional.accounts import service
from transactional.core.errors import Conflict, InvalidInput
from transactional.core.mail import queue_mail
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database

_WELCOME = """Dear {name},

welcome to our shop. You can log in with this e-mail address and your password.

If it was not you who registered, please answer this mail.
"""
_KNOWN = """Dear {name},

somebody tried to register with this e-mail address, which has an account already. Nothing has changed.

If it was you: log in with your password.
"""


def register(
    database: Database,
    *,
    hasher: PasswordHasher,
    request_id: str | None,
    email: str,
    password: str,
    full_name: str,
    phone: str | None,
    country: str | None,
    city: str | None,
    birthday: date | None,
    acquisition_channel: str,
    marketing_consent: bool,
) -> None:
    """Register, or tell the owner of the address by mail that somebody tried. InvalidInput for bad input only."""
    now = database.clock.now()
    service.check_password_rules(password, email_key=service.normalise_email(email))
    if birthday is not None and birthday >= now.date():
        raise InvalidInput("a birthday lies in the past", field="body.birthday")
    # Hashed before the transaction, known address or not: slow work holds no lock and tells nothing by its time.
    password_hash = hasher.hash(password)

    def work(session: Session) -> None:
        try:
            customer = service.register_customer(
                session,
                email=email,
                password_hash=password_hash,
                full_name=full_name,
                phone=phone,
                country=country,
                city=city,
                birthday=birthday,
                acquisition_channel=acquisition_channel,
                marketing_consent=marketing_consent,
                now=now,
            )
        except Conflict:
            _tell_owner(session, email, day=now.date())
            return
        queue_mail(
            session,
            to=email,
            subject="Welcome",
            body=_WELCOME.format(name=full_name),
            dedup_key=f"welcome:{customer.user_id}",
            now=now,
        )

    def _tell_owner(session: Session, email: str, *, day: date) -> None:
        owner = service.user_by_email(session, email)
        assert owner is not None
        queue_mail(
            session,
            to=owner.email,
            subject="You have an account already",
            body=_KNOWN.format(name=owner.full_name),
            dedup_key=f"registered-again:{owner.id}:{day}",
            now=now,
        )

    database.run(work, actor="registration", request_id=request_id)
