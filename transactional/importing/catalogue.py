"""The customers and products that a history names, found in the shop or added to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import polars as pl
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.catalog.slugs import slugify
from transactional.catalog.tiers import tier_of_price
from transactional.importing.bulk import BulkWriter
from transactional.importing.categories import category_of
from transactional.importing.classify import RowClass
from transactional.importing.currency import Conversion

STOCKED = (RowClass.MERCHANDISE, RowClass.RETURN, RowClass.STOCK_ADJUSTMENT)
"""Classes whose rows speak of goods."""


@dataclass(frozen=True, slots=True)
class Party:
    """Ids by the file's own keys.

    `customers`: customer, customer_id. `variants`: code, variant_id, product_id, title.
    """

    customers: pl.DataFrame
    variants: pl.DataFrame


def bring_in(session: Session, writer: BulkWriter, rows: pl.DataFrame, *, source: str, money: Conversion) -> Party:
    """Add the customers, categories, products, variants and prices that the shop lacks."""
    return Party(
        customers=_customers(session, writer, rows, source),
        variants=_variants(session, writer, rows, money),
    )


def _customers(session: Session, writer: BulkWriter, rows: pl.DataFrame, source: str) -> pl.DataFrame:
    table = tables.metadata.tables["customers"]
    found = session.execute(select(table.c.external_ref, table.c.id).where(table.c.source == source)).all()
    known = pl.DataFrame(
        [tuple(row) for row in found], schema={"customer": pl.String, "customer_id": pl.Int64}, orient="row"
    )
    named = rows.filter(pl.col("customer").is_not_null() & pl.col("moment").is_not_null()).sort("moment")
    seen = named.group_by("customer", maintain_order=True).agg(
        pl.col("land").drop_nulls().last(), pl.col("moment").first()
    )
    fresh = writer.numbered("customers", seen.join(known, on="customer", how="anti", maintain_order="left"))
    writer.insert(
        "customers",
        fresh.select(
            "id",
            pl.col("customer").str.slice(0, 64).alias("external_ref"),
            pl.lit(source).alias("source"),
            pl.col("land").str.slice(0, 64).alias("country"),
            pl.lit("import").alias("acquisition_channel"),
            pl.col("moment").alias("created_at"),
        ),
    )
    return pl.concat([known, fresh.select("customer", pl.col("id").alias("customer_id"))])


def _variants(session: Session, writer: BulkWriter, rows: pl.DataFrame, money: Conversion) -> pl.DataFrame:
    table = tables.metadata.tables["product_variants"]
    products = tables.metadata.tables["products"]
    found = session.execute(
        select(table.c.sku, table.c.id, table.c.product_id, products.c.name).join(
            products, products.c.id == table.c.product_id
        )
    ).all()
    schema = {"code": pl.String, "variant_id": pl.Int64, "product_id": pl.Int64, "title": pl.String}
    known = pl.DataFrame([tuple(row) for row in found], schema=schema, orient="row")
    described = _describe(rows, money)
    fresh = described.join(known, on="code", how="anti", maintain_order="left")
    fresh = fresh.pipe(_with_id, writer, "products", "product_id").pipe(
        _with_id, writer, "product_variants", "variant_id"
    )
    fresh = fresh.with_columns(
        pl.col("title").map_elements(lambda name: category_of(name)[0], return_dtype=pl.String).alias("category")
    )
    categories = _categories(session, writer, fresh)
    _insert_products(session, writer, fresh, categories, money.base)
    _open_prices(session, writer, described.join(known, on="code"), fresh, money.base)
    return pl.concat([known, fresh.select(schema.keys())])


def _with_id(frame: pl.DataFrame, writer: BulkWriter, table: str, column: str) -> pl.DataFrame:
    return writer.numbered(table, frame).rename({"id": column})


def _describe(rows: pl.DataFrame, money: Conversion) -> pl.DataFrame:
    """A row a stock code: its title, first and last time, last price.

    The title is the most frequent description, the longest of equals.
    Sales describe a product better than stock-takings do ("damaged?"), so theirs come first. `price_minor` is null
    for what was never sold.
    """
    goods = rows.filter(pl.col("row_class").is_in([member.value for member in STOCKED]) & pl.col("reason").is_null())
    sales = goods.filter(pl.col("row_class") == RowClass.MERCHANDISE.value)
    last_sale = (
        sales.sort("moment", "seq")
        .group_by("code")
        .agg(
            money.minor(((pl.col("price_micros") + 5_000) // 10_000).last()).alias("price_minor"),
            pl.col("moment").last().alias("priced_at"),
        )
    )
    span = goods.group_by("code").agg(pl.col("moment").min().alias("first"), pl.col("moment").max().alias("last"))
    titles = (
        span.select("code")
        .join(_titles(sales), on="code", how="left")
        .join(_titles(goods), on="code", how="left", suffix="_any")
    )
    described = span.join(titles, on="code").join(last_sale, on="code", how="left").sort("first", "code")
    return described.with_columns(pl.coalesce("title", "title_any", "code").str.slice(0, 200).alias("title"))


def _titles(rows: pl.DataFrame) -> pl.DataFrame:
    counted = rows.filter(pl.col("name").str.len_chars() > 0).group_by("code", "name").len()
    ranked = counted.sort(
        "len", pl.col("name").str.len_chars(), "name", descending=[True, True, False], maintain_order=True
    )
    return ranked.group_by("code", maintain_order=True).agg(pl.col("name").first().alias("title"))


def _categories(session: Session, writer: BulkWriter, fresh: pl.DataFrame) -> dict[str, int]:
    table = tables.metadata.tables["categories"]
    ids: dict[str, int] = {row.slug: row.id for row in session.execute(select(table.c.slug, table.c.id))}
    names = dict(category_of(title) for title in fresh["title"])
    absent = sorted(set(names) - set(ids))
    rows = writer.numbered(
        "categories",
        pl.DataFrame(
            {"slug": absent, "name": [names[slug] for slug in absent]}, schema={"slug": pl.String, "name": pl.String}
        ),
    )
    writer.insert("categories", rows)
    return ids | dict(rows.select("slug", "id").iter_rows())


def _insert_products(
    session: Session, writer: BulkWriter, fresh: pl.DataFrame, categories: Mapping[str, int], base: str
) -> None:
    slugs = _free_slugs(session, fresh)
    writer.insert(
        "products",
        fresh.select(
            pl.col("product_id").alias("id"),
            pl.Series("slug", slugs, dtype=pl.String),
            pl.col("title").alias("name"),
            pl.col("category")
            .replace_strict(dict(categories), return_dtype=pl.Int64, default=None)
            .alias("category_id"),
            pl.col("price_minor")
            .fill_null(0)
            .map_elements(lambda price: tier_of_price(price, base).value, return_dtype=pl.String)
            .alias("gift_tier"),
            pl.col("price_minor").is_not_null().alias("is_active"),
            pl.col("first").alias("created_at"),
            pl.col("last").alias("updated_at"),
        ),
    )
    writer.insert(
        "product_variants",
        fresh.select(
            pl.col("variant_id").alias("id"),
            "product_id",
            pl.col("code").alias("sku"),
            pl.lit("untracked").alias("inventory_policy"),
            pl.col("price_minor").is_not_null().alias("is_active"),
        ),
    )


def _free_slugs(session: Session, fresh: pl.DataFrame) -> list[str]:
    taken = set(session.scalars(select(tables.metadata.tables["products"].c.slug)))
    slugs = []
    for code, title in fresh.select("code", "title").iter_rows():
        stem = slugify(f"{title} {code}", limit=150) or "product"
        slug, number = stem, 1
        while slug in taken:
            number += 1
            slug = f"{stem}-{number}"
        taken.add(slug)
        slugs.append(slug)
    return slugs


def _open_prices(session: Session, writer: BulkWriter, known: pl.DataFrame, fresh: pl.DataFrame, base: str) -> None:
    """The last price asked is today's. A later history closes the price of an earlier one and opens its own."""
    columns = ("variant_id", "price_minor", "priced_at")
    changed = _close_older(session, known.filter(pl.col("price_minor").is_not_null()).select(columns), base)
    opened = pl.concat([fresh.filter(pl.col("price_minor").is_not_null()).select(columns), changed])
    writer.insert(
        "prices",
        opened.select(
            "variant_id",
            pl.lit(base).alias("currency"),
            pl.col("price_minor").alias("amount_minor"),
            pl.col("priced_at").alias("valid_from"),
        ),
    )


def _close_older(session: Session, asked: pl.DataFrame, base: str) -> pl.DataFrame:
    prices = tables.metadata.tables["prices"]
    statement = select(prices.c.variant_id, prices.c.id, prices.c.amount_minor, prices.c.valid_from).where(
        prices.c.valid_to.is_(None), prices.c.currency == base, prices.c.channel == "web"
    )
    open_rows: dict[int, Any] = {row.variant_id: row for row in session.execute(statement)}
    news = []
    for variant_id, price_minor, priced_at in asked.iter_rows():
        row = open_rows.get(variant_id)
        moment = priced_at.replace(tzinfo=UTC)
        if row is None:
            _activate(session, variant_id)
        elif row.amount_minor == price_minor or row.valid_from >= moment:
            continue
        else:
            session.execute(update(prices).where(prices.c.id == row.id).values(valid_to=moment))
        news.append((variant_id, price_minor, priced_at))
    return pl.DataFrame(news, schema=asked.schema, orient="row")


def _activate(session: Session, variant_id: int) -> None:
    """A product that an earlier history only counted is now sold."""
    variants, products = tables.metadata.tables["product_variants"], tables.metadata.tables["products"]
    session.execute(update(variants).where(variants.c.id == variant_id).values(is_active=True))
    owner = select(variants.c.product_id).where(variants.c.id == variant_id).scalar_subquery()
    session.execute(update(products).where(products.c.id == owner).values(is_active=True))
