"""Live tracking: server-sent events of one order.

Between two looks a stream holds neither a database session nor a thread: it sleeps in the event loop, and each look is
a short read of its own. An order's steps and moves are written under its lock, so their ids grow in the order of their
commits, and what a client has seen last (`Last-Event-ID`) tells what is new to it.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from transactional.core.errors import Unavailable
from transactional.core.uow import Database
from transactional.orders.models import OrderStatus, OrderStatusChange, OrderUnitMove
from transactional.orders.queries import get_order, status_history
from transactional.orders.stages import progress
from transactional.shipping.service import shipments_of

Sleep = Callable[[int], Awaitable[None]]

_EVENT_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9a-f]{8})")
_OVER = (OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream lives; whole seconds."""

    look_every: int = 1
    heartbeat_every: int = 15
    """Without a sign of life, proxies close the connection, and a client that is gone is never noticed."""
    life: int = 300
    """Then the client connects again: no stream outlives what its reader may see for long."""
    retry: int = 3
    """How long a client waits before it connects again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of an order a client knows: its newest step, its newest move of units, where its parcels are."""

    step: int = 0
    move: int = 0
    parcels: str = ""
    """A digest of them."""

    @classmethod
    def parse(cls, last_event_id: str | None) -> "Seen":
        """From `Last-Event-ID`; whatever cannot be read means that nothing is known."""
        match = _EVENT_ID.fullmatch(last_event_id or "")
        return cls(int(match[1]), int(match[2]), match[3]) if match else cls()

    def __str__(self) -> str:
        return f"{self.step}-{self.move}-{self.parcels}"


@dataclass(frozen=True, slots=True)
class News:
    """An order as it stands."""

    seen: Seen
    body: dict[str, Any]
    is_over: bool
    """Nothing more will happen by itself."""


class Streams:
    """How many streams this process serves, so that watchers cannot take all of its connections."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self.open = 0

    def enter(self) -> None:
        """One more. Raises Unavailable where there are too many."""
        if self.open >= self._most:
            raise Unavailable("too many are watching their orders; ask for the order itself instead", retry_after=30)
        self.open += 1

    def leave(self) -> None:
        """One less."""
        self.open -= 1


def look(session: Session, order_id: int, seen: Seen) -> News | None:
    """What is new about an order; None where nothing is. Raises NotFound."""
    parcels = _parcels(session, order_id)
    newest = _newest(session, order_id, parcels)
    return None if newest == seen else _describe(session, order_id, parcels, newest)


def describe(session: Session, order_id: int) -> News:
    """The order as a customer may see it now. Raises NotFound."""
    parcels = _parcels(session, order_id)
    return _describe(session, order_id, parcels, _newest(session, order_id, parcels))


def _describe(session: Session, order_id: int, parcels: list[dict[str, Any]], seen: Seen) -> News:
    order = get_order(session, order_id)
    so_far = progress(order, status_history(session, order_id))
    body = {
        "order_number": order.order_number,
        "status": order.status,
        "stage": so_far.stage,
        "stages": [{"stage": stage, "reached_at": at.isoformat()} for stage, at in so_far.reached.items()],
        "ended": so_far.ended,
        "parcels": parcels,
    }
    return News(seen, body, order.status in _OVER)


async def stream(
    database: Database,
    order_id: int,
    seen: Seen,
    *,
    pace: Pace,
    streams: Streams,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """The order's events until it is over or the stream's life ends; `streams.enter()` was called for it."""
    try:
        yield f"retry: {pace.retry * 1000}\n\n".encode()
        for second in range(0, pace.life, max(1, pace.look_every)):
            news = await run_in_threadpool(_look, database, order_id, seen)
            if news is not None:
                seen = news.seen
                yield _event(news)
                if news.is_over:
                    return
            elif second % pace.heartbeat_every == 0:
                yield b": still here\n\n"
            await sleep(pace.look_every)
    finally:
        streams.leave()


def _look(database: Database, order_id: int, seen: Seen) -> News | None:
    with database.read() as session:
        return look(session, order_id, seen)


def _parcels(session: Session, order_id: int) -> list[dict[str, Any]]:
    return [
        {
            "carrier": parcel.courier_name or parcel.carrier,
            "tracking_number": parcel.tracking_number,
            "status": parcel.status,
            "expected_delivery_at": parcel.expected_delivery_at,
        }
        for parcel in shipments_of(session, order_id)
    ]


def _newest(session: Session, order_id: int, parcels: list[dict[str, Any]]) -> Seen:
    step = select(func.max(OrderStatusChange.id)).where(OrderStatusChange.order_id == order_id).scalar_subquery()
    move = select(func.max(OrderUnitMove.id)).where(OrderUnitMove.order_id == order_id).scalar_subquery()
    row = session.execute(select(step, move)).one()
    return Seen(row[0] or 0, row[1] or 0, hashlib.sha256(orjson.dumps(parcels)).hexdigest()[:8])


def _event(news: News) -> bytes:
    return b"event: order\nid: " + str(news.seen).encode() + b"\ndata: " + orjson.dumps(news.body) + b"\n\n"
