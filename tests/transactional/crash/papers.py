"""The papers of a shop whose process was killed: what leads to them, and what must hold of them."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.transactional.crash.scene import Scene
from transactional.documents.models import DocumentKind, TaxDocument
from transactional.documents.service import content_hash, lines_of
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.returns import service as returns

_WINDOW_DAYS = 14


@dataclass
class Papers:
    """The scene's orders from their parcels on."""

    scene: Scene

    def packed(self) -> int:
        """A paid order that is ready to be sent; gives its id."""
        order_id = self.scene.order_by_number(self.scene.buy()).id
        kit = self.scene.kit
        kit.run(lambda s: orders.pack(s, order_id=order_id, actor="test", now=kit.now))
        self.scene.work()
        return order_id

    def ship(self, order_id: int) -> None:
        """The courier takes the order."""
        kit = self.scene.kit
        kit.run(lambda s: orders.ship(s, order_id=order_id, actor="test", now=kit.now))

    def delivered(self) -> int:
        """An order that arrived, with its invoice; gives its id."""
        order_id = self.packed()
        self.ship(order_id)
        kit = self.scene.kit
        kit.run(lambda s: orders.deliver(s, order_id=order_id, actor="test", now=kit.now))
        self.scene.work()
        return order_id

    def send_back(self, order_id: int) -> None:
        """One of the order's two units comes back."""
        kit = self.scene.kit
        (line,) = kit.lines(order_id)

        def work(session: Session) -> None:
            asked = returns.request_return(
                session, order_id=order_id, quantities={line.id: 1}, reason="", window_days=_WINDOW_DAYS, now=kit.now
            )
            returns.approve(session, return_id=asked.id, now=kit.now)
            returns.process(session, return_id=asked.id, actor="test", now=kit.now)

        kit.run(work)

    def notes_of(self, order_id: int) -> int:
        """How many credit notes the order has."""
        return self.scene.kit.count(
            TaxDocument, TaxDocument.order_id == order_id, TaxDocument.kind == DocumentKind.CREDIT_NOTE
        )

    # --- what must hold ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Series without gaps, one invoice per order, one note per refund, and figures that are the money's."""
        self.scene.check_books()
        with self.scene.database.read() as session:
            documents = session.scalars(select(TaxDocument).order_by(TaxDocument.id)).all()
            for kind in DocumentKind:
                serials = [document.serial for document in documents if document.kind is kind]
                assert serials == list(range(1, len(serials) + 1))
            of_order = defaultdict(list)
            for document in documents:
                of_order[document.order_id].append(document)
                _check_sums(session, document)
            for order in self.scene.orders():
                _check_order(session, order, of_order[order.id])


def _check_sums(session: Session, document: TaxDocument) -> None:
    lines = lines_of(session, document.id)
    for column in ("taxable_minor", "cgst_minor", "sgst_minor", "igst_minor", "total_minor"):
        assert getattr(document, column) == sum(getattr(line, column) for line in lines)
    assert document.content_sha256 == content_hash(document, lines)


def _check_order(session: Session, order: orders.Order, documents: list[TaxDocument]) -> None:
    invoice, *notes = documents
    refunds = payments.refunds_of_order(session, order_id=order.id)
    assert (invoice.kind, invoice.total_minor) == (DocumentKind.INVOICE, order.total_minor)
    assert {(note.kind, note.refers_to_id) for note in notes} <= {(DocumentKind.CREDIT_NOTE, invoice.id)}
    assert sorted(note.total_minor for note in notes) == sorted(refund.amount_minor for refund in refunds)
