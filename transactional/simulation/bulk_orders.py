"""The orders of a bulk history with their lines and steps; what hangs on them is written by its own module."""

import polars as pl

from transactional.importing.bulk import BulkWriter
from transactional.simulation import bulk_frames, bulk_money, bulk_parcels
from transactional.simulation.bulk_frames import CURRENCY, SOURCE, Drawn

_FREE_SHIPPING_FROM = 149_900
_SHIPPING = 9_900


def insert_orders(writer: BulkWriter, drawn: Drawn, orders: pl.DataFrame, shelf: pl.DataFrame) -> None:
    """Write a part of the orders with everything that hangs on them.

    `shelf` has gift, variant_id, product_id, location_id, sku, title and weight_grams.
    """
    lines = bulk_frames.lines_of(drawn, orders).join(shelf, on="gift", maintain_order="left")
    lines = writer.numbered("order_lines", lines).rename({"id": "line_id"})
    whole = _whole(drawn, orders, lines)
    back = bulk_frames.returned_lines(lines, drawn.end)
    _write_orders(writer, whole)
    _write_lines(writer, lines, back)
    bulk_parcels.insert_parcels(writer, whole, lines)
    bulk_money.insert_money(writer, whole, back)


def _whole(drawn: Drawn, orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The orders with their sums and addresses."""
    weight = (pl.col("quantity") * pl.col("weight_grams")).sum().alias("weight_grams")
    sums = lines.group_by("order").agg(pl.col("gross_minor").sum(), weight)
    shipping = pl.when(pl.col("gross_minor") >= _FREE_SHIPPING_FROM).then(0).otherwise(_SHIPPING)
    whole = orders.join(sums, on="order", maintain_order="left").with_columns(shipping.alias("shipping_minor"))
    homes = drawn.customers.select("customer", "city", "state", "postal_code")
    whole = whole.join(homes, on="customer", maintain_order="left")
    address = pl.struct(
        pl.format("Shopper {}", "customer").alias("recipient"),
        pl.format("{}, Gandhi Road", "customer").alias("line1"),
        "city",
        "state",
        "postal_code",
        pl.lit("India").alias("country"),
    )
    return whole.with_columns(
        (pl.col("gross_minor") + pl.col("shipping_minor")).alias("total_minor"),
        address.struct.json_encode().alias("ship_to"),
        pl.when(pl.col("delivered_at").is_not_null())
        .then(pl.lit("delivered"))
        .when(pl.col("shipped_at").is_not_null())
        .then(pl.lit("shipped"))
        .otherwise(pl.lit("paid"))
        .alias("status"),
    )


def _write_orders(writer: BulkWriter, orders: pl.DataFrame) -> None:
    writer.insert(
        "orders",
        orders.select(
            pl.col("order").alias("id"),
            "public_id",
            "order_number",
            pl.col("customer").alias("customer_id"),
            pl.format("shopper-{}@example.com", "customer").alias("email"),
            "status",
            pl.lit(CURRENCY).alias("currency"),
            "gross_minor",
            "shipping_minor",
            "total_minor",
            "ship_to",
            pl.lit("India").alias("ship_country"),
            pl.col("city").alias("ship_city"),
            "placed_at",
            pl.col("placed_at").alias("paid_at"),
            "delivered_at",
        ),
    )
    known = (None, "paid", "placed_at"), ("paid", "shipped", "shipped_at"), ("shipped", "delivered", "delivered_at")
    steps = [
        orders.select(
            "order",
            pl.lit(before).cast(pl.String).alias("from_status"),
            pl.lit(after).alias("to_status"),
            pl.col(moment).alias("occurred_at"),
        )
        for before, after, moment in known
    ]
    writer.insert(
        "order_status_changes",
        pl.concat(steps)
        .filter(pl.col("occurred_at").is_not_null())
        .select(
            pl.col("order").alias("order_id"),
            "from_status",
            "to_status",
            pl.lit(SOURCE).alias("actor"),
            "occurred_at",
        ),
    )


def _write_lines(writer: BulkWriter, lines: pl.DataFrame, back: pl.DataFrame) -> None:
    is_back = pl.col("line_id").is_in(back["line_id"].implode())
    writer.insert(
        "order_lines",
        lines.select(
            pl.col("line_id").alias("id"),
            pl.col("order").alias("order_id"),
            "variant_id",
            "product_id",
            "sku",
            "title",
            "quantity",
            pl.col("price_minor").alias("unit_price_minor"),
            "gross_minor",
            pl.col("gross_minor").alias("net_minor"),
            pl.when(pl.col("shipped_at").is_not_null()).then("quantity").otherwise(0).alias("shipped_quantity"),
            pl.when(pl.col("delivered_at").is_not_null()).then("quantity").otherwise(0).alias("delivered_quantity"),
            pl.when(is_back).then("quantity").otherwise(0).alias("returned_quantity"),
            pl.when(is_back).then("gross_minor").otherwise(0).alias("refunded_minor"),
        ),
    )
