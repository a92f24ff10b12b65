"""`python -m transactional supplier-feed FILE`: take in what a supplier says to have in stock."""

import argparse
from pathlib import Path

from sqlalchemy.orm import Session

from transactional.commands import CommandError, open_database, say
from transactional.core.errors import ShopError
from transactional.suppliers import service
from transactional.suppliers.service import Feed, SupplierFeed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .csv or .json file")
    parser.add_argument("--supplier", metavar="CODE", help="the supplier's code, where the file does not name it")
    parser.add_argument("--as-of", metavar="MOMENT", help="the supplier's time of the figures, ISO 8601 with time zone")


def run(args: argparse.Namespace) -> int:
    """Read the whole file, then write it in one transaction. Raises CommandError; nothing is changed then."""
    try:
        feed = _read(args)
        code = args.supplier or feed.supplier
        if code is None:
            raise CommandError("say whose feed this is: --supplier CODE")
        database = open_database()

        def work(session: Session) -> SupplierFeed:
            supplier = service.supplier_by_code(session, code)
            return service.import_feed(session, supplier_id=supplier.id, feed=feed, now=database.clock.now())

        record = database.run(work, actor="command-line")
    except ShopError as error:
        raise CommandError(f"{args.file}: {error.detail}") from error
    say(f"{record.applied} of {record.items} taken, {record.outdated} outdated, {record.unknown} unknown")
    return 0


def _read(args: argparse.Namespace) -> Feed:
    moment = service.parse_moment(args.as_of, "--as-of") if args.as_of else None
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file} cannot be read: {error.strerror}") from error
    match args.file.suffix.lower():
        case ".csv":
            return service.read_csv(content, as_of=moment)
        case ".json":
            return service.read_json(content, as_of=moment)
        case other:
            raise CommandError(f"{args.file}: a feed is a .csv or .json file, not {other or 'one without an ending'}")
