"""The API as a whole: every operation declares who may call it and documents itself; the app looks after itself."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from tests.support.web import log_in, make_client, register, settings_in
from transactional.app import create_app
from transactional.core.access import access_marks
from transactional.core.db import make_engine
from transactional.core.logging import configure_logging
from transactional.core.permissions import PERMISSIONS
from transactional.core.uow import Database
from transactional.routers import ROUTERS

DOCUMENTATION = {"/openapi.json", "/docs", "/docs/oauth2-redirect"}
METHODS = {"get", "post", "put", "patch", "delete"}


def _nowhere() -> Database:
    return Database(make_engine("sqlite://"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(settings_in(tmp_path_factory.mktemp("app")), _nowhere())


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    return make_client(database, tmp_path)


def routes(app: FastAPI) -> list[APIRoute]:
    found = [context.original_route for context in iter_route_contexts(app.routes)]
    return [route for route in found if isinstance(route, APIRoute)]


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_every_router_is_served(app: FastAPI) -> None:
    served = {id(route) for route in routes(app)}
    assert all(id(route) in served for router in ROUTERS for route in router.routes)


def test_every_operation_declares_exactly_one_access_rule(app: FastAPI) -> None:
    wrong = {}
    for context in iter_route_contexts(app.routes):
        if context.path in DOCUMENTATION:
            continue
        marks = access_marks(list(context.dependencies))
        if len(marks) != 1 or marks[0] not in PERMISSIONS | {"public", "authenticated"}:
            wrong[f"{context.methods} {context.path}"] = marks
    assert not wrong


def test_staff_operations_ask_for_a_permission(app: FastAPI) -> None:
    open_doors = [
        context.path
        for context in iter_route_contexts(app.routes)
        if "/staff/" in str(context.path) and access_marks(list(context.dependencies))[0] not in PERMISSIONS
    ]
    assert not open_doors


def test_every_operation_has_a_summary_of_its_own(document: dict[str, Any]) -> None:
    summaries = [operation.get("summary", "") for _, operation in operations(document)]
    nameless = [name for name, operation in operations(document) if not operation.get("summary")]
    assert not nameless
    assert len(set(summaries)) == len(summaries)


def test_every_operation_documents_its_refusals_as_problems(document: dict[str, Any]) -> None:
    wrong = []
    for name, operation in operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        content = [set(answer.get("content", {})) for answer in errors.values()]
        if not errors or any(media != {"application/problem+json"} for media in content):
            wrong.append(name)
    assert not wrong


def test_every_operation_behind_a_log_in_says_so(document: dict[str, Any]) -> None:
    wrong = [
        name
        for name, operation in operations(document)
        if operation.get("security") and "401" not in operation["responses"]
    ]
    assert not wrong


def test_every_request_body_has_examples(document: dict[str, Any]) -> None:
    wrong = [
        name
        for name, operation in operations(document)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if not has_example(content, document)
    ]
    assert not wrong


def test_every_answer_has_examples(document: dict[str, Any]) -> None:
    wrong = [
        f"{name} {status}"
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        if status[0] == "2" and not has_example(content, document)
    ]
    assert not wrong


def has_example(node: dict[str, Any], document: dict[str, Any], depth: int = 0) -> bool:
    """Whether a schema, or one that it is made of, shows an example."""
    if "example" in node or "examples" in node:
        return True
    if depth > 6:
        return False
    inner = [node[key] for key in ("schema", "items") if isinstance(node.get(key), dict)]
    inner += [part for key in ("anyOf", "allOf", "oneOf") for part in node.get(key, [])]
    inner += list(node.get("properties", {}).values())
    if "$ref" in node:
        inner.append(document["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    return any(has_example(part, document, depth + 1) for part in inner)


def test_the_document_names_problems_and_no_validation_errors_of_the_framework(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
    assert "HTTPValidationError" not in schemas
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_schema_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    # Where two share one, the framework puts the modules' paths into the names that clients are generated from.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(ids)) == len(ids)


class TestOperations:
    def test_health_needs_no_database(self, tmp_path: Path) -> None:
        client = make_client(_nowhere(), tmp_path)
        assert client.get("/health").json() == {"status": "ok"}

    def test_ready_when_the_schema_is_there(self, client: TestClient) -> None:
        assert client.get("/ready").status_code == 200

    def test_not_ready_on_an_empty_database(self, tmp_path: Path) -> None:
        client = make_client(Database(make_engine(f"sqlite:///{tmp_path / 'empty.db'}")), tmp_path)
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert "migrate" in answer.json()["detail"]

    def test_not_ready_without_a_database(self, tmp_path: Path) -> None:
        engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
        answer = make_client(Database(engine), tmp_path).get("/ready")
        assert answer.status_code == 503
        assert "127.0.0.1" not in answer.text

    def test_metrics_count_by_template_and_status(self, client: TestClient, database: Database) -> None:
        client.post("/v1/auth/register", json={"email": "a@example.com", "password": "x" * 12, "full_name": "A"})
        client.get("/v1/me")
        client.get("/no/such/path/17")
        client.delete("/v1/me/addresses/17")
        text = client.get("/metrics").text
        assert 'mlt_http_requests_total{method="GET",route="/v1/me",status="401"} 1.0' in text
        assert 'route="/v1/me/addresses/{address_id}"' in text
        assert 'route="unmatched",status="404"} 1.0' in text
        assert "/no/such/path" not in text
        assert 'mlt_http_request_seconds_count{method="GET",route="/v1/me"} 1.0' in text
        assert 'mlt_outbox_messages{state="pending"} 1.0' in text


class TestRequestIds:
    def test_a_harmless_id_comes_back(self, client: TestClient) -> None:
        assert client.get("/health", headers={"X-Request-ID": "till-3:42"}).headers["X-Request-ID"] == "till-3:42"

    @pytest.mark.parametrize("given", ["", "x" * 65, 'a"b', "a b", "a\tb", "é"])
    def test_anything_else_is_replaced(self, client: TestClient, given: str) -> None:
        answer = client.get("/health", headers={"X-Request-ID": given.encode()})
        assert answer.headers["X-Request-ID"] != given
        assert len(answer.headers["X-Request-ID"]) == 32

    def test_a_refusal_carries_it_too(self, client: TestClient) -> None:
        answer = client.get("/v1/me")
        assert answer.headers["X-Request-ID"] == answer.json()["request_id"]


class TestLogs:
    @pytest.fixture(autouse=True)
    def restore(self) -> Any:
        yield
        configure_logging(level="CRITICAL")

    def lines(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]

    def test_a_request_is_one_line_with_id_and_actor_and_without_secrets(
        self, client: TestClient, database: Database, capsys: pytest.CaptureFixture[str]
    ) -> None:
        user_id = register(database)
        configure_logging(level="INFO")
        headers = log_in(client)
        client.get("/v1/me?token=in-the-query", headers={**headers, "X-Request-ID": "desk-1"})
        log_line = self.lines(capsys)[-1]
        assert log_line["event"] == "request"
        assert (log_line["request_id"], log_line["status"], log_line["route"]) == ("desk-1", 200, "/v1/me")
        assert log_line["actor"] == f"user:{user_id}"
        everything = json.dumps(log_line)
        assert headers["Authorization"].split()[1] not in everything
        assert "in-the-query" not in everything

    def test_whatever_is_named_like_a_secret_is_hidden(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logging(level="INFO")
        structlog.stdlib.get_logger("transactional.test").info("hello", password="p", access_token="t", order=7)
        logging.getLogger("transactional.other").warning("from the standard library")
        first, second = self.lines(capsys)
        assert (first["password"], first["access_token"], first["order"]) == ("***", "***", 7)
        assert (second["event"], second["level"]) == ("from the standard library", "warning")

    def test_an_unexpected_error_is_logged_with_its_trace(
        self, client: TestClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        @client.app.get("/crash")  # type: ignore[attr-defined]
        def crash() -> None:
            raise ZeroDivisionError("why it broke")

        configure_logging(level="INFO")
        answer = client.get("/crash")
        failure, request = self.lines(capsys)
        assert "why it broke" in failure["exception"]
        assert failure["request_id"] == request["request_id"] == answer.headers["X-Request-ID"]
        assert request["status"] == 500


def test_an_app_of_its_own_runs_the_worker_and_one_with_a_given_database_does_not(
    database: Database, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path).model_copy(
        update={"database_url_override": database.engine.url.render_as_string(hide_password=False)}
    )

    def workers() -> int:
        return sum(thread.name == "worker" for thread in threading.enumerate())

    before = workers()
    with TestClient(create_app(settings)):
        assert workers() == before + 1
    assert workers() == before
    with TestClient(create_app(settings, database)):
        assert workers() == before
    with TestClient(create_app(settings.model_copy(update={"worker_in_process": False}))):
        assert workers() == before
