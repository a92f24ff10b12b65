"""Idempotency keys: one effect, one answer, whatever is repeated, reused or sent at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import Depends, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import func, select

from tests.support.web import log_in, make_client, register
from transactional.core.access import public
from transactional.core.clock import ManualClock
from transactional.core.counters import next_number
from transactional.core.deps import WriteSession
from transactional.core.errors import Conflict
from transactional.core.housekeeping import purge_idempotency_keys
from transactional.core.idempotency import Idempotency
from transactional.core.models import Counter, IdempotencyKey
from transactional.core.uow import Database

KEY = "6f1c2d1e-6f0e-4a5b-9d5c-0d6b8f3f9a51"


class Ticket(BaseModel):
    name: str
    number: int = 0


def draw(body: Ticket, session: WriteSession, replay: Idempotency) -> Response:
    def make() -> Ticket:
        number = next_number(session, "tickets")
        if body.name == "refused":
            raise Conflict("not you")
        return Ticket(name=body.name, number=number)

    return replay.answer(session, status=201, make=make)


def add_route(client: TestClient) -> TestClient:
    client.app.post("/draw", dependencies=[Depends(public())], response_model=Ticket)(draw)  # type: ignore[attr-defined]
    return client


@pytest.fixture
def desk(client: TestClient) -> TestClient:
    return add_route(client)


def drawn(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(Counter.value).where(Counter.series == "tickets")) or 0


def test_a_repetition_gets_the_first_answer_and_does_nothing(desk: TestClient, database: Database) -> None:
    first = desk.post("/draw", json={"name": "आशा"}, headers={"Idempotency-Key": KEY})
    again = desk.post("/draw", json={"name": "आशा"}, headers={"Idempotency-Key": KEY})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == {"name": "आशा", "number": 1}
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert drawn(database) == 1


def test_another_body_under_the_same_key_is_refused(desk: TestClient, database: Database) -> None:
    desk.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": KEY})
    other = desk.post("/draw", json={"name": "b"}, headers={"Idempotency-Key": KEY})
    assert other.status_code == 422
    assert other.json()["type"].endswith(":idempotency-key-reused")
    assert drawn(database) == 1


def test_a_missing_key_is_named(desk: TestClient) -> None:
    answer = desk.post("/draw", json={"name": "a"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_without_log_in_a_short_key_could_meet_a_strangers(desk: TestClient, database: Database) -> None:
    assert desk.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": "1"}).status_code == 422
    assert drawn(database) == 0


@pytest.mark.slow
def test_keys_of_different_people_never_meet(desk: TestClient, database: Database) -> None:
    register(database, "a@example.com")
    register(database, "b@example.com")
    one, other = log_in(desk, "a@example.com"), log_in(desk, "b@example.com")
    first = desk.post("/draw", json={"name": "x"}, headers={**one, "Idempotency-Key": "1"})
    second = desk.post("/draw", json={"name": "x"}, headers={**other, "Idempotency-Key": "1"})
    assert [first.json()["number"], second.json()["number"]] == [1, 2]


def test_a_refusal_is_not_stored(desk: TestClient, database: Database) -> None:
    refused = desk.post("/draw", json={"name": "refused"}, headers={"Idempotency-Key": KEY})
    assert refused.status_code == 409
    accepted = desk.post("/draw", json={"name": "ok"}, headers={"Idempotency-Key": KEY})
    assert accepted.json()["number"] == 1
    assert drawn(database) == 1


def test_a_key_ends_with_its_time(desk: TestClient, database: Database, clock: ManualClock) -> None:
    desk.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": KEY})
    clock.advance(timedelta(hours=48))
    again = desk.post("/draw", json={"name": "b"}, headers={"Idempotency-Key": KEY})
    assert again.json() == {"name": "b", "number": 2}


def test_the_purge_forgets_only_what_is_over(desk: TestClient, database: Database, clock: ManualClock) -> None:
    desk.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": KEY})
    clock.advance(timedelta(hours=47))
    desk.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": KEY + "-2"})
    clock.advance(timedelta(hours=2))
    assert purge_idempotency_keys(database) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
def test_many_at_once_have_one_effect(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    database: Database = request.getfixturevalue(kind)
    crowd = 12
    start = threading.Barrier(crowd)
    with make_client(database, tmp_path) as client, ThreadPoolExecutor(crowd) as threads:
        add_route(client)

        def ask(_number: int) -> tuple[int, str]:
            start.wait()
            answer = client.post("/draw", json={"name": "a"}, headers={"Idempotency-Key": KEY})
            return answer.status_code, answer.text

        answers = set(threads.map(ask, range(crowd)))
    assert answers == {(201, '{"name":"a","number":1}')}
    assert drawn(database) == 1
