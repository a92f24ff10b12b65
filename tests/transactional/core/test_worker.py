"""The worker, its jobs, and the outbox that it drains."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional import wiring
from transactional.core import jobs, outbox
from transactional.core.clock import ManualClock
from transactional.core.jobs import Job, Timetable
from transactional.core.models import OutboxMessage, OutboxState
from transactional.core.uow import Database
from transactional.core.worker import Worker


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> dict[str, outbox.Handler]:
    """A registry of its own for each test."""
    registry: dict[str, outbox.Handler] = {}
    monkeypatch.setattr(outbox, "_handlers", registry)
    monkeypatch.setattr(outbox, "_followers", {})
    return registry


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    registered: dict[str, Job] = {}
    monkeypatch.setattr(jobs, "_jobs", registered)
    return registered


def publish(database: Database, key: str, *, topic: str = "greet", due_in: timedelta = timedelta(0)) -> bool:
    now = database.clock.now()
    with database.unit_of_work(actor="test") as session:
        return outbox.publish(session, topic, {"key": key}, dedup_key=key, now=now, due_at=now + due_in)


def messages(database: Database) -> list[OutboxMessage]:
    with database.read() as session:
        return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


class TestOutbox:
    def test_a_message_is_done_once(self, any_database: Database, handlers: dict[str, outbox.Handler]) -> None:
        done: list[str] = []
        outbox.handles("greet")(lambda _database, payload: done.append(payload["key"]))
        assert publish(any_database, "a")
        assert not publish(any_database, "a")  # the same thing, published by a retry
        assert publish(any_database, "b")
        assert outbox.drain(any_database) == 2
        assert outbox.drain(any_database) == 0
        assert done == ["a", "b"]
        assert {message.state for message in messages(any_database)} == {OutboxState.DONE}

    def test_a_worker_may_keep_to_some_topics(
        self, any_database: Database, handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []
        for topic in ("greet", "wave"):
            outbox.handles(topic)(lambda _database, payload: done.append(payload["key"]))
        for key, topic in (("a", "greet"), ("b", "wave"), ("c", "greet")):
            publish(any_database, key, topic=topic)
        assert outbox.drain(any_database, topics=["wave"]) == 1
        assert outbox.drain(any_database, topics=["nobody knows it"]) == 0
        assert done == ["b"]
        assert outbox.drain(any_database) == 2
        assert done == ["b", "a", "c"]

    def test_a_rolled_back_message_was_never_there(
        self, database: Database, handlers: dict[str, outbox.Handler]
    ) -> None:
        def work(session: Session) -> None:
            outbox.publish(session, "greet", {}, dedup_key="a", now=database.clock.now())
            raise RuntimeError("the order failed")

        with pytest.raises(RuntimeError):
            database.run(work, actor="test")
        assert messages(database) == []

    def test_a_message_waits_for_its_time(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        outbox.handles("greet")(lambda _database, _payload: None)
        publish(database, "later", due_in=timedelta(hours=1))
        assert outbox.drain(database) == 0
        clock.advance(timedelta(hours=1))
        assert outbox.drain(database) == 1

    def test_a_failing_message_is_tried_again_later_and_given_up_loudly(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        tries: list[int] = []

        @outbox.handles("greet")
        def fail(_database: Database, _payload: dict[str, Any]) -> None:
            tries.append(1)
            raise ConnectionError("the gateway does not answer")

        publish(database, "a")
        outbox.drain(database)
        outbox.drain(database)
        assert len(tries) == 1  # not again at once
        for _ in range(outbox.MAX_ATTEMPTS + 3):
            clock.advance(timedelta(hours=2))
            outbox.drain(database)
        (message,) = messages(database)
        assert len(tries) == message.attempts == outbox.MAX_ATTEMPTS
        assert message.state is OutboxState.FAILED
        assert message.last_error == "ConnectionError: the gateway does not answer"

    def test_one_failing_message_does_not_hold_up_the_others(
        self, database: Database, handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []

        @outbox.handles("greet")
        def sometimes(_database: Database, payload: dict[str, Any]) -> None:
            if payload["key"] == "bad":
                raise ValueError("bad")
            done.append(payload["key"])

        for key in ("bad", "good", "better"):
            publish(database, key)
        outbox.drain(database)
        assert done == ["good", "better"]

    def test_a_topic_without_handler_is_kept_and_named(
        self, database: Database, handlers: dict[str, outbox.Handler]
    ) -> None:
        publish(database, "a", topic="nobody")
        outbox.drain(database)
        (message,) = messages(database)
        assert message.state is OutboxState.PENDING
        assert "no handler for topic 'nobody'" in str(message.last_error)

    def test_a_worker_that_died_leaves_the_message_to_another(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []

        class Killed(BaseException):
            """Not an Exception: nothing catches it, as nothing catches SIGKILL."""

        @outbox.handles("greet")
        def die_once(_database: Database, payload: dict[str, Any]) -> None:
            if not done:
                done.append("died")
                raise Killed
            done.append(payload["key"])

        publish(database, "a")
        with pytest.raises(Killed):
            outbox.drain(database)
        assert outbox.drain(database) == 0  # still the dead worker's
        clock.advance(timedelta(minutes=2))
        assert outbox.drain(database) == 1
        assert done == ["died", "a"]

    def test_two_handlers_of_one_topic_are_a_mistake(self, handlers: dict[str, outbox.Handler]) -> None:
        outbox.handles("greet")(lambda _database, _payload: None)
        with pytest.raises(ValueError, match="greet"):
            outbox.handles("greet")(lambda _database, _payload: None)

    def test_followers_act_after_the_handler_and_a_failing_one_repeats_the_message(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []

        @outbox.follows("greet")
        def late(_database: Database, payload: dict[str, Any]) -> None:
            done.append(f"follower {payload['key']}")
            if len(done) == 2:
                raise RuntimeError("not yet")

        outbox.handles("greet")(lambda _database, payload: done.append(payload["key"]))
        publish(database, "a")
        outbox.drain(database)
        assert messages(database)[0].state is OutboxState.PENDING
        clock.advance(timedelta(minutes=1))
        outbox.drain(database)
        assert done == ["a", "follower a", "a", "follower a"]
        assert messages(database)[0].state is OutboxState.DONE

    @pytest.mark.parametrize("kind", ["database", pytest.param("pg_database", marks=pytest.mark.postgres)])
    def test_many_workers_do_each_message_once(
        self, kind: str, request: pytest.FixtureRequest, handlers: dict[str, outbox.Handler]
    ) -> None:
        database: Database = request.getfixturevalue(kind)
        done: list[str] = []
        outbox.handles("greet")(lambda _database, payload: done.append(payload["key"]))
        keys = [f"m{n}" for n in range(40)]
        for key in keys:
            publish(database, key)
        start = threading.Barrier(4)

        def work(_number: int) -> int:
            start.wait()
            return outbox.drain(database)

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(work, range(4))) == len(keys)
        assert sorted(done) == sorted(keys)

    def test_what_a_slow_message_leaves_no_time_for_is_given_back(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        """Several are claimed at once; the lease of the last must not end while the first is being done."""
        done: list[str] = []

        @outbox.handles("greet")
        def slow(_database: Database, payload: dict[str, Any]) -> None:
            if not done:
                clock.advance(timedelta(minutes=1))
            done.append(payload["key"])
            if done == ["a"]:
                assert [m.claimed_until is None for m in messages(database)] == [False, False, False]

        for key in "abc":
            publish(database, key)
        assert outbox.drain(database, limit=3) == 3
        assert done == ["a", "b", "c"]
        assert [message.attempts for message in messages(database)] == [1, 1, 1]

    def test_a_batch_that_dies_half_way_repeats_only_what_was_not_finished(
        self, database: Database, clock: ManualClock, handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []

        @outbox.handles("greet")
        def die_at_b(_database: Database, payload: dict[str, Any]) -> None:
            done.append(payload["key"])
            if done == ["a", "b"]:
                raise KeyboardInterrupt

        for key in "abc":
            publish(database, key)
        with pytest.raises(KeyboardInterrupt):
            outbox.drain(database)
        assert outbox.drain(database) == 1  # c was given back at once; b is still the dead worker's
        clock.advance(timedelta(minutes=2))
        assert outbox.drain(database) == 1
        assert done == ["a", "b", "c", "b"]


class TestJobs:
    def test_a_job_is_due_at_once_and_then_by_its_interval(self, clock: ManualClock, registry: dict[str, Job]) -> None:
        jobs.every(timedelta(minutes=5), name="sweep")(lambda _database: None)
        timetable = Timetable()
        assert [job.name for job in timetable.due(clock.now())] == ["sweep"]
        assert list(timetable.due(clock.advance(timedelta(minutes=4, seconds=59)))) == []
        assert [job.name for job in timetable.due(clock.advance(timedelta(seconds=1)))] == ["sweep"]

    def test_names_and_intervals_are_checked(self, registry: dict[str, Job]) -> None:
        jobs.every(timedelta(minutes=5), name="sweep")(lambda _database: None)
        with pytest.raises(ValueError, match="sweep"):
            jobs.every(timedelta(minutes=5), name="sweep")(lambda _database: None)
        with pytest.raises(ValueError, match="interval"):
            jobs.every(timedelta(0), name="never")(lambda _database: None)

    def test_all_jobs_can_be_done_once(self, database: Database, registry: dict[str, Job]) -> None:
        done: list[str] = []
        jobs.every(timedelta(minutes=5), name="b")(lambda _database: done.append("b"))
        jobs.every(timedelta(minutes=1), name="a")(lambda _database: done.append("a"))
        jobs.run_all(database)
        assert done == ["a", "b"]


class TestWorker:
    def test_a_round_does_jobs_and_messages_and_survives_both(
        self, database: Database, registry: dict[str, Job], handlers: dict[str, outbox.Handler]
    ) -> None:
        done: list[str] = []

        @jobs.every(timedelta(minutes=1), name="a.broken")
        def broken(_database: Database) -> None:
            raise RuntimeError("broken")

        jobs.every(timedelta(minutes=1), name="b.fine")(lambda _database: done.append("job"))
        outbox.handles("greet")(lambda _database, payload: done.append(payload["key"]))
        publish(database, "message")
        Worker(database).round()
        assert done == ["job", "message"]

    def test_a_round_survives_a_database_that_is_gone(
        self, database: Database, registry: dict[str, Job], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(_database: Database) -> int:
            raise ConnectionError("gone")

        monkeypatch.setattr(outbox, "drain", gone)
        Worker(database).round()

    def test_it_runs_in_a_thread_until_it_is_stopped(
        self, database: Database, registry: dict[str, Job], handlers: dict[str, outbox.Handler]
    ) -> None:
        seen = threading.Event()
        outbox.handles("greet")(lambda _database, _payload: seen.set())
        publish(database, "a")
        worker = Worker(database, pause_seconds=0.01)
        worker.start()
        assert seen.wait(10)
        worker.stop()
        assert not any(thread.name == "worker" and thread.is_alive() for thread in threading.enumerate())
        assert messages(database)[0].state is OutboxState.DONE


def test_everything_that_registers_itself_can_be_wired_twice() -> None:
    wiring.wire()
    wiring.wire()
    names = [job.name for job in jobs.registered()]
    assert "core.purge_idempotency_keys" in names
    assert names == sorted(names)
