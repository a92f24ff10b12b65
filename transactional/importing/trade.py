"""Orders, their lines, payments and sale movements from merchandise and shipping rows."""

import secrets

import polars as pl

from transactional.importing import ledger
from transactional.importing.bulk import BulkWriter
from transactional.importing.catalogue import Party
from transactional.importing.classify import RowClass
from transactional.importing.currency import FILE_CURRENCY, Conversion

GATEWAY = "import"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def public_ids(prefix: str, count: int) -> list[str]:
    """Random public ids like those of `core.ids`, made from one draw of randomness."""
    draw = secrets.token_bytes(26 * count)
    texts = "".join(_ALPHABET[byte & 31] for byte in draw)
    return [f"{prefix}_{texts[i * 26 : (i + 1) * 26]}" for i in range(count)]


def orders_of(writer: BulkWriter, rows: pl.DataFrame, party: Party, money: Conversion) -> pl.DataFrame:
    """An order for every invoice with merchandise, numbered in the order of time.

    Columns: order_id, ref, customer, customer_id, land, placed_at, gross_minor, shipping_minor, total_minor,
    original_total_minor.
    """
    own = rows.filter(pl.col("on_order") & pl.col("reason").is_null())
    goods, freight = _class(own, RowClass.MERCHANDISE), _class(own, RowClass.SHIPPING)
    sums = goods.group_by("ref").agg(
        pl.col("moment").min().alias("placed_at"),
        pl.col("customer").drop_nulls().first(),
        pl.col("land").drop_nulls().first(),
        money.minor(pl.col("amount_minor")).sum().alias("gross_minor"),
        pl.col("amount_minor").sum().alias("original_gross"),
    )
    shipping = freight.group_by("ref").agg(
        money.minor(pl.col("amount_minor")).sum().alias("shipping_minor"),
        pl.col("amount_minor").sum().alias("original_shipping"),
    )
    joined = sums.join(shipping, on="ref", how="left").with_columns(
        pl.col("shipping_minor", "original_shipping").fill_null(0)
    )
    joined = joined.join(party.customers, on="customer", how="left").sort("placed_at", "ref")
    return (
        writer.numbered("orders", joined)
        .rename({"id": "order_id"})
        .with_columns(
            (pl.col("gross_minor") + pl.col("shipping_minor")).alias("total_minor"),
            (pl.col("original_gross") + pl.col("original_shipping")).alias("original_total_minor"),
        )
    )


def lines_of(
    writer: BulkWriter, rows: pl.DataFrame, orders: pl.DataFrame, party: Party, money: Conversion
) -> pl.DataFrame:
    """The order lines, in the order of their orders and then of the file.

    Columns: line_id, seq, order_id, customer, placed_at, code, variant_id, product_id, title, units, price_micros (of
    the file), unit_price_micros, unit_price_minor and gross_minor (of the shop).
    """
    goods = _class(rows, RowClass.MERCHANDISE).select("seq", "ref", "code", "units", "price_micros", "amount_minor")
    joined = goods.join(orders.select("ref", "order_id", "customer", "placed_at"), on="ref").join(
        party.variants, on="code"
    )
    numbered = writer.numbered("order_lines", joined.sort("order_id", "seq")).rename({"id": "line_id"})
    micros = money.micros(pl.col("price_micros"))
    return numbered.with_columns(
        micros.alias("unit_price_micros"),
        ((micros + 5_000) // 10_000).alias("unit_price_minor"),
        money.minor(pl.col("amount_minor")).alias("gross_minor"),
    )


def insert_orders(writer: BulkWriter, orders: pl.DataFrame, *, source: str, money: Conversion) -> None:
    """Write the orders as delivered on the day they were placed, which is all that the file knows."""
    original = {"original_currency": pl.lit(FILE_CURRENCY), "original_total_minor": pl.col("original_total_minor")}
    writer.insert(
        "orders",
        orders.select(
            pl.col("order_id").alias("id"),
            pl.Series("public_id", public_ids("ord", orders.height), dtype=pl.String),
            pl.col("ref").str.slice(0, 32).alias("order_number"),
            "customer_id",
            pl.lit("delivered").alias("status"),
            pl.lit("external").alias("payment_mode"),
            pl.lit(money.base).alias("currency"),
            "gross_minor",
            "shipping_minor",
            "total_minor",
            *[value.alias(name) for name, value in original.items() if money.converts],
            pl.struct(pl.col("land").fill_null("").alias("country")).struct.json_encode().alias("ship_to"),
            pl.col("land").str.slice(0, 64).alias("ship_country"),
            pl.lit(source).alias("source"),
            pl.col("ref").alias("external_ref"),
            "placed_at",
            pl.col("placed_at").alias("paid_at"),
            pl.col("placed_at").alias("delivered_at"),
        ),
    )
    writer.insert(
        "order_status_changes",
        orders.select(
            "order_id",
            pl.lit("delivered").alias("to_status"),
            pl.lit("import").alias("actor"),
            pl.lit("taken in from another system").alias("reason"),
            pl.col("placed_at").alias("occurred_at"),
        ),
    )


def insert_lines(writer: BulkWriter, lines: pl.DataFrame, returned: pl.DataFrame, *, location_id: int) -> None:
    """Write the lines with what is `returned` of them (line_id, returned_quantity, refunded_minor), and their sales."""
    whole = lines.join(returned, on="line_id", how="left", maintain_order="left")
    writer.insert(
        "order_lines",
        whole.select(
            pl.col("line_id").alias("id"),
            "order_id",
            "variant_id",
            "product_id",
            pl.col("code").alias("sku"),
            "title",
            pl.col("units").alias("quantity"),
            pl.col("units").alias("shipped_quantity"),
            pl.col("units").alias("delivered_quantity"),
            "unit_price_minor",
            "unit_price_micros",
            "gross_minor",
            pl.col("gross_minor").alias("net_minor"),
            pl.col("returned_quantity").fill_null(0),
            pl.col("refunded_minor").fill_null(0),
        ),
    )
    writer.insert(
        "stock_movements",
        lines.select(
            "variant_id",
            pl.lit(location_id, dtype=pl.Int64).alias("location_id"),
            pl.lit("sale").alias("kind"),
            (-pl.col("units")).alias("quantity"),
            pl.col("line_id").alias("order_line_id"),
            pl.col("placed_at").alias("occurred_at"),
        ),
    )


def insert_payments(
    writer: BulkWriter, orders: pl.DataFrame, refunded: pl.DataFrame, *, source: str, money: Conversion
) -> pl.DataFrame:
    """One captured payment for every order that cost anything, posted; `refunded` has order_id and refunded_minor.

    Gives order_id and payment_id.
    """
    paid = orders.filter(pl.col("total_minor") > 0).join(refunded, on="order_id", how="left", maintain_order="left")
    paid = writer.numbered("payments", paid.with_columns(pl.col("refunded_minor").fill_null(0)))
    whole = pl.col("refunded_minor") == pl.col("total_minor")
    writer.insert(
        "payments",
        paid.select(
            "id",
            "order_id",
            pl.lit(GATEWAY).alias("gateway"),
            pl.col("ref").alias("gateway_payment_id"),
            pl.lit("external").alias("method"),
            pl.when(whole).then(pl.lit("refunded")).otherwise(pl.lit("captured")).alias("status"),
            pl.lit(money.base).alias("currency"),
            pl.col("total_minor").alias("amount_minor"),
            pl.col("total_minor").alias("captured_minor"),
            "refunded_minor",
            pl.col("placed_at").alias("created_at"),
            pl.col("placed_at").alias("authorized_at"),
            pl.col("placed_at").alias("captured_at"),
        ),
    )
    events = paid.select(
        pl.format("capture:{}:{}", pl.lit(source), "ref").alias("business_key"),
        "order_id",
        pl.col("total_minor").alias("amount_minor"),
        pl.col("placed_at").alias("occurred_at"),
    )
    ledger.post(writer, events, kind="capture", currency=money.base)
    return paid.select("order_id", pl.col("id").alias("payment_id"))


def _class(rows: pl.DataFrame, member: RowClass) -> pl.DataFrame:
    return rows.filter(pl.col("row_class") == member.value)
