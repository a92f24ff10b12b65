"""One import: read and judge every file first, then write all of them in one transaction, or nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional import tables
from transactional.core.uow import Database
from transactional.importing import giving_back, proof, report, stock, trade
from transactional.importing.bulk import BulkWriter
from transactional.importing.catalogue import bring_in
from transactional.importing.classify import classify
from transactional.importing.currency import FILE_CURRENCY, Conversion, settle_currency
from transactional.importing.parsing import parse
from transactional.importing.quarantine import insert_quarantine
from transactional.importing.reading import COLUMNS, read_file
from transactional.inventory.service import default_location

SOURCE = "online_retail"


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file whose every row has its class, and whose classes sum to the file.

    `rows` are those of all its sheets, with `sheet` (a number) and `key`: what an invoice is known by.
    """

    path: Path
    sha256: str
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class FileShare:
    """A file and those of its rows that the shop does not have yet."""

    file: JudgedFile
    fresh: pl.DataFrame


def judge(path: Path, *, time_zone: str) -> JudgedFile:
    """Read, parse and classify a file. Raises ImportRefused; touches no database."""
    source = read_file(path)
    sheets = []
    for number, sheet in enumerate(source.sheets, start=1):
        rows = _with_keys(classify(parse(sheet.rows, time_zone=time_zone)))
        report.check_balance(sheet.label, rows)
        sheets.append(rows.with_columns(pl.lit(number, dtype=pl.Int32).alias("sheet")))
    return JudgedFile(path=path, sha256=source.sha256, rows=pl.concat(sheets))


def import_files(
    database: Database,
    files: Sequence[JudgedFile],
    *,
    time_zone: str,
    shop_name: str,
    rate: Decimal | None = None,
) -> dict[str, Any]:
    """Bring the files into the shop in one transaction and give the report.

    An invoice that an earlier import, file or sheet brought in is left out whole. Raises ImportRefused when the shop's
    currency forbids it, or when what was written does not sum to what was read.
    """
    with database.unit_of_work(actor="import") as session:
        shares = _only_new(session, files)
        fresh = pl.concat([share.fresh for share in shares])
        if fresh.is_empty():
            return _report(shares, {})
        first = _first_moment(fresh, database)
        money = settle_currency(session, rate=rate, time_zone=time_zone, shop_name=shop_name, first=first)
        writer = BulkWriter(session)
        result = _report(shares, _write_trade(session, writer, fresh, money))
        _record_runs(writer, shares, result, now=database.clock.now())
        writer.finish()
        return result


def _with_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """`key`: the invoice, or for a row without one its content and how often that occurred before in the sheet."""
    nameless = rows.filter(pl.col("ref").is_null())
    if nameless.is_empty():
        return rows.with_columns(pl.col("ref").alias("key"))
    seen: dict[str, int] = {}
    keys = []
    for cells in nameless.select(COLUMNS).iter_rows():
        content = hashlib.sha256(orjson.dumps(cells)).hexdigest()[:40]
        seen[content] = seen.get(content, 0) + 1
        keys.append(f"row:{content}:{seen[content]}")
    numbered = nameless.select("row_number").with_columns(pl.Series("row_key", keys, dtype=pl.String))
    joined = rows.join(numbered, on="row_number", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("ref", "row_key").alias("key")).drop("row_key")


def _only_new(session: Session, files: Sequence[JudgedFile]) -> list[FileShare]:
    """The first sheet that names an invoice has it whole; `seq` numbers the new rows over all files."""
    table = tables.metadata.tables["imported_invoices"]
    known: set[str] = set(session.scalars(select(table.c.invoice).where(table.c.source == SOURCE)))
    shares, counted = [], 0
    for file in files:
        parts = []
        for sheet in file.rows.partition_by("sheet", maintain_order=True):
            taken = pl.DataFrame({"key": sorted(known)}, schema={"key": pl.String})
            part = sheet.join(taken, on="key", how="anti", maintain_order="left")
            known.update(part["key"].unique())
            parts.append(part)
        fresh = pl.concat(parts)
        numbers = pl.int_range(counted, counted + pl.len(), dtype=pl.Int64)
        shares.append(FileShare(file, fresh.with_columns(numbers.alias("seq"))))
        counted += fresh.height
    return shares


def _write_trade(session: Session, writer: BulkWriter, rows: pl.DataFrame, money: Conversion) -> dict[str, Any]:
    """Write everything but the record of the import itself; gives what was booked, read back from the database."""
    marks = proof.mark(writer)
    location_id = default_location(session).id
    party = bring_in(session, writer, rows, source=SOURCE, money=money)
    orders = trade.orders_of(writer, rows, party, money)
    lines = trade.lines_of(writer, rows, orders, party, money)
    returned = giving_back.match(session, rows, lines, source=SOURCE, money=money)
    trade.insert_orders(writer, orders, source=SOURCE, money=money)
    trade.insert_lines(writer, lines, returned.per_line(), location_id=location_id)
    payments = trade.insert_payments(writer, orders, returned.per_order(), source=SOURCE, money=money)
    earlier = giving_back.settle_earlier(session, returned, first_new_order=marks.first["orders"])
    return_lines = giving_back.insert_returns(
        writer, returned, party, pl.concat([payments, earlier]), source=SOURCE, money=money
    )
    giving_back.insert_credits(writer, rows, orders, party, source=SOURCE, money=money)
    stock.insert_returned_units(writer, return_lines, location_id=location_id)
    stock.insert_adjustments(writer, rows, party, location_id=location_id)
    stock.raise_levels(session, first_movement=marks.first["stock_movements"], location_id=location_id)
    return proof.prove(session, marks, rows, money)


def _report(shares: Sequence[FileShare], booked: dict[str, Any]) -> dict[str, Any]:
    """Figures of each file and of all together; `classes` counts what the files hold, `imported` what was new."""
    held = pl.concat([share.file.rows for share in shares])
    taken = pl.concat([share.fresh for share in shares])
    return {
        "source": SOURCE,
        "currency": FILE_CURRENCY,
        "files": [_file_report(share) for share in shares],
        "total": report.figures(held).as_json(),
        "classes": report.classes_json(report.by_class(held)),
        "imported": {
            "total": report.figures(taken).as_json(),
            "classes": report.classes_json(report.by_class(taken)),
        },
        "booked": booked,
    }


def _file_report(share: FileShare) -> dict[str, Any]:
    rows = share.file.rows
    return {
        "file": str(share.file.path),
        "sha256": share.file.sha256,
        **report.file_profile(rows),
        "quarantined_rows": rows["reason"].drop_nulls().len(),
        "already_imported_rows": rows.height - share.fresh.height,
        "already_imported_invoices": rows["key"].n_unique() - share.fresh["key"].n_unique(),
        "classes": report.classes_json(report.by_class(rows)),
        "imported": report.classes_json(report.by_class(share.fresh)),
    }


def _record_runs(writer: BulkWriter, shares: Sequence[FileShare], result: dict[str, Any], *, now: datetime) -> None:
    """Leave the run, its invoices and its quarantine beside the trade; a file without news leaves nothing."""
    for share, file_report in zip(shares, result["files"], strict=True):
        if share.fresh.is_empty():
            continue
        run_id = writer.reserve("import_runs", 1)
        run = {
            "id": run_id,
            "source": SOURCE,
            "file_name": share.file.path.name[:255],
            "file_sha256": share.file.sha256,
            "report": orjson.dumps(file_report | {"booked_with_all_files": result["booked"]}).decode(),
            "finished_at": now.astimezone(UTC).replace(tzinfo=None),
        }
        writer.insert("import_runs", pl.DataFrame([run]))
        invoices = share.fresh.select(pl.col("key").alias("invoice")).unique(maintain_order=True)
        writer.insert(
            "imported_invoices",
            invoices.with_columns(pl.lit(run_id, dtype=pl.Int64).alias("run_id"), pl.lit(SOURCE).alias("source")),
        )
        insert_quarantine(writer, share.fresh, run_id=run_id)


def _first_moment(rows: pl.DataFrame, database: Database) -> datetime:
    first = rows["moment"].drop_nulls().min()
    return first.replace(tzinfo=UTC) if isinstance(first, datetime) else database.clock.now()
