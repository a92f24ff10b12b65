"""`python -m transactional import-online-retail FILE [FILE …]`."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from transactional.core.db import make_engine
from transactional.core.uow import Database
from transactional.importing.errors import ImportRefused
from transactional.importing.load import import_files, judge
from transactional.schema import migrate
from transactional.settings import get_settings

REFUSED = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = "Bring the history of an Online Retail file into the shop."
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".xlsx, .csv or .parquet")
    parser.add_argument("--database", metavar="URL", help="the shop's database; by default DATABASE_URL or var/shop.db")
    parser.add_argument("--report", type=Path, metavar="JSON", help="write the report to this file as well")
    parser.add_argument(
        "--rate", type=_rate, help="units of the shop's base currency for one pound, where the shop trades in another"
    )
    parser.add_argument(
        "--time-zone", type=_zone, default="Europe/London", help="the zone of the file's times (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Import; 0 when done, 2 with the reason on standard error when refused. A refusal leaves the shop as it was."""
    settings = get_settings()
    try:
        files = [judge(path, time_zone=args.time_zone) for path in args.files]
        engine = make_engine(args.database or settings.database_url)
        try:
            migrate(engine)
            result = import_files(
                Database(engine),
                files,
                time_zone=args.time_zone,
                shop_name=settings.shop_name,
                rate=args.rate,
            )
        finally:
            engine.dispose()
    except ImportRefused as refusal:
        return _refuse(str(refusal))
    except (SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
        return _refuse(f"the database refused: {str(error).splitlines()[0]}")
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        args.report.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(describe(result) + "\n")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The command by itself."""
    parser = argparse.ArgumentParser(prog="import-online-retail")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def describe(result: dict[str, Any]) -> str:
    """The report for people."""
    lines = []
    for file in result["files"]:
        lines += [
            _headline(file),
            _span(file),
            "",
            f"  {'class':<18}{'rows':>10}{'invoices':>10}{'customers':>11}{'units':>14}{'amount':>18}",
            *[_class_line(name, figures) for name, figures in file["classes"].items()],
            _class_line("all", file),
            "",
        ]
    lines.append(_booked_line(result["booked"]) if result["booked"] else "Nothing new: the shop is as it was.")
    return "\n".join(lines)


def _headline(file: dict[str, Any]) -> str:
    return (
        f"{file['file']}: {file['rows']:,} rows, {file['invoices']:,} invoices, {file['customers']:,} customers,"
        f" {file['stock_codes']:,} stock codes, {file['countries']} countries"
    )


def _span(file: dict[str, Any]) -> str:
    return (
        f"  {file['first']} to {file['last']}; {file['exact_duplicate_rows']:,} exact duplicate rows (kept);"
        f" {file['already_imported_invoices']:,} invoices were here already"
    )


def _class_line(name: str, figures: dict[str, Any]) -> str:
    return (
        f"  {name:<18}{figures['rows']:>10,}{figures['invoices']:>10,}{figures['customers']:>11,}"
        f"{figures['units']:>14,}{figures['amount']:>18,.2f}"
    )


def _booked_line(booked: dict[str, Any]) -> str:
    return (
        f"Booked in {booked['currency']}: {booked['orders']:,} orders ({booked['guest_orders']:,} of guests),"
        f" gross merchandise {booked['gross_merchandise']:,.2f}, returned {booked['returned']:,.2f},"
        f" discounts {booked['discounts']:,.2f}, shipping {booked['shipping_charged']:,.2f}"
        f" less {booked['shipping_refunded']:,.2f} refunded."
    )


def _refuse(reason: str) -> int:
    sys.stderr.write(f"import-online-retail: {reason}\n")
    return REFUSED


def _rate(text: str) -> Decimal:
    try:
        rate = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not (rate.is_finite() and 0 < rate < 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive rate")
    return rate


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time zone") from error
    return text


if __name__ == "__main__":
    raise SystemExit(main())
