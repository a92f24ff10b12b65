"""Every row lands in exactly one class; the first rule that matches wins."""

from enum import StrEnum

import polars as pl


class RowClass(StrEnum):
    """What a row of the file is."""

    ADJUSTMENT = "adjustment"
    STOCK_ADJUSTMENT = "stock_adjustment"
    FEE = "fee"
    DISCOUNT = "discount"
    SHIPPING = "shipping"
    RETURN = "return"
    MERCHANDISE = "merchandise"
    MALFORMED = "malformed"


_ADJUSTMENT_CODES = ("M", "ADJUST", "ADJUST2", "B", "S", "PADS", "TEST001", "TEST002")
_FEE_CODES = ("BANK CHARGES", "AMAZONFEE", "CRUK")
_DISCOUNT_CODE = "D"
_SHIPPING_CODES = ("POST", "DOT", "C2", "C3")

_NEEDED = (
    ("ref", "invoice", "no invoice number", "the invoice number is too long"),
    ("code", "stock_code", "no stock code", "the stock code is too long"),
    ("moment", "invoice_date", "no date", "unreadable date"),
    ("units", "quantity", "no quantity", "the quantity is not a whole number within bounds"),
    ("price_micros", "price", "no price", "the price is not a number within bounds"),
)
"""What every row must have: the parsed column, the cell it comes from, why it is null."""


def classify(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `row_class`, and `reason` where the row can become no trade, to the rows of `parsing.parse`."""
    price, units = pl.col("price_value"), pl.col("units")
    credit_note = pl.col("ref").str.starts_with("C")
    readable = pl.all_horizontal(pl.col(column).is_not_null() for column, *_ in _NEEDED)
    adjustment = pl.col("ref").str.starts_with("A") | (pl.col("code").is_in(_ADJUSTMENT_CODES) & (price != 0))
    row_class = (
        pl.when(~readable)
        .then(pl.lit(RowClass.MALFORMED.value))
        .when(adjustment)
        .then(pl.lit(RowClass.ADJUSTMENT.value))
        .when(price == 0)
        .then(pl.lit(RowClass.STOCK_ADJUSTMENT.value))
        .when(pl.col("code").is_in(_FEE_CODES))
        .then(pl.lit(RowClass.FEE.value))
        .when(pl.col("code") == _DISCOUNT_CODE)
        .then(pl.lit(RowClass.DISCOUNT.value))
        .when(pl.col("code").is_in(_SHIPPING_CODES))
        .then(pl.lit(RowClass.SHIPPING.value))
        .when(credit_note & (units < 0))
        .then(pl.lit(RowClass.RETURN.value))
        .when((units > 0) & (price > 0) & ~credit_note)
        .then(pl.lit(RowClass.MERCHANDISE.value))
        .otherwise(pl.lit(RowClass.MALFORMED.value))
    )
    classified = rows.with_columns(row_class.alias("row_class"))
    ordered = _mark_orders(classified)
    return ordered.with_columns(_reason(credit_note).alias("reason"))


def _mark_orders(rows: pl.DataFrame) -> pl.DataFrame:
    """`on_order`: the invoice has at least one merchandise row, which alone makes it an order."""
    merchandise = rows.filter(pl.col("row_class") == RowClass.MERCHANDISE.value)
    return rows.with_columns(
        pl.col("ref").is_in(merchandise["ref"].unique().implode()).fill_null(False).alias("on_order")
    )


def _reason(credit_note: pl.Expr) -> pl.Expr:
    """Why a row goes to the quarantine; null for what the shop's own tables take."""
    is_class = {member: pl.col("row_class") == member.value for member in RowClass}
    amount = pl.col("amount_minor")
    return (
        pl.when(is_class[RowClass.MALFORMED])
        .then(_why_malformed())
        .when(is_class[RowClass.ADJUSTMENT])
        .then(pl.format("bookkeeping adjustment ({})", pl.col("code")))
        .when(is_class[RowClass.FEE])
        .then(pl.format("fee ({})", pl.col("code")))
        .when(is_class[RowClass.STOCK_ADJUSTMENT] & (pl.col("units") == 0))
        .then(pl.lit("a stock movement of no units"))
        .when(is_class[RowClass.RETURN] & (amount > 0))
        .then(pl.lit("a return that would charge the customer"))
        .when(is_class[RowClass.SHIPPING] & ~pl.col("on_order") & ~credit_note)
        .then(pl.lit("shipping on an invoice without merchandise"))
        .when(is_class[RowClass.SHIPPING] & pl.col("on_order") & (amount < 0))
        .then(pl.lit("a negative shipping charge on an order"))
        .when(is_class[RowClass.DISCOUNT] | is_class[RowClass.SHIPPING])
        .then(pl.when(amount == 0).then(pl.lit("an amount that rounds to nothing")))
    )


def _why_malformed() -> pl.Expr:
    reasons = [
        pl.when(pl.col(column).is_null()).then(
            pl.when(pl.col(cell).is_null()).then(pl.lit(absent)).otherwise(pl.lit(unreadable))
        )
        for column, cell, absent, unreadable in _NEEDED
    ]
    return pl.coalesce(*reasons, pl.lit("neither sale nor return by the signs of its quantity, price and invoice"))
