"""Tax documents, as other domains use them: what was sold and given back, on paper, once.

`settle` compares an order with its documents and writes what is missing; everything that happens to an order leads
there, in any order and any number of times. Documents are never changed or deleted: a credit note takes back.
"""

import re
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from transactional.core.errors import Conflict
from transactional.documents import parties
from transactional.documents.crediting import Credit, credit_lines
from transactional.documents.drafts import Draft, content_hash, write
from transactional.documents.due import may_be_due
from transactional.documents.invoicing import invoice_lines
from transactional.documents.ledger import GOODWILL, Books, open_books, unnoted_kindness_minor
from transactional.documents.models import (
    DocumentKind,
    DocumentLineKind,
    SupplyKind,
    TaxDocument,
    TaxDocumentLine,
)
from transactional.documents.queries import (
    DocumentFilter,
    documents_of,
    find_document,
    lines_of,
    page_of_documents,
)
from transactional.documents.regime import Supply, TaxRegime, regime_of
from transactional.documents.states import PlaceOfSupplyUnknown
from transactional.orders import service as orders
from transactional.settings import Settings, get_settings

__all__ = [
    "DocumentFilter",
    "DocumentKind",
    "DocumentLineKind",
    "NothingToDocument",
    "PlaceOfSupplyUnknown",
    "SupplyKind",
    "TaxDocument",
    "TaxDocumentLine",
    "content_hash",
    "documents_of",
    "find_document",
    "issue_credit_note",
    "issue_invoice",
    "lines_of",
    "may_be_due",
    "page_of_documents",
    "settle",
]

_RETURN = re.compile(r"return:([0-9]+)")


class NothingToDocument(Conflict):
    """An order that needs no document now, or never here."""

    code = "nothing-to-document"
    title = "This order needs no such document"


def settle(
    session: Session,
    *,
    order_id: int,
    now: datetime,
    settings: Settings | None = None,
    place_of_supply: str | None = None,
) -> list[TaxDocument]:
    """Bring the documents of an order in line with it; gives the new ones, none where nothing is missing.

    An invoice when the first parcel has left, a credit note for every later decision to give money back, and one for
    money given back without units. `place_of_supply` is what staff decided where the address does not tell.

    Raises NotFound, PlaceOfSupplyUnknown, InvalidInput for a seller whose settings contradict each other.
    """
    order = orders.lock_order(session, order_id)
    if not _is_ours(order):
        return []
    books = open_books(session, order)
    if not books.has_left() and not books.invoices:
        return []
    desk = _Desk(session, settings or get_settings(), now)
    issued: list[TaxDocument] = []
    for decision in books.undocumented():
        notes = desk.credit(
            books,
            books.credit_of(decision),
            key=f"decision:{decision.id}",
            reason=_reason(decision),
            return_id=_return_id(decision),
        )
        if notes:
            issued += notes
            books = open_books(session, order)
    if any(line.shipped_quantity for line in books.uninvoiced()):
        issued.append(desk.invoice(books, place_of_supply))
    kindness = unnoted_kindness_minor(session, books)
    if kindness:
        # What was just written can be credited as well.
        issued += desk.kindness(open_books(session, order), kindness)
    return issued


def issue_invoice(
    session: Session,
    *,
    order_id: int,
    now: datetime,
    settings: Settings | None = None,
    place_of_supply: str | None = None,
) -> TaxDocument:
    """The order's latest invoice, written now if it is due and missing.

    Raises NothingToDocument as long as nothing of the order has left, or for an order that was sold elsewhere; further
    as `settle` does.
    """
    settle(session, order_id=order_id, now=now, settings=settings, place_of_supply=place_of_supply)
    invoices = [d for d in documents_of(session, order_id) if d.kind is DocumentKind.INVOICE]
    if not invoices:
        order = orders.get_order(session, order_id)
        raise NothingToDocument(f"nothing of order {order.order_number} was sent by this shop: it is {order.status}")
    return invoices[-1]


def issue_credit_note(
    session: Session,
    *,
    order_id: int,
    amount_minor: int,
    key: str,
    reason: str,
    now: datetime,
    settings: Settings | None = None,
) -> list[TaxDocument]:
    """Take an amount off the order's invoices without units, once per `key`; the notes, one for each invoice touched.

    Units that come back need no call: `settle` finds them. Raises NotFound, NothingToDocument where no invoice has so
    much left.
    """
    order = orders.lock_order(session, order_id)
    books = open_books(session, order)
    mine = f"{GOODWILL}:{order_id}:{key}:"
    known = [note for note in books.notes if note.business_key.startswith(mine)]
    if known:
        return known
    left = sum(entry.part.amount_minor for entry in books.left.values())
    if not 0 < amount_minor <= left:
        raise NothingToDocument(
            f"the invoices of order {order.order_number} have {left} left to credit, not {amount_minor}", left=left
        )
    desk = _Desk(session, settings or get_settings(), now)
    return desk.credit(books, Credit(amount_minor), key=mine.removesuffix(":"), reason=reason)


def _is_ours(order: orders.Order) -> bool:
    """Whether the order was sold by this shop and in earnest: only then its papers are ours."""
    return order.source == "shop" and not order.is_test


def _reason(decision: orders.OrderRefundDecision) -> str:
    return {
        orders.UnitMove.CANCELLED: "Goods cancelled before they were sent",
        orders.UnitMove.CAME_BACK: "Goods could not be delivered",
        orders.UnitMove.RETURNED: "Goods returned",
    }.get(decision.kind, "Goods given back")


def _return_id(decision: orders.OrderRefundDecision) -> int | None:
    named = _RETURN.fullmatch(decision.cause)
    return int(named[1]) if named else None


class _Desk:
    """Where documents of one moment are written: who sells, by which rules."""

    def __init__(self, session: Session, settings: Settings, now: datetime) -> None:
        self._session = session
        self._settings = settings
        self._now = now
        self._regime: TaxRegime = regime_of(
            settings.seller_country,
            export_with_tax=settings.export_with_tax,
            letter_of_undertaking=settings.export_undertaking,
        )

    @cached_property
    def _seller(self) -> dict[str, Any]:
        """Read for the first document: most orders need none when somebody looks."""
        return parties.seller(self._session, self._settings)

    def invoice(self, books: Books, place: str | None) -> TaxDocument:
        """Everything that is kept and on no invoice."""
        order = books.order
        supply = self._regime.supply(seller_state=self._seller["state_code"], ship_to=order.ship_to, place=place)
        lines = invoice_lines(
            self._session,
            order,
            books.uninvoiced(),
            supply=supply,
            charged=books.uncharged(),
            total_minor=max(0, books.value_minor - books.on_paper_minor),
            settings=self._settings,
        )
        draft = Draft(
            kind=DocumentKind.INVOICE,
            business_key=f"invoice:{order.id}:{len(books.invoices) + 1}",
            order_id=order.id,
            seller=self._seller,
            buyer=parties.buyer(self._session, order),
            details=_details(order) | {"decided_through": max((d.id for d in books.decisions), default=0)},
            supply=supply,
            currency=order.currency,
            lines=lines,
        )
        return self._write(draft)

    def credit(
        self, books: Books, credit: Credit, *, key: str, reason: str, return_id: int | None = None
    ) -> list[TaxDocument]:
        """A note for each invoice that the credit takes from; none for nothing."""
        invoices = {invoice.id: invoice for invoice in books.invoices}
        by_invoice = credit_lines(books.left, credit) if credit.amount_minor else {}
        return [
            self._write(
                Draft(
                    kind=DocumentKind.CREDIT_NOTE,
                    business_key=f"{key}:{invoice_id}",
                    order_id=books.order.id,
                    seller=self._seller,
                    buyer=invoices[invoice_id].buyer,
                    details=_details(books.order) | _refers_to(invoices[invoice_id]),
                    supply=_supply_of(invoices[invoice_id]),
                    currency=books.order.currency,
                    lines=lines,
                    refers_to_id=invoice_id,
                    return_id=return_id,
                    reason=reason,
                )
            )
            for invoice_id, lines in by_invoice.items()
        ]

    def kindness(self, books: Books, amount_minor: int) -> list[TaxDocument]:
        """A note over money that went back without units."""
        key = f"{GOODWILL}:{books.order.id}:refund-{len(books.notes) + 1}"
        return self.credit(books, Credit(amount_minor), key=key, reason="Price lowered after the sale")

    def _write(self, draft: Draft) -> TaxDocument:
        return write(self._session, draft, fiscal_year=self._regime.fiscal_year(self._now), now=self._now)


def _details(order: orders.Order) -> dict[str, object]:
    return {
        "order_number": order.order_number,
        "placed_at": order.placed_at.isoformat(),
        "payment_mode": order.payment_mode.value,
    }


def _refers_to(invoice: TaxDocument) -> dict[str, object]:
    return {"invoice_number": invoice.number, "invoice_issued_at": invoice.issued_at.isoformat()}


def _supply_of(invoice: TaxDocument) -> Supply:
    """A note follows its invoice, wherever the goods would go today."""
    return Supply(invoice.place_of_supply, invoice.supply_kind)
