"""A month of documents as the GST return wants it: totals by rate and place of supply, by HSN, and the numbers used.

Credit notes are taken off in the month in which they were issued (CGST Act, section 34). The figures follow GSTR-1:
`B2B` for buyers with a GSTIN, `B2C` for those without, `EXP` for exports.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from transactional.core.money import exponent
from transactional.documents.models import DocumentKind, SupplyKind, TaxDocument, TaxDocumentLine
from transactional.documents.states import state_name

_INDIAN_TIME = ZoneInfo("Asia/Kolkata")

_COLUMNS = (
    "month section supply place_code place rate_percent currency taxable_value cgst sgst igst total".split()  # noqa: SIM905
)
_AMOUNTS = ("taxable_minor", "cgst_minor", "sgst_minor", "igst_minor", "total_minor")


@dataclass(frozen=True, slots=True)
class SupplyTotals:
    """What was supplied of one section to one place at one rate, in minor units; credit notes are taken off."""

    section: str
    supply_kind: SupplyKind
    place_of_supply: str
    rate_bp: int
    currency: str
    taxable_minor: int
    cgst_minor: int
    sgst_minor: int
    igst_minor: int
    total_minor: int

    @property
    def place_name(self) -> str:
        """The state's name."""
        return state_name(self.place_of_supply)


@dataclass(frozen=True, slots=True)
class HsnTotals:
    """What was supplied under one HSN or SAC at one rate; credit notes are taken off, their units too."""

    hsn_code: str | None
    rate_bp: int
    currency: str
    quantity: int
    taxable_minor: int
    cgst_minor: int
    sgst_minor: int
    igst_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class SeriesUse:
    """The numbers that a month used of one series: from, to and how many; no number is missing between them."""

    kind: DocumentKind
    series: str
    first_number: str
    last_number: str
    count: int


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """A calendar month by Indian time."""

    month: date
    """Its first day."""
    supplies: Sequence[SupplyTotals]
    by_hsn: Sequence[HsnTotals]
    series: Sequence[SeriesUse]


def month_bounds(month: date) -> tuple[datetime, datetime]:
    """The first moment of the month that a day lies in, by Indian time, and that of the next."""
    start = datetime(month.year, month.month, 1, tzinfo=_INDIAN_TIME)
    following = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=_INDIAN_TIME)
    return start.astimezone(UTC), following.astimezone(UTC)


def month_summary(session: Session, month: date) -> MonthSummary:
    """Everything that was put on paper within a month."""
    since, until = month_bounds(month)
    within = (TaxDocument.issued_at >= since) & (TaxDocument.issued_at < until)
    return MonthSummary(
        month.replace(day=1), _supplies(session, within), _by_hsn(session, within), _used(session, within)
    )


def as_csv(summary: MonthSummary) -> str:
    """The supplies as a table in major units, with a line of column names."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(_COLUMNS)
    for row in summary.supplies:
        amounts = [_major(getattr(row, name), row.currency) for name in _AMOUNTS]
        table.writerow(
            [
                f"{summary.month:%Y-%m}",
                row.section,
                row.supply_kind.value,
                row.place_of_supply,
                row.place_name,
                f"{row.rate_bp // 100}.{row.rate_bp % 100:02d}",
                row.currency,
                *amounts,
            ]
        )
    return text.getvalue()


def _sign() -> ColumnElement[int]:
    return case((TaxDocument.kind == DocumentKind.CREDIT_NOTE, -1), else_=1)


def _sums() -> list[ColumnElement[int]]:
    return [func.sum(_sign() * getattr(TaxDocumentLine, name)).label(name) for name in _AMOUNTS]


def _section() -> ColumnElement[str]:
    gstin = TaxDocument.buyer["gstin"].as_string()
    return case((TaxDocument.supply_kind == SupplyKind.EXPORT, "EXP"), (gstin.is_not(None), "B2B"), else_="B2C")


def _supplies(session: Session, within: ColumnElement[bool]) -> list[SupplyTotals]:
    by = (
        _section().label("section"),
        TaxDocument.supply_kind,
        TaxDocument.place_of_supply,
        TaxDocumentLine.rate_bp,
        TaxDocument.currency,
    )
    statement = select(*by, *_sums()).join(TaxDocument, TaxDocument.id == TaxDocumentLine.document_id).where(within)
    rows = session.execute(statement.group_by(*by).order_by(*by))
    return [SupplyTotals(*row[:5], *(int(amount) for amount in row[5:])) for row in rows]


def _by_hsn(session: Session, within: ColumnElement[bool]) -> list[HsnTotals]:
    by = (TaxDocumentLine.hsn_code, TaxDocumentLine.rate_bp, TaxDocument.currency)
    quantity = func.sum(_sign() * TaxDocumentLine.quantity).label("quantity")
    statement = select(*by, quantity, *_sums()).join(TaxDocument, TaxDocument.id == TaxDocumentLine.document_id)
    rows = session.execute(statement.where(within).group_by(*by).order_by(*by))
    return [HsnTotals(*row[:3], *(int(amount) for amount in row[3:])) for row in rows]


def _used(session: Session, within: ColumnElement[bool]) -> list[SeriesUse]:
    by = (TaxDocument.kind, TaxDocument.series, TaxDocument.financial_year)
    statement = select(*by, func.min(TaxDocument.number), func.max(TaxDocument.number), func.count())
    rows = session.execute(statement.where(within).group_by(*by).order_by(*by))
    return [SeriesUse(kind, series, first, last, int(count)) for kind, series, _, first, last, count in rows]


def _major(minor: int, currency: str) -> str:
    """`1234.50`: exact, without groups, for machines."""
    digits = exponent(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"
