"""The commands that keep running: the API, the worker; and the one that prepares the database."""

import argparse
import signal
import types

import structlog
import uvicorn

from transactional import wiring
from transactional.app import create_app
from transactional.commands import open_database, say
from transactional.core.db import make_engine
from transactional.core.logging import configure_logging
from transactional.core.worker import Worker
from transactional.schema import migrate
from transactional.settings import get_settings

log = structlog.stdlib.get_logger("transactional.server")


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """What `serve` takes."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes a free one")


def run_serve(args: argparse.Namespace) -> int:
    """Serve the API until it is told to stop. A SQLite database is brought to the present schema first."""
    open_database().engine.dispose()
    # The request log is our own middleware's: it carries the request id and never the query.
    uvicorn.run(create_app(), host=args.host, port=args.port, access_log=False, log_level="info")
    return 0


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
