"""Putting an order's view together, and answering it with an ETag."""

import hashlib
from collections.abc import Sequence

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from transactional.orders import schemas, service
from transactional.orders.change_schemas import ChangeOut
from transactional.orders.stages import progress
from transactional.shipping.service import shipments_of


def detail(session: Session, order: service.Order) -> schemas.OrderDetail:
    """The order with its lines, parcels, stages and every step so far."""
    lines = service.lines_of(session, order.id)
    history = service.status_history(session, order.id)
    change = service.open_change_of(session, order.id)
    return schemas.OrderDetail.build(
        order,
        lines,
        history,
        shipments_of(session, order.id),
        progress=progress(order, history),
        due_minor=service.amount_due(session, order.id),
        given_back_minor=service.given_back_minor(session, order.id),
        approval=approval(session, order, lines),
        open_change=None if change is None else change_view(session, change),
    )


def approval(session: Session, order: service.Order, lines: Sequence[service.OrderLine]) -> schemas.ApprovalOut | None:
    """What has to be agreed to, and whether it was; None where nothing in the order needs it."""
    if not service.needs_approval(line.customisation for line in lines):
        return None
    valid = [found for found in service.approvals_of(session, order.id) if found.voided_at is None]
    return schemas.ApprovalOut(
        content_sha256=service.content_sha256(lines),
        approved_at=valid[-1].approved_at if valid else None,
        expires_at=valid[-1].expires_at if valid else None,
    )


def change_view(session: Session, change: service.OrderChange) -> ChangeOut:
    """A change set with its parts."""
    return ChangeOut.of(change, service.change_lines_of(session, change.id))


def with_etag(request: Request, body: BaseModel) -> Response:
    """The body with its ETag; 304 and nothing where the client has it already (`If-None-Match`)."""
    content = body.model_dump_json(by_alias=True).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


def _matches(wanted: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
    return etag in tags or "*" in tags
