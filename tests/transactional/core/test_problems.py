"""Errors on the wire."""

import pytest
from fastapi import Depends, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy.exc import DataError

from transactional.core.access import public
from transactional.core.errors import OutOfStock, TooManyRequests
from transactional.core.problems import problem, problem_responses


class Secret(BaseModel):
    password: int


@pytest.fixture
def shop(client: TestClient) -> TestClient:
    app = client.app

    @app.get("/out-of-stock", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def out_of_stock() -> None:
        raise OutOfStock("2 of 'Brass lamp' are left", left=2, sku="LAMP-1", status="overwritten?")

    @app.get("/slow-down", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def slow_down() -> None:
        raise TooManyRequests("wait", retry_after=17)

    @app.get("/teapot", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def teapot() -> None:
        raise HTTPException(418, "short and stout")

    @app.get("/crash", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def crash() -> None:
        raise ZeroDivisionError("internal detail")

    @app.get("/nul", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def nul() -> None:
        raise DataError("INSERT", None, ValueError("text fields cannot contain NUL (0x00) bytes"))

    @app.post("/secret", dependencies=[Depends(public())])  # type: ignore[attr-defined]
    def secret(body: Secret) -> None: ...

    return client


def test_a_refusal_has_a_stable_type_and_its_facts(shop: TestClient) -> None:
    answer = shop.get("/out-of-stock")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:my-little-things:problem:out-of-stock",
        "title": "Not enough stock",
        "status": 409,
        "detail": "2 of 'Brass lamp' are left",
        "left": 2,
        "sku": "LAMP-1",
        "instance": "/out-of-stock",
        "request_id": answer.headers["X-Request-ID"],
    }


@pytest.mark.slow
def test_slow_down_says_for_how_long(shop: TestClient) -> None:
    assert shop.get("/slow-down").headers["Retry-After"] == "17"


def test_http_exceptions_become_problems(shop: TestClient) -> None:
    answer = shop.get("/teapot")
    assert answer.status_code == 418
    assert answer.json()["detail"] == "short and stout"
    missing = shop.get("/nowhere")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:my-little-things:problem:not-found")
    assert shop.delete("/health").json()["status"] == 405


def test_an_unexpected_error_shows_nothing_of_itself(shop: TestClient) -> None:
    answer = shop.get("/crash")
    assert answer.status_code == 500
    assert "internal detail" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize("path", [f"/v1/products/{10**30}", f"/v1/products?price_min={10**30}", "/nul"])
def test_what_no_column_takes_is_bad_input(shop: TestClient, path: str) -> None:
    answer = shop.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_validation_error_names_the_field_and_hides_the_input(shop: TestClient) -> None:
    answer = shop.post("/secret", json={"password": "hunter2"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.password"
    assert "hunter2" not in answer.text


def test_a_body_that_is_no_json_is_named(shop: TestClient) -> None:
    answer = shop.post("/secret", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_extra_members_cannot_replace_the_standard_ones() -> None:
    answer = problem(status=409, code="conflict", title="t", extra={"type": "mine", "status": 200})
    assert b'"status":409' in answer.body
    assert b"mine" not in answer.body


def test_documented_responses_refer_to_the_problem_schema() -> None:
    documented = problem_responses(404, 409)
    assert set(documented) == {404, 409}
    content = documented[404]["content"]["application/problem+json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert content["example"]["status"] == 404
