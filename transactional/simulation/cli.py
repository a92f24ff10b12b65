"""`python -m transactional simulate`: a shop that trades by itself, through its services or set by set."""

import argparse
import json
import sys
import time
from datetime import UTC, date, datetime

from sqlalchemy import func, select

from transactional import tables
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.schema import migrate
from transactional.settings import get_settings
from transactional.simulation.bulk import run_bulk
from transactional.simulation.calendar import FIRST_YEAR, LAST_YEAR
from transactional.simulation.run import Plan, Simulation
from transactional.simulation.truth import write_truth

_DEFAULT_END = "2026-06-30"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--customers", type=int, default=300, help="how many shoppers (default 300)")
    parser.add_argument("--days", type=int, default=730, help="how many days of trade (default 730)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same trade (default 7)")
    parser.add_argument(
        "--end", type=date.fromisoformat, default=_DEFAULT_END, help=f"last day (default {_DEFAULT_END})"
    )
    parser.add_argument("--database", default=None, help="URL; the shop's own database by default")
    parser.add_argument("--bulk", action="store_true", help="set-based inserts, for benchmarks")
    parser.add_argument("--orders", type=int, default=100_000, help="with --bulk: how many orders (default 100,000)")


def run(args: argparse.Namespace) -> int:
    """Do it; exit code 2 for a plan that makes no sense or a shop that trades already."""
    settings = get_settings()
    url = args.database or settings.database_url
    end = args.end if isinstance(args.end, date) else date.fromisoformat(args.end)
    plan = Plan(customers=args.customers, days=args.days, seed=args.seed, end=end)
    problem = _problem(plan, args)
    if problem:
        sys.stderr.write(f"simulate: {problem}\n")
        return 2
    engine = make_engine(url)
    migrate(engine)
    clock = ManualClock(datetime(end.year, end.month, end.day, tzinfo=UTC))
    database = Database(engine, clock)
    if _trades_already(database):
        sys.stderr.write("simulate: this shop has products or orders already; a simulation needs an empty one\n")
        return 2
    started = time.monotonic()
    if args.bulk:
        report = run_bulk(url, orders=args.orders, seed=args.seed)
    else:
        simulation = Simulation(database, clock, settings, plan)
        simulation.run(lambda day: sys.stderr.write(f"  {day:%B %Y}\n"))
        write_truth(simulation, settings.var / "simulation" / "truth.json")
        report = dict(sorted(simulation.tally.items()))
    seconds = round(time.monotonic() - started, 1)
    engine.dispose()
    sys.stdout.write(json.dumps({**report, "seconds": seconds}, indent=2) + "\n")
    return 0


def _problem(plan: Plan, args: argparse.Namespace) -> str | None:
    if plan.customers < 1 or plan.days < 1 or args.orders < 1:
        return "--customers, --days and --orders must be at least 1"
    if not FIRST_YEAR <= plan.first.year <= plan.end.year <= LAST_YEAR:
        return f"the days must lie between {FIRST_YEAR} and {LAST_YEAR}: movable feasts are known for these years"
    return None


def _trades_already(database: Database) -> bool:
    with database.read() as session:
        return any(
            session.scalar(select(func.count()).select_from(tables.metadata.tables[name]))
            for name in ("products", "orders")
        )
