"""Double-entry postings of imported money: one transaction an event, two postings each, summing to zero."""

import polars as pl

from transactional.importing.bulk import BulkWriter

SETTLED_ELSEWHERE = "settled_elsewhere"
"""Money that another system collected or paid out: it stands in the gateway's place."""
CUSTOMERS = "customer_payments"
"""The account of the shop's own payments: what customers paid, net of what went back to them."""


def post(writer: BulkWriter, events: pl.DataFrame, *, kind: str, currency: str) -> None:
    """Post each event: `amount_minor` from the customers to the other system (negative: back to the customers).

    `events` has business_key, order_id (may be null), amount_minor and occurred_at; events of no amount are left out.
    """
    moved = events.filter(pl.col("amount_minor") != 0)
    numbered = writer.numbered("ledger_transactions", moved)
    writer.insert(
        "ledger_transactions",
        numbered.select("id", pl.lit(kind).alias("kind"), "business_key", "order_id", "occurred_at"),
    )
    debit = numbered.select("id", pl.lit(SETTLED_ELSEWHERE).alias("account"), "amount_minor")
    credit = numbered.select("id", pl.lit(CUSTOMERS).alias("account"), -pl.col("amount_minor"))
    postings = pl.concat([debit, credit]).sort("id", maintain_order=True)
    writer.insert(
        "ledger_postings",
        postings.select(
            pl.col("id").alias("transaction_id"), "account", "amount_minor", pl.lit(currency).alias("currency")
        ),
    )
