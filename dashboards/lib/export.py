"""Tables on their way out: CSV that opens safely in a spreadsheet and says which build it comes from."""

import polars as pl

from dashboards.lib.published import Build

_FORMULA_STARTS = r"^[=+\-@\t\r]"


def neutralise(table: pl.DataFrame) -> pl.DataFrame:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    return table.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA_STARTS)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in texts
    )


def to_csv(table: pl.DataFrame) -> bytes:
    """UTF-8 with a byte-order mark, which is what Excel needs to read ₹ and Devanagari."""
    flat = table.with_columns(
        pl.col(name).list.join("; ") for name, kind in table.schema.items() if kind == pl.List(pl.String)
    )
    return b"\xef\xbb\xbf" + neutralise(flat).write_csv().encode()


def file_name(name: str, build: Build, extension: str = "csv") -> str:
    """`name`, the day the data speaks for and the build: two exports of different builds never look alike."""
    return f"{name}_{build.as_of:%Y-%m-%d}_{build.build_id}.{extension}"
