"""Runs whose process was killed: their claims on Dagster's pools would otherwise hold up every later run for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pipelines.progress import say
from pipelines.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

TAG = {"mlt/headless": "true"}
"""Marks the runs of the command line; those of `dagster dev` are watched by its own daemon."""


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Hold the command line's turn; the operating system gives it back when a process is killed."""
    lock = FileLock(settings.dagster_home / "headless.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("start", "another run is going on; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def bury(instance: "DagsterInstance") -> int:
    """Mark the command line's unfinished runs as failed and free what they claimed; gives their number.

    Call it while holding `one_at_a_time`: whoever began those runs is then gone.
    """
    from dagster import DagsterRunStatus, RunsFilter  # noqa: PLC0415  importing Dagster takes seconds

    unfinished = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    dead = instance.get_runs(RunsFilter(tags=TAG, statuses=unfinished))
    for run in dead:
        instance.report_run_failed(run, "The process of this run ended without a word.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        say("start", f"run {run.run_id[:8]} had been cut off; its place is free again")
    return len(dead)
