"""The double-entry ledger: append-only transactions whose postings sum to zero, each under an unrepeatable key.

Debits are positive, credits negative. A capture at the gateway is Dr gateway / Cr customers, its fee Dr fees and GST /
Cr gateway, a refund Dr customers / Cr gateway. So the balance of `gateway` is what the gateway owes the shop, to the
paisa. Cash on delivery stands in the gateway's place on an account of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import Executable, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from transactional.payments.models import LedgerPosting, LedgerTransaction


class Account(StrEnum):
    """The accounts of the ledger."""

    GATEWAY = "gateway_clearing"
    """Taken by the gateway and not yet given back or kept as its fee."""
    CUSTOMERS = "customer_payments"
    """What customers paid, net of what went back to them."""
    FEES = "gateway_fees"
    """The gateway's fees without their GST."""
    FEE_TAX = "gateway_fee_gst"
    """The GST in the gateway's fees."""
    CASH = "cash"
    """Collected at the door and not given back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a transaction: a signed amount in minor units on an account."""

    account: Account
    amount_minor: int


class Unbalanced(ValueError):
    """The entries do not sum to zero."""


def post(
    session: Session,
    *,
    kind: str,
    business_key: str,
    order_id: int | None,
    entries: Sequence[Entry],
    currency: str,
    now: datetime,
) -> bool:
    """Write a transaction; False, and nothing written, when its business key was posted before.

    Raises Unbalanced when debits and credits differ. Entries of zero are left out.
    """
    if sum(entry.amount_minor for entry in entries):
        raise Unbalanced(f"{business_key}: debits and credits differ")
    session.flush()  # below nothing passes through the unit of work: these rows are never changed again
    connection = session.connection()
    row = {"kind": kind, "business_key": business_key, "order_id": order_id, "occurred_at": now}
    transaction_id = connection.execute(_new_transaction(connection.dialect.name), row).scalar()
    if transaction_id is None:
        return False
    postings = [
        {
            "transaction_id": transaction_id,
            "account": entry.account,
            "amount_minor": entry.amount_minor,
            "currency": currency,
        }
        for entry in entries
        if entry.amount_minor
    ]
    if postings:
        connection.execute(insert(LedgerPosting), postings)
    return True


@cache
def _new_transaction(dialect: str) -> Executable:
    """Built once: it lies on the way of every payment."""
    new = (sqlite if dialect == "sqlite" else postgresql).insert(LedgerTransaction)
    statement: Executable = new.on_conflict_do_nothing(index_elements=["business_key"]).returning(LedgerTransaction.id)
    return statement


def post_capture(
    session: Session,
    *,
    payment_id: str,
    order_id: int,
    amount_minor: int,
    currency: str,
    now: datetime,
    account: Account = Account.GATEWAY,
) -> bool:
    """A payment was taken, by the gateway or in cash (`account`)."""
    return post(
        session,
        kind="capture",
        business_key=f"capture:{payment_id}",
        order_id=order_id,
        entries=[Entry(account, amount_minor), Entry(Account.CUSTOMERS, -amount_minor)],
        currency=currency,
        now=now,
    )


def post_fee(
    session: Session, *, payment_id: str, order_id: int, fee_minor: int, tax_minor: int, currency: str, now: datetime
) -> bool:
    """The gateway kept its fee, `tax_minor` of it GST. Posted apart: an event may know the capture but not the fee."""
    return post(
        session,
        kind="fee",
        business_key=f"fee:{payment_id}",
        order_id=order_id,
        entries=[
            Entry(Account.FEES, fee_minor - tax_minor),
            Entry(Account.FEE_TAX, tax_minor),
            Entry(Account.GATEWAY, -fee_minor),
        ],
        currency=currency,
        now=now,
    )


def post_refund(
    session: Session,
    *,
    refund_id: str,
    order_id: int | None,
    amount_minor: int,
    currency: str,
    now: datetime,
    account: Account = Account.GATEWAY,
) -> bool:
    """Money went back, from the gateway or in cash (`account`)."""
    return post(
        session,
        kind="refund",
        business_key=f"refund:{refund_id}",
        order_id=order_id,
        entries=[Entry(Account.CUSTOMERS, amount_minor), Entry(account, -amount_minor)],
        currency=currency,
        now=now,
    )


def balances(session: Session, *, currency: str) -> dict[str, int]:
    """Every account's balance in minor units; they sum to zero."""
    rows = session.execute(
        select(LedgerPosting.account, func.sum(LedgerPosting.amount_minor))
        .where(LedgerPosting.currency == currency)
        .group_by(LedgerPosting.account)
    )
    found: defaultdict[str, int] = defaultdict(int)
    found.update({account: int(total) for account, total in rows})
    return dict(found)


def unbalanced_transactions(session: Session) -> list[str]:
    """Business keys of transactions whose postings do not sum to zero; empty in a sound ledger."""
    statement = (
        select(LedgerTransaction.business_key)
        .join(LedgerPosting, LedgerPosting.transaction_id == LedgerTransaction.id)
        .group_by(LedgerTransaction.business_key, LedgerPosting.currency)
        .having(func.sum(LedgerPosting.amount_minor) != 0)
        .order_by(LedgerTransaction.business_key)
    )
    return list(session.scalars(statement))
