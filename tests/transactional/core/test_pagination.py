"""Pages by cursor."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from transactional.core.errors import InvalidInput
from transactional.core.models import Counter
from transactional.core.pagination import Cursor, decode_cursor, encode_cursor, fetch_page, shape_page
from transactional.core.uow import Database


@given(st.integers(min_value=0, max_value=2**59))
def test_a_cursor_comes_back(row_id: int) -> None:
    assert decode_cursor(encode_cursor(row_id)) == row_id


@given(st.text(max_size=64))
def test_a_foreign_cursor_is_refused_and_never_crashes(cursor: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert decode_cursor(cursor) >= 0


@pytest.mark.parametrize("cursor", ["", "aWQ6", "aWQ6LTE", "aWQ6MTIzNDU2Nzg5MDEyMzQ1Njc4OQ", "💥", "aWQ6²"])
def test_broken_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(cursor)


def fill(database: Database, rows: int) -> None:
    with database.unit_of_work(actor="test") as session:
        session.add_all(Counter(series=f"s{n}", value=n) for n in range(1, rows + 1))


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 3, 4, 7])
def test_pages_cover_every_row_once(database: Database, rows: int, newest_first: bool) -> None:
    fill(database, rows)
    seen: list[int] = []
    after: int | None = None
    with database.read() as session:
        while True:
            found, following = fetch_page(
                session, select(Counter), Cursor(limit=3, after=after), by=Counter.id, newest_first=newest_first
            )
            seen += [row.value for row in found]
            if following is None:
                break
            assert len(found) == 3
            after = decode_cursor(following)
    assert seen == sorted(range(1, rows + 1), reverse=newest_first)


def test_a_row_added_meanwhile_neither_repeats_nor_hides_others(database: Database) -> None:
    fill(database, 4)
    with database.read() as session:
        first, following = fetch_page(session, select(Counter), Cursor(limit=2, after=None), by=Counter.id)
        assert [row.value for row in first] == [4, 3]
    with database.unit_of_work(actor="test") as session:
        session.add(Counter(series="new", value=9))
    assert following is not None
    with database.read() as session:
        second, end = fetch_page(
            session, select(Counter), Cursor(limit=2, after=decode_cursor(following)), by=Counter.id
        )
    assert [row.value for row in second] == [2, 1]
    assert end is None
    page = shape_page(second, end, lambda row: row.series)
    assert page.items == ["s2", "s1"]
