"""Rows that are not trade, kept as they stood."""

import polars as pl

from transactional.importing.bulk import BulkWriter
from transactional.importing.reading import COLUMNS, ROW_NUMBER


def insert_quarantine(writer: BulkWriter, rows: pl.DataFrame, *, run_id: int) -> int:
    """Keep every row that has a reason, with its place in the file; gives how many."""
    kept = rows.filter(pl.col("reason").is_not_null())
    writer.insert(
        "import_quarantine",
        kept.select(
            pl.lit(run_id, dtype=pl.Int64).alias("run_id"),
            ROW_NUMBER,
            "row_class",
            pl.col("reason").str.slice(0, 200),
            "amount_minor",
            pl.struct("sheet", *COLUMNS).struct.json_encode().alias("raw"),
        ),
    )
    return kept.height
