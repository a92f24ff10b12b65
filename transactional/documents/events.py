"""When documents are written: after an order's steps, changes and refunds, by the worker.

Others' topics only leave a message of our own, so that a document that cannot be written holds up nobody else.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.jobs import every
from transactional.core.outbox import follows, handles, publish
from transactional.core.uow import Database
from transactional.documents import service
from transactional.documents.models import TaxDocument
from transactional.orders.service import ORDER_CHANGED, STATUS_CHANGED, OrderStatus
from transactional.payments.service import Refund

SETTLE = "documents.settle"
"""Outbox topic {order_id}: bring the order's documents in line with it."""

REFUND_ORDERED = "payments.send_refund"
"""Payments' topic {refund_id}: money of an order goes back."""

_REMEMBERED = timedelta(days=2)

_AFTER_SHIPPING = frozenset(
    {
        OrderStatus.PARTIALLY_SHIPPED,
        OrderStatus.SHIPPED,
        OrderStatus.PARTIALLY_DELIVERED,
        OrderStatus.DELIVERED,
        OrderStatus.CANCELLED,
    }
)


@follows(STATUS_CHANGED)
def after_step(database: Database, payload: dict[str, Any]) -> None:
    """An order took a step: something may have left, or come home."""
    if payload["to"] in _AFTER_SHIPPING:
        _ask_if_due(database, payload["order_id"], f"{payload['to']}:{payload['occurred_at']}")


@follows(ORDER_CHANGED)
def after_change(database: Database, payload: dict[str, Any]) -> None:
    """A change set happened: an exchange may have settled its difference without a refund."""
    _ask_if_due(database, payload["order_id"], f"change:{payload['change_id']}")


@follows(REFUND_ORDERED)
def after_refund(database: Database, payload: dict[str, Any]) -> None:
    """Money goes back: for units that came back, or for none."""
    with database.read() as session:
        refund = session.get(Refund, payload["refund_id"])
    if refund is not None and refund.order_id is not None:
        _ask_if_due(database, refund.order_id, f"refund:{refund.id}")


@every(timedelta(hours=1), name="documents.catch_up")
def catch_up(database: Database) -> int:
    """Refunds made at the gateway itself, which no message tells of, lead to papers as well; gives their number."""
    since = database.clock.now() - _REMEMBERED

    def work(session: Session) -> int:
        refunds = session.execute(
            select(Refund.id, TaxDocument.order_id)
            .join(TaxDocument, TaxDocument.order_id == Refund.order_id)
            .where(Refund.created_at >= since)
            .distinct()
        )
        return sum(_ask(session, database, order_id, f"refund:{refund_id}") for refund_id, order_id in refunds.all())

    return database.run(work, actor="documents")


@handles(SETTLE)
def settle(database: Database, payload: dict[str, Any]) -> None:
    """Write what is missing; repeating it writes nothing."""
    database.run(
        lambda session: service.settle(session, order_id=payload["order_id"], now=database.clock.now()),
        actor="documents",
    )


def _ask_if_due(database: Database, order_id: int, cause: str) -> None:
    """Look first, which costs one statement; most steps need no paper."""
    with database.read() as session:
        due = service.may_be_due(session, order_id)
    if due:
        database.run(lambda session: _ask(session, database, order_id, cause), actor="documents")


def _ask(session: Session, database: Database, order_id: int, cause: str) -> bool:
    """Ask for an order's documents, once per cause; False where that was asked before."""
    key = f"{SETTLE}:{order_id}:{cause}"
    return publish(session, SETTLE, {"order_id": order_id}, dedup_key=key, now=database.clock.now())
