"""Work that returns: every domain registers what must be done now and then, the worker does it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from transactional.core.uow import Database

Work = Callable[[Database], object]
"""Does one round in its own units of work. Must be idempotent: two workers may do it at the same time."""


@dataclass(frozen=True, slots=True)
class Job:
    """A named piece of work and how often it is due."""

    name: str
    interval: timedelta
    work: Work


_jobs: dict[str, Job] = {}


def every(interval: timedelta, *, name: str) -> Callable[[Work], Work]:
    """Register a job: `@every(timedelta(minutes=1), name="orders.expire_unpaid")`."""

    def register(work: Work) -> Work:
        if name in _jobs:
            raise ValueError(f"a job named {name!r} is registered already")
        if interval <= timedelta(0):
            raise ValueError(f"the job {name!r} needs a positive interval")
        _jobs[name] = Job(name, interval, work)
        return work

    return register


def registered() -> list[Job]:
    """Every job, by name."""
    return [_jobs[name] for name in sorted(_jobs)]


@dataclass(slots=True)
class Timetable:
    """Which jobs are due, by the shop's clock. Every job is due at once when a worker starts."""

    jobs: list[Job] = field(default_factory=registered)
    _last: dict[str, datetime] = field(default_factory=dict)

    def due(self, now: datetime) -> Iterator[Job]:
        """The jobs that are due; each is taken as done when it is given out, so that a failing one does not storm."""
        for job in self.jobs:
            last = self._last.get(job.name)
            if last is None or now - last >= job.interval:
                self._last[job.name] = now
                yield job


def run_all(database: Database) -> None:
    """Do every registered job once, in order of name: for simulations and tests."""
    for job in registered():
        job.work(database)
