"""Errors on the wire: RFC 9457 problem documents with a stable `type`, never an internal."""

import http
from typing import Any, TypedDict

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from transactional.core.errors import PROBLEM_BASE, InvalidInput, ShopError, Unavailable
from transactional.core.uow import LOCK_NOT_AVAILABLE, is_retryable

log = structlog.stdlib.get_logger("transactional.problems")

MEDIA_TYPE = "application/problem+json"

_EXAMPLES: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be understood"),
    401: ("unauthenticated", "Log in first"),
    403: ("forbidden", "Permission missing"),
    404: ("not-found", "Not found"),
    409: ("conflict", "Conflict with the present state"),
    413: ("content-too-large", "The body is too large"),
    422: ("invalid-input", "The input breaks a rule"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "Something went wrong on our side"),
    502: ("bad-gateway", "An outside service gave no usable answer"),
    503: ("unavailable", "Temporarily unavailable"),
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457 problem document",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Stable identifier of the kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for"},
        "request_id": {"type": "string", "description": "Name it when you ask for help"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "additionalProperties": True,
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses=` of an operation that can refuse with these statuses."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    code, title = _EXAMPLES.get(status, ("bad-request", http.HTTPStatus(status).phrase))
    example = {"type": PROBLEM_BASE + code, "title": title, "status": status}
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    instance: str | None = None,
    request_id: str | None = None,
) -> Response:
    """A problem document as an answer. `extra` cannot overwrite the standard members."""
    document = {key: value for key, value in (extra or {}).items() if value is not None}
    document |= {"type": PROBLEM_BASE + code, "title": title, "status": status}
    for name, value in (("detail", detail), ("instance", instance), ("request_id", request_id)):
        if value is not None:
            document[name] = value
    body = orjson.dumps(jsonable_encoder(document))
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def shop_problem(request: Request, error: ShopError) -> Response:
    """A refusal by the shop's own rules."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in {429, 503}:
        headers["Retry-After"] = str(error.extra.get("retry_after", 1))
    return problem(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        extra=error.extra,
        headers=headers,
        **_where(request),
    )


def internal_problem(request_id: str | None, path: str) -> Response:
    """An unexpected error: the log knows more, the caller only whom to name."""
    return problem(
        status=500,
        code="internal",
        title=_EXAMPLES[500][1],
        detail="The error was logged; name the request id when you ask about it",
        instance=path,
        request_id=request_id,
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Turn every expected kind of error into a problem document."""
    app.add_exception_handler(ShopError, _on_shop_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(DBAPIError, _on_database_error)
    app.add_exception_handler(DataError, _on_unstorable)
    app.add_exception_handler(OverflowError, _on_unstorable)
    app.add_exception_handler(PoolTimeout, _on_database_error)


class _Where(TypedDict):
    instance: str
    request_id: str | None


def _where(request: Request) -> _Where:
    return {"instance": request.url.path, "request_id": getattr(request.state, "request_id", None)}


def _on_shop_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ShopError)
    return shop_problem(request, error)


def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # The refused input is left out on purpose: it may hold a password.
    errors = [
        {"field": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"], "type": fault["type"]}
        for fault in error.errors()
    ]
    return problem(
        status=422,
        code="invalid-input",
        title="The input breaks a rule",
        detail="; ".join(f"{fault['field']}: {fault['message']}" for fault in errors[:5]),
        extra={"errors": errors},
        **_where(request),
    )


def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = http.HTTPStatus(error.status_code).phrase
    code, title = _EXAMPLES.get(error.status_code, (phrase.lower().replace(" ", "-"), phrase))
    headers = dict(error.headers) if error.headers else None
    detail = str(error.detail)
    return problem(status=error.status_code, code=code, title=title, detail=detail, headers=headers, **_where(request))


def _on_database_error(request: Request, error: Exception) -> Response:
    """Busy, deadlocked or out of connections: 503, trying again is safe. Anything else is a fault of ours."""
    if isinstance(error, DBAPIError) and not _is_busy(error):
        raise error
    return shop_problem(request, Unavailable("the database is busy; try again in a moment"))


def _on_unstorable(request: Request, error: Exception) -> Response:
    """A number beyond 64 bits, a NUL in a text: what no column takes came in by a way that did not check it."""
    log.warning("a value that cannot be stored", path=request.url.path, error=type(error).__name__)
    return shop_problem(request, InvalidInput("a number is too large, or a text is too long or holds a NUL character"))


def _is_busy(error: DBAPIError) -> bool:
    sqlstate = getattr(error.orig, "sqlstate", None)
    return is_retryable(error) or error.connection_invalidated or sqlstate == LOCK_NOT_AVAILABLE
