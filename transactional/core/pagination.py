"""Lists in pages: an opaque cursor on the id, so that rows added meanwhile neither repeat nor hide others."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from transactional.core.errors import InvalidInput

T = TypeVar("T")
Row = TypeVar("Row")

MAX_LIMIT = 100
_PREFIX = "id:"


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None, description="Give it as `cursor` for the next page; null at the end", examples=["aWQ6MTI"]
    )


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts and how long it is."""

    limit: int
    after: int | None
    """The id of the last row seen."""


def encode_cursor(row_id: int) -> str:
    """An id as an opaque cursor."""
    return base64.urlsafe_b64encode(f"{_PREFIX}{row_id}".encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> int:
    """The id in a cursor; InvalidInput for anything that is not one of ours."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        prefix, _, row_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").rpartition(":")
        if prefix + ":" != _PREFIX or not row_id.isdecimal() or len(row_id) > 18:
            raise ValueError(cursor)
        return int(row_id)
    except (ValueError, UnicodeError, binascii.Error):
        raise InvalidInput("the cursor is not one that this shop gave out", field="cursor") from None


async def cursor_params(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows on a page")] = 20,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")] = None,
) -> Cursor:
    """Read `limit` and `cursor` from the query."""
    return Cursor(limit=limit, after=None if cursor is None else decode_cursor(cursor))


CursorParams = Annotated[Cursor, Depends(cursor_params)]


def fetch_page(
    session: Session,
    statement: Select[Row],
    cursor: Cursor,
    *,
    by: InstrumentedAttribute[Any],
    newest_first: bool = True,
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page, ordered by the id column `by`, and the cursor of the next page."""
    if cursor.after is not None:
        statement = statement.where(by < cursor.after if newest_first else by > cursor.after)
    ordered = statement.order_by(by.desc() if newest_first else by.asc()).limit(cursor.limit + 1)
    rows = session.scalars(ordered).unique().all()
    if len(rows) <= cursor.limit:
        return rows, None
    last = rows[cursor.limit - 1]
    return rows[: cursor.limit], encode_cursor(getattr(last, by.key))


def shape_page(rows: Sequence[Row], next_cursor: str | None, shape: Callable[[Row], T]) -> Page[T]:
    """Rows and cursor as the answer's page. Call it on the result of `fetch_page`."""
    return Page[Any](items=[shape(row) for row in rows], next_cursor=next_cursor)


def page_of(rows: Sequence[Any], limit: int, shape: Callable[[Any], T]) -> Page[T]:
    """A page of at most `limit` rows with an `id`, where one row more was asked for to know whether more follow."""
    shown = rows[:limit]
    more = encode_cursor(shown[-1].id) if len(rows) > limit else None
    return Page[Any](items=[shape(row) for row in shown], next_cursor=more)
