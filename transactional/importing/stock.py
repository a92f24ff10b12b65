"""Movements of imported goods that are no sale, and the levels that they touch."""

from typing import Any

import polars as pl
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.importing.bulk import BulkWriter
from transactional.importing.catalogue import Party
from transactional.importing.classify import RowClass


def insert_adjustments(writer: BulkWriter, rows: pl.DataFrame, party: Party, *, location_id: int) -> None:
    """An adjustment for every row without a price: goods lost, found, damaged or given away."""
    is_adjustment = pl.col("row_class") == RowClass.STOCK_ADJUSTMENT.value
    adjusted = rows.filter(is_adjustment & pl.col("reason").is_null()).join(
        party.variants, on="code", maintain_order="left"
    )
    described = pl.when(pl.col("name").str.len_chars() > 0).then(pl.col("name")).otherwise(pl.lit("stock adjustment"))
    writer.insert(
        "stock_movements",
        adjusted.select(
            "variant_id",
            pl.lit(location_id, dtype=pl.Int64).alias("location_id"),
            pl.lit("adjustment").alias("kind"),
            pl.col("units").alias("quantity"),
            pl.format("{} (invoice {})", described.str.slice(0, 150), "ref").alias("reason"),
            pl.col("moment").alias("occurred_at"),
        ),
    )


def insert_returned_units(writer: BulkWriter, return_lines: pl.DataFrame, *, location_id: int) -> None:
    """The units of each return line come back; what is spoilt leaves again as an adjustment of its own."""
    writer.insert(
        "stock_movements",
        return_lines.select(
            "variant_id",
            pl.lit(location_id, dtype=pl.Int64).alias("location_id"),
            pl.lit("return").alias("kind"),
            pl.col("units").alias("quantity"),
            "return_line_id",
            pl.col("moment").alias("occurred_at"),
        ),
    )


def raise_levels(session: Session, *, first_movement: int, location_id: int) -> None:
    """Levels that exist already (variants that this shop has counted) follow their new movements."""
    levels, movements = tables.metadata.tables["stock_levels"], tables.metadata.tables["stock_movements"]
    if session.scalar(select(levels.c.id).limit(1)) is None:
        return
    moved = (
        select(movements.c.variant_id, func.sum(movements.c.quantity))
        .where(movements.c.id >= first_movement, movements.c.location_id == location_id)
        .group_by(movements.c.variant_id)
        .order_by(movements.c.variant_id)
    )
    found: list[Any] = list(session.execute(moved))
    for variant_id, units in found:
        session.execute(
            update(levels)
            .where(levels.c.variant_id == variant_id, levels.c.location_id == location_id)
            .values(on_hand=levels.c.on_hand + int(units))
        )
