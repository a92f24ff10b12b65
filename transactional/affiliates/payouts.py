"""Payouts: everything that is approved goes out in one batch, each lot once; a batch is never changed afterwards."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from transactional.affiliates import ledger
from transactional.affiliates.models import (
    Affiliate,
    AffiliatePayout,
    CommissionBalance,
    CommissionLot,
    OrderAttribution,
    PayoutBatch,
    PayoutLot,
)
from transactional.affiliates.programmes import get_programme, version_at
from transactional.core.errors import Conflict, NotFound
from transactional.core.ids import public_id
from transactional.core.money import Money
from transactional.core.pagination import Cursor, fetch_page

_COLUMNS = ("payout", "affiliate", "name", "pay_to", "receipt", "order_line", "currency", "amount")


@dataclass(frozen=True, slots=True)
class PaidLot:
    """A lot of a batch with what an export says about it."""

    payout: AffiliatePayout
    affiliate: str
    receipt: str
    order_line_id: int
    currency: str
    amount_minor: int


def create_batch(
    session: Session, *, programme_id: int, currency: str, actor: str, now: datetime, note: str = ""
) -> PayoutBatch:
    """Pay out what is approved in a programme and a currency, to everybody who reaches the programme's least payout.

    Two batches at once never pay a lot twice: whoever comes second waits for the balances and finds them empty.
    Raises NotFound for the programme, Conflict where nothing is to be paid.
    """
    get_programme(session, programme_id)
    version = version_at(session, programme_id, at=now)
    least = 1 if version is None else max(1, version.min_payout_minor)
    balances = [balance for balance in _locked(session, programme_id, currency) if balance.payable_minor >= least]
    if not balances:
        raise Conflict(f"nobody in this programme has {least} minor units or more to be paid")
    batch = PayoutBatch(
        public_id=public_id("pob"),
        programme_id=programme_id,
        currency=currency,
        total_minor=sum(balance.payable_minor for balance in balances),
        payouts=len(balances),
        lots=1,
        note=note,
        created_by=actor,
        created_at=now,
        sha256="0" * 64,
    )
    session.add(batch)
    session.flush()
    for balance in balances:
        _pay(session, batch, balance, now=now, actor=actor)
    session.flush()
    paid = paid_lots(session, PayoutBatch.id == batch.id)
    batch.lots, batch.sha256 = len(paid), hashlib.sha256(_csv(paid)).hexdigest()
    session.flush()
    return batch


def export(session: Session, batch: PayoutBatch) -> bytes:
    """The batch as CSV in UTF-8, one row a lot; always the same bytes, whose hash the batch holds.

    Raises Conflict where rows were changed behind the shop's back.
    """
    content = _csv(paid_lots(session, PayoutBatch.id == batch.id))
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise Conflict(f"the rows of {batch.public_id} are not those that were paid")
    return content


def find_batch(session: Session, reference: str) -> PayoutBatch:
    """The batch with this public id. Raises NotFound."""
    batch = session.scalar(select(PayoutBatch).where(PayoutBatch.public_id == reference))
    if batch is None:
        raise NotFound("there is no such payout batch")
    return batch


def page_of_batches(session: Session, cursor: Cursor) -> tuple[Sequence[PayoutBatch], str | None]:
    """Batches, newest first."""
    return fetch_page(session, select(PayoutBatch), cursor, by=PayoutBatch.id)


def paid_lots(session: Session, which: ColumnElement[bool]) -> Sequence[PaidLot]:
    """The lots of the payouts that a condition on batch, payout or affiliate names, in the order of payment."""
    rows = session.execute(
        select(AffiliatePayout, Affiliate.public_id, OrderAttribution.public_id, CommissionLot, PayoutLot.amount_minor)
        .join(AffiliatePayout, AffiliatePayout.id == PayoutLot.payout_id)
        .join(PayoutBatch, PayoutBatch.id == AffiliatePayout.batch_id)
        .join(Affiliate, Affiliate.id == AffiliatePayout.affiliate_id)
        .join(CommissionLot, CommissionLot.id == PayoutLot.lot_id)
        .join(OrderAttribution, OrderAttribution.id == CommissionLot.attribution_id)
        .where(which)
        .order_by(PayoutLot.id)
    )
    return [
        PaidLot(payout, affiliate, receipt, lot.order_line_id, lot.currency, amount)
        for payout, affiliate, receipt, lot, amount in rows
    ]


def _locked(session: Session, programme_id: int, currency: str) -> Sequence[CommissionBalance]:
    """The balances of a programme's affiliates, locked in the order of their ids."""
    members = select(Affiliate.id).where(Affiliate.programme_id == programme_id)
    return session.scalars(
        select(CommissionBalance)
        .where(CommissionBalance.affiliate_id.in_(members), CommissionBalance.currency == currency)
        .order_by(CommissionBalance.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _pay(session: Session, batch: PayoutBatch, balance: CommissionBalance, *, now: datetime, actor: str) -> None:
    affiliate = session.get_one(Affiliate, balance.affiliate_id)
    payout = AffiliatePayout(
        public_id=public_id("pay"),
        batch_id=batch.id,
        affiliate_id=affiliate.id,
        amount_minor=balance.payable_minor,
        full_name=affiliate.full_name,
        pay_to=affiliate.pay_to,
    )
    session.add(payout)
    session.flush()
    for lot in ledger.approved_lots(session, balance):
        amount = ledger.pay(session, balance, lot, payout_id=payout.id, now=now, actor=actor)
        session.add(PayoutLot(payout_id=payout.id, lot_id=lot.id, amount_minor=amount))
    assert balance.payable_minor == 0, "a payout pays everything that is approved"


def _csv(paid: Sequence[PaidLot]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for lot in paid:
        cells = (lot.payout.public_id, lot.affiliate, lot.payout.full_name, lot.payout.pay_to, lot.receipt)
        amount = str(Money(lot.amount_minor, lot.currency).amount)
        writer.writerow([*(_inert(cell) for cell in cells), lot.order_line_id, lot.currency, amount])
    return text.getvalue().encode()


def _inert(cell: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
