"""Sessions: rotation, reuse, log-out here and everywhere."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.web import PASSWORD, log_in, register
from transactional.accounts.jobs import purge_refresh_tokens
from transactional.accounts.models import RefreshToken
from transactional.accounts.sessions import SessionKeeper
from transactional.core.clock import ManualClock
from transactional.core.errors import Unauthenticated
from transactional.core.security import PasswordHasher, TokenSigner
from transactional.core.uow import Database


@pytest.fixture(autouse=True)
def shopper(database: Database) -> int:
    return register(database)


def open_session(client: TestClient, user_agent: str = "phone") -> dict[str, str]:
    body = {"email": "asha@example.com", "password": PASSWORD}
    tokens: dict[str, str] = client.post("/v1/auth/login", json=body, headers={"User-Agent": user_agent}).json()
    return tokens


def headers_of(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def refresh(client: TestClient, tokens: dict[str, str]) -> tuple[int, dict[str, str]]:
    answer = client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    return answer.status_code, answer.json()


def alive(client: TestClient, tokens: dict[str, str]) -> bool:
    return client.get("/v1/me", headers=headers_of(tokens)).status_code == 200


def test_an_access_token_ends_and_a_refresh_token_gives_the_next(client: TestClient, clock: ManualClock) -> None:
    tokens = open_session(client)
    assert tokens["expires_in"] == 900  # type: ignore[comparison-overlap]
    clock.advance(timedelta(minutes=15))
    assert not alive(client, tokens)
    status, following = refresh(client, tokens)
    assert status == 200
    assert alive(client, following)
    assert following["refresh_token"] != tokens["refresh_token"]


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(client: TestClient, database: Database) -> None:
    stolen = open_session(client)
    other_device = open_session(client)
    _, following = refresh(client, stolen)
    assert refresh(client, stolen)[0] == 401
    # The refusal did not take the revocation back.
    with database.read() as session:
        family = session.scalars(select(RefreshToken).order_by(RefreshToken.id)).all()
        assert [token.revoked_at is not None for token in family] == [True, False, True]
    assert refresh(client, following)[0] == 401
    assert not alive(client, following)
    assert alive(client, other_device)


@pytest.mark.parametrize("token", ["rt_unknown-to-us", "x" * 200])
def test_an_unknown_token_ends_nothing(client: TestClient, token: str) -> None:
    tokens = open_session(client)
    assert client.post("/v1/auth/refresh", json={"refresh_token": token}).status_code == 401
    assert alive(client, tokens)


def test_a_refresh_token_ends_with_its_time(client: TestClient, clock: ManualClock) -> None:
    tokens = open_session(client)
    clock.advance(timedelta(days=30))
    assert refresh(client, tokens)[0] == 401


@pytest.mark.slow
def test_log_out_ends_this_device_at_once_and_no_other(client: TestClient) -> None:
    here, there = open_session(client), open_session(client)
    assert client.post("/v1/auth/logout", headers=headers_of(here)).status_code == 204
    assert not alive(client, here)
    assert refresh(client, here)[0] == 401
    assert alive(client, there)


def test_log_out_everywhere_ends_every_device(client: TestClient) -> None:
    here, there = open_session(client), open_session(client)
    assert client.post("/v1/auth/logout-everywhere", headers=headers_of(here)).status_code == 204
    assert not alive(client, here)
    assert not alive(client, there)
    assert refresh(client, there)[0] == 401
    assert alive(client, open_session(client))


def test_devices_are_listed_and_ended_one_by_one(client: TestClient, clock: ManualClock, database: Database) -> None:
    phone = open_session(client, "phone")
    clock.advance(timedelta(minutes=1))
    laptop = open_session(client, "laptop")
    listed = client.get("/v1/me/sessions", headers=headers_of(laptop)).json()
    assert [(one["user_agent"], one["current"]) for one in listed] == [("laptop", True), ("phone", False)]
    register(database, "stranger@example.com")
    stranger = log_in(client, "stranger@example.com")
    path = f"/v1/me/sessions/{listed[1]['id']}"
    assert client.delete(path, headers=stranger).status_code == 404
    assert client.delete(path, headers=headers_of(laptop)).status_code == 204
    assert client.delete(path, headers=headers_of(laptop)).status_code == 404
    assert not alive(client, phone)
    assert alive(client, laptop)


@pytest.mark.slow
def test_another_password_ends_every_session(client: TestClient) -> None:
    here, there = open_session(client), open_session(client)
    body = {"current_password": PASSWORD, "new_password": "another walk by the sea"}
    wrong = client.put("/v1/me/password", headers=headers_of(here), json=body | {"current_password": "guess"})
    assert wrong.status_code == 422
    assert client.put("/v1/me/password", headers=headers_of(here), json=body).status_code == 204
    assert not alive(client, here)
    assert not alive(client, there)
    assert refresh(client, there)[0] == 401
    old = client.post("/v1/auth/login", json={"email": "asha@example.com", "password": PASSWORD})
    assert old.status_code == 401
    log_in(client, password="another walk by the sea")


def keeper(database: Database, hasher: PasswordHasher | None = None) -> SessionKeeper:
    return SessionKeeper(
        database=database,
        signer=TokenSigner("s" * 32, lifetime=timedelta(minutes=15)),
        hasher=hasher or PasswordHasher.cheap(),
        refresh_lifetime=timedelta(days=30),
    )


def test_a_password_changed_while_it_is_checked_opens_nothing(database: Database, shopper: int) -> None:
    slow = keeper(database)

    class Meddler(PasswordHasher):
        def verify(self, stored: str | None, password: str) -> bool:
            fits = super().verify(stored, password)
            slow.change_password(user_id=shopper, current=PASSWORD, new="another walk by the sea", request_id=None)
            return fits

    with pytest.raises(Unauthenticated):
        keeper(database, Meddler()).log_in(
            email="asha@example.com", password=PASSWORD, user_agent=None, request_id=None
        )


@pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
def test_of_many_rotations_at_once_one_wins_and_the_session_ends(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(kind)
    if kind == "pg_database":
        register(database)
    keep = keeper(database)
    pair = keep.log_in(email="asha@example.com", password=PASSWORD, user_agent=None, request_id=None)
    crowd = 8
    start = threading.Barrier(crowd)

    def rotate(_number: int) -> bool:
        start.wait()
        try:
            keep.refresh(token=pair.refresh_token, user_agent=None, request_id=None)
        except Unauthenticated:
            return False
        return True

    with ThreadPoolExecutor(crowd) as threads:
        won = list(threads.map(rotate, range(crowd)))
    assert won.count(True) == 1
    with database.read() as session:
        tokens = session.scalars(select(RefreshToken)).all()
    assert len(tokens) == 2
    assert all(token.revoked_at is not None for token in tokens)


def test_outlived_tokens_are_forgotten_and_live_ones_kept(
    client: TestClient, database: Database, clock: ManualClock
) -> None:
    open_session(client)
    clock.advance(timedelta(days=29))
    young = open_session(client)
    clock.advance(timedelta(days=1))
    assert purge_refresh_tokens(database) == 1
    assert refresh(client, young)[0] == 200


def test_answers_with_tokens_stay_out_of_caches(client: TestClient) -> None:
    answer = client.post("/v1/auth/login", json={"email": "asha@example.com", "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"
    answer = client.post("/v1/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
    assert answer.headers["Cache-Control"] == "no-store"
