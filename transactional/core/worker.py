"""The worker: drains the outbox and runs the periodic jobs, in a thread of the API or as a process of its own."""

import threading

import structlog

from transactional.core import outbox
from transactional.core.jobs import Timetable
from transactional.core.uow import Database

log = structlog.stdlib.get_logger("transactional.worker")

_PAUSE_SECONDS = 1.0


class Worker:
    """One loop. Several may run at once: messages are claimed, jobs are idempotent."""

    def __init__(self, database: Database, *, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._database = database
        self._pause = pause_seconds
        self._timetable = Timetable()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, *, patience_seconds: float = 10.0) -> None:
        """Ask the loop to end and wait for the round under way. A message cut off half-way is done again later."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(patience_seconds)

    def run(self) -> None:
        """Work until told to stop."""
        log.info("worker started")
        while not self._stopping.is_set():
            self.round()
            self._stopping.wait(self._pause)
        log.info("worker stopped")

    def round(self) -> None:
        """One turn: the jobs that are due, then the outbox. No error ends the worker: it logs and goes on."""
        for job in self._timetable.due(self._database.clock.now()):
            try:
                job.work(self._database)
            except Exception:
                log.exception("job failed", job=job.name)
        try:
            outbox.drain(self._database)
        except Exception:
            log.exception("outbox round failed")
