"""`python -m transactional reconcile-payments`: compare the books with the gateway's, now."""

import argparse
from datetime import UTC, datetime, timedelta

from transactional.commands import CommandError, open_database, say
from transactional.payments.gateway import GatewayError
from transactional.payments.polling import LATE_WINDOW
from transactional.payments.provider import current_gateway
from transactional.payments.reconciliation import ReconciliationReport, reconcile
from transactional.wiring import wire


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--since", type=_moment, help=f"begin of the time span, ISO 8601 (default: {LATE_WINDOW.days} days before)"
    )
    parser.add_argument("--until", type=_moment, help="its end (default: now)")


def _moment(text: str) -> datetime:
    """A moment; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 date or time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def run(args: argparse.Namespace) -> int:
    """Compare and tell; exit code 1 when something differs. Raises CommandError when the gateway does not answer."""
    wire()
    database = open_database()
    until = args.until or database.clock.now()
    since = args.since or until - timedelta(days=LATE_WINDOW.days)
    if since >= until:
        raise CommandError(f"--since {since.isoformat()} is not before --until {until.isoformat()}")
    try:
        report = reconcile(database, current_gateway(), since=since, until=until)
    except GatewayError as error:
        raise CommandError(f"the payment gateway could not be asked to the end: {error}") from error
    _tell(report)
    return 1 if report.differences else 0


def _tell(report: ReconciliationReport) -> None:
    say(
        f"run {report.run_id}: {report.payments} payments and {report.refunds} refunds compared,"
        f" {report.polled.changed} changes taken in, {len(report.differences)} differences"
    )
    for each in report.differences:
        say(f"  {each.kind} of {each.reference}: ours {each.ours_minor}, theirs {each.theirs_minor} {each.currency}")
