"""Operations for whoever runs the shop: is it alive, can it work, what does it do."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from transactional.core.access import public
from transactional.core.context import ShopDep
from transactional.core.errors import Unavailable
from transactional.core.problems import problem_responses
from transactional.schema import pending_revision

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", examples=["ok"])


@router.get("/health", summary="Is the process alive", dependencies=[Depends(public())])
def health() -> Health:
    """Answers without touching the database."""
    return Health()


@router.get(
    "/ready",
    summary="Can the shop take requests",
    dependencies=[Depends(public())],
    responses=problem_responses(503),
)
def ready(shop: ShopDep) -> Health:
    """The database answers and its schema is the one that this code needs; else 503."""
    try:
        pending = pending_revision(shop.database.engine)
    except Exception as error:
        raise Unavailable("the database does not answer") from error
    if pending is not None:
        raise Unavailable(f"the database's schema is not at {pending}; run: python -m transactional migrate")
    return Health()


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    dependencies=[Depends(public())],
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format",
            "content": {"text/plain": {"example": 'mlt_outbox_messages{state="pending"} 0.0\n'}},
        }
    },
)
def metrics(shop: ShopDep) -> Response:
    """Requests by route and status, their duration, the outbox's backlog."""
    return Response(shop.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
