"""`python -m pipelines refresh | train | status | rollback | query`."""

import argparse
import sys
from collections.abc import Sequence

from pipelines.errors import PipelineError


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    refresh = commands.add_parser("refresh", help="bring what the shop changed into the published figures")
    _add_refresh_options(refresh)
    train = commands.add_parser("train", help="train the models on the published figures")
    train.add_argument("--refresh", action="store_true", help="then refresh, so that predictions reach the marts")
    commands.add_parser("status", help="what is published, kept and was refused")
    rollback = commands.add_parser("rollback", help="let readers follow the build before")
    rollback.add_argument("--to", metavar="BUILD_ID", help="go back to this build instead")
    query = commands.add_parser("query", help="read the published snapshot by SQL")
    query.add_argument("sql", help='e.g. "SELECT * FROM marts.sales_by_period LIMIT 5"')
    query.add_argument("--format", choices=("table", "csv", "json"), default="table")
    return root


def _add_refresh_options(refresh: argparse.ArgumentParser) -> None:
    refresh.add_argument("--full", action="store_true", help="copy every table of the shop anew")
    refresh.add_argument(
        "--reconcile", action="store_true", help="compare whole tables with the shop, not only changes"
    )
    refresh.add_argument("--as-of", metavar="TIME", help="the UTC moment that the figures shall speak for")
    refresh.add_argument("--accept-drift", action="store_true", help="publish although far fewer rows are left")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked; 0 when it is done, 1 when it could not be, 2 when it was asked wrongly."""
    asked = parser().parse_args(arguments)
    try:
        return _do(asked)
    except PipelineError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1


def _do(asked: argparse.Namespace) -> int:
    # Each command loads only what it needs: Dagster alone takes seconds.
    if asked.command == "query":
        from pipelines.reading import query  # noqa: PLC0415

        sys.stdout.write(query(asked.sql, asked.format))
        return 0
    if asked.command in {"status", "rollback"}:
        from pipelines import reading  # noqa: PLC0415

        text = reading.status() if asked.command == "status" else reading.rollback(asked.to)
        sys.stdout.write(text)
        return 0
    from pipelines import headless  # noqa: PLC0415

    if asked.command == "train":
        last = headless.train(then_refresh=asked.refresh)
    else:
        last = headless.refresh(
            full=asked.full, reconcile=asked.reconcile, as_of=asked.as_of, accept_drift=asked.accept_drift
        )
    sys.stdout.write(last + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
