"""What leaves the house in a bulk history: one parcel an order, its goods off the shelf; what waits is promised."""

import polars as pl

from transactional.importing.bulk import BulkWriter
from transactional.simulation.bulk_frames import CURRENCY

_CARRIER = "own"


def insert_parcels(writer: BulkWriter, orders: pl.DataFrame, lines: pl.DataFrame) -> None:
    """Write a parcel with its items and sales for every order that was sent, and live holds for the others."""
    has_left = pl.col("shipped_at").is_not_null()
    sent = lines.filter(has_left)
    parcels = writer.numbered("shipments", orders.filter(has_left)).rename({"id": "shipment_id"})
    _write_parcels(writer, parcels)
    _write_items(writer, sent.join(parcels.select("order", "shipment_id"), on="order", maintain_order="left"))
    _write_sales(writer, sent)
    _write_holds(writer, lines.filter(~has_left))


def _write_parcels(writer: BulkWriter, parcels: pl.DataFrame) -> None:
    arrived = pl.col("delivered_at").is_not_null()
    writer.insert(
        "shipments",
        parcels.select(
            pl.col("shipment_id").alias("id"),
            pl.col("order").alias("order_id"),
            pl.col("customer").alias("customer_id"),
            pl.lit(_CARRIER).alias("carrier"),
            pl.format("SIM{}", "order").alias("tracking_number"),
            pl.when(arrived).then(pl.lit("delivered")).otherwise(pl.lit("picked_up")).alias("status"),
            "postal_code",
            "ship_to",
            pl.lit(CURRENCY).alias("currency"),
            pl.col("gross_minor").alias("declared_minor"),
            "weight_grams",
            (pl.col("placed_at") + pl.duration(days=6)).alias("expected_delivery_at"),
            pl.col("shipped_at").alias("created_at"),
            "shipped_at",
            "delivered_at",
        ),
    )


def _write_items(writer: BulkWriter, lines: pl.DataFrame) -> None:
    writer.insert(
        "shipment_items",
        lines.select(
            "shipment_id",
            pl.col("line_id").alias("order_line_id"),
            "quantity",
            "sku",
            "title",
            pl.col("gross_minor").alias("value_minor"),
        ),
    )


def _write_sales(writer: BulkWriter, lines: pl.DataFrame) -> None:
    writer.insert(
        "stock_movements",
        lines.select(
            "variant_id",
            "location_id",
            pl.lit("sale").alias("kind"),
            (-pl.col("quantity")).alias("quantity"),
            pl.col("line_id").alias("order_line_id"),
            pl.col("shipped_at").alias("occurred_at"),
        ),
    )


def _write_holds(writer: BulkWriter, lines: pl.DataFrame) -> None:
    writer.insert(
        "stock_holds",
        lines.select(
            "variant_id",
            "location_id",
            pl.col("order").alias("order_id"),
            "quantity",
            pl.lit("live").alias("state"),
            pl.col("placed_at").alias("created_at"),
        ),
    )
