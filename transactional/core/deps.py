"""What handlers take: sessions bound to the request's unit of work, settings, clock.

`scope="function"` ends a dependency before the answer is sent: a failing commit gives an error instead of a 200, and
an answer that does not fit its model rolls back. `max_concurrency` bounds how many requests hold a session: one more
waits in the event loop. Without it waiters would fill the thread pool, and whoever holds the database's lock could not
get a thread to finish.

A busy route takes `WriterDep` instead of `WriteSession` and opens its unit of work itself: all of it then runs in one
trip to the thread pool. Its answer is made inside the block, so that one which does not fit rolls back as well.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from transactional.core.access import Identity, IdentityDep
from transactional.core.context import ClockDep, DatabaseDep, SettingsDep, ShopDep, shop_of
from transactional.core.db import POOL_SIZE
from transactional.core.uow import Database

__all__ = [
    "ClockDep",
    "DatabaseDep",
    "ReadSession",
    "RequestId",
    "SettingsDep",
    "ShopDep",
    "WriteSession",
    "Writer",
    "WriterDep",
]

_WRITERS = 8
_READERS = POOL_SIZE - _WRITERS  # the pool's overflow is left to short look-ups (who asks) and to the worker


async def request_id(request: Request) -> str | None:
    """The id that the log middleware gave to this request."""
    return _id_of(request)


def _id_of(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


RequestId = Annotated[str | None, Depends(request_id)]


async def whole_body(request: Request) -> None:
    """Read the body to its end: a slow sender must not hold the database's write lock meanwhile."""
    await request.body()


def unit_of_work(
    request: Request,
    identity: IdentityDep,
    _body: Annotated[None, Depends(whole_body)],
) -> Iterator[Session]:
    """A writing session in the caller's name, committed after the handler and before the answer leaves."""
    with _writer(request, identity).unit_of_work() as session:
        yield session


@dataclass(frozen=True, slots=True)
class Writer:
    """Units of work in the caller's name, for a handler that opens them itself."""

    database: Database
    actor: str
    request_id: str | None

    def unit_of_work(self) -> AbstractContextManager[Session]:
        """A writing session, committed at the end of the block. Call nothing outside of the database in it."""
        return self.database.unit_of_work(actor=self.actor, request_id=self.request_id)


def _writer(request: Request, identity: Identity) -> Writer:
    return Writer(shop_of(request).database, identity.actor.name, _id_of(request))


async def writer(request: Request, identity: IdentityDep) -> AsyncIterator[Writer]:
    """A place among the writers, held until the handler has ended."""
    yield _writer(request, identity)


def read_session(request: Request) -> Iterator[Session]:
    """A reading session, never committed."""
    with shop_of(request).database.read() as session:
        yield session


WriteSession = Annotated[Session, Depends(unit_of_work, scope="function", max_concurrency=_WRITERS)]
WriterDep = Annotated[Writer, Depends(writer, scope="function", max_concurrency=_WRITERS)]
ReadSession = Annotated[Session, Depends(read_session, scope="function", max_concurrency=_READERS)]
