"""Killing a process at its n-th step: before every SQL statement, before every commit, before and after gateway calls.

The victim is a fork with connections of its own, killed by SIGKILL: nothing of it is cleaned up, its open transaction
is rolled back by the server that finds the connection gone.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, event, text

from transactional.core.uow import Database
from transactional.payments import service as payments
from transactional.payments.service import PaymentGateway

VICTIM = "victim"
"""The application name under which the server knows the victim's connections."""

_PATIENCE_SECONDS = 60


class Fuse:
    """Burns one step at a time; the n-th kills the process."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def burn(self, *_event: Any, **_more: Any) -> None:
        """One step nearer to the end."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class FusedGateway:
    """A gateway whose every call is two steps: before it is sent, and after its answer has come."""

    def __init__(self, gateway: PaymentGateway, fuse: Fuse) -> None:
        self._gateway, self._fuse = gateway, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.burn()
            answer = found(*args, **kwargs)
            self._fuse.burn()
            return answer

        return call


def killed_at(step: int, operation: Callable[[], object], *, database: Database, gateway: PaymentGateway) -> bool:
    """Run an operation in a fork that dies at its n-th step; False when it ended before that step.

    Raises AssertionError when the operation failed by itself.
    """
    victim = multiprocessing.get_context("fork").Process(target=_live, args=(step, operation, database, gateway))
    victim.start()
    victim.join(_PATIENCE_SECONDS)
    assert victim.exitcode is not None, "the operation hangs"
    assert victim.exitcode in (0, -signal.SIGKILL), f"the operation failed by itself: {victim.exitcode}"
    return victim.exitcode != 0


def _live(step: int, operation: Callable[[], object], database: Database, gateway: PaymentGateway) -> None:
    gc.disable()
    database.engine.dispose(close=False)  # the parent's connections are not this process's to use
    fuse = Fuse(step)
    event.listen(database.engine, "before_cursor_execute", fuse.burn)
    event.listen(database.engine, "commit", fuse.burn)
    with payments.gateway_in_use(FusedGateway(gateway, fuse)):  # delegates by name
        operation()
    os._exit(0)


def bury(pg_url: str) -> None:
    """Wait until the server has noticed the victims' deaths and rolled them back."""
    engine = create_engine(pg_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = :name"),
            {"name": VICTIM},
        )
    engine.dispose()
