"""Catalogue and stock of a bulk history: enough on the shelf for everything that will be sold."""

import polars as pl
from sqlalchemy import update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.catalog.slugs import slugify
from transactional.catalog.tiers import tier_of_price
from transactional.importing.bulk import BulkWriter
from transactional.inventory.service import default_location
from transactional.simulation import bulk_frames
from transactional.simulation.bulk_frames import Drawn
from transactional.simulation.gifts import CATEGORIES, GIFTS, OCCASIONS

_CURRENCY = "INR"
_LEFT_OVER = 500


def stock_up(session: Session, writer: BulkWriter, drawn: Drawn) -> pl.DataFrame:
    """Write catalogue, prices and opening stock.

    Gives gift, variant_id, product_id, location_id, sku, title and weight_grams.
    """
    opening = drawn.start.replace(tzinfo=None)
    location_id = default_location(session).id
    gifts = _gift_rows(writer).with_columns(pl.lit(location_id, dtype=pl.Int64).alias("location_id"))
    _write_catalogue(writer, gifts, opening)
    sold = drawn.lines.group_by("gift").agg(pl.col("quantity").sum().alias("sold"))
    opening_stock = gifts.join(sold, on="gift", how="left", maintain_order="left").with_columns(
        (pl.col("sold").fill_null(0) + _LEFT_OVER).alias("quantity")
    )
    writer.insert(
        "stock_movements",
        opening_stock.select(
            "variant_id",
            "location_id",
            pl.lit("receipt").alias("kind"),
            "quantity",
            pl.lit("opening stock").alias("reason"),
            pl.lit(opening).alias("occurred_at"),
        ),
    )
    writer.insert(
        "stock_levels", opening_stock.select("variant_id", "location_id", pl.col("quantity").alias("on_hand"))
    )
    return gifts.select("gift", "variant_id", "product_id", "location_id", "sku", "title", "weight_grams")


def take_from_levels(session: Session, drawn: Drawn, orders: pl.DataFrame, shelf: pl.DataFrame) -> None:
    """Let the levels follow the sales, returns and promises of a part of the orders."""
    lines = bulk_frames.lines_of(drawn, orders).with_columns(pl.col("shipped_at").is_not_null().alias("sent"))
    units = pl.col("quantity")
    gone = lines.select(
        "gift",
        pl.when("sent").then(-units).otherwise(0).alias("on_hand"),
        pl.when("sent").then(0).otherwise(units).alias("reserved"),
    )
    back = bulk_frames.returned_lines(lines, drawn.end)
    came = back.select("gift", units.alias("on_hand"), pl.lit(0, dtype=pl.Int64).alias("reserved"))
    changes = pl.concat([gone, came]).group_by("gift").agg(pl.col("on_hand").sum(), pl.col("reserved").sum())
    levels = tables.metadata.tables["stock_levels"]
    named = changes.join(shelf, on="gift").sort("variant_id")
    for variant_id, location_id, on_hand, reserved in named.select(
        "variant_id", "location_id", "on_hand", "reserved"
    ).iter_rows():
        session.execute(
            update(levels)
            .where(levels.c.variant_id == variant_id, levels.c.location_id == location_id)
            .values(on_hand=levels.c.on_hand + on_hand, reserved=levels.c.reserved + reserved)
        )


def _gift_rows(writer: BulkWriter) -> pl.DataFrame:
    rows = pl.DataFrame(
        {
            "gift": range(len(GIFTS)),
            "sku": [gift.sku for gift in GIFTS],
            "title": [gift.name for gift in GIFTS],
            "slug": [slugify(f"{gift.name} {gift.sku}") for gift in GIFTS],
            "category": [CATEGORIES.index(gift.category) for gift in GIFTS],
            "price_minor": [gift.price * 100 for gift in GIFTS],
            "tax_rate_bp": [gift.tax_rate_bp for gift in GIFTS],
            "weight_grams": [gift.weight_grams for gift in GIFTS],
            "is_customisable": [gift.customisable for gift in GIFTS],
            "gift_tier": [tier_of_price(gift.price * 100, _CURRENCY).value for gift in GIFTS],
        },
        schema_overrides={"gift": pl.Int64},
    )
    first_product = writer.reserve("products", rows.height)
    first_variant = writer.reserve("product_variants", rows.height)
    return rows.with_columns(
        (pl.col("gift") + first_product).alias("product_id"), (pl.col("gift") + first_variant).alias("variant_id")
    )


def _write_catalogue(writer: BulkWriter, gifts: pl.DataFrame, opening: object) -> None:
    moment = pl.lit(opening).cast(pl.Datetime("us"))
    categories = pl.DataFrame({"name": CATEGORIES, "slug": [slugify(name) for name in CATEGORIES]})
    first_category = writer.reserve("categories", len(CATEGORIES))
    writer.insert("categories", categories.with_columns((pl.int_range(pl.len()) + first_category).alias("id")))
    writer.insert(
        "products",
        gifts.select(
            pl.col("product_id").alias("id"),
            "slug",
            pl.col("title").alias("name"),
            (pl.col("category") + first_category).alias("category_id"),
            "gift_tier",
            "tax_rate_bp",
            "is_customisable",
            moment.alias("created_at"),
            moment.alias("updated_at"),
        ),
    )
    writer.insert(
        "product_variants",
        gifts.select(pl.col("variant_id").alias("id"), "product_id", "sku", "weight_grams"),
    )
    writer.insert(
        "prices",
        gifts.select(
            "variant_id",
            pl.lit(_CURRENCY).alias("currency"),
            pl.col("price_minor").alias("amount_minor"),
            moment.alias("valid_from"),
        ),
    )
    _write_occasions(writer, gifts)


def _write_occasions(writer: BulkWriter, gifts: pl.DataFrame) -> None:
    first = writer.reserve("occasions", len(OCCASIONS))
    ids = {key: first + number for number, key in enumerate(OCCASIONS)}
    writer.insert(
        "occasions", pl.DataFrame({"id": list(ids.values()), "key": list(ids), "name": list(OCCASIONS.values())})
    )
    pairs = [(int(gifts["product_id"][i]), ids[key]) for i, gift in enumerate(GIFTS) for key in gift.occasions]
    writer.insert(
        "product_occasions", pl.DataFrame(pairs, schema={"product_id": pl.Int64, "occasion_id": pl.Int64}, orient="row")
    )
