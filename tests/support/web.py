"""The shop's API in tests: a client over an own database, and people who are logged in."""

from pathlib import Path

from fastapi.testclient import TestClient

from transactional.accounts import service as accounts
from transactional.app import create_app
from transactional.core.access import Actor
from transactional.core.permissions import PERMISSIONS
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.settings import Settings
from transactional.staff import service as staff

PASSWORD = "a long walk by the sea"
_HASHER = PasswordHasher.cheap()


def settings_in(folder: Path) -> Settings:
    """Settings of a shop whose files lie in this folder; the environment's database is not touched."""
    return Settings(var=folder / "var", DATABASE_URL="sqlite://", log_level="CRITICAL")


def make_client(database: Database, folder: Path) -> TestClient:
    """A client of the whole app over this database, without a worker."""
    return TestClient(create_app(settings_in(folder), database))


def register(database: Database, email: str = "asha@example.com", *, full_name: str = "Asha Rao") -> int:
    """A shopper with the password `PASSWORD`; gives the user id."""
    customer = database.run(
        lambda session: accounts.register_customer(
            session, email=email, password=PASSWORD, full_name=full_name, hasher=_HASHER, now=database.clock.now()
        ),
        actor="test",
    )
    assert customer.user_id is not None
    return customer.user_id


def make_staff(database: Database, email: str, role: str = "manager") -> int:
    """Somebody with a role; gives the user id."""
    user_id = register(database, email, full_name=email.partition("@")[0])
    now = database.clock.now()
    if role == "super_admin":
        database.run(lambda session: staff.make_super_admin(session, user_id=user_id, now=now), actor="test")
    else:
        everything = Actor(user_id=0, permissions=PERMISSIONS)
        database.run(
            lambda session: staff.grant_role(session, actor=everything, user_id=user_id, role_key=role, now=now),
            actor="test",
        )
    return user_id


def log_in(client: TestClient, email: str = "asha@example.com", password: str = PASSWORD) -> dict[str, str]:
    """Log in; gives the headers of the next requests."""
    answer = client.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
