"""Two views of the same payments: what our ledger says and what the gateway says, figure by figure, to the paisa."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from transactional.payments.gateway import PaymentSnapshot, RefundSnapshot
from transactional.payments.ledger import Account
from transactional.payments.models import (
    Figure,
    LedgerPosting,
    LedgerTransaction,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)

T = TypeVar("T")

_CHUNK = 500
"""Ids in one query: databases bound the number of parameters."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that the two sides see differently; amounts in minor units."""

    kind: Figure
    reference: str
    """The gateway's id of the refund where one refund differs, else of the payment."""
    gateway_payment_id: str
    gateway_refund_id: str | None
    order_id: int | None
    currency: str
    ours_minor: int
    theirs_minor: int


@dataclass(frozen=True, slots=True)
class Money:
    """What one side says about a payment; zeros where it does not know it."""

    captured: int = 0
    refunded: int = 0
    fee: int = 0
    fee_tax: int = 0

    def figures(self) -> dict[Figure, int]:
        """By name."""
        return {
            Figure.CAPTURED: self.captured,
            Figure.REFUNDED: self.refunded,
            Figure.FEE: self.fee,
            Figure.FEE_TAX: self.fee_tax,
        }

    @property
    def net(self) -> int:
        """What the shop has of it."""
        return self.captured - self.refunded - self.fee


@dataclass(slots=True)
class Theirs:
    """The gateway's view: payments and refunds by id. A payment that is asked for and not there is None."""

    payments: dict[str, PaymentSnapshot | None] = field(default_factory=dict)
    refunds: dict[str, RefundSnapshot | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our view: rows by the gateway's ids, and what the ledger holds for each."""

    payments: Mapping[str, Payment]
    refunds: Mapping[str, Refund]
    posted: Mapping[str, Mapping[str, int]]
    """By the ledger's business key: the amount on each account."""
    on_its_way: Mapping[int, int]
    """By payment row: refunds that the gateway has taken in and not settled. Unsent ones it cannot know."""

    def by_ledger(self, payment_id: str) -> Money:
        """What was posted about a payment; what was refunded of it is posted refund by refund."""
        fee = self.posted.get(f"fee:{payment_id}", {})
        return Money(
            captured=self.posted.get(f"capture:{payment_id}", {}).get(Account.GATEWAY, 0),
            refunded=self.given_back(payment_id),
            fee=-fee.get(Account.GATEWAY, 0),
            fee_tax=fee.get(Account.FEE_TAX, 0),
        )

    def by_row(self, payment_id: str) -> Money:
        """What the payment's own row says."""
        row = self.payments.get(payment_id)
        if row is None:
            return Money()
        return Money(row.captured_minor, self.given_back(payment_id), row.fee_minor or 0, row.fee_tax_minor or 0)

    def given_back(self, payment_id: str) -> int:
        """Gone or on its way: the gateway counts a refund from the moment at which it took it in."""
        row = self.payments.get(payment_id)
        return row.refunded_minor + self.on_its_way.get(row.id, 0) if row is not None else 0


@dataclass(slots=True)
class Comparison:
    """What was compared, where it differs, and the sums of both sides by currency and figure."""

    payments: int = 0
    refunds: int = 0
    differences: list[Difference] = field(default_factory=list)
    ours: dict[tuple[str, Figure], int] = field(default_factory=lambda: defaultdict(int))
    theirs: dict[tuple[str, Figure], int] = field(default_factory=lambda: defaultdict(int))


def compare(session: Session, gateway: str, theirs: Theirs) -> Comparison:
    """Compare everything in the gateway's view with our books. A payment that only one side knows counts as zero."""
    ours = _ours(session, gateway, theirs)
    result = Comparison(payments=len(theirs.payments), refunds=len(theirs.refunds))
    for payment_id, snapshot in sorted(theirs.payments.items()):
        _compare_payment(result, payment_id, ours, snapshot)
    for refund_id, refund in sorted(theirs.refunds.items()):
        _compare_refund(result, refund_id, ours, refund, theirs)
    return result


def known_payments(session: Session, gateway: str, payment_ids: Iterable[str]) -> dict[str, Payment]:
    """Our rows of these payments, by the gateway's id."""
    known: dict[str, Payment] = {}
    for ids in _chunks(payment_ids):
        rows = session.scalars(select(Payment).where(Payment.gateway == gateway, Payment.gateway_payment_id.in_(ids)))
        known |= {payment.gateway_payment_id: payment for payment in rows}
    return known


def _ours(session: Session, gateway: str, theirs: Theirs) -> Ours:
    payments = known_payments(session, gateway, theirs.payments)
    on_its_way: dict[int, int] = {}
    for row_ids in _chunks(payment.id for payment in payments.values()):
        on_its_way |= _on_its_way(session, row_ids)
    refunds: dict[str, Refund] = {}
    for ids in _chunks(theirs.refunds):
        known = select(Refund).where(Refund.gateway_refund_id.in_(ids))
        refunds |= {str(refund.gateway_refund_id): refund for refund in session.scalars(known)}
    keys = [f"{kind}:{payment_id}" for payment_id in theirs.payments for kind in ("capture", "fee")]
    keys += [f"refund:{refund_id}" for refund_id in theirs.refunds]
    return Ours(payments, refunds, _posted(session, keys), on_its_way)


def _chunks(ids: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(ids)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _on_its_way(session: Session, payment_ids: list[int]) -> dict[int, int]:
    sums = (
        select(Refund.payment_id, func.sum(Refund.amount_minor))
        .where(Refund.payment_id.in_(payment_ids), Refund.status == RefundStatus.PENDING)
        .where(Refund.gateway_refund_id.is_not(None))
        .group_by(Refund.payment_id)
    )
    return {payment_id: int(amount) for payment_id, amount in session.execute(sums) if payment_id is not None}


def _posted(session: Session, keys: list[str]) -> dict[str, dict[str, int]]:
    posted: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for chunk in _chunks(keys):
        sums = (
            select(LedgerTransaction.business_key, LedgerPosting.account, func.sum(LedgerPosting.amount_minor))
            .join(LedgerPosting, LedgerPosting.transaction_id == LedgerTransaction.id)
            .where(LedgerTransaction.business_key.in_(chunk))
            .group_by(LedgerTransaction.business_key, LedgerPosting.account)
        )
        for key, account, amount in session.execute(sums):
            posted[key][account] = int(amount)
    return posted


def _compare_payment(result: Comparison, payment_id: str, ours: Ours, snapshot: PaymentSnapshot | None) -> None:
    row = ours.payments.get(payment_id)
    if row is None and snapshot is None:
        return  # an earlier run had it; by now nobody knows it
    currency = snapshot.currency if snapshot is not None else row.currency if row is not None else ""
    posted, written, their_money = ours.by_ledger(payment_id), ours.by_row(payment_id), _their_money(snapshot)
    _add(result.ours, currency, posted)
    _add(result.theirs, currency, their_money)
    for figure, theirs in their_money.figures().items():
        # The ledger is what counts; a row that tells something else than a right ledger is a difference as well.
        wrong = next((view[figure] for view in (posted.figures(), written.figures()) if view[figure] != theirs), None)
        if wrong is not None:
            order_id = row.order_id if row is not None else None
            result.differences.append(
                Difference(figure, payment_id, payment_id, None, order_id, currency, wrong, theirs)
            )


def _add(sums: dict[tuple[str, Figure], int], currency: str, money: Money) -> None:
    for figure, amount in (money.figures() | {Figure.NET: money.net}).items():
        sums[currency, figure] += amount


def _their_money(snapshot: PaymentSnapshot | None) -> Money:
    if snapshot is None or not is_captured(snapshot):
        return Money()
    return Money(
        captured=snapshot.amount_minor,
        refunded=snapshot.refunded_minor,
        fee=snapshot.fee_minor or 0,
        fee_tax=snapshot.fee_tax_minor or 0,
    )


def is_captured(snapshot: PaymentSnapshot) -> bool:
    """Whether money was taken, even if it went back since. A card's `captured` flag alone is not to be trusted."""
    refunded_after = snapshot.status is PaymentStatus.REFUNDED and snapshot.captured
    return snapshot.status is PaymentStatus.CAPTURED or refunded_after


def _compare_refund(
    result: Comparison, refund_id: str, ours: Ours, snapshot: RefundSnapshot | None, theirs: Theirs
) -> None:
    refund = ours.refunds.get(refund_id)
    if refund is None and snapshot is None:
        return
    payment_id = snapshot.payment_id if snapshot is not None else _payment_id_of(refund, ours)
    payment = theirs.payments.get(payment_id)
    if refund is None and payment is not None and not is_captured(payment):
        return  # an authorisation went back by itself: no money of ours
    their_amount = snapshot.amount_minor if snapshot is not None and snapshot.status is not RefundStatus.FAILED else 0
    currency = snapshot.currency if snapshot is not None else refund.currency if refund is not None else ""
    our_amount = _our_refund(refund, ours, snapshot)
    result.ours[currency, Figure.REFUND] += our_amount
    result.theirs[currency, Figure.REFUND] += their_amount
    if our_amount != their_amount:
        order_id = refund.order_id if refund is not None else None
        result.differences.append(
            Difference(Figure.REFUND, refund_id, payment_id, refund_id, order_id, currency, our_amount, their_amount)
        )


def _payment_id_of(refund: Refund | None, ours: Ours) -> str:
    if refund is None:
        return ""
    return next((key for key, payment in ours.payments.items() if payment.id == refund.payment_id), "")


def _our_refund(refund: Refund | None, ours: Ours, snapshot: RefundSnapshot | None) -> int:
    """What is posted; while the gateway calls it pending, what is ordered."""
    posted = -ours.posted.get(f"refund:{refund.gateway_refund_id}", {}).get(Account.GATEWAY, 0) if refund else 0
    still_pending = snapshot is not None and snapshot.status is RefundStatus.PENDING
    if refund is not None and posted == 0 and still_pending and refund.status is RefundStatus.PENDING:
        return refund.amount_minor
    return posted


def by_payment(differences: Iterable[Difference]) -> Iterator[str]:
    """The payments that differ, each once."""
    return iter(dict.fromkeys(difference.gateway_payment_id for difference in differences))
