"""The unit of work of a request: committed before the answer leaves, or not at all."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.support.web import make_client
from transactional.core.access import public
from transactional.core.counters import next_number
from transactional.core.deps import ReadSession, WriteSession
from transactional.core.journal import JournalEntry
from transactional.core.models import Counter
from transactional.core.uow import Database


class Number(BaseModel):
    value: int


def with_route(client: TestClient, path: str, handler: Callable[..., Any], **kwargs: Any) -> None:
    client.app.post(path, dependencies=[Depends(public())], **kwargs)(handler)  # type: ignore[attr-defined]


def count(session: WriteSession) -> Number:
    return Number(value=next_number(session, "tests"))


def value_of(database: Database) -> int | None:
    with database.read() as session:
        return session.scalar(select(Counter.value).where(Counter.series == "tests"))


@pytest.mark.slow
def test_a_request_commits_before_its_answer(client: TestClient, database: Database) -> None:
    with_route(client, "/count", count)
    assert client.post("/count").json() == {"value": 1}
    assert value_of(database) == 1


def test_a_failing_commit_answers_500_and_keeps_nothing(client: TestClient, database: Database) -> None:
    with_route(client, "/count", count)

    def fail(_session: Session) -> None:
        raise RuntimeError("the disk is full: secret path /srv/x")

    event.listen(Session, "before_commit", fail)
    try:
        answer = client.post("/count")
    finally:
        event.remove(Session, "before_commit", fail)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert value_of(database) is None


def test_an_answer_that_does_not_fit_its_model_rolls_back(client: TestClient, database: Database) -> None:
    def lie(session: WriteSession) -> Any:
        next_number(session, "tests")
        return {"value": "many"}

    with_route(client, "/lie", lie, response_model=Number)
    assert client.post("/lie").status_code == 500
    assert value_of(database) is None


def test_a_reading_session_keeps_nothing(client: TestClient, database: Database) -> None:
    def sneak(session: ReadSession) -> Number:
        return Number(value=next_number(session, "tests"))

    with_route(client, "/sneak", sneak)
    client.post("/sneak")
    assert value_of(database) is None


@pytest.mark.slow
def test_a_busy_database_answers_503_and_when_to_come_back(client: TestClient) -> None:
    def busy(session: WriteSession) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    with_route(client, "/busy", busy)
    answer = client.post("/busy")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["type"] == "urn:my-little-things:problem:unavailable"


def test_a_broken_statement_is_a_fault_of_ours_and_shows_nothing(client: TestClient) -> None:
    def broken(session: WriteSession) -> None:
        session.execute(text("SELECT password FROM nowhere"))

    with_route(client, "/broken", broken)
    answer = client.post("/broken")
    assert answer.status_code == 500
    assert "nowhere" not in answer.text


def test_the_journal_names_the_request(client: TestClient, database: Database) -> None:
    with_route(client, "/count", count)
    client.post("/count", headers={"X-Request-ID": "order-desk-7"})
    with database.read() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.table_name == "counters")).first()
        assert entry is not None
        assert (entry.actor, entry.request_id) == ("anonymous", "order-desk-7")


def test_a_slow_sender_does_not_hold_the_write_lock(client: TestClient, database: Database) -> None:
    with_route(client, "/count", count)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/count",
        "headers": [],
        "query_string": b"",
        "http_version": "1.1",
    }
    pieces = iter([b"the first piece", b"the last"])
    answer: list[Any] = []

    async def receive() -> dict[str, Any]:
        piece = next(pieces)
        more = piece != b"the last"
        if not more:  # between the pieces somebody else writes
            await asyncio.to_thread(database.run, lambda session: next_number(session, "tests"), actor="other")
        return {"type": "http.request", "body": piece, "more_body": more}

    async def send(message: Any) -> None:
        answer.append(message)

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    assert answer[0]["status"] == 200
    assert answer[1]["body"] == b'{"value":2}'


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
def test_a_crowd_of_writers_is_served_without_starving(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """More requests at once than threads in the pool: whoever holds the lock must always get a thread to finish."""
    database: Database = request.getfixturevalue(kind)
    crowd = 80
    start = threading.Barrier(crowd)
    with make_client(database, tmp_path) as client, ThreadPoolExecutor(crowd) as threads:
        with_route(client, "/count", count)

        def ask(_number: int) -> int:
            start.wait()
            answer = client.post("/count")
            assert answer.status_code == 200, answer.text
            return int(answer.json()["value"])

        values = list(threads.map(ask, range(crowd)))
    assert sorted(values) == list(range(1, crowd + 1))
