"""`python -m transactional verify-orders`: is every order what its history says?"""

import argparse
from datetime import timedelta

from transactional.commands import open_database, say
from transactional.orders.verification import open_differences, verify_orders

_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--days", type=int, default=None, metavar="N", help="only orders with a step within the last N days"
    )


def run(args: argparse.Namespace) -> int:
    """Check, tell, and give 1 where an order differs."""
    database = open_database()
    since = None if args.days is None else database.clock.now() - timedelta(days=args.days)
    result = verify_orders(database, changed_since=since)
    say(f"{result.checked} orders compared with their histories, {result.taken_in} taken in from elsewhere")
    if not result.differing:
        say("every one is what its history says")
        return 0
    say(f"{len(result.differing)} differ")
    with database.read() as session:
        for alert in open_differences(session, limit=_SHOWN):
            say(f"order {alert.order_id}: {alert.field} should be {alert.expected}, is {alert.found}")
    return 1
