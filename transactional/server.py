"""The commands that keep running: the API, the worker; and the one that prepares the database."""

import argparse
import gc
import os
import signal
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI

from transactional import wiring
from transactional.app import create_app
from transactional.commands import open_database, say
from transactional.core.db import make_engine
from transactional.core.logging import configure_logging
from transactional.core.worker import Worker
from transactional.schema import migrate
from transactional.settings import get_settings

log = structlog.stdlib.get_logger("transactional.server")

_GRACE_SECONDS = 5


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """What `serve` takes."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one")
    parser.add_argument("--workers", type=_positive, default=1, help="processes that answer, one a core (default: 1)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def run_serve(args: argparse.Namespace) -> int:
    """Serve the API until it is told to stop. A SQLite database is brought to the present schema first."""
    open_database().engine.dispose()
    # The request log is our own middleware's: it carries the request id and never the query.
    options: dict[str, Any] = {
        "host": args.host,
        "port": args.port,
        "access_log": False,
        "log_level": "info",
        # Open event streams end by themselves after minutes only; they must not keep the server from stopping.
        "timeout_graceful_shutdown": _GRACE_SECONDS,
    }
    if args.workers == 1:
        uvicorn.run(quiet_app(), **options)
    else:
        with _one_worker_for_all():
            uvicorn.run("transactional.server:quiet_app", factory=True, workers=args.workers, **options)
    return 0


def quiet_app() -> FastAPI:
    """The app, built once for the life of its process: the garbage collector need not look at it over and over."""
    app = create_app()
    gc.collect()
    gc.freeze()
    # A request allocates thousands of objects that die with it; by default the young ones are searched every 700.
    gc.set_threshold(20_000, 20, 50)
    return app


@contextmanager
def _one_worker_for_all() -> Iterator[None]:
    """With several processes that answer, their parent does the outbox, if the settings want it done here at all."""
    settings = get_settings()
    if not settings.worker_in_process:
        yield
        return
    configure_logging(level=settings.log_level, json=settings.log_json)
    wiring.wire()
    os.environ["MLT_WORKER_IN_PROCESS"] = "false"  # the processes to come read their settings from there
    worker = Worker(open_database())
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def add_worker_arguments(_parser: argparse.ArgumentParser) -> None:
    """`worker` takes nothing."""


def run_worker(_args: argparse.Namespace) -> int:
    """Drain the outbox and do the periodic jobs until SIGTERM or Ctrl-C; the round under way is finished."""
    settings = get_settings()
    configure_logging(level=settings.log_level, json=settings.log_json)
    wiring.wire()
    worker = Worker(open_database())

    def stop(_signal: int, _frame: types.FrameType | None) -> None:
        worker.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    worker.run()
    return 0


def add_migrate_arguments(parser: argparse.ArgumentParser) -> None:
    """What `migrate` takes."""
    parser.add_argument("--revision", default="head", help="the revision to go up to (default: head)")


def run_migrate(args: argparse.Namespace) -> int:
    """Bring the database of the settings to a revision."""
    engine = make_engine(get_settings().database_url)
    migrate(engine, args.revision)
    say(f"{engine.url.render_as_string(hide_password=True)} is at {args.revision}")
    return 0
