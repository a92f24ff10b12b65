"""Returns with their refunds, discounts credited later, shipping given back."""

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.importing import ledger
from transactional.importing.bulk import BulkWriter
from transactional.importing.catalogue import Party
from transactional.importing.classify import RowClass
from transactional.importing.currency import Conversion
from transactional.importing.matching import Purchase, ReturnPart, ReturnRow, match_returns
from transactional.importing.trade import GATEWAY, public_ids

_PART_SCHEMA = {
    "seq": pl.Int64(),
    "ref": pl.String(),
    "customer": pl.String(),
    "code": pl.String(),
    "moment": pl.Datetime("us"),
    "order_line_id": pl.Int64(),
    "order_id": pl.Int64(),
    "units": pl.Int64(),
    "amount_minor": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Returned:
    """Return parts (`_PART_SCHEMA`) with sums per line and per order of what they take back."""

    parts: pl.DataFrame

    def per_line(self) -> pl.DataFrame:
        """line_id, returned_quantity, refunded_minor."""
        linked = self.parts.filter(pl.col("order_line_id").is_not_null())
        return linked.group_by(pl.col("order_line_id").alias("line_id")).agg(
            pl.col("units").sum().alias("returned_quantity"), pl.col("amount_minor").sum().alias("refunded_minor")
        )

    def per_order(self) -> pl.DataFrame:
        """order_id, refunded_minor."""
        linked = self.parts.filter(pl.col("order_id").is_not_null())
        return linked.group_by("order_id").agg(pl.col("amount_minor").sum().alias("refunded_minor"))


def match(session: Session, rows: pl.DataFrame, lines: pl.DataFrame, *, source: str, money: Conversion) -> Returned:
    """Find the purchases of all returns among the new lines and those of earlier imports."""
    returned = rows.filter((pl.col("row_class") == RowClass.RETURN.value) & pl.col("reason").is_null())
    wanted = returned.filter(pl.col("customer").is_not_null()).select("customer", "code").unique()
    purchases = [*_earlier_purchases(session, source, wanted), *_new_purchases(lines, wanted)]
    parts = match_returns(_return_rows(returned, money), purchases)
    return Returned(pl.DataFrame([_flat(part) for part in parts], schema=_PART_SCHEMA, orient="row"))


def insert_returns(
    writer: BulkWriter, returned: Returned, party: Party, payments: pl.DataFrame, *, source: str, money: Conversion
) -> pl.DataFrame:
    """A return per credit invoice and order that it touches, with its lines and its refund.

    Gives the return lines: return_line_id, variant_id, units, moment.
    """
    heads = returned.parts.group_by("ref", "order_id", maintain_order=True).agg(
        pl.col("moment").min(), pl.col("customer").drop_nulls().first(), pl.col("amount_minor").sum()
    )
    heads = heads.join(party.customers, on="customer", how="left", maintain_order="left")
    heads = writer.numbered("returns", heads).rename({"id": "return_id"})
    writer.insert(
        "returns",
        heads.select(
            pl.col("return_id").alias("id"),
            pl.Series("public_id", public_ids("ret", heads.height), dtype=pl.String),
            "order_id",
            "customer_id",
            pl.lit("processed").alias("status"),
            pl.col("amount_minor").alias("refund_minor"),
            pl.lit(money.base).alias("currency"),
            pl.lit(source).alias("source"),
            pl.col("ref").alias("external_ref"),
            pl.col("moment").alias("requested_at"),
            pl.col("moment").alias("processed_at"),
        ),
    )
    _insert_refunds(writer, heads, payments, source=source, money=money)
    return _insert_return_lines(writer, returned.parts, heads, party)


def insert_credits(
    writer: BulkWriter, rows: pl.DataFrame, orders: pl.DataFrame, party: Party, *, source: str, money: Conversion
) -> None:
    """Discounts, and shipping refunds of credit invoices, on their day; a charge takes an earlier credit back."""
    is_discount = pl.col("row_class") == RowClass.DISCOUNT.value
    is_refund = (pl.col("row_class") == RowClass.SHIPPING.value) & ~pl.col("on_order")
    wanted = rows.filter((is_discount | is_refund) & pl.col("reason").is_null()).sort("moment", "seq")
    # The cells of the file, among them its customer_id, stay behind.
    credits_ = (
        wanted.select("ref", "customer", "moment", "row_class", "amount_minor")
        .join(party.customers, on="customer", how="left", maintain_order="left")
        .join(orders.select("ref", "order_id"), on="ref", how="left", maintain_order="left")
    )
    credits_ = credits_.with_columns(
        (-money.minor(pl.col("amount_minor"))).alias("credited"),
        pl.when(is_discount).then(pl.lit("discount")).otherwise(pl.lit("shipping_refund")).alias("kind"),
    ).filter(pl.col("credited") != 0)
    credits_ = writer.numbered("order_credits", credits_)
    writer.insert(
        "order_credits",
        credits_.select(
            "id",
            "kind",
            "customer_id",
            "order_id",
            pl.col("credited").alias("amount_minor"),
            pl.lit(money.base).alias("currency"),
            pl.lit(source).alias("source"),
            pl.col("ref").alias("external_ref"),
            pl.col("moment").alias("occurred_at"),
        ),
    )
    events = credits_.select(
        pl.format("credit:{}:{}", pl.lit(source), "id").alias("business_key"),
        "order_id",
        (-pl.col("credited")).alias("amount_minor"),
        pl.col("moment").alias("occurred_at"),
    )
    ledger.post(writer, events, kind="credit", currency=money.base)


def settle_earlier(session: Session, returned: Returned, *, first_new_order: int) -> pl.DataFrame:
    """Mark the lines and payments of earlier imports that these returns take back; gives order_id and payment_id."""
    lines, payments = tables.metadata.tables["order_lines"], tables.metadata.tables["payments"]
    earlier = Returned(returned.parts.filter(pl.col("order_id") < first_new_order))
    for line_id, quantity, minor in earlier.per_line().sort("line_id").iter_rows():
        session.execute(
            update(lines)
            .where(lines.c.id == line_id)
            .values(
                returned_quantity=lines.c.returned_quantity + quantity, refunded_minor=lines.c.refunded_minor + minor
            )
        )
    found: list[tuple[int, int]] = []
    for order_id, minor in earlier.per_order().sort("order_id").iter_rows():
        refunded = payments.c.refunded_minor + minor
        status = case((refunded == payments.c.captured_minor, "refunded"), else_=payments.c.status)
        payment_id = session.scalar(
            update(payments)
            .where(payments.c.order_id == order_id, payments.c.gateway == GATEWAY)
            .values(refunded_minor=refunded, status=status)
            .returning(payments.c.id)
        )
        if payment_id is not None:
            found.append((order_id, payment_id))
    return pl.DataFrame(found, schema={"order_id": pl.Int64, "payment_id": pl.Int64}, orient="row")


def _insert_return_lines(writer: BulkWriter, parts: pl.DataFrame, heads: pl.DataFrame, party: Party) -> pl.DataFrame:
    joined = parts.join(
        heads.select("ref", "order_id", "return_id"),
        on=["ref", "order_id"],
        nulls_equal=True,
        maintain_order="left",
    ).join(party.variants, on="code", maintain_order="left")
    numbered = writer.numbered("return_lines", joined)
    writer.insert(
        "return_lines",
        numbered.select(
            "id",
            "return_id",
            "order_line_id",
            "variant_id",
            "product_id",
            pl.col("units").alias("quantity"),
            pl.col("amount_minor").alias("refund_minor"),
        ),
    )
    return numbered.select(pl.col("id").alias("return_line_id"), "variant_id", "units", "moment")


def _insert_refunds(
    writer: BulkWriter, heads: pl.DataFrame, payments: pl.DataFrame, *, source: str, money: Conversion
) -> None:
    paid = heads.filter(pl.col("amount_minor") > 0).join(payments, on="order_id", how="left", maintain_order="left")
    refunds = writer.numbered("refunds", paid)
    writer.insert(
        "refunds",
        refunds.select(
            "id",
            "payment_id",
            "order_id",
            "return_id",
            pl.format("{}:{}", pl.lit(source), "return_id").alias("idempotency_key"),
            pl.lit("processed").alias("status"),
            "amount_minor",
            pl.lit(money.base).alias("currency"),
            pl.lit("return").alias("reason"),
            pl.col("moment").alias("created_at"),
            pl.col("moment").alias("processed_at"),
        ),
    )
    events = refunds.select(
        pl.format("refund:{}:{}", pl.lit(source), "return_id").alias("business_key"),
        "order_id",
        (-pl.col("amount_minor")).alias("amount_minor"),
        pl.col("moment").alias("occurred_at"),
    )
    ledger.post(writer, events, kind="refund", currency=money.base)


def _return_rows(returned: pl.DataFrame, money: Conversion) -> list[ReturnRow]:
    """Prices and amounts in the shop's currency, so that they compare with those of its lines."""
    amounts = returned.select(
        "seq",
        "ref",
        "customer",
        "code",
        "moment",
        money.micros(pl.col("price_micros")).alias("price"),
        -pl.col("units"),
        (-money.minor(pl.col("amount_minor"))).alias("minor"),
    )
    return [ReturnRow(*row) for row in amounts.iter_rows()]


def _new_purchases(lines: pl.DataFrame, wanted: pl.DataFrame) -> list[Purchase]:
    candidates = lines.join(wanted, on=["customer", "code"], how="semi")
    columns = ("line_id", "order_id", "customer", "code", "placed_at", "unit_price_micros", "units", "gross_minor")
    return [Purchase(*row) for row in candidates.select(columns).iter_rows()]


def _earlier_purchases(session: Session, source: str, wanted: pl.DataFrame) -> list[Purchase]:
    orders, lines = tables.metadata.tables["orders"], tables.metadata.tables["order_lines"]
    customers = tables.metadata.tables["customers"]
    pairs = set(wanted.iter_rows())
    if not pairs or session.scalar(select(orders.c.id).where(orders.c.source == source).limit(1)) is None:
        return []
    statement = (
        select(
            lines.c.id,
            lines.c.order_id,
            customers.c.external_ref,
            lines.c.sku,
            orders.c.placed_at,
            func.coalesce(lines.c.unit_price_micros, lines.c.unit_price_minor * 10_000),
            lines.c.quantity - lines.c.returned_quantity,
            lines.c.net_minor - lines.c.refunded_minor,
        )
        .join(orders, orders.c.id == lines.c.order_id)
        .join(customers, customers.c.id == orders.c.customer_id)
        .where(orders.c.source == source, lines.c.returned_quantity < lines.c.quantity)
    )
    found: list[Any] = [tuple(row) for row in session.execute(statement)]
    return [
        Purchase(line, order, customer, code, placed_at.replace(tzinfo=None), *rest)
        for line, order, customer, code, placed_at, *rest in found
        if (customer, code) in pairs
    ]


def _flat(part: ReturnPart) -> tuple[object, ...]:
    row, purchase = part.row, part.purchase
    line_id, order_id = (purchase.order_line_id, purchase.order_id) if purchase else (None, None)
    return (row.row, row.invoice, row.customer, row.code, row.moment, line_id, order_id, part.units, part.amount_minor)
