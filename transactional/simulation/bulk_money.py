"""Money of a bulk history: a payment for every order, returns with their refunds, all in the ledger."""

import polars as pl

from transactional.importing import ledger
from transactional.importing.bulk import BulkWriter
from transactional.simulation.bulk_frames import CURRENCY, SOURCE


def insert_money(writer: BulkWriter, orders: pl.DataFrame, back: pl.DataFrame) -> None:
    """Write the payments of `orders` and what the lines that come `back` take with them."""
    _write_returns(writer, back, _write_payments(writer, orders, back))


def _write_payments(writer: BulkWriter, orders: pl.DataFrame, back: pl.DataFrame) -> pl.DataFrame:
    refunds = back.group_by("order").agg(pl.col("gross_minor").sum().alias("refunded_minor"))
    paid = orders.join(refunds, on="order", how="left", maintain_order="left").with_columns(
        pl.col("refunded_minor").fill_null(0)
    )
    paid = writer.numbered("payments", paid)
    whole = pl.col("refunded_minor") == pl.col("total_minor")
    writer.insert(
        "payments",
        paid.select(
            "id",
            pl.col("order").alias("order_id"),
            pl.lit(SOURCE).alias("gateway"),
            pl.format("pay_sim{}", "order").alias("gateway_payment_id"),
            pl.lit("upi").alias("method"),
            pl.when(whole).then(pl.lit("refunded")).otherwise(pl.lit("captured")).alias("status"),
            pl.lit(CURRENCY).alias("currency"),
            pl.col("total_minor").alias("amount_minor"),
            pl.col("total_minor").alias("captured_minor"),
            "refunded_minor",
            pl.col("placed_at").alias("created_at"),
            pl.col("placed_at").alias("authorized_at"),
            pl.col("placed_at").alias("captured_at"),
        ),
    )
    captures = paid.select(
        pl.format("capture:pay_sim{}", "order").alias("business_key"),
        pl.col("order").alias("order_id"),
        pl.col("total_minor").alias("amount_minor"),
        pl.col("placed_at").alias("occurred_at"),
    )
    ledger.post(writer, captures, kind="capture", currency=CURRENCY)
    return paid.select("order", pl.col("id").alias("payment_id"))


def _write_returns(writer: BulkWriter, back: pl.DataFrame, payments: pl.DataFrame) -> None:
    """A return and a refund for every line that comes back."""
    numbered = writer.numbered("returns", back).rename({"id": "return_id"})
    numbered = numbered.join(payments, on="order", maintain_order="left")
    writer.insert(
        "returns",
        numbered.select(
            pl.col("return_id").alias("id"),
            pl.format("ret_sim{}", "return_id").alias("public_id"),
            pl.col("order").alias("order_id"),
            pl.col("customer").alias("customer_id"),
            pl.lit("processed").alias("status"),
            pl.lit("not as expected").alias("reason"),
            pl.col("gross_minor").alias("refund_minor"),
            pl.lit(CURRENCY).alias("currency"),
            pl.col("returned_at").alias("requested_at"),
            pl.col("returned_at").alias("processed_at"),
        ),
    )
    lines = writer.numbered("return_lines", numbered)
    writer.insert(
        "return_lines",
        lines.select(
            "id",
            "return_id",
            pl.col("line_id").alias("order_line_id"),
            "variant_id",
            "product_id",
            "quantity",
            pl.col("gross_minor").alias("refund_minor"),
        ),
    )
    writer.insert(
        "stock_movements",
        lines.select(
            "variant_id",
            "location_id",
            pl.lit("return").alias("kind"),
            "quantity",
            pl.col("id").alias("return_line_id"),
            pl.col("returned_at").alias("occurred_at"),
        ),
    )
    _write_refunds(writer, numbered)


def _write_refunds(writer: BulkWriter, returns: pl.DataFrame) -> None:
    writer.insert(
        "refunds",
        returns.select(
            "payment_id",
            pl.col("order").alias("order_id"),
            "return_id",
            pl.format("sim:{}", "return_id").alias("idempotency_key"),
            pl.lit("processed").alias("status"),
            pl.col("gross_minor").alias("amount_minor"),
            pl.lit(CURRENCY).alias("currency"),
            pl.lit("return").alias("reason"),
            pl.col("returned_at").alias("created_at"),
            pl.col("returned_at").alias("processed_at"),
        ),
    )
    refunds = returns.select(
        pl.format("refund:sim{}", "return_id").alias("business_key"),
        pl.col("order").alias("order_id"),
        (-pl.col("gross_minor")).alias("amount_minor"),
        pl.col("returned_at").alias("occurred_at"),
    )
    ledger.post(writer, refunds, kind="refund", currency=CURRENCY)
