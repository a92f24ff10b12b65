"""A document before it has a number, and the writing down of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from transactional.documents.models import DocumentKind, DocumentLineKind, TaxDocument, TaxDocumentLine
from transactional.documents.regime import Supply
from transactional.documents.series import Numbered, next_in_series
from transactional.documents.tax import Part

_MAX_REASON = 200
_MAX_DESCRIPTION = 300
_APART = {"id", "content_sha256", "document_id"}
"""Columns that say nothing of what was sold."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line with its amount and the taxes in it; see `TaxDocumentLine`."""

    kind: DocumentLineKind
    description: str
    quantity: int
    unit_price_minor: int
    rate_bp: int
    part: Part
    discount_minor: int = 0
    hsn_code: str | None = None
    sku: str | None = None
    order_line_id: int | None = None
    first_unit: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A document without number, time and hash; see `TaxDocument`."""

    kind: DocumentKind
    business_key: str
    order_id: int
    seller: dict[str, Any]
    buyer: dict[str, Any]
    details: dict[str, Any]
    supply: Supply
    currency: str
    lines: Sequence[DraftLine]
    refers_to_id: int | None = None
    return_id: int | None = None
    reason: str | None = None
    notes: list[str] = field(default_factory=list)


def write(session: Session, draft: Draft, *, fiscal_year: int, now: datetime) -> TaxDocument:
    """Give the draft the next number of its series and write it down, in the present transaction.

    Nothing slow may follow before the commit: the series is locked until then.
    """
    numbered = next_in_series(session, kind=draft.kind, fiscal_year=fiscal_year, now=now)
    document = _document(draft, numbered)
    lines = [_line(position, line) for position, line in enumerate(draft.lines, start=1)]
    document.content_sha256 = content_hash(document, lines)
    session.add(document)
    session.flush()
    rows = [{**_content(line), "document_id": document.id} for line in lines]
    # One statement for goods and services, though these have no order line.
    session.execute(insert(TaxDocumentLine).execution_options(render_nulls=True), rows)
    return document


def content_hash(document: TaxDocument, lines: Sequence[TaxDocumentLine]) -> str:
    """SHA-256 over every column that is put on paper, in a canonical form."""
    rows = [_content(document), *(_content(line) for line in lines)]
    canonical = orjson.dumps(rows, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(canonical).hexdigest()


def _content(row: TaxDocument | TaxDocumentLine) -> dict[str, Any]:
    """The columns that are put on paper."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name not in _APART}


def _document(draft: Draft, numbered: Numbered) -> TaxDocument:
    parts = [line.part for line in draft.lines]
    return TaxDocument(
        kind=draft.kind,
        series=numbered.series,
        financial_year=numbered.fiscal_year,
        serial=numbered.serial,
        number=numbered.number,
        business_key=draft.business_key,
        order_id=draft.order_id,
        return_id=draft.return_id,
        refers_to_id=draft.refers_to_id,
        issued_at=numbered.issued_at,
        seller=draft.seller,
        buyer=draft.buyer,
        details=draft.details,
        place_of_supply=draft.supply.place,
        supply_kind=draft.supply.kind,
        currency=draft.currency,
        taxable_minor=sum(part.taxable_minor for part in parts),
        cgst_minor=sum(part.cgst_minor for part in parts),
        sgst_minor=sum(part.sgst_minor for part in parts),
        igst_minor=sum(part.igst_minor for part in parts),
        total_minor=sum(part.amount_minor for part in parts),
        reason=None if draft.reason is None else draft.reason[:_MAX_REASON],
        notes=[*draft.supply.notes, *draft.notes],
    )


def _line(position: int, line: DraftLine) -> TaxDocumentLine:
    return TaxDocumentLine(
        position=position,
        kind=line.kind,
        order_line_id=line.order_line_id,
        first_unit=line.first_unit,
        quantity=line.quantity,
        hsn_code=line.hsn_code,
        sku=line.sku,
        description=line.description[:_MAX_DESCRIPTION],
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        rate_bp=line.rate_bp,
        taxable_minor=line.part.taxable_minor,
        cgst_minor=line.part.cgst_minor,
        sgst_minor=line.part.sgst_minor,
        igst_minor=line.part.igst_minor,
        total_minor=line.part.amount_minor,
    )
