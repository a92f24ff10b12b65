"""From text to values: dates in any of the usual spellings, whole quantities, prices to a millionth of the major unit.

What cannot be read becomes null; `classify` says what that means for the row.
"""

import polars as pl

_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d")
_DAY_FIRST_FORMATS = tuple(
    f"%d{sep}%m{sep}%{year} {time}".strip() for sep in "/.-" for year in "Yy" for time in ("%H:%M:%S", "%H:%M", "")
)
_MONTH_FIRST_FORMATS = tuple(f.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m") for f in _DAY_FIRST_FORMATS)
_OFFSET = r"[+-]\d{2}:\d{2}$"

MICROS = 1_000_000
_LARGEST = 1e9
"""No quantity and no price of a gift shop is a thousand millions; beyond it, 64-bit sums would be in danger."""
_LARGEST_AMOUNT = 9e12


def parse(rows: pl.DataFrame, *, time_zone: str) -> pl.DataFrame:
    """Add to the text columns of `reading`:

    `ref` (invoice, trimmed, upper case), `code` (stock code, likewise), `name` (description with single spaces),
    `units` (Int64), `price_value` (Float64, only for comparisons), `price_micros` and `amount_micros` (Int64, exact
    millionths), `amount_minor` (Int64, the line rounded to the penny once, half away from zero), `moment` (UTC,
    without zone), `customer` and `land`. Times of the file are the wall clock of `time_zone`.
    """
    quantity = _number("quantity")
    price = _number("price")
    typed = rows.with_columns(
        _identifier("invoice", longest=32).alias("ref"),
        _identifier("stock_code", longest=64).alias("code"),
        pl.col("description").str.strip_chars().str.replace_all(r"\s+", " ").alias("name"),
        pl.when(quantity == quantity.round()).then(quantity).cast(pl.Int64).alias("units"),
        price.alias("price_value"),
        (price * MICROS).round().cast(pl.Int64).alias("price_micros"),
        _identifier("customer_id", longest=64).alias("customer"),
        pl.col("country").str.strip_chars().alias("land"),
    )
    typed = typed.with_columns(_moments(rows["invoice_date"], time_zone).alias("moment"))
    within = (pl.col("units") * pl.col("price_value")).abs() <= _LARGEST_AMOUNT
    typed = typed.with_columns(
        pl.when(within).then(pl.col("price_value")).alias("price_value"),
        pl.when(within).then(pl.col("price_micros")).alias("price_micros"),
    )
    exact = pl.col("units") * pl.col("price_micros")
    return typed.with_columns(exact.alias("amount_micros"), to_minor(exact).alias("amount_minor"))


def to_minor(micros: pl.Expr) -> pl.Expr:
    """Millionths of the major unit to hundredths, half away from zero."""
    return micros.sign() * ((micros.abs() + 5_000) // 10_000)


def _identifier(column: str, *, longest: int) -> pl.Expr:
    """Trimmed, upper case; `489434.0`, a number that passed through a spreadsheet, is `489434`."""
    text = pl.col(column).str.strip_chars().str.to_uppercase().str.replace(r"^(\d+)\.0+$", "$1")
    return pl.when((text != "") & (text.str.len_chars() <= longest)).then(text)


def _number(column: str) -> pl.Expr:
    value = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite() & (value.abs() <= _LARGEST)).then(value)


def _moments(texts: pl.Series, time_zone: str) -> pl.Series:
    """Wall-clock texts to UTC.

    Slashed dates are day-first, unless only the month-first reading makes sense of the whole column (one of the older
    files is written so).
    """
    trimmed = texts.str.strip_chars()
    unique = trimmed.unique().drop_nulls()
    day_first = _read_dates(unique, (*_ISO_FORMATS, *_DAY_FIRST_FORMATS))
    chosen = day_first
    if day_first.null_count():
        month_first = _read_dates(unique, (*_ISO_FORMATS, *_MONTH_FIRST_FORMATS))
        if not month_first.null_count():
            chosen = month_first
    local = chosen.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    utc = local.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    known = pl.DataFrame({"text": unique, "moment": utc.fill_null(_with_offset(unique))})
    return pl.DataFrame({"text": trimmed}).join(known, on="text", how="left", maintain_order="left")["moment"]


def _read_dates(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    values = pl.Series([None] * texts.len(), dtype=pl.Datetime("us"))
    for pattern in formats:
        if not values.null_count():
            break
        values = values.fill_null(_parsed(texts, pattern))
    return values


def _parsed(texts: pl.Series, pattern: str) -> pl.Series:
    if "%H" in pattern:
        values = texts.str.to_datetime(pattern, strict=False, exact=True, time_unit="us")
    else:
        values = texts.str.to_date(pattern, strict=False, exact=True).cast(pl.Datetime("us"))
    # `%Y` reads "10" as the year 10; such a text is left for the pattern with a two-digit year.
    plausible = values.dt.year().is_between(1970, 2200).fill_null(False)
    return values.set(~plausible, None)


def _with_offset(texts: pl.Series) -> pl.Series:
    """Times that carry their own offset need no zone of ours."""
    offsets = texts.str.contains(_OFFSET)
    if not offsets.any():
        return pl.Series([None] * texts.len(), dtype=pl.Datetime("us"))
    parsed = texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", strict=False, time_unit="us", time_zone="UTC")
    return parsed.dt.replace_time_zone(None)
