"""The batch endpoint over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from tests.support.web import log_in, make_client, make_staff, register
from transactional.behaviour.models import BehaviourEvent
from transactional.core.uow import Database

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
SEARCH = {
    "event_id": "event-0001",
    "type": "search",
    "anonymous_id": "anon-0001",
    "session_id": "visit-0001",
    "properties": {"query": "lamp"},
}


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(database, tmp_path) as client:
        yield client


def rows(database: Database) -> list[BehaviourEvent]:
    with database.read() as session:
        return list(session.scalars(select(BehaviourEvent)))


def test_a_stranger_s_batch_is_answered_event_by_event(client: TestClient, database: Database) -> None:
    body = {"events": [SEARCH, {**SEARCH, "type": "stare", "event_id": "event-0002"}, SEARCH]}
    answer = client.post("/v1/events", json=body, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    out = answer.json()
    assert (out["accepted"], out["refused"], out["duplicates"]) == (1, 1, 1)
    assert [result["outcome"] for result in out["results"]] == ["accepted", "refused", "duplicate"]
    (row,) = rows(database)
    assert (row.customer_id, row.is_bot) == (None, False)


def test_who_is_logged_in_is_known_from_the_token_alone(client: TestClient, database: Database) -> None:
    register(database)
    answer = client.post("/v1/events", json={"events": [SEARCH]}, headers={**BROWSER, **log_in(client)})
    assert answer.json()["accepted"] == 1
    (row,) = rows(database)
    assert row.customer_id is not None
    assert row.is_bot is False


def test_staff_and_machines_are_marked(client: TestClient, database: Database) -> None:
    make_staff(database, "boss@example.com")
    headers = {**BROWSER, **log_in(client, "boss@example.com")}
    client.post("/v1/events", json={"events": [SEARCH]}, headers=headers)
    client.post(
        "/v1/events",
        json={"events": [{**SEARCH, "event_id": "event-0002"}]},
        headers={"User-Agent": "Googlebot/2.1"},
    )
    assert [row.is_bot for row in rows(database)] == [True, True]


@pytest.mark.parametrize(
    "change",
    [
        {"customer_id": 3},
        {"email": "asha@example.com"},
        {"event_id": "short"},
        {"event_id": "with spaces in it"},
        {"client_time": "2026-01-15T10:00:00"},
        {"product_id": 0},
        {"properties": [1]},
    ],
)
def test_a_malformed_event_is_a_problem_with_its_place(
    client: TestClient, database: Database, change: dict[str, Any]
) -> None:
    answer = client.post("/v1/events", json={"events": [SEARCH, {**SEARCH, **change}]}, headers=BROWSER)
    assert answer.status_code == 422
    assert "body.events.1" in answer.text
    assert rows(database) == []


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": [SEARCH] * 501}, [SEARCH]])
def test_a_batch_has_one_to_five_hundred_events(client: TestClient, body: Any) -> None:
    assert client.post("/v1/events", json=body, headers=BROWSER).status_code == 422
