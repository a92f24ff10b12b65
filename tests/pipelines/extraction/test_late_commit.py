"""Two transactions, the first to write commits last, and an extraction runs between them: no row may be lost."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.pipelines.support import INSERT_CUSTOMER, NOW, add_customers, customer, customer_ids, extract_into, url_of
from transactional.core.uow import Database

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

INSERT = INSERT_CUSTOMER.replace(":at", "%(at)s::timestamptz")
for name in ("id", "email", "name", "yes", "no"):
    INSERT = INSERT.replace(f":{name}", f"%({name})s")


def _connect(database: Database) -> psycopg.Connection:
    return psycopg.connect(url_of(database).replace("+psycopg", ""), options="-c timezone=UTC")


def _newer_than(connection: psycopg.Connection, sql: str, watermark: object) -> set[int]:
    return {row[0] for row in connection.execute(sql, {"watermark": watermark}).fetchall()}


def test_a_late_commit_is_not_lost_where_timestamp_and_sequence_cursors_lose_it(
    pg_database: Database, tmp_path: Path
) -> None:
    build = tmp_path / "build.duckdb"
    extract_into(build, pg_database)
    with _connect(pg_database) as early, _connect(pg_database) as late, _connect(pg_database) as reader:
        reader.autocommit = True
        early.execute(INSERT, customer(1, at=NOW))
        late.execute(INSERT, customer(2, at=NOW + timedelta(seconds=1)))
        late.commit()

        report = extract_into(build, pg_database)
        assert customer_ids(build) == [2]
        row = reader.execute(
            "SELECT (SELECT max(created_at) FROM customers), (SELECT max(seq) FROM journal)"
        ).fetchone()
        assert row is not None
        last_time, last_seq = row

        early.commit()
        extract_into(build, pg_database)

        # What the two usual cursors would have read now:
        by_time = _newer_than(reader, "SELECT id FROM customers WHERE created_at >= %(watermark)s", last_time)
        by_sequence = _newer_than(reader, "SELECT row_id FROM journal WHERE seq > %(watermark)s", last_seq)
    assert by_time == {2}, "a timestamp cursor would have found the late commit: the test proves nothing"
    assert by_sequence == set(), "a sequence cursor would have found the late commit: the test proves nothing"
    assert customer_ids(build) == [1, 2]
    assert report.cursor.positions["journal"] < last_seq + 10**9


def test_a_late_behaviour_event_is_not_lost_either(pg_database: Database, tmp_path: Path) -> None:
    build = tmp_path / "build.duckdb"
    extract_into(build, pg_database)
    insert = (
        "INSERT INTO behaviour_events (event_id, anonymous_id, session_id, type, properties, is_bot, server_time)"
        " VALUES (%s, 'visitor', 'session', 'view', '{}', false, now())"
    )
    with _connect(pg_database) as early, _connect(pg_database) as late:
        early.execute(insert, ["first"])
        late.execute(insert, ["second"])
        late.commit()
        extract_into(build, pg_database)
        early.commit()
    extract_into(build, pg_database)
    from tests.pipelines.support import raw

    assert raw(build, "SELECT event_id FROM raw.behaviour_events ORDER BY id") == [("first",), ("second",)]


def test_an_order_and_its_later_line_never_contradict_each_other(pg_database: Database, tmp_path: Path) -> None:
    """A row changed by an open and then by a committed transaction is read as the snapshot shows it, every time."""
    build = tmp_path / "build.duckdb"
    add_customers(pg_database, customer(1, name="before"))
    extract_into(build, pg_database)
    with _connect(pg_database) as holder, _connect(pg_database) as writer:
        holder.execute(INSERT, customer(7))
        writer.execute("UPDATE customers SET full_name = 'after' WHERE id = 1")
        writer.commit()
        extract_into(build, pg_database)
        again = extract_into(build, pg_database)
        # The open transaction holds the horizon back: the same row is read again and merges to the same.
        assert [table.rows_read for table in again.tables] == [1]
        holder.commit()
    extract_into(build, pg_database)
    assert customer_ids(build) == [1, 7]
