"""The shop's back office in tests: orders of every kind, their documents, and proofs that hold for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from tests.support.trade import ADDRESS, TradeKit, settings
from transactional.documents import service as documents
from transactional.documents.service import DocumentKind, TaxDocument, TaxDocumentLine
from transactional.orders import service as orders
from transactional.settings import Settings

GSTIN = "29AAPFU0939F1ZR"
"""A well-formed number of Karnataka, the state of the default seller."""


def seller(**changes: Any) -> Settings:
    """A shop in Bengaluru with a GSTIN."""
    return settings(**{"seller_gstin": GSTIN, **changes})


@dataclass
class Office:
    """Every call is a unit of work of its own."""

    kit: TradeKit
    config: Settings

    def buy(self, lines: Mapping[int, int], *, to: Mapping[str, Any] | None = None, **more: Any) -> int:
        """A paid order that goes to this address; gives its id."""
        order_id = self.kit.buy(lines, **more)
        if to is not None:
            self.change(order_id, ship_to={**ADDRESS, **to})
        return order_id

    def change(self, order_id: int, **columns: Any) -> None:
        """Write columns of the order as another domain would."""

        def work(session: Session) -> None:
            order = orders.lock_order(session, order_id)
            for name, value in columns.items():
                setattr(order, name, value)

        self.kit.run(work)

    def settle(self, order_id: int, **more: Any) -> list[TaxDocument]:
        """Write what is missing."""
        return self.kit.run(
            lambda s: documents.settle(s, order_id=order_id, now=self.kit.now, settings=self.config, **more)
        )

    def give_back(self, order_id: int, units: Mapping[int, int], *, cause: str, ours: bool = False) -> int:
        """The customer returns units (line → quantity); gives what is refunded."""
        return self.kit.run(
            lambda s: (
                orders.take_back(
                    s,
                    order_id=order_id,
                    units=units,
                    cause=cause,
                    actor="test",
                    reason="test",
                    now=self.kit.now,
                    ours=ours,
                ).decision.refund_minor
            )
        )

    def documents(self, order_id: int) -> list[TaxDocument]:
        """The order's documents, in the order of issue."""
        with self.kit.database.read() as session:
            return list(documents.documents_of(session, order_id))

    def lines(self, document: TaxDocument) -> list[TaxDocumentLine]:
        """A document's lines."""
        with self.kit.database.read() as session:
            return list(documents.lines_of(session, document.id))

    def on_paper(self, order_id: int) -> int:
        """Invoices less credit notes."""
        return sum(
            document.total_minor if document.kind is DocumentKind.INVOICE else -document.total_minor
            for document in self.documents(order_id)
        )

    def assert_sound(self, order_id: int) -> None:
        """Every document is the sum of its lines and unchanged; no line is credited beyond its invoice."""
        left: dict[tuple[int, str, int | None], int] = {}
        for document in self.documents(order_id):
            lines = self.lines(document)
            for column in ("taxable_minor", "cgst_minor", "sgst_minor", "igst_minor", "total_minor"):
                assert getattr(document, column) == sum(getattr(line, column) for line in lines)
            assert document.content_sha256 == documents.content_hash(document, lines)
            assert len(document.number) <= 16
            for line in lines:
                invoice = document.refers_to_id or document.id
                key = (invoice, line.kind.value, line.order_line_id)
                left[key] = left.get(key, 0) + (
                    line.total_minor if document.kind is DocumentKind.INVOICE else -line.total_minor
                )
        assert all(amount >= 0 for amount in left.values())
