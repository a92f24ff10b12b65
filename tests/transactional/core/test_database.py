"""The unit of work itself, the journal under it, counters and types, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from tests.support.web import register
from transactional.accounts.models import User
from transactional.core.counters import next_number, next_ordinals
from transactional.core.db import insert_into, together
from transactional.core.journal import JournalEntry, journaled_tables
from transactional.core.models import Counter
from transactional.core.uow import Database


def entries(database: Database, table: str = "counters") -> list[JournalEntry]:
    with database.read() as session:
        found = select(JournalEntry).where(JournalEntry.table_name == table).order_by(JournalEntry.seq)
        return list(session.scalars(found))


class TestUnitOfWork:
    def test_what_raises_leaves_nothing_neither_row_nor_journal(self, any_database: Database) -> None:
        def work(session: Session) -> None:
            next_number(session, "a")
            raise RuntimeError("no")

        with pytest.raises(RuntimeError):
            any_database.run(work, actor="test")
        assert entries(any_database) == []

    def test_a_busy_database_is_asked_again_as_a_whole(self, database: Database) -> None:
        tries: list[int] = []

        def work(session: Session) -> int:
            tries.append(next_number(session, "a"))
            if len(tries) < 3:
                raise OperationalError("UPDATE", {}, Exception("database is locked"))
            return tries[-1]

        assert database.run(work, actor="test") == 1
        assert tries == [1, 1, 1]

    def test_the_third_failure_is_the_last(self, database: Database) -> None:
        tries: list[int] = []

        def work(_session: Session) -> None:
            tries.append(1)
            raise OperationalError("UPDATE", {}, Exception("database is locked"))

        with pytest.raises(OperationalError):
            database.run(work, actor="test")
        assert len(tries) == 3

    def test_a_broken_rule_is_not_tried_again(self, database: Database) -> None:
        tries: list[int] = []

        def work(session: Session) -> None:
            tries.append(1)
            session.add_all([Counter(series="a", value=1), Counter(series="a", value=2)])
            session.flush()

        with pytest.raises(IntegrityError):
            database.run(work, actor="test")
        assert len(tries) == 1


class TestJournal:
    def test_every_change_is_one_entry_with_writer_time_and_difference(self, any_database: Database) -> None:
        with any_database.unit_of_work(actor="user:1", request_id="r1") as session:
            counter = Counter(series="a", value=1)
            session.add(counter)
            session.flush()
            session.execute(update(Counter).values(value=5))  # bulk SQL, past the ORM
        with any_database.unit_of_work(actor="user:2") as session:
            session.execute(text("DELETE FROM counters"))
        inserted, updated, deleted = entries(any_database)
        assert [entry.operation for entry in (inserted, updated, deleted)] == ["I", "U", "D"]
        assert (inserted.actor, inserted.request_id, inserted.changes) == ("user:1", "r1", None)
        assert updated.changes == {"value": [1, 5]}
        assert deleted.changes == {"id": counter.id, "series": "a", "value": 5}
        assert (deleted.actor, deleted.request_id) == ("user:2", None)
        assert {entry.occurred_at for entry in (inserted, updated, deleted)} == {any_database.clock.now()}

    def test_a_statement_outside_of_a_unit_of_work_is_put_in_nobodys_name(self, any_database: Database) -> None:
        with any_database.unit_of_work(actor="user:1") as session:
            next_number(session, "a")
        with any_database.engine.begin() as connection:
            connection.execute(text("UPDATE counters SET value = 9"))
        assert entries(any_database)[-1].actor is None

    def test_secrets_stay_out(self, any_database: Database) -> None:
        user_id = register(any_database)
        with any_database.unit_of_work(actor="test") as session:
            session.execute(update(User).where(User.id == user_id).values(password_hash="secret", full_name="New"))
            session.execute(text("DELETE FROM customers"))
            session.execute(text("DELETE FROM users"))
        changes = [entry.changes for entry in entries(any_database, "users")]
        assert changes[1] == {"full_name": ["Asha Rao", "New"]}
        assert changes[2] is not None
        assert "password_hash" not in changes[2]

    def test_it_is_append_only(self, any_database: Database) -> None:
        with any_database.unit_of_work(actor="test") as session:
            next_number(session, "a")
        with pytest.raises(DBAPIError), any_database.engine.begin() as connection:
            connection.execute(text("UPDATE journal SET actor = 'somebody else'"))
        assert entries(any_database)[0].actor == "test"

    def test_it_leaves_out_only_what_opted_out(self) -> None:
        names = {table.name for table in journaled_tables()}
        assert {"users", "customers", "orders", "user_roles", "role_permissions"} <= names
        assert not {"journal", "outbox", "idempotency_keys", "refresh_tokens"} & names


class TestCounters:
    def test_series_count_apart_in_steps(self, any_database: Database) -> None:
        with any_database.unit_of_work(actor="test") as session:
            assert [next_number(session, "a"), next_number(session, "a"), next_number(session, "b")] == [1, 2, 1]
            assert next_number(session, "a", step=10) == 12

    def test_many_at_once_leave_no_gap(self, any_database: Database) -> None:
        crowd = 16
        start = threading.Barrier(crowd)

        def take(_number: int) -> int:
            start.wait()
            return any_database.run(lambda session: next_number(session, "a"), actor="test")

        with ThreadPoolExecutor(crowd) as threads:
            assert sorted(threads.map(take, range(crowd))) == list(range(1, crowd + 1))

    def test_ordinals_go_on_after_the_counter_and_rise(self, any_database: Database) -> None:
        any_database.run(lambda session: next_number(session, "orders:2025", step=40), actor="test")

        def draw(session: Session) -> list[int]:
            return [*next_ordinals(session, "orders:2025"), *next_ordinals(session, "orders:2025", count=3)]

        assert any_database.run(draw, actor="test") == [41, 42, 43, 44]
        assert any_database.run(lambda session: next_ordinals(session, "orders:2026"), actor="test") == [1]

    def test_two_open_transactions_draw_ordinals_without_waiting(self, pg_database: Database) -> None:
        pg_database.run(lambda session: next_ordinals(session, "orders:2025"), actor="test")
        with pg_database.unit_of_work(actor="a") as one, pg_database.unit_of_work(actor="b") as other:
            one.execute(text("SET LOCAL lock_timeout = '100ms'"))
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            drawn = [next_ordinals(one, "orders:2025"), next_ordinals(other, "orders:2025")]
        assert drawn == [[2], [3]]

    def test_many_first_ordinals_at_once_make_one_series(self, pg_database: Database) -> None:
        crowd = 8
        start = threading.Barrier(crowd)

        def draw(_number: int) -> list[int]:
            start.wait()
            return pg_database.run(lambda session: next_ordinals(session, "orders:2025"), actor="test")

        with ThreadPoolExecutor(crowd) as threads:
            drawn = [number for numbers in threads.map(draw, range(crowd)) for number in numbers]
        assert sorted(drawn) == list(range(1, crowd + 1))


class TestTogether:
    def test_all_statements_of_the_block_are_done(self, any_database: Database) -> None:
        with any_database.unit_of_work(actor="test") as session, together(session):
            for series in ("a", "b"):
                session.connection().execute(insert_into(session, Counter).values(series=series, value=7).inline())
        with any_database.read() as session:
            assert session.scalars(select(Counter.value)).all() == [7, 7]
        assert [entry.actor for entry in entries(any_database)] == ["test", "test"]

    def test_an_error_is_the_databases_own_and_nothing_stays(self, any_database: Database) -> None:
        def write_twice(session: Session) -> None:
            twin = insert_into(session, Counter).values(series="a", value=7).inline()
            with together(session):
                session.connection().execute(twin)
                session.connection().execute(twin)

        with pytest.raises(IntegrityError):
            any_database.run(write_twice, actor="test")
        assert entries(any_database) == []
        assert any_database.run(lambda session: next_number(session, "a"), actor="test") == 1


def test_a_connection_that_died_while_it_rested_is_replaced(
    pg_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the server at night: the first request of the morning must not fail."""
    monkeypatch.setattr("transactional.core.db._RESTED_SECONDS", 0.0)
    with pg_database.read() as session:
        session.execute(select(1))
    with pg_database.engine.connect() as mine:
        mine.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                          " AND datname = current_database()"))  # fmt: skip
        with pg_database.read() as session:
            assert session.scalar(select(1)) == 1


class TestTypes:
    @pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
    def test_a_moment_comes_back_in_utc(self, any_database: Database, zone: timezone) -> None:
        moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=zone)
        user_id = register(any_database)
        with any_database.unit_of_work(actor="test") as session:
            session.get_one(User, user_id).created_at = moment
        with any_database.read() as session:
            found = session.get_one(User, user_id).created_at
        assert found == moment
        assert found.utcoffset() == timedelta(0)

    def test_a_moment_without_zone_is_refused(self, database: Database) -> None:
        user_id = register(database)
        with pytest.raises(StatementError, match="naive"), database.unit_of_work(actor="test") as session:
            session.get_one(User, user_id).created_at = datetime(2026, 3, 29)  # noqa: DTZ001  what is refused

    def test_foreign_keys_hold(self, any_database: Database) -> None:
        statement: Any = text(
            "INSERT INTO user_roles (user_id, role_id, granted_by, granted_at) VALUES (7, 7, 'x', :t)"
        )
        with pytest.raises(IntegrityError), any_database.unit_of_work(actor="test") as session:
            session.execute(statement, {"t": any_database.clock.now()})
