"""An order beside its documents: what it is worth now, what is on paper, what still has to be put there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from transactional.documents import queries
from transactional.documents.crediting import Credit, Key, Left, Units, invoiced_units, left_of, take_off
from transactional.documents.models import DocumentKind, DocumentLineKind, TaxDocument
from transactional.orders import service as orders
from transactional.payments import service as payments

GOODWILL = "goodwill"
"""How the business key of a note begins that stands for money given back without units."""


@dataclass(frozen=True, slots=True)
class Books:
    """A locked order with its lines, decisions and documents."""

    order: orders.Order
    lines: Sequence[orders.OrderLine]
    decisions: Sequence[orders.OrderRefundDecision]
    documents: Sequence[TaxDocument]
    left: dict[Key, Left]
    """What credit notes have left of the invoices' lines."""

    @property
    def invoices(self) -> list[TaxDocument]:
        """In the order of issue."""
        return [document for document in self.documents if document.kind is DocumentKind.INVOICE]

    @property
    def notes(self) -> list[TaxDocument]:
        """In the order of issue."""
        return [document for document in self.documents if document.kind is DocumentKind.CREDIT_NOTE]

    @property
    def value_minor(self) -> int:
        """What the order is worth by its own prices: its total less everything that was decided to be given back."""
        return self.order.total_minor - sum(decision.refund_minor for decision in self.decisions)

    @property
    def on_paper_minor(self) -> int:
        """What the documents say, apart from kindness: invoices less credit notes for units and shipping."""
        kept = [note for note in self.notes if not note.business_key.startswith(GOODWILL)]
        return sum(d.total_minor for d in self.invoices) - sum(d.total_minor for d in kept)

    def has_left(self) -> bool:
        """Whether a parcel has left the house."""
        return any(line.shipped_quantity for line in self.lines)

    def uninvoiced(self) -> list[orders.OrderLine]:
        """Lines of which units are kept and none is on an invoice."""
        invoiced = {key[2] for key in self.left}
        return [line for line in self.lines if line.id not in invoiced and line.given_back_quantity < line.quantity]

    def uncharged(self) -> dict[DocumentLineKind, int]:
        """Shipping and wrapping that is on no invoice yet."""
        charged = {DocumentLineKind.SHIPPING: self.order.shipping_minor, DocumentLineKind.WRAP: self.order.wrap_minor}
        for key, entry in self.left.items():
            if key[1] in charged:
                charged[key[1]] -= entry.line.unit_price_minor
        return {kind: amount for kind, amount in charged.items() if amount > 0}

    def undocumented(self) -> list[orders.OrderRefundDecision]:
        """Decisions that came after the first invoice and have no note yet; those before it shaped the invoice."""
        if not self.invoices:
            return []
        seen = self.invoices[0].details["decided_through"]
        noted = {note.business_key.split(":")[1] for note in self.notes if note.business_key.startswith("decision:")}
        return [d for d in self.decisions if d.id > seen and str(d.id) not in noted]

    def credit_of(self, decision: orders.OrderRefundDecision) -> Credit:
        """What a decision takes off the invoices: not what units cost that are on none."""
        units = [
            Units(unit["order_line_id"], unit["first"], unit["quantity"], unit["refund_minor"])
            for unit in decision.policy.get("units", ())
        ]
        unknown = sum(unit.amount_minor for unit in units if invoiced_units(self.left, unit) is None)
        return Credit(max(0, decision.refund_minor - unknown), units, decision.shipping_minor)


def open_books(session: Session, order: orders.Order) -> Books:
    """Read everything about a locked order."""
    documents = queries.documents_of(session, order.id)
    lines = queries.lines_of_many(session, [document.id for document in documents]) if documents else []
    invoices = {document.id for document in documents if document.kind is DocumentKind.INVOICE}
    left = left_of([line for line in lines if line.document_id in invoices])
    for document in documents:
        if document.refers_to_id is not None:
            take_off(left, document.refers_to_id, [line for line in lines if line.document_id == document.id])
    return Books(order, orders.lines_of(session, order.id), orders.decisions_of(session, order.id), documents, left)


def unnoted_kindness_minor(session: Session, books: Books) -> int:
    """Money that went back without units and is on no note yet."""
    noted = sum(note.total_minor for note in books.notes if note.business_key.startswith(GOODWILL))
    return max(0, _goodwill_minor(session, books) - noted)


def _goodwill_minor(session: Session, books: Books) -> int:
    """Money given back beyond every decision about units: what was fully paid and is now less than the order's worth.

    An order that was never paid in full (on delivery, or an exchange that is still open) tells nothing about kindness.
    """
    paid = payments.payments_of_order(session, order_id=books.order.id)
    captured = sum(payment.captured_minor for payment in paid)
    given = sum(payment.refunded_minor + payment.refund_pending_minor for payment in paid)
    if captured == 0 or captured < books.value_minor:
        return 0
    return max(0, books.value_minor - (captured - given))
