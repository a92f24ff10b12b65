"""`python -m transactional simulate`: a shop with customers and a past, out of nothing but a seed."""

import argparse
import gc
import os
import sys
import time
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path

from sqlalchemy.engine import make_url

from transactional.commands import CommandError, say
from transactional.core.db import make_engine
from transactional.core.errors import InvalidInput
from transactional.core.logging import configure_logging
from transactional.core.uow import Database
from transactional.schema import migrate
from transactional.settings import Settings, get_settings
from transactional.simulation.bulk import BulkPlan, write_history
from transactional.simulation.trading import Plan, ShopNotEmpty, simulate
from transactional.simulation.truth import write_truth
from transactional.simulation.world import ADMIN_EMAIL, ANALYST_EMAIL

DEMO_PASSWORD = "gift-wrapped-in-paper"  # noqa: S105  published on purpose: it opens made-up shops only
PASSWORD_VARIABLE = "MLT_DEMO_PASSWORD"  # noqa: S105  the name of a variable, not a password
_DAY_ENDS = time_of_day(18, 30)
"""Midnight in India."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = "Let a made-up shop trade: the same seed gives the same history."
    parser.add_argument("--customers", type=_positive, default=300)
    parser.add_argument("--days", type=_positive, default=730)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--end", type=date.fromisoformat, default=date(2026, 6, 30), metavar="DATE", help="last day (%(default)s)"
    )
    parser.add_argument("--database", metavar="URL", help="the shop's database; by default DATABASE_URL or var/shop.db")
    parser.add_argument(
        "--password",
        help=f"of the shop's admin, analyst and shoppers; else ${PASSWORD_VARIABLE}, else {DEMO_PASSWORD!r}",
    )
    parser.add_argument("--bulk", action="store_true", help="write the history in bulk, for benchmarks")
    parser.add_argument("--orders", type=_positive, help="with --bulk: how many (default: 2 a customer and year)")


def run(args: argparse.Namespace) -> int:
    """Simulate; 0 when done. Raises CommandError for a shop that is not empty or a password that is too short."""
    settings = get_settings()
    url = args.database or settings.database_url
    engine = make_engine(url)
    # Millions of short-lived objects, hardly a cycle among them: looking for cycles often costs a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    began = time.monotonic()
    try:
        migrate(engine)
        database = Database(engine)
        if args.bulk:
            _run_bulk(database, args, settings)
        else:
            _run_services(database, args, settings, url)
    except ShopNotEmpty as error:
        raise CommandError(str(error)) from error
    except InvalidInput as error:
        raise CommandError(error.detail) from error
    finally:
        engine.dispose()
    say(f"Done in {time.monotonic() - began:.0f} s.")
    return 0


def _run_services(database: Database, args: argparse.Namespace, settings: Settings, url: str) -> None:
    configure_logging(level="CRITICAL")  # made-up trouble is no news to whoever runs the command
    password = args.password or os.environ.get(PASSWORD_VARIABLE) or DEMO_PASSWORD
    plan = Plan(customers=args.customers, days=args.days, seed=args.seed, end=_end(args.end))
    counts, truth = simulate(database, plan, settings=settings, password=password, progress=_tell)
    path = truth_path(settings, url)
    write_truth(path, truth)
    say("; ".join(f"{number:,} {what}" for what, number in counts.items()))
    say(f"What the shoppers really like: {path}")
    say(f"Log in as {ADMIN_EMAIL} or {ANALYST_EMAIL}" + _hint(password))


def _run_bulk(database: Database, args: argparse.Namespace, settings: Settings) -> None:
    orders = args.orders or max(1, round(args.customers * 2 * args.days / 365))
    plan = BulkPlan(orders=orders, customers=args.customers, days=args.days, seed=args.seed, end=_end(args.end))
    written = write_history(database, plan, settings=settings, progress=_tell)
    say("; ".join(f"{number:,} {table}" for table, number in written.items()))


def truth_path(settings: Settings, url: str) -> Path:
    """`var/simulation/truth.json` for the shop of the settings, else beside the SQLite file."""
    parsed = make_url(url)
    own = url == settings.database_url or parsed.get_backend_name() != "sqlite" or not parsed.database
    folder = settings.var if own else Path(str(parsed.database)).resolve().parent
    return folder / "simulation" / "truth.json"


def _end(day: date) -> datetime:
    return datetime.combine(day, _DAY_ENDS, tzinfo=UTC)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _hint(password: str) -> str:
    return f" with the demo password {DEMO_PASSWORD!r}" if password == DEMO_PASSWORD else ""


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number
