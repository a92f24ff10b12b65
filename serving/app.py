"""Serving as an ASGI application: stateless, so that one process or many answer alike."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError

from serving.champions import Registry
from serving.metrics import CONTENT_TYPE, Metrics
from serving.schemas import Answer, Question
from serving.settings import Settings, from_environment
from serving.shelves import NothingPublished, answer
from serving.state import Keeper, ModelSource, State

_PROBLEM = "urn:my-little-things:problem:"
_PROBLEM_TYPE = "application/problem+json"


def create_app(settings: Settings | None = None, models: ModelSource | None = None) -> FastAPI:
    """Build the app; it looks for snapshot and champions from its start to its end."""
    settings = settings or from_environment()
    keeper = Keeper(settings, models or Registry(settings.mlflow_uri))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        keeper.start()
        try:
            yield
        finally:
            keeper.stop()

    app = FastAPI(
        title="My Little Things – recommendations",
        version="0.1.0",
        description="Recommendations from memory. Shoppers reach them through the shop, which drops what cannot be "
        "bought at this moment.",
        lifespan=lifespan,
        redoc_url=None,
    )
    app.add_exception_handler(RequestValidationError, _on_invalid)
    _add_recommend(app, keeper, metrics := Metrics())
    _add_operations(app, keeper, metrics)
    return app


def _add_recommend(app: FastAPI, keeper: Keeper, metrics: Metrics) -> None:
    # `async`: an answer takes a few milliseconds of pure computing; a thread would only add the switch to it.
    @app.post(
        "/v1/recommend",
        summary="What to show to this shopper here",
        response_model=Answer,
        tags=["recommendations"],
        responses={422: _documented("The question breaks a rule"), 503: _documented("Nothing published yet")},
    )
    async def recommend(question: Question) -> Response:
        """One shelf or more for the slot, best first, each item with the reason why it is there."""
        started = time.perf_counter()
        try:
            found = answer(keeper.state, question)
        except NothingPublished as nothing:
            metrics.answers.labels(question.slot, "503").inc()
            return _problem(503, "unavailable", "Temporarily unavailable", str(nothing))
        body = found.model_dump_json().encode()
        metrics.answers.labels(question.slot, "200").inc()
        metrics.seconds.labels(question.slot).observe(time.perf_counter() - started)
        return Response(body, media_type="application/json", headers={"ETag": f'"{found.build_id}"'})


def _add_operations(app: FastAPI, keeper: Keeper, metrics: Metrics) -> None:
    @app.get("/health", summary="Whether the process lives", tags=["operations"])
    async def health() -> dict[str, str]:
        """Always, as long as it answers at all."""
        return {"status": "ok"}

    @app.get(
        "/ready",
        summary="Whether answers can be given",
        tags=["operations"],
        responses={503: _documented("Nothing published yet, or not looked yet")},
    )
    async def ready() -> Response:
        """200 once the snapshot is in memory and the registry was looked at; tells which versions are in use."""
        in_use = _in_use(keeper.state)
        if keeper.state.snapshot is None or not keeper.looked:
            return _problem(503, "unavailable", "Temporarily unavailable", "no snapshot in memory yet", **in_use)
        return Response(orjson.dumps({"status": "ready", **in_use}), media_type="application/json")

    @app.get("/metrics", summary="Figures for Prometheus", tags=["operations"])
    async def figures() -> Response:
        """Answers, their latency, versions in use, problems."""
        return Response(metrics.exposition(keeper.state), media_type=CONTENT_TYPE)


def _in_use(state: State) -> dict[str, Any]:
    return {
        "build_id": state.snapshot.build_id if state.snapshot else None,
        "models": {champion.name: champion.version for champion in state.champions.values()},
        "problems": dict(state.problems),
    }


def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors[:5])
    return _problem(422, "invalid-input", "The input breaks a rule", detail, errors=errors)


def _problem(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
    """An RFC 9457 problem document."""
    document = {"type": _PROBLEM + code, "title": title, "status": status, "detail": detail, **extra}
    return Response(orjson.dumps(jsonable_encoder(document)), status_code=status, media_type=_PROBLEM_TYPE)


def _documented(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_PROBLEM_TYPE: {"schema": {"type": "object"}}}}
