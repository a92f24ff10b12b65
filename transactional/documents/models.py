"""Tax documents: what was put on paper, frozen to the last letter. Rows are written once and never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from transactional.core.db import Base
from transactional.core.types import BigInt, Currency, IntPk, Json, JsonType, Minor, UtcDateTime, enum_type


class DocumentKind(StrEnum):
    """What a document says: money is owed, or part of what an invoice said is taken back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class SupplyKind(StrEnum):
    """Which taxes a supply bears."""

    INTRA = "intra"
    """Within one state: half central tax (CGST), half state or union-territory tax (SGST, UTGST)."""
    INTER = "inter"
    """From state to state: integrated tax (IGST)."""
    EXPORT = "export"
    """Out of the country: zero-rated, or with integrated tax where the shop has no letter of undertaking."""


class DocumentLineKind(StrEnum):
    """What a line of a document stands for."""

    GOODS = "goods"
    SHIPPING = "shipping"
    WRAP = "wrap"


class TaxDocument(Base):
    """An invoice, or a credit note that takes back a part of one. Amounts in minor units of `currency`.

    total = taxable + CGST + SGST + IGST. A credit note's amounts are positive: they are taken off its invoice.
    """

    __tablename__ = "tax_documents"
    __table_args__ = (
        UniqueConstraint("series", "financial_year", "serial"),
        CheckConstraint("serial > 0", name="serial"),
        CheckConstraint("length(number) <= 16", name="number"),
        CheckConstraint(
            "taxable_minor >= 0 AND cgst_minor >= 0 AND sgst_minor >= 0 AND igst_minor >= 0", name="not_negative"
        ),
        CheckConstraint("total_minor = taxable_minor + cgst_minor + sgst_minor + igst_minor", name="total"),
        CheckConstraint(
            "(supply_kind = 'intra' AND igst_minor = 0)"
            " OR (supply_kind <> 'intra' AND cgst_minor = 0 AND sgst_minor = 0)",
            name="taxes",
        ),
        CheckConstraint("(kind = 'credit_note') = (refers_to_id IS NOT NULL)", name="refers_to"),
        Index("ix_tax_documents_issued_at_id", "issued_at", "id"),
    )

    id: Mapped[IntPk]
    kind: Mapped[DocumentKind] = mapped_column(enum_type(DocumentKind))
    series: Mapped[str] = mapped_column(String(3))
    """INV or CRN: each has its own run of serial numbers."""
    financial_year: Mapped[int]
    """The year in which it began: 2026 is April 2026 to March 2027, by Indian time."""
    serial: Mapped[int] = mapped_column(BigInt)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    """`INV-2627-0000001`: what is printed and asked for."""
    business_key: Mapped[str] = mapped_column(String(80), unique=True)
    """What the document is about (`invoice:<order>`, `return:<return>`, …): nothing is put on paper twice."""
    order_id: Mapped[int] = mapped_column(BigInt, ForeignKey("orders.id"), index=True)
    return_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("returns.id"))
    refers_to_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("tax_documents.id"), index=True)
    """The invoice that a credit note takes from."""
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seller: Mapped[Json]
    """As it was: name, address lines, state, state_code, country, gstin, email, phone."""
    buyer: Mapped[Json]
    """As it was: name, address lines, state, state_code, country, gstin, email, phone."""
    details: Mapped[Json] = mapped_column(default=dict)
    """What else is printed: order number and date, payment, number and date of the invoice that a note refers to."""
    place_of_supply: Mapped[str] = mapped_column(String(2))
    """GST state code; 96 is another country."""
    supply_kind: Mapped[SupplyKind] = mapped_column(enum_type(SupplyKind))
    currency: Mapped[Currency]
    taxable_minor: Mapped[Minor]
    cgst_minor: Mapped[Minor] = mapped_column(default=0)
    sgst_minor: Mapped[Minor] = mapped_column(default=0)
    """State tax; in union territories without a legislature the union-territory tax (UTGST)."""
    igst_minor: Mapped[Minor] = mapped_column(default=0)
    total_minor: Mapped[Minor]
    reason: Mapped[str | None] = mapped_column(String(200))
    """Why a credit note was issued."""
    notes: Mapped[list[Any]] = mapped_column(JsonType, default=list)
    """Sentences that the law or a rule of the shop wants on the paper."""
    content_sha256: Mapped[str] = mapped_column(String(64))
    """Of everything above and of all lines, in a canonical form: shows any later change."""


class TaxDocumentLine(Base):
    """One line. total = taxable + CGST + SGST + IGST = what these units cost with every discount and tax."""

    __tablename__ = "tax_document_lines"
    __table_args__ = (
        UniqueConstraint("document_id", "position"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("rate_bp BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint(
            "taxable_minor >= 0 AND cgst_minor >= 0 AND sgst_minor >= 0 AND igst_minor >= 0", name="not_negative"
        ),
        CheckConstraint("total_minor = taxable_minor + cgst_minor + sgst_minor + igst_minor", name="total"),
    )

    id: Mapped[IntPk]
    document_id: Mapped[int] = mapped_column(BigInt, ForeignKey("tax_documents.id"))
    position: Mapped[int]
    kind: Mapped[DocumentLineKind] = mapped_column(enum_type(DocumentLineKind))
    order_line_id: Mapped[int | None] = mapped_column(BigInt, ForeignKey("order_lines.id"), index=True)
    first_unit: Mapped[int | None] = mapped_column(BigInt)
    """Which units of the order line: `first_unit` … `first_unit + quantity - 1`; NULL where it stands for none."""
    quantity: Mapped[int] = mapped_column(BigInt)
    """0 where a credit note lowers a price and no units came back."""
    hsn_code: Mapped[str | None] = mapped_column(String(8))
    """HSN of goods, SAC of services."""
    sku: Mapped[str | None] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(String(300))
    unit_price_minor: Mapped[Minor]
    """List price of one unit, tax included."""
    discount_minor: Mapped[Minor] = mapped_column(default=0)
    """What all these units cost less than their list price."""
    rate_bp: Mapped[int]
    taxable_minor: Mapped[Minor]
    cgst_minor: Mapped[Minor] = mapped_column(default=0)
    sgst_minor: Mapped[Minor] = mapped_column(default=0)
    igst_minor: Mapped[Minor] = mapped_column(default=0)
    total_minor: Mapped[Minor]
