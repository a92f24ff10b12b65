"""Reading files of the form of UCI Online Retail (II) for the `or-*` protocols.

Chen, D. (2019), Online Retail II, UCI Machine Learning Repository, CC BY 4.0. The files come as .xlsx, .csv
or .parquet, in two spellings of the column names, with dates as text or timestamps; all are understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl


class InputError(Exception):
    """A file cannot be read as what the protocol needs; the message says which file and why."""


# Each column under all its spellings, compared in lower case without blanks and underscores.
_SPELLINGS = {
    "invoice": {"invoice", "invoiceno"},
    "code": {"stockcode"},
    "description": {"description"},
    "quantity": {"quantity"},
    "at": {"invoicedate"},
    "price": {"price", "unitprice"},
    "customer_id": {"customerid"},
    "country": {"country"},
}
_DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M",
)  # fmt: skip


@dataclass(frozen=True)
class OnlineRetail:
    """Cleaned lines with integer ids, and what the integers stand for.

    lines  order_id, customer_id, product_id, placed_at, quantity, price, net_amount; one row a line
    items  product_id, code
    names  product_id, placed_at, name, price: every listing, in time order
    counts rows before and after cleaning, for the report
    """

    lines: pl.DataFrame
    items: pl.DataFrame
    names: pl.DataFrame
    counts: dict[str, int | float]

    def purchases(self) -> pl.DataFrame:
        """One row an order: customer_id, order_id, placed_at, net_merchandise."""
        return (
            self.lines.group_by("order_id")
            .agg(
                pl.col("customer_id").first(),
                pl.col("placed_at").min(),
                pl.col("net_amount").sum().alias("net_merchandise"),
            )
            .sort("order_id")
        )


def load(paths: Sequence[Path]) -> OnlineRetail:
    """Read the files, keep each invoice from the first file that has it, and clean as the protocols demand.

    Cleaning: exact duplicate rows are dropped; kept are invoices that do not start with C, with quantity > 0,
    price > 0, a known customer, and a code (trimmed, upper case) of five digits and up to two letters.
    """
    raw = _without_repeated_invoices([_read(path) for path in paths])
    cleaned = _clean(raw)
    if cleaned.is_empty():
        raise InputError(f"{', '.join(map(str, paths))}: no line survives the cleaning")
    lines = cleaned.select(
        (pl.col("invoice").rank("dense").cast(pl.Int64)).alias("order_id"),
        "customer_id",
        (pl.col("code").rank("dense").cast(pl.Int64)).alias("product_id"),
        pl.col("at").alias("placed_at"),
        "quantity",
        "price",
        (pl.col("quantity") * pl.col("price")).alias("net_amount"),
        "code",
        pl.col("description").alias("name"),
    )
    counts: dict[str, int | float] = {
        "rows": raw.height,
        "lines": lines.height,
        "items": lines["product_id"].n_unique(),
        "customers": lines["customer_id"].n_unique(),
        "invoices": lines["order_id"].n_unique(),
        "amount": round(float(lines["net_amount"].sum()), 2),
        "customer_item_pairs": lines.select("customer_id", "product_id").unique().height,
    }
    return OnlineRetail(
        lines=lines.drop("code", "name"),
        items=lines.select("product_id", "code").unique().sort("product_id"),
        names=lines.select("product_id", "placed_at", "name", "price").sort("placed_at", "product_id"),
        counts=counts,
    )


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        frames = _raw_frames(path)
    except Exception as error:
        raise InputError(f"{path}: cannot be read as {path.suffix or 'a table'}: {error}") from error
    return pl.concat([_typed(frame, path) for frame in frames])


def _raw_frames(path: Path) -> list[pl.DataFrame]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return [pl.read_parquet(path)]
    if suffix in {".xlsx", ".xls"}:
        book = fastexcel.read_excel(path)
        return [book.load_sheet(name, dtypes="string").to_polars() for name in book.sheet_names]
    return [pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")]


def _typed(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    found = {column.lower().replace(" ", "").replace("_", "").lstrip("\ufeff"): column for column in frame.columns}
    chosen = {name: next((found[s] for s in spellings if s in found), None) for name, spellings in _SPELLINGS.items()}
    missing = [name for name, column in chosen.items() if column is None]
    if missing:
        raise InputError(f"{path}: lacks the column(s) for {', '.join(missing)}")
    renamed = frame.select(pl.col(str(column)).alias(name) for name, column in chosen.items())
    return renamed.select(
        pl.col("invoice").cast(pl.String).str.strip_chars().str.strip_suffix(".0"),
        pl.col("code").cast(pl.String).str.strip_chars().str.to_uppercase(),
        pl.col("description").cast(pl.String).str.strip_chars(),
        pl.col("quantity").cast(pl.Float64, strict=False),
        _moments(renamed["at"], path).alias("at"),
        pl.col("price").cast(pl.Float64, strict=False),
        pl.col("customer_id").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
        pl.col("country").cast(pl.String),
    )


def _moments(column: pl.Series, path: Path) -> pl.Series:
    if column.dtype.is_temporal():
        return column.cast(pl.Datetime("us"))
    text = column.cast(pl.String)
    # The first form that reads every date; day first comes before month first, which a day above 12 rules
    # out.
    for form in _DATE_FORMATS:
        parsed = text.str.to_datetime(form, strict=False, time_unit="us")
        if parsed.null_count() == text.null_count():
            return parsed
    raise InputError(f"{path}: invoice dates are in no known form, such as {text.drop_nulls().head(1).to_list()}")


def _without_repeated_invoices(frames: list[pl.DataFrame]) -> pl.DataFrame:
    kept: list[pl.DataFrame] = []
    for frame in frames:
        fresh = frame
        for earlier in kept:
            fresh = fresh.join(earlier.select("invoice").unique(), on="invoice", how="anti")
        kept.append(fresh)
    return pl.concat(kept)


def _clean(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.unique(maintain_order=True).filter(
        ~pl.col("invoice").str.starts_with("C"),
        pl.col("quantity") > 0,
        pl.col("price") > 0,
        pl.col("customer_id").is_not_null(),
        pl.col("at").is_not_null(),
        pl.col("code").str.contains(r"^\d{5}[A-Z]{0,2}$"),
    )
