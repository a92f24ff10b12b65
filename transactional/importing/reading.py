"""Any of the shapes that Online Retail comes in, as frames of text with one set of column names.

Nothing is interpreted here: a cell stays what it was in the file, so that the quarantine can show it. Row numbers count
as a reader of the file sees them: the header of a sheet or text file is row 1; a Parquet file has no header row.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import fastexcel
import polars as pl

from transactional.importing.errors import ImportRefused

ROW_NUMBER = "row_number"
COLUMNS = (
    "invoice",
    "stock_code",
    "description",
    "quantity",
    "invoice_date",
    "price",
    "customer_id",
    "country",
)
_SPELLINGS = {
    "invoice": "invoice",
    "invoiceno": "invoice",
    "stockcode": "stock_code",
    "description": "description",
    "quantity": "quantity",
    "invoicedate": "invoice_date",
    "price": "price",
    "unitprice": "price",
    "customerid": "customer_id",
    "country": "country",
}
_CHUNK = 50_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file. `label` names it for people; `rows` has `row_number` and `COLUMNS`, all text."""

    label: str
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that could be read: its name, what proves its content, and its tables in order."""

    path: Path
    sha256: str
    sheets: tuple[Sheet, ...]


def read_file(path: Path) -> SourceFile:
    """Read an .xlsx, .csv or .parquet file.

    Raises ImportRefused when it is absent, a directory, empty, damaged, cut off, or lacks one of the columns.
    """
    if path.is_dir():
        raise ImportRefused(f"{path} is a directory, not a file")
    if not path.is_file():
        raise ImportRefused(f"{path} does not exist")
    if path.stat().st_size == 0:
        raise ImportRefused(f"{path} is empty")
    content = path.read_bytes()
    sheets = tuple(sheet for sheet in _sheets(path, content) if sheet.rows.height)
    if not sheets:
        raise ImportRefused(f"{path} has a header but no rows")
    return SourceFile(path=path, sha256=hashlib.sha256(content).hexdigest(), sheets=sheets)


def _sheets(path: Path, content: bytes) -> Iterator[Sheet]:
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"} or content.startswith(b"PK\x03\x04"):
        return _read_workbook(path)
    if suffix in {".parquet", ".pq"} or content.startswith(b"PAR1"):
        return _read_parquet(path, content)
    return _read_csv(path, content)


def _read_workbook(path: Path) -> Iterator[Sheet]:
    try:
        workbook = fastexcel.read_excel(path)
        tables = [(name, workbook.load_sheet(name, dtypes="string").to_polars()) for name in workbook.sheet_names]
    except fastexcel.FastExcelError as error:
        raise ImportRefused(f"{path} cannot be read as an Excel workbook: {_first_line(error)}") from error
    filled = [(name, table) for name, table in tables if table.width]
    if not filled:
        raise ImportRefused(f"{path} is a workbook without any filled sheet")
    for name, table in filled:
        label = f"{path} (sheet {name!r})"
        yield Sheet(label, _normalised(label, table, table.columns, first_row=2))


def _read_parquet(path: Path, content: bytes) -> Iterator[Sheet]:
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ImportRefused(f"{path} cannot be read as a Parquet file: {_first_line(error)}") from error
    yield Sheet(str(path), _normalised(str(path), table, table.columns, first_row=1))


def _read_csv(path: Path, content: bytes) -> Iterator[Sheet]:
    text = _decoded(content)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _column_places(str(path), header)
        table, last = _csv_records(reader, len(header))
    except csv.Error as error:
        raise ImportRefused(f"{path}, line {reader.line_num}: {error}; the file may be cut off or not a CSV") from error
    rows = _normalised(str(path), table, header, first_row=2)
    _refuse_cut_off(path, text, header, last, rows)
    yield Sheet(str(path), rows)


def _csv_records(reader: Iterator[list[str]], width: int) -> tuple[pl.DataFrame, list[str]]:
    """All records as text, and the last one that is not blank, as it stood."""
    chunks: list[pl.DataFrame] = []
    last: list[str] = []
    schema = {f"column_{i}": pl.String() for i in range(width)}
    while records := list(islice(reader, _CHUNK)):
        last = next((record for record in reversed(records) if record), last)
        chunks.append(pl.DataFrame([_fitted(record, width) for record in records], schema=schema, orient="row"))
    return pl.concat(chunks) if chunks else pl.DataFrame(schema=schema), last


def _fitted(record: list[str], width: int) -> list[str] | list[str | None]:
    """A record of the right width; what is missing is empty, and so is what cannot be placed."""
    if len(record) == width:
        return record
    if len(record) > width:
        # One separator too many: nobody knows which cell belongs where. The first two go to the quarantine.
        return [*record[:2], *[None] * (width - 2)]
    return [*record, *[None] * (width - len(record))]


def _refuse_cut_off(path: Path, text: str, header: Sequence[str], last: Sequence[str], rows: pl.DataFrame) -> None:
    """A file that ends inside a row: cells are missing, or its last cell is only the beginning of another one.

    A complete last row without a line break after it is fine: many programs write that.
    """
    cut = 0 < len(last) < len(header)
    if len(last) == len(header) and _key(header[-1]) == "country" and not text.endswith(("\n", "\r")):
        countries = rows["country"].head(rows.height - 1).drop_nulls().unique().to_list()
        cut = last[-1] not in countries and any(country.startswith(last[-1]) for country in countries)
    if cut:
        raise ImportRefused(
            f"{path} ends in the middle of row {rows.height + 1}: {len(last)} of {len(header)} cells,"
            f" the last one {last[-1][:60]!r}"
        )


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # every byte is a character: the pound sign of British files survives


def _key(name: str) -> str:
    return name.strip().lower().replace(" ", "").replace("_", "")


def _column_places(label: str, names: Sequence[str]) -> dict[str, int]:
    """Where each of our columns stands. Raises ImportRefused when one is missing or there twice."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        column = _SPELLINGS.get(_key(name))
        if column in found:
            raise ImportRefused(f"{label} has two columns for {column}: {names[found[column]]!r} and {name!r}")
        if column:
            found[column] = place
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        seen = ", ".join(repr(name[:40]) for name in names[:12]) or "nothing"
        raise ImportRefused(f"{label} is not Online Retail: no column for {', '.join(missing)}; found {seen}")
    return found


def _normalised(label: str, table: pl.DataFrame, names: Sequence[str], *, first_row: int) -> pl.DataFrame:
    """Our column names, text cells, row numbers. A row without any cell (as at the end of many sheets) is no row."""
    places = _column_places(label, names)
    try:
        cells = table.select([_as_text(table.to_series(places[column])).alias(column) for column in COLUMNS])
    except pl.exceptions.PolarsError as error:
        raise ImportRefused(
            f"{label} holds cells that are neither text, number nor date: {_first_line(error)}"
        ) from error
    numbered = cells.with_row_index(ROW_NUMBER, offset=first_row).with_columns(pl.col(ROW_NUMBER).cast(pl.Int64))
    return numbered.filter(pl.any_horizontal(pl.col(COLUMNS).is_not_null()))


def _as_text(cells: pl.Series) -> pl.Expr:
    column, dtype = pl.lit(cells), cells.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        column = column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%d %H:%M:%S%.6f%:z")
    elif dtype.is_float():
        column = column.fill_nan(None).cast(pl.String)
    else:
        column = column.cast(pl.String)
    # NUL is no character of any text that PostgreSQL would keep.
    text = column.str.replace_all("\x00", "", literal=True)
    return pl.when(text.str.strip_chars() == "").then(None).otherwise(text)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
