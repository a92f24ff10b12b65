"""Accounts: addresses compared, registrations at once, guests."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from tests.support.web import PASSWORD, register
from transactional.accounts import service
from transactional.accounts.models import Customer, User
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.core.uow import Database


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (" Asha@Example.COM ", "asha@example.com"),
        ("a.b+tag@gmail.com", "a.b+tag@gmail.com"),
        ("Jörg@exämple.de", "jörg@exämple.de"),
        ("Jo\u0308rg@example.de", "jörg@example.de"),
    ],
)
def test_addresses_are_normalised_once(typed: str, key: str) -> None:
    assert service.normalise_email(typed) == key
    assert service.normalise_email(key) == key


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("A.sh.a+gifts@GoogleMail.com", "asha@gmail.com"),
        ("a.sha@example.com", "a.sha@example.com"),
        ("asha+1@example.com", "asha@example.com"),
    ],
)
def test_one_mailbox_is_one_person_for_limits(typed: str, key: str) -> None:
    assert service.identity_key(typed) == key


@pytest.mark.parametrize("typed", ["", "a", "a@", "@b.de", "a@b", "a@@b.de", "a\n@b.de", "a@b.de\r\nBcc: x@y.de"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        service.normalise_email(typed)


def test_a_second_account_for_an_address_is_refused(database: Database) -> None:
    register(database, "asha@example.com")
    with pytest.raises(Conflict):
        register(database, "ASHA@example.com")


@pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
def test_of_many_registrations_at_once_one_makes_the_account(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(kind)
    crowd = 8
    start = threading.Barrier(crowd)

    def attempt(_number: int) -> bool:
        start.wait()
        try:
            register(database)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(crowd) as threads:
        assert list(threads.map(attempt, range(crowd))).count(True) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1
        assert session.scalar(select(func.count()).select_from(Customer)) == 1


def test_one_address_is_one_guest(any_database: Database) -> None:
    now = any_database.clock.now()
    with any_database.unit_of_work(actor="test") as session:
        first = service.get_or_create_guest(session, email="Guest@example.com", full_name="Guest", now=now)
        second = service.get_or_create_guest(session, email="guest@EXAMPLE.com", full_name="Other", now=now)
    assert first.id == second.id
    assert (first.full_name, first.is_guest, first.user_id) == ("Guest", True, None)


def test_a_customer_is_found_by_account(database: Database) -> None:
    user_id = register(database)
    with database.read() as session:
        customer = service.customer_of_user(session, user_id)
        assert customer is not None
        assert service.get_customer(session, customer.id).email_key == "asha@example.com"
        assert service.customer_of_user(session, user_id + 1) is None
        with pytest.raises(NotFound):
            service.get_customer(session, 999)
        with pytest.raises(NotFound):
            service.get_user(session, 999)


def test_an_account_without_customer_has_no_profile_to_change(database: Database) -> None:
    with database.unit_of_work(actor="test") as session:
        user = service.create_user(
            session, email="ops@example.com", password_hash="x", full_name="Ops", now=database.clock.now()
        )
        assert service.update_profile(session, user_id=user.id, changes={"full_name": "Operations"}).full_name
        with pytest.raises(InvalidInput):
            service.update_profile(session, user_id=user.id, changes={"city": "Pune"})


def test_passwords_follow_the_rules(database: Database) -> None:
    for bad in ("x" * 9, "x" * 201, "asha@example.com"):
        with pytest.raises(InvalidInput):
            service.check_password_rules(bad, email_key="asha@example.com")
    service.check_password_rules(PASSWORD, email_key="asha@example.com")
