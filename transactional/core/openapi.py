"""The OpenAPI document: FastAPI's own, with problem documents in the place of its validation errors."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from transactional.core.problems import PROBLEM_SCHEMA, problem_responses

_FASTAPI_ERRORS = ("HTTPValidationError", "ValidationError")


def install_openapi(app: FastAPI) -> None:
    """Let the app describe its errors as they are sent."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    for path in document.get("paths", {}).values():
        for operation in path.values():
            _use_problems(operation["responses"])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _FASTAPI_ERRORS:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    return document


def _use_problems(responses: dict[str, Any]) -> None:
    reference = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
    if reference == "#/components/schemas/HTTPValidationError":
        responses["422"] = problem_responses(422)[422]
