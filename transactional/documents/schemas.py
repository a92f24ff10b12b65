"""Tax documents over the wire. Amounts are integers in the currency's minor unit."""

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from transactional.documents.gst import MonthSummary
from transactional.documents.service import (
    DocumentKind,
    DocumentLineKind,
    SupplyKind,
    TaxDocument,
    TaxDocumentLine,
)


class IssueIn(BaseModel):
    """What staff decide about an invoice."""

    model_config = ConfigDict(extra="forbid")

    place_of_supply: str | None = Field(
        default=None,
        pattern=r"^(0[1-9]|[12][0-9]|3[0-8]|96)$",
        description="GST state code, where the address does not tell; 96 is another country",
        examples=["29"],
    )


class CreditIn(BaseModel):
    """Money taken off an order's invoices without units coming back."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    amount_minor: int = Field(gt=0, le=10**15, examples=[5_000])
    reason: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$", examples=["Scratched on arrival"])
    reference: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,24}$",
        description="Names this credit: the same one is given once",
        examples=["ticket-4711"],
    )


class DocumentOut(BaseModel):
    """A document in a list."""

    number: str = Field(examples=["INV-2627-0000123"])
    kind: DocumentKind = Field(examples=["invoice"])
    order_number: str = Field(examples=["MLT-2026-000123"])
    invoice_number: str | None = Field(description="The invoice that a credit note takes from", examples=[None])
    issued_at: datetime = Field(examples=["2026-11-22T09:00:00Z"])
    place_of_supply: str = Field(description="GST state code", examples=["29"])
    supply_kind: SupplyKind = Field(examples=["intra"])
    currency: str = Field(examples=["INR"])
    taxable_minor: int = Field(examples=[130_271])
    cgst_minor: int = Field(examples=[11_725])
    sgst_minor: int = Field(examples=[11_724])
    igst_minor: int = Field(examples=[0])
    total_minor: int = Field(description="Of a credit note: what it takes off its invoice", examples=[153_720])
    reason: str | None = Field(examples=[None])
    pdf: str = Field(description="Where it is downloaded", examples=["/v1/documents/INV-2627-0000123.pdf"])

    @classmethod
    def of(cls, document: TaxDocument) -> "DocumentOut":
        """From the row."""
        return cls.model_validate(_head(document))


class IssuedOut(BaseModel):
    """Documents that were written together."""

    items: list[DocumentOut]


class DocumentLineOut(BaseModel):
    """A line of a document."""

    position: int = Field(examples=[1])
    kind: DocumentLineKind = Field(examples=["goods"])
    order_line_id: int | None = Field(examples=[210])
    first_unit: int | None = Field(description="Which units of the order line, from 0", examples=[0])
    quantity: int = Field(examples=[2])
    hsn_code: str | None = Field(description="HSN of goods, SAC of services", examples=["6912"])
    sku: str | None = Field(examples=["DIYA-12"])
    description: str = Field(examples=["Hand-painted diya set"])
    unit_price_minor: int = Field(description="List price, tax included", examples=[79_900])
    discount_minor: int = Field(examples=[15_980])
    rate_bp: int = Field(description="GST in basis points", examples=[1_800])
    taxable_minor: int = Field(examples=[121_881])
    cgst_minor: int = Field(examples=[10_970])
    sgst_minor: int = Field(examples=[10_969])
    igst_minor: int = Field(examples=[0])
    total_minor: int = Field(examples=[143_820])


class DocumentDetail(DocumentOut):
    """A document with its lines."""

    content_sha256: str = Field(description="Of everything that is printed", examples=["9f2c" * 16])
    lines: list[DocumentLineOut]

    @classmethod
    def build(cls, document: TaxDocument, lines: Sequence[TaxDocumentLine]) -> "DocumentDetail":
        """From the rows."""
        shaped = [{name: getattr(line, name) for name in DocumentLineOut.model_fields} for line in lines]
        return cls.model_validate(_head(document) | {"content_sha256": document.content_sha256, "lines": shaped})


class _Totals(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    rate_bp: int = Field(examples=[1_800])
    currency: str = Field(examples=["INR"])
    taxable_minor: int = Field(examples=[1_302_710])
    cgst_minor: int = Field(examples=[117_244])
    sgst_minor: int = Field(examples=[117_244])
    igst_minor: int = Field(examples=[0])
    total_minor: int = Field(examples=[1_537_198])


class SupplyTotalsOut(_Totals):
    """Supplies of one section to one place at one rate; credit notes are taken off."""

    section: str = Field(description="B2B, B2C or EXP", examples=["B2C"])
    supply_kind: SupplyKind = Field(examples=["intra"])
    place_of_supply: str = Field(examples=["29"])
    place_name: str = Field(examples=["Karnataka"])


class HsnTotalsOut(_Totals):
    """Supplies under one HSN or SAC at one rate; credit notes are taken off."""

    hsn_code: str | None = Field(examples=["6912"])
    quantity: int = Field(examples=[14])


class SeriesUseOut(BaseModel):
    """The numbers of one series that the month used, without a gap."""

    model_config = ConfigDict(from_attributes=True)

    kind: DocumentKind = Field(examples=["invoice"])
    series: str = Field(examples=["INV"])
    first_number: str = Field(examples=["INV-2627-0000101"])
    last_number: str = Field(examples=["INV-2627-0000153"])
    count: int = Field(examples=[53])


class MonthSummaryOut(BaseModel):
    """A month of documents, as the GST return wants it."""

    month: date = Field(description="Its first day", examples=["2026-11-01"])
    supplies: list[SupplyTotalsOut]
    by_hsn: list[HsnTotalsOut]
    series: list[SeriesUseOut]

    @classmethod
    def of(cls, summary: MonthSummary) -> "MonthSummaryOut":
        """From the figures."""
        return cls(
            month=summary.month,
            supplies=[SupplyTotalsOut.model_validate(row) for row in summary.supplies],
            by_hsn=[HsnTotalsOut.model_validate(row) for row in summary.by_hsn],
            series=[SeriesUseOut.model_validate(row) for row in summary.series],
        )


def _head(document: TaxDocument) -> dict[str, object]:
    names = set(DocumentOut.model_fields) - {"order_number", "invoice_number", "pdf"}
    return {name: getattr(document, name) for name in names} | {
        "order_number": document.details["order_number"],
        "invoice_number": document.details.get("invoice_number"),
        "pdf": f"/v1/documents/{document.number}.pdf",
    }
