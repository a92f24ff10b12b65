"""Reading documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page
from transactional.documents.models import DocumentKind, SupplyKind, TaxDocument, TaxDocumentLine


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents are wanted; what is None does not matter. `since` is inclusive, `until` is not."""

    kind: DocumentKind | None = None
    supply_kind: SupplyKind | None = None
    place_of_supply: str | None = None
    order_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def documents_of(session: Session, order_id: int) -> Sequence[TaxDocument]:
    """Every document of an order, in the order of issue."""
    return session.scalars(select(TaxDocument).where(TaxDocument.order_id == order_id).order_by(TaxDocument.id)).all()


def find_document(session: Session, number: str) -> TaxDocument:
    """The document with this number. Raises NotFound."""
    found = session.scalar(select(TaxDocument).where(TaxDocument.number == number))
    if found is None:
        raise NotFound("no such document")
    return found


def lines_of(session: Session, document_id: int) -> Sequence[TaxDocumentLine]:
    """A document's lines, as they are printed."""
    return lines_of_many(session, [document_id])


def lines_of_many(session: Session, document_ids: Sequence[int]) -> Sequence[TaxDocumentLine]:
    """The lines of several documents, document by document."""
    return session.scalars(
        select(TaxDocumentLine)
        .where(TaxDocumentLine.document_id.in_(document_ids))
        .order_by(TaxDocumentLine.document_id, TaxDocumentLine.position)
    ).all()


def page_of_documents(
    session: Session, cursor: Cursor, wanted: DocumentFilter
) -> tuple[Sequence[TaxDocument], str | None]:
    """Documents, newest first."""
    statement = select(TaxDocument)
    for column, value in (
        (TaxDocument.kind, wanted.kind),
        (TaxDocument.supply_kind, wanted.supply_kind),
        (TaxDocument.place_of_supply, wanted.place_of_supply),
        (TaxDocument.order_id, wanted.order_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(TaxDocument.issued_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(TaxDocument.issued_at < wanted.until)
    return fetch_page(session, statement, cursor, by=TaxDocument.id)
